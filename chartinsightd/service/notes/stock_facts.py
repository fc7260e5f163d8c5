"""Reads what is stored of stocks and makes the table of facts from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter

import numpy as np

from chartinsightd.analysis.points import Grade, PointKind
from chartinsightd.domain.adjusted import AdjustedCandles
from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.notes.fact_table import Days, Level, Shape, Structure, fact_table
from chartinsightd.notes.facts import Fact
from chartinsightd.ports.analysis import AnalysisStore, Findings, FoundPoint
from chartinsightd.ports.candles import CandleReader, CandleSpan

_NEWEST = 300
"""Sessions that are read: a year and the beginnings of its means."""
_ID_LENGTH = 20


class StockFacts:
    """Makes facts of daily candles and of what the analysis found in them.

    Args:
        reader: final candles, adjusted.
        findings: what the analysis found.
        analyser: the code id of its rules.
    """

    def __init__(self, *, reader: CandleReader, findings: AnalysisStore, analyser: str) -> None:
        self._reader = reader
        self._findings = findings
        self._analyser = analyser

    async def data_id(self, symbols: Sequence[str]) -> str:
        """Return the name of the candles that facts of these stocks rest on; reads no candle."""
        versions = await self._reader.versions(symbols, Timeframe.D1)
        one_by_one = [data_id(_series(symbol), versions[symbol]) for symbol in symbols]
        return hashlib.sha256(" ".join([*one_by_one, self._analyser]).encode()).hexdigest()[:_ID_LENGTH]

    async def facts(self, symbols: Sequence[str]) -> tuple[Fact, ...]:
        """Return the facts of stocks, in their order; a stock without final daily candles has none."""
        candles = await self._reader.read_many(symbols, Timeframe.D1, CandleSpan(newest=_NEWEST))
        stocks = {}
        for symbol in symbols:
            found = await self._findings.findings(self._analyser, _series(symbol))
            stocks[symbol] = (_days(candles[symbol]), _structure(found, candles[symbol]))
        return fact_table(stocks)


def _series(symbol: str) -> Series:
    return Series(symbol=symbol, timeframe=Timeframe.D1)


def _day(ts: int) -> date:
    return day_of(datetime.fromtimestamp(ts, KST))


def _days(candles: AdjustedCandles) -> Days:
    return Days(
        days=[_day(ts) for ts in candles.raw.ts.tolist()],
        high=candles.high,
        low=candles.low,
        close=candles.close,
        volume=candles.volume,
    )


def _structure(found: Findings, candles: AdjustedCandles) -> Structure:
    trend = max(found.trends, key=attrgetter("confirmed_at"), default=None)
    return Structure(
        trend=None if trend is None else trend.trend.value,
        trend_since=None if trend is None else _day(trend.confirmed_at),
        peak=_level(found.points, PointKind.PEAK, candles),
        valley=_level(found.points, PointKind.VALLEY, candles),
        shape=_shape(found, candles),
    )


def _level(points: Sequence[FoundPoint], kind: PointKind, candles: AdjustedCandles) -> Level | None:
    """Return the newest primary point of a kind, in the measure of the newest candle."""
    of_kind = [point for point in points if point.kind is kind and point.grade is Grade.PRIMARY]
    newest = max(of_kind, key=attrgetter("confirmed_at", "ts"), default=None)
    if newest is None or (price := _now(newest.price, newest.ts, candles)) is None:
        return None
    return Level(day=_day(newest.ts), price=price)


def _shape(found: Findings, candles: AdjustedCandles) -> Shape | None:
    newest = max(found.patterns, key=attrgetter("confirmed_at", "ts"), default=None)
    if newest is None:
        return None
    level = newest.levels.get("neckline")
    return Shape(
        kind=newest.kind.value,
        state=newest.state.value,
        known_on=_day(newest.ts),
        neckline=None if level is None else _now(level, newest.ts, candles),
        pattern_id=newest.pattern_id,
    )


def _now(price: float, ts: int, candles: AdjustedCandles) -> float | None:
    """Return a price as traded at `ts` in today's measure; None where that candle was not read."""
    place = int(np.searchsorted(candles.raw.ts, ts))
    if place >= len(candles) or int(candles.raw.ts[place]) != ts:
        return None
    return float(price * candles.factor[place])
