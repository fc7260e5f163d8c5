"""Replaying every prefix of real candles: what was known then never changes."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from chartinsightd.analysis.analyser import Learned, analyse
from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.skeleton import skeleton
from tests.analysis.real import LARGE, daily, minutes, needs_real_data
from tests.analysis.test_structure import until

pytestmark = needs_real_data


def rewritten(series: Candles) -> int:
    """Return how many prefixes, each analysed from nothing, say other than the whole series says of them."""
    candles = list(series)
    whole = analyse(candles)
    return sum(analyse(candles[:count]) != until(whole, count) for count in range(len(candles)))


def judged(learned: Learned) -> int:
    """Return the points, after checking that each was known at a close not before its own candle."""
    assert all(point.at <= point.known and point.ts < point.confirmed_at for point in learned.points)
    line = skeleton(learned.points)
    assert all(one.kind is not other.kind for one, other in pairwise(line))
    return len(learned.points)


def test_no_prefix_of_recent_days_is_rewritten() -> None:
    """Ten stocks by the day, 160 days each: every prefix shows what the whole shows as known by then."""
    assert sum(rewritten(daily(symbol).part(slice(-160, None))) for symbol in LARGE[:10]) == 0


def test_no_prefix_of_minutes_is_rewritten() -> None:
    """The same of five-minute candles of some days."""
    series = [one for one in minutes().values() if len(one) > 200][:2]
    assert sum(rewritten(one.part(slice(0, 200))) for one in series) == 0


def test_no_window_fails() -> None:
    """Windows of any length that begin on any day are analysed without an error, and their lines
    alternate."""
    chosen = random.Random(1)
    found = 0
    for _ in range(300):
        series = daily(chosen.choice(LARGE))
        begin = chosen.randrange(len(series))
        found += judged(analyse(series.part(slice(begin, begin + chosen.randrange(1, 300)))))
    assert found > 1_000


def test_points_are_as_many_as_measured_before() -> None:
    """On 30,708 days of thirteen stocks the machine confirms the legs that a system before was measured to
    find.

    That system had 2,361 primary points over rows with the zeros of halts; flattened, they are 2,363. Its
    search missed the extreme of 8.7 of 100 legs; the count of confirmations does not depend on that.
    """
    series = [daily(symbol).part(slice(-2_500, None)) for symbol in LARGE]
    points = [point for one in series for point in analyse(one).points]
    assert sum(len(one) for one in series) == 30_708
    assert sum(point.grade == "primary" for point in points) == 2_363


@pytest.mark.soak
def test_no_prefix_of_a_thousand_days_is_rewritten() -> None:
    """Thirteen stocks, a thousand days each, every prefix from nothing."""
    assert sum(rewritten(daily(symbol).part(slice(-1_000, None))) for symbol in LARGE) == 0


@pytest.mark.soak
def test_ten_thousand_windows_do_not_fail() -> None:
    """The same as above with many windows."""
    chosen = random.Random(2)
    for _ in range(10_000):
        series = daily(chosen.choice(LARGE))
        begin = chosen.randrange(len(series))
        judged(analyse(series.part(slice(begin, begin + 500))))
