"""What the collector will ask the broker for, and in which order."""

from __future__ import annotations

from chartinsightd.control.protocol.jobs import LaneCost
from chartinsightd.control.protocol.words import Count, Instant, Limit, Message, Request, Seconds, Symbol
from chartinsightd.domain.timeframe import Timeframe


class CatchUpQuery(Request):
    """How much of the plan."""

    limit: Limit = 200


class PlannedFetch(Message):
    """One series whose turn comes."""

    place: Count
    """Its place in its lane, from 1: lanes work side by side."""
    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    kind: str
    """Of the job that will do it: `poll`, `catch_up`, `universe`."""
    api_id: str
    pages: Count
    """Requests at most."""
    from_ts: Instant | None = None
    """Oldest candle that is missing; None where only the newest page is read again."""
    to_ts: Instant | None = None
    """End of what is missing."""


class CatchUpPlan(Message):
    """What waits for its turn now; who goes first comes first."""

    items: tuple[PlannedFetch, ...] = ()
    total: Count = 0
    """How many there are without the limit."""
    requests: Count = 0
    """Of all of them, at most."""
    seconds: Seconds = 0.0
    """Real seconds until the slowest lane is done, at the gate's present pace."""
    lanes: tuple[LaneCost, ...] = ()
    held_until: Instant | None = None
    """Nothing is asked before: the broker does not answer, or refused; None: the plan is worked on."""
    paused: bool = False
