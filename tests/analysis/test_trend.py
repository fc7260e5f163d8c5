"""Trend by Dow's rules on the skeleton."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from chartinsightd.analysis.analyser import Analysis, analyse
from chartinsightd.analysis.points import Point
from chartinsightd.analysis.skeleton import skeleton
from chartinsightd.analysis.trend import Trend
from tests.analysis.made_up import Prices, rows, shapes


def plain_trends(prices: list[Prices]) -> list[tuple[int, str]]:
    """Return every change of trend, read off the rules with the skeleton built from nothing at each
    candle."""
    series = rows(prices)
    points = analyse(series).points
    now, changes = "sideways", []
    for i, candle in enumerate(series):
        line = skeleton(point for point in points if point.known <= i)
        peaks, valleys = _values(line, peaks=True), _values(line, peaks=False)
        under = bool(valleys) and candle.close < valleys[-1]
        over = bool(peaks) and candle.close > peaks[-1]
        new = now
        if now == "sideways" and under and len(peaks) > 1 and peaks[-1] < peaks[-2]:
            new = "down"
        elif now == "sideways" and over and len(valleys) > 1 and valleys[-1] > valleys[-2]:
            new = "up"
        elif (now == "up" and under) or (now == "down" and over):
            new = "sideways"
        if new != now:
            changes.append((i, new))
            now = new
    return changes


def _values(line: tuple[Point, ...], *, peaks: bool) -> list[float]:
    return [point.value for point in line if point.is_peak is peaks]


@given(shapes())
def test_the_trend_follows_the_written_rules(prices: list[Prices]) -> None:
    """The carried rules give, candle by candle, what the definition gives from nothing."""
    found = analyse(rows(prices)).trends
    assert [(one.known, str(one.trend)) for one in found] == plain_trends(prices)


@given(shapes())
def test_a_change_is_known_at_its_own_close(prices: list[Prices]) -> None:
    """A change carries the start and the close of the candle that made it, and never repeats the trend
    before."""
    series, state = rows(prices), Analysis()
    found = analyse(series, state).trends
    assert all(one.from_ts == series[one.known].ts for one in found)
    assert all(one.confirmed_at == series[one.known].closes_at for one in found)
    trends = [Trend.SIDEWAYS, *(one.trend for one in found)]
    assert all(one is not other for one, other in pairwise(trends))
    assert state.trend.now is trends[-1]
