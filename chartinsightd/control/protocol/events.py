"""The stream of events."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    Field,
)

from chartinsightd.control.protocol.coverage import CoverageRow
from chartinsightd.control.protocol.jobs import Job, Outcome
from chartinsightd.control.protocol.rows import CandleRow, LogLine
from chartinsightd.control.protocol.status import Alert, Status
from chartinsightd.control.protocol.watching import WatchlistChange
from chartinsightd.control.protocol.words import Instant, Message, Request, Symbol
from chartinsightd.domain.timeframe import Timeframe


class EventType(StrEnum):
    """What an event is about; it decides what its `data` is."""

    STATUS = "status"
    """`Status`. The newest replaces older ones."""
    STATE = "state"
    """`StateChange`. The newest of a part replaces older ones."""
    PROGRESS = "progress"
    """`Job`, on its way. The newest of a job replaces older ones."""
    JOB = "job"
    """`Job`, created or over."""
    COVERAGE = "coverage"
    """`CoverageRow`. The newest of a series replaces older ones."""
    CANDLE = "candle"
    """`CandleChange`. The newest forming one of a series replaces older ones, a final one none."""
    SYMBOLS = "symbols"
    """`Outcome`: the tracked symbols or the stock list changed; read them again."""
    ALERT = "alert"
    """`Alert`, begun or ended."""
    ANALYSIS = "analysis"
    """`AnalysisChange`. The newest of a series replaces older ones."""
    LABEL = "label"
    """`LabelChange`."""
    WATCHLIST = "watchlist"
    """`WatchlistChange`: read the watchlist again."""
    LOG = "log"
    """`LogLine`."""
    RESET = "reset"
    """`StreamNote`: the stream begins here, or events were missed: read everything you show."""
    DROPPED = "dropped"
    """`StreamNote`: the last event of a stream whose reader was too slow."""


REPLACED = frozenset(
    {
        EventType.STATUS,
        EventType.STATE,
        EventType.PROGRESS,
        EventType.COVERAGE,
        EventType.CANDLE,
        EventType.ANALYSIS,
    }
)
"""Event types where only the newest event of a key matters: a reader that lags gets only that one."""


class StateChange(Message):
    """A part of the daemon went from one state to another."""

    part: str
    """`daemon`, `session`, `token`, `database`, `gate` …"""
    state: str
    previous: str = ""
    detail: str = ""


class CandleChange(Message):
    """The newest candle of a series: a new one, or one that still forms."""

    symbol: Symbol
    timeframe: Timeframe
    candle: CandleRow
    unexplained_since: Instant | None = None
    """Of a forming candle: trades were missed, and its volume does not add up from here on."""


class AnalysisChange(Message):
    """Points, trends or patterns of a series were added: read them again."""

    symbol: Symbol
    timeframe: Timeframe


class LabelChange(Message):
    """A person said something of a stretch of a chart, or corrected it."""

    id: int
    symbol: Symbol
    timeframe: Timeframe
    replaces: int | None = None


class StreamNote(Message):
    """A word about the stream itself."""

    reason: str


class Event(Message):
    """One event of the stream."""

    id: str
    """Text that says where in the stream it stands; given back as `Last-Event-ID` it continues after it."""
    type: EventType
    at: Instant
    """By the daemon's clock."""
    data: Mapping[str, Any] = Field(default_factory=dict)
    """The message `type` names, as JSON."""

    def message(self) -> Message:
        """Return the data as the message its type names.

        Raises:
            ValueError: the data is not one.
        """
        return _EVENT_DATA[self.type].model_validate(self.data)


class EventQuery(Request):
    """Which events."""

    types: Annotated[tuple[EventType, ...], Field(max_length=len(EventType))] = ()
    """Empty: all. `reset` and `dropped` come in any case."""
    after: Annotated[str, Field(max_length=100)] = ""
    """Continue after this event id; the header `Last-Event-ID` does the same. Empty: from now on."""


_EVENT_DATA: Mapping[EventType, type[Message]] = {
    EventType.STATUS: Status,
    EventType.STATE: StateChange,
    EventType.PROGRESS: Job,
    EventType.JOB: Job,
    EventType.COVERAGE: CoverageRow,
    EventType.CANDLE: CandleChange,
    EventType.SYMBOLS: Outcome,
    EventType.ALERT: Alert,
    EventType.ANALYSIS: AnalysisChange,
    EventType.LABEL: LabelChange,
    EventType.WATCHLIST: WatchlistChange,
    EventType.LOG: LogLine,
    EventType.RESET: StreamNote,
    EventType.DROPPED: StreamNote,
}
