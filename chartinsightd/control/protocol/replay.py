"""How the daemon was at a moment of the last month, as it was recorded then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from chartinsightd.control.protocol.jobs import Job
from chartinsightd.control.protocol.status import AlertSilence, ChannelState, Status
from chartinsightd.control.protocol.words import AskedInstant, Count, Instant, Message, Request, Symbol
from chartinsightd.domain.timeframe import Timeframe

LONGEST_TIMELINE_S = 32 * 86_400.0
"""Seconds between the two ends of a timeline: a little more than a month."""


class Recorded(Message):
    """What was recorded at one moment."""

    status: Status
    """Without the requests of each second at the gate."""
    missing: Mapping[Symbol, Mapping[Timeframe, Count | None]] = Field(default_factory=dict)
    """Sessions missing of each series that was collected, in the order of the watchlist; None: the broker had
    not been asked for it yet. Those of which none was missing are there with 0."""
    jobs: tuple[Job, ...] = ()
    """Those that ran."""
    channels: tuple[ChannelState, ...] = ()
    silences: tuple[AlertSilence, ...] = ()


class MomentQuery(Request):
    """Which moment."""

    at: AskedInstant


class MomentAnswer(Message):
    """A moment as it was, as far as it is known."""

    at: Instant
    """The moment that was asked for."""
    recorded_at: Instant | None = None
    """When it was recorded, a few seconds before `at`; None: nothing is known of this moment."""
    recorded: Recorded | None = None
    known_until: Instant | None = None
    """When the last known moment before it ends; None: there is none, or `at` itself is known."""
    known_from: Instant | None = None
    """When the first known moment after it begins; None: there is none, or `at` itself is known."""


class TimelineQuery(Request):
    """Which time."""

    from_at: AskedInstant
    to_at: AskedInstant
    """Not part of it."""

    @model_validator(mode="after")
    def _is_a_time(self) -> Self:
        seconds = (self.to_at - self.from_at).total_seconds()
        if not 0 < seconds <= LONGEST_TIMELINE_S:
            raise ValueError("to_at is not after from_at, or more than 32 days later")
        return self


class TimelineStretch(Message):
    """A time in which the verdict and its causes were the same."""

    from_at: Instant
    to_at: Instant
    state: Annotated[str, Field(examples=["well"])]
    """`well`, `working`, `attention`, `trouble`; `unknown`: nothing was recorded."""
    causes: tuple[str, ...] = ()
    """Kinds of the verdict's causes, the worst first."""


class Timeline(Message):
    """The verdicts of a time, without a hole: what was not recorded is `unknown`."""

    items: tuple[TimelineStretch, ...] = ()
    """Oldest first; the last one ends with the time asked for, or now."""
    lost: Count = 0
    """Moments that could not be written since the daemon's start."""
