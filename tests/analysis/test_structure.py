"""Points and the skeleton: true extremes, alternating, known from the candles up to their confirmation
alone."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.analyser import Analysis, Learned, analyse
from chartinsightd.analysis.points import Cause, Grade, Point, PointKind
from chartinsightd.analysis.skeleton import Skeleton, skeleton
from chartinsightd.analysis.structure import Structure
from tests.analysis.made_up import Prices, rows, shapes, walk

SPLITS = st.sampled_from(
    [Fraction(1, 50), Fraction(1, 3), Fraction(10), Fraction(20, 21), Fraction(1_000_003, 7)]
)


def until(learned: Learned, count: int) -> Learned:
    """Return what had become known with the first candles of a series."""
    return Learned(
        points=tuple(one for one in learned.points if one.known < count),
        trends=tuple(one for one in learned.trends if one.known < count),
        patterns=tuple(one for one in learned.patterns if one.known < count),
    )


@given(shapes(), st.integers(0, 60))
def test_nothing_depends_on_later_candles(prices: list[Prices], cut: int) -> None:
    """What a prefix shows is what the whole series shows as known by then: no look-ahead, no repaint."""
    series = rows(prices)
    assert analyse(series[:cut]) == until(analyse(series), cut)


@given(shapes(), st.sets(st.integers(0, 60), max_size=5))
def test_chunks_and_restarts_change_no_byte(prices: list[Prices], cuts: set[int]) -> None:
    """Any chunks, each with a state that was stored and read again, give the batch and its very state."""
    series = rows(prices)
    state, found = Analysis(), Learned()
    edges = [0, *sorted(cut for cut in cuts if cut < len(series)), len(series)]
    for begin, end in pairwise(edges):
        state = Analysis.load(state.dump())
        more = analyse(series[begin:end], state)
        found = Learned(
            points=found.points + more.points,
            trends=found.trends + more.trends,
            patterns=found.patterns + more.patterns,
        )

    whole = Analysis()
    assert found == analyse(series, whole)
    assert state.dump() == whole.dump()


@given(shapes())
def test_a_primary_point_is_the_extreme_of_its_leg(prices: list[Prices]) -> None:
    """It is the first of the highest or lowest candles after the primary point before, up to its
    confirmation."""
    series = rows(prices)
    after = 0
    for point in analyse(series).points:
        if point.grade is Grade.PRIMARY:
            leg = series[after : point.known + 1]
            values = [candle.high for candle in leg] if point.is_peak else [-candle.low for candle in leg]
            assert point.at == after + values.index(max(values))
            after = point.at + 1


@given(shapes())
def test_a_point_is_a_candle_of_the_series(prices: list[Prices]) -> None:
    """A point has the time and the traded extreme of its candle, and is known at a close not before it."""
    series = rows(prices)
    for point in analyse(series).points:
        candle = series[point.at]
        assert point.ts == candle.ts
        assert point.price == (candle.traded_high if point.is_peak else candle.traded_low)
        assert point.at <= point.known
        assert point.confirmed_at == series[point.known].closes_at


@given(shapes())
def test_the_skeleton_alternates(prices: list[Prices]) -> None:
    """Whatever points are known, the line through them goes from peak to valley to peak."""
    kinds = [point.kind for point in skeleton(analyse(rows(prices)).points)]
    assert all(one is not other for one, other in pairwise(kinds))


@given(shapes())
def test_the_carried_skeleton_is_the_fold_of_all_points(prices: list[Prices]) -> None:
    """Adding points as they become known gives, at the end that is kept, the line through all of them."""
    points = analyse(rows(prices)).points
    carried = Skeleton()
    for count, point in enumerate(points, start=1):
        carried.add((point,))
        line = skeleton(points[:count])
        assert tuple(carried.pivots[-6:]) == line[-6:]


@given(shapes(), SPLITS, st.integers(0, 60))
def test_a_split_changes_no_point(prices: list[Prices], factor: Fraction, ex_date: int) -> None:
    """Multiplying all prices of before a day with a factor of later days moves nothing: rules know no
    scale."""
    before = [factor * Fraction(1, 3)] * ex_date + [factor] * max(0, len(prices) - ex_date)
    known = [Fraction(1, 3)] * ex_date + [Fraction(1)] * max(0, len(prices) - ex_date)
    plain = analyse(rows(prices, known[: len(prices)]))
    later = analyse(rows(prices, before[: len(prices)]))
    assert [_place(one) for one in later.points] == [_place(one) for one in plain.points]
    assert later.trends == plain.trends


def _place(point: Point) -> tuple[PointKind, Grade, Cause, int, int, int]:
    return point.kind, point.grade, point.cause, point.ts, point.price, point.confirmed_at


@given(shapes())
def test_a_preview_leaves_the_state_as_it_was(prices: list[Prices]) -> None:
    """A forming candle shows what its close would confirm, and nothing of it is kept."""
    series = rows([*prices, (100, 140, 90, 95)])
    state = Analysis()
    analyse(series[:-1], state)
    before = state.dump()

    shown = state.preview(series[-1])

    assert state.dump() == before
    assert shown == state.take(series[-1])


@given(shapes())
def test_the_open_leg_goes_to_the_extreme_so_far(prices: list[Prices]) -> None:
    """After the last point of the skeleton the leg points at the first of its most extreme candles."""
    series, state = rows(prices), Analysis()
    line = skeleton(analyse(series, state).points)
    leg = state.open_leg()
    if not line or line[-1].at + 1 == len(series):
        assert leg is None
        return
    assert leg is not None
    rest = series[line[-1].at + 1 :]
    is_peak = leg.kind is PointKind.PEAK
    extreme = max(one.high for one in rest) if is_peak else min(one.low for one in rest)
    assert is_peak is not line[-1].is_peak
    assert leg.value == extreme
    assert leg.ts == next(one.ts for one in rest if (one.high if is_peak else one.low) == extreme)


def test_a_series_without_candles_or_with_one_says_nothing() -> None:
    """Fewer than three candles cannot confirm a point, and raise nothing."""
    for count in range(3):
        assert analyse(rows(walk(1, count))) == Learned()


UP = [(10, 12, 9, 11), (11, 14, 10, 13), (13, 16, 12, 15)]
"""Three rising candles: a hypothesis, then a leg that is built, then one that is established."""


def points(prices: list[Prices]) -> list[tuple[str, str, int, int]]:
    """Return kind, grade, candle and confirming candle of each point."""
    return [(one.kind, one.grade, one.at, one.known) for one in analyse(rows(prices)).points]


def test_a_leg_ends_with_a_close_beyond_the_band() -> None:
    """Three candles up, then a falling candle that closes under the low of the last: the top was a peak."""
    prices = [(10, 11, 9, 10), *UP, (15, 15, 10, 11)]
    assert points(prices) == [("peak", "primary", 3, 4)]


def test_of_equal_tops_the_first_is_the_peak() -> None:
    """A leg whose highest price was reached twice has its peak at the first time."""
    prices = [(10, 11, 9, 10), *UP, (14, 16, 13, 15), (15, 15, 10, 11)]
    assert points(prices) == [("peak", "primary", 3, 5)]


def test_a_halt_says_nothing() -> None:
    """Days at the last close, without trade, delay a point by as many days and change nothing else."""
    plain = [(10, 11, 9, 10), *UP, (15, 15, 10, 11)]
    halted = [*plain[:4], *[(15, 15, 15, 15)] * 3, plain[4]]
    assert points(halted) == [("peak", "primary", 3, 7)]


def test_limit_down_without_a_body_ends_a_leg() -> None:
    """A candle of one price has no colour: it is judged against the close before."""
    prices = [(10, 11, 9, 10), *UP, (10, 10, 10, 10)]
    assert points(prices) == [("peak", "primary", 3, 4)]


def test_without_a_leg_a_candle_beyond_both_edges_begins_a_fall() -> None:
    """Of the two edges of the band the lower is asked first: the only rule in which the sides differ."""
    machine = Structure()
    for candle in rows([(10, 12, 9, 10), (10, 11, 10, 10), (10, 13, 8, 12)]):
        machine.take(candle)
    assert machine.state == -1


def test_one_strong_candle_establishes_a_leg() -> None:
    """A rise beyond the whole range of the candle before makes a leg at once."""
    prices = [(10, 11, 9, 10), (10, 11, 10, 11), (11, 15, 11, 14), (14, 14, 9, 10)]
    assert points(prices) == [("peak", "primary", 2, 3)]


def test_a_small_swing_is_secondary_and_may_become_primary() -> None:
    """Valleys inside a falling leg are secondary; one that later ends the leg gets a second row."""
    found: dict[tuple[int, PointKind], list[Grade]] = {}
    for seed in range(40):
        for point in analyse(rows(walk(seed, 300))).points:
            found.setdefault((seed * 1000 + point.at, point.kind), []).append(point.grade)
    twice = [grades for grades in found.values() if len(grades) > 1]
    assert twice
    assert all(grades == [Grade.SECONDARY, Grade.PRIMARY] for grades in twice)


def test_two_peaks_in_a_row_are_bridged_by_the_valley_between() -> None:
    """Where a leg fails without a primary valley, the lowest small swing between the peaks is confirmed
    with the second."""
    causes = {point.cause for seed in range(60) for point in analyse(rows(walk(seed, 300))).points}
    assert causes == set(Cause)


@pytest.mark.parametrize("field", ["high", "low"])
def test_a_candle_is_a_value(field: str) -> None:
    """What the machine is fed cannot be changed by it."""
    candle = rows(walk(1, 1))[0]
    with pytest.raises(AttributeError):
        setattr(candle, field, 1.0)
    assert isinstance(candle, AdjustedCandle)
