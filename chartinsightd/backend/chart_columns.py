"""Candles and what was found in them, as the columns of a chart. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from chartinsightd.analysis.points import Cause, Point, PointKind
from chartinsightd.analysis.skeleton import skeleton
from chartinsightd.control.protocol.radar import (
    Candidate,
    CandleColumns,
    ChartFigure,
    ChartLevel,
    ChartPattern,
    ChartPatternEvent,
    ChartPatternPoint,
    ChartPoint,
    ChartStructure,
    Column,
    LegColumns,
    PointColumns,
    TrendColumns,
)
from chartinsightd.domain.adjusted import AdjustedCandles
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.kst import KST_OFFSET_S
from chartinsightd.ports.analysis import FoundPattern, FoundPoint, FoundTrend


class Chart:
    """The candles of one answer, and where a moment or a price lies among them.

    Args:
        candles: oldest first.
        closes_at: of each its close by the calendar, in seconds since the epoch.
        is_adjusted: whether prices are told in the measure of the newest day.
    """

    def __init__(self, candles: AdjustedCandles, closes_at: Ints, *, is_adjusted: bool) -> None:
        self.candles = candles
        self.closes_at = closes_at
        self.is_adjusted = is_adjusted
        self.ts = candles.raw.ts
        self._place = {int(ts): place for place, ts in enumerate(self.ts)}

    def __len__(self) -> int:
        return len(self.ts)

    def place_of(self, ts: int) -> int | None:
        """Return which candle starts at a moment."""
        return self._place.get(ts)

    def place_closing(self, moment: int) -> int | None:
        """Return which candle closes at a moment."""
        place = int(np.searchsorted(self.closes_at, moment))
        return place if place < len(self) and int(self.closes_at[place]) == moment else None

    def y(self, ts: int, price: float) -> float | None:
        """Return a price of a candle's day in the measure of this answer; None without its candle."""
        place = self._place.get(ts)
        if place is None:
            return None
        return price * float(self.candles.factor[place]) if self.is_adjusted else price

    def lag(self, point: FoundPoint) -> int | None:
        """Return how many candles after its own confirmed a point."""
        first, last = self.place_of(point.ts), self.place_closing(point.confirmed_at)
        return None if first is None or last is None else last - first

    def price(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column of prices in the measure of this answer."""
        found: np.ndarray[Any, Any] = getattr(self.candles if self.is_adjusted else self.candles.raw, name)
        return found


def candle_columns(chart: Chart) -> CandleColumns:
    """Return the candles."""
    raw = chart.candles.raw
    volume = chart.candles.volume if chart.is_adjusted else raw.volume
    return CandleColumns.model_construct(
        ts=raw.ts.tolist(),
        ts_kst=korean_times(raw.ts),
        closes_at=chart.closes_at.tolist(),
        open=numbers(chart.price("open")),
        high=numbers(chart.price("high")),
        low=numbers(chart.price("low")),
        close=numbers(chart.price("close")),
        volume=numbers(volume),
        value=None if raw.value is None else raw.value.tolist(),
        final=raw.final.tolist(),
        factor=numbers(chart.candles.factor),
    )


def numbers(column: np.ndarray[Any, Any]) -> Column:
    """Return a column's numbers, as integers where all of them are whole."""
    if column.dtype.kind == "f" and bool(np.all(column == np.rint(column))):
        column = column.astype(np.int64)
    return list(column.tolist())


def korean_times(seconds: Ints | Sequence[int]) -> Column:
    """Return moments in Korean time, RFC 3339."""
    shifted = (np.asarray(seconds, dtype=np.int64) + KST_OFFSET_S).astype("datetime64[s]")
    return [f"{text}+09:00" for text in np.datetime_as_string(shifted).tolist()]


def point_columns(chart: Chart, points: Sequence[FoundPoint]) -> PointColumns:
    """Return points, by confirmation."""
    ts, confirmed_at = [point.ts for point in points], [point.confirmed_at for point in points]
    return PointColumns.model_construct(
        ts=ts,
        ts_kst=korean_times(ts),
        kind=[point.kind for point in points],
        grade=[point.grade for point in points],
        price=[point.price for point in points],
        y=[chart.y(point.ts, point.price) for point in points],
        confirmed_at=confirmed_at,
        confirmed_at_kst=korean_times(confirmed_at),
        cause=[point.cause for point in points],
        lag=[chart.lag(point) for point in points],
    )


def trend_columns(trends: Sequence[FoundTrend]) -> TrendColumns:
    """Return changes of the trend."""
    from_ts, confirmed_at = [one.from_ts for one in trends], [one.confirmed_at for one in trends]
    return TrendColumns.model_construct(
        from_ts=from_ts,
        from_ts_kst=korean_times(from_ts),
        trend=[one.trend for one in trends],
        confirmed_at=confirmed_at,
        confirmed_at_kst=korean_times(confirmed_at),
    )


def line_through(chart: Chart, points: Iterable[FoundPoint]) -> tuple[Point, ...]:
    """Return the alternating line through the points of these candles."""
    placed = (
        Point(
            kind=point.kind,
            grade=point.grade,
            cause=Cause(point.cause),
            ts=point.ts,
            price=point.price,
            confirmed_at=point.confirmed_at,
            value=y,
        )
        for point in points
        if (y := chart.y(point.ts, point.price)) is not None
    )
    return skeleton(placed)


def leg_columns(line: Sequence[Point]) -> LegColumns:
    """Return the line."""
    return LegColumns.model_construct(
        ts=[point.ts for point in line],
        y=[point.value for point in line],
        kind=[point.kind for point in line],
    )


def structure_of(
    chart: Chart, points: Sequence[FoundPoint], trends: Sequence[FoundTrend], line: Sequence[Point]
) -> ChartStructure:
    """Return how a series stands at the last of these candles."""
    last_trend = trends[-1] if trends else None
    return ChartStructure(
        trend=last_trend.trend if last_trend else "sideways",
        since=_moment(last_trend.from_ts) if last_trend else None,
        last_peak=_last(chart, points, PointKind.PEAK),
        last_valley=_last(chart, points, PointKind.VALLEY),
        candidate=_candidate(chart, line[-1]) if line else None,
    )


def _last(chart: Chart, points: Sequence[FoundPoint], kind: PointKind) -> ChartPoint | None:
    found = max((one for one in points if one.kind is kind), key=lambda one: one.ts, default=None)
    if found is None:
        return None
    return ChartPoint(
        ts=_moment(found.ts),
        kind=found.kind,
        grade=found.grade,
        price=found.price,
        y=chart.y(found.ts, found.price),
        confirmed_at=_moment(found.confirmed_at),
        cause=found.cause,
        lag=chart.lag(found),
    )


def _candidate(chart: Chart, last: Point) -> Candidate | None:
    """Return the extreme of the final candles after the last point of the line, the first of equal ones."""
    begin = int(np.searchsorted(chart.ts, last.ts, side="right"))
    after = np.flatnonzero(chart.candles.raw.final[begin:]) + begin
    if not len(after):
        return None
    kind = PointKind.VALLEY if last.is_peak else PointKind.PEAK
    name, first = ("low", np.argmin) if last.is_peak else ("high", np.argmax)
    place = int(after[first(getattr(chart.candles, name)[after])])
    return Candidate(
        kind=kind,
        ts=_moment(int(chart.ts[place])),
        price=int(getattr(chart.candles.raw, name)[place]),
        y=float(chart.price(name)[place]),
    )


def patterns_of(chart: Chart, events: Iterable[FoundPattern]) -> tuple[ChartPattern, ...]:
    """Return patterns with the states they entered, in the order of their first one.

    They are made of values that were checked when they were stored: a page has hundreds.
    """
    by_id: dict[str, list[FoundPattern]] = {}
    for event in events:
        by_id.setdefault(event.pattern_id, []).append(event)
    return tuple(
        ChartPattern.model_construct(
            pattern_id=pattern_id,
            kind=str(states[0].kind),
            events=tuple(_event(chart, one) for one in sorted(states, key=_by_life)),
        )
        for pattern_id, states in by_id.items()
    )


def _by_life(event: FoundPattern) -> tuple[int, bool]:
    return event.confirmed_at, event.state != "forming"


def _event(chart: Chart, event: FoundPattern) -> ChartPatternEvent:
    return ChartPatternEvent(
        state=str(event.state),
        at=_moment(event.ts),
        confirmed_at=_moment(event.confirmed_at),
        points=tuple(
            ChartPatternPoint(role, _moment(ts), price, chart.y(ts, price))
            for role, ts, price in event.points
        ),
        levels={name: ChartLevel(price, chart.y(event.ts, price)) for name, price in event.levels.items()},
        evidence={name: ChartFigure(value, unit) for name, (value, unit) in event.evidence.items()},
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
