"""What the analysis found: points, trend changes, patterns, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from chartinsightd.control.protocol.words import (
    MAX_ROWS,
    AnalysedVenue,
    AskedInstant,
    Count,
    Instant,
    Limit,
    Message,
    Request,
    Symbol,
    Symbols,
    Timeframes,
    Words,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue


class AnalysisStatus(StrEnum):
    """How the analysis of a series stands."""

    DUE = "due"
    """Its candles are not those that were analysed last."""
    DONE = "done"
    TOO_SHORT = "too_short"
    HELD = "held"
    """A price step that no known corporate action explains."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It is not analysed: not tracked, or its timeframe is not collected."""


class PointRow(Message):
    """A peak or a valley."""

    ts: Instant
    """Start of the candle with the extreme price."""
    kind: str
    """`peak` or `valley`."""
    grade: str
    """`primary`: a reversal of the leg confirmed it. `secondary`: a smaller swing inside a leg."""
    price: Count
    """Won, as traded on that day."""
    confirmed_at: Instant
    """Close of the candle at which the point could first be known."""
    cause: str
    """The rule that confirmed it; see docs/analysis.md."""


class TrendRow(Message):
    """A change of the trend; it lasts until the next one."""

    from_ts: Instant
    """Start of the candle whose close made the change."""
    trend: str
    """`up`, `down` or `sideways`."""
    confirmed_at: Instant


class SeriesAnalysis(Message):
    """How far the analysis of one series is, and what it rests on."""

    status: AnalysisStatus = AnalysisStatus.UNKNOWN
    reason: str = ""
    """Why it is not done."""
    data_id: str = ""
    """The candles that the newest result rests on."""
    code_id: str = ""
    """The rules that found it."""
    analysed_to: Instant | None = None
    """Start of the last final candle taken in."""


class PointsQuery(Request):
    """Which points of one series."""

    symbol: Symbol
    timeframe: Timeframe = Timeframe.D1
    venue: AnalysedVenue = Venue.KRX
    from_ts: AskedInstant | None = None
    """Points of earlier candles are left out."""
    until: AskedInstant | None = None
    """Market time: what was confirmed later is left out."""
    as_of: AskedInstant | None = None
    """Knowledge: what this store recorded later is left out."""
    limit: Limit = MAX_ROWS
    """Most points, and most trend changes, of the answer: the newest ones."""


class PointList(Message):
    """Points and trend changes of one series, by confirmation."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    analysis: SeriesAnalysis = SeriesAnalysis()
    points: tuple[PointRow, ...] = ()
    trends: tuple[TrendRow, ...] = ()


class PatternPointRow(Message):
    """One point of a pattern."""

    role: str
    ts: Instant
    price: Count
    """Won, as traded on its own day."""


class PatternRow(Message):
    """The latest state of a pattern."""

    pattern_id: str
    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    kind: str
    """`double_top`, `double_bottom`, `retest_top`, `retest_bottom`, `head_shoulders`,
    `inverse_head_shoulders`."""
    state: str
    """`forming`, `completed`, `failed` or `expired`."""
    at: Instant
    """Start of the candle that made the state."""
    confirmed_at: Instant
    points: tuple[PatternPointRow, ...] = ()
    levels: Mapping[str, float] = Field(default_factory=dict)
    """Won, as traded on the day of `at`: neckline, limit, target."""
    evidence: Mapping[str, tuple[float, str]] = Field(default_factory=dict)
    """The figures that decided, each with its unit."""


class PatternQuery(Request):
    """Which patterns."""

    symbol: Symbols = ()
    timeframe: Timeframes = ()
    state: Words = ()
    kind: Words = ()
    venue: AnalysedVenue = Venue.KRX
    until: AskedInstant | None = None
    """Market time: states that were confirmed later are left out."""
    as_of: AskedInstant | None = None
    """Knowledge: what this store recorded later is left out."""
    limit: Annotated[Limit, Field()] = 200


class PatternList(Message):
    """Patterns, the newest state first."""

    items: tuple[PatternRow, ...] = ()
    total: Count = 0


class AnalyseRequest(Request):
    """Which stocks to analyse now; none: all that are due."""

    symbols: Symbols = ()
