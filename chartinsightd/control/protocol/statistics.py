"""What followed the hits of a strategy or the ends of a pattern, beside what followed anyway."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chartinsightd.control.protocol.words import (
    AnalysedVenue,
    AskedDay,
    AskedInstant,
    Count,
    Day,
    Instant,
    Message,
    Request,
    Symbol,
    Text,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

PatternKind = Literal[
    "double_top",
    "double_bottom",
    "retest_top",
    "retest_bottom",
    "head_shoulders",
    "inverse_head_shoulders",
]


class StatisticsQuery(Request):
    """A strategy with its default parameters, or a pattern; exactly one."""

    strategy_name: Annotated[Text, Field(max_length=100)] | None = None
    pattern: PatternKind | None = None
    state: Literal["completed", "failed", "expired"] = "completed"
    """Of the pattern: entering it is the event."""
    venue: AnalysedVenue = Venue.KRX
    timeframe: Timeframe = Timeframe.D1
    split: AskedDay | None = None
    """The first day out of sample; None: after two thirds of the days."""
    cost: Annotated[float, Field(ge=0, le=0.5)] = 0.0025
    """Of a round trip, as a share of the price: tax, fees, spread."""
    until: AskedInstant | None = None
    """Market time: candles that close later, and what was confirmed later, take no part."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.strategy_name is None) == (self.pattern is None):
            raise ValueError("exactly one of strategy_name and pattern is needed")
        return self


class PatternStatisticsQuery(Request):
    """Which patterns."""

    timeframe: Timeframe = Timeframe.D1
    kind: Annotated[tuple[PatternKind, ...], Field(max_length=6)] = ()
    """None named: all."""
    until: AskedInstant | None = None
    """Market time: candles that close later, and what was confirmed later, take no part."""


class PatternStatistic(Message):
    """One kind of pattern, one horizon, one sample."""

    kind: str
    horizon: Count
    """Candles from the entry at the next open to the exit at a close."""
    sample: Literal["in", "out"]
    """Before, or from the split on."""
    split: Day
    n: Count
    too_few: bool
    """Fewer than 30 events: there is no figure."""
    rate: float | None = None
    """Share of returns above zero after cost."""
    base: float | None = None
    """Of every candle of the same stocks and days."""
    low: float | None = None
    high: float | None = None
    verdict: str | None = None
    mean: float | None = None
    mean_base: float | None = None
    cost: float


class PatternStatistics(Message):
    """What followed each kind of pattern that was completed."""

    timeframe: Timeframe
    until: Instant | None = None
    items: tuple[PatternStatistic, ...] = ()
    data_id: str = ""


class StatisticFigure(Message):
    """A figure after events, the same of all candles, and where the true value lies in 95 of 100 cases."""

    value: float
    base: float
    """Of every candle of the same stocks and days."""
    low: float | None = None
    high: float | None = None
    """None where the events lie in too few blocks of days for an interval."""
    verdict: str = "same"
    """`above` or `below` where the interval leaves out the base, else `same`."""


class StatisticRow(Message):
    """One horizon of one sample."""

    horizon: Count
    """Candles from the entry at the next open to the exit at a close."""
    n: Count
    """Events whose exit has come."""
    base_n: Count
    """Candles of the base."""
    too_few: bool
    """Fewer than 30 events: there is no figure."""
    rise: StatisticFigure | None = None
    """Share of returns above zero after cost."""
    mean: StatisticFigure | None = None
    """Mean return after cost, as a share."""


class StatisticException(Message):
    """A stock whose candles could not be used."""

    symbol: Symbol
    reason: str


class StatisticsResult(Message):
    """What followed, before and after the split."""

    what: str
    """The strategy, or the pattern and its state."""
    timeframe: Timeframe
    split: Day
    cost: float
    stocks: Count
    """Whose candles were looked at."""
    data_id: str
    code_id: str
    in_sample: tuple[StatisticRow, ...] = ()
    """Cases that were over before the split."""
    out_of_sample: tuple[StatisticRow, ...] = ()
    """Cases from the split on."""
    exceptions: tuple[StatisticException, ...] = ()
