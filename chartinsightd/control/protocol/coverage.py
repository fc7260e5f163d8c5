"""How complete the store is, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import (
    Field,
)

from chartinsightd.control.protocol.words import (
    AskedDay,
    Count,
    Day,
    Instant,
    Limit,
    Message,
    Ratio,
    Request,
    Symbol,
    Symbols,
    Timeframes,
    VenueName,
    Words,
)
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue


class CoverageRow(Message):
    """How complete one series is within its horizon."""

    symbol: Symbol
    name: str
    timeframe: Timeframe
    tier: Tier = Tier.TARGET
    """Days of the universe are not sealed: a proof needs 5m candles."""
    from_ts: Instant | None = None
    """Start of the horizon; None while the listing day is not known."""
    to_ts: Instant | None = None
    """End of what should be final by now."""
    complete_ratio: Ratio
    """`covered / expected`; 1 where nothing is expected."""
    expected: Count
    """Sessions of the horizon (weeks for 1w) that should be complete by now."""
    covered: Count
    """Of these, the ones that are."""
    missing: Count
    """Of these, the ones that are not; `expected - covered`."""
    newest_final_ts: Instant | None = None
    read_at: Instant | None = None
    """When the broker was last asked for this series."""
    unsealed: Count = 0
    """Sessions, of those that are stored, that are not proved complete or contradict themselves."""
    reason: GapReason | None = None
    """Why the newest gap is there, else why the newest session is not sealed; None where all is well."""


class CoverageQuery(Request):
    """Which series."""

    symbol: Symbols = ()
    """Empty: every one of the tier."""
    timeframe: Timeframes = ()
    """Empty: all."""
    tier: Tier = Tier.TARGET
    """With `symbol` without effect."""
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class CoverageList(Message):
    """Coverage, by symbol and timeframe."""

    at: Instant
    """When it was computed."""
    items: tuple[CoverageRow, ...] = ()


class SessionCoverage(Message):
    """How complete one trading day of one series is."""

    symbol: Symbol
    timeframe: Timeframe
    day: Day
    complete_ratio: Ratio
    reason: GapReason
    """Why something is missing; `broken` or `unproved` where all is stored and the seal is open."""


class SessionCoverageQuery(Request):
    """Which sessions of which series."""

    timeframe: Timeframe
    symbol: Symbols = ()
    """Empty: every tracked one."""
    from_day: AskedDay | None = None
    """Default: 60 sessions before `to_day`."""
    to_day: AskedDay | None = None
    """Default: today."""
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class SessionCoverageList(Message):
    """Coverage by symbol and session, for one timeframe."""

    timeframe: Timeframe
    at: Instant | None = None
    """When it was computed."""
    symbols: tuple[Symbol, ...] = ()
    """Whom it speaks of: of other symbols nothing is known from it."""
    days: tuple[Day, ...] = ()
    """The sessions, oldest first."""
    items: tuple[SessionCoverage, ...] = ()
    """Only what differs from complete: what `symbols` have beside it has a ratio of 1 and no open seal."""


class GapRow(Message):
    """A range that should hold candles and is not covered, or not proved: [from_ts, to_ts)."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    from_ts: Instant
    to_ts: Instant
    reason: GapReason
    evidence: Mapping[str, Any] = Field(default_factory=dict)
    """What the reason rests on; `told` is what the broker said last."""
    since: Instant
    """When it was first known."""


class GapQuery(Request):
    """Which gaps."""

    symbol: Symbols = ()
    timeframe: Timeframes = ()
    limit: Limit = 1_000
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class GapList(Message):
    """Gaps, newest range first."""

    items: tuple[GapRow, ...] = ()
    total: Count = 0
    """How many there are without the limit."""


class SealRow(Message):
    """The proof that one trading day of one symbol is complete, or what was found instead."""

    symbol: Symbol
    name: str = ""
    day: Day
    state: str
    """`sealed`, `unproved` or `broken`."""
    evidence: Mapping[str, Any] = Field(default_factory=dict)


class SealQuery(Request):
    """Which seals."""

    symbol: Symbols = ()
    state: Words = ()
    from_day: AskedDay | None = None
    to_day: AskedDay | None = None
    limit: Limit = 1_000
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class SealList(Message):
    """Seals, newest day first."""

    items: tuple[SealRow, ...] = ()
    total: Count = 0
