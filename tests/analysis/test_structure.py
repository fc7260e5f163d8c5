"""Points and the skeleton: true extremes, alternating, known from the candles up to their confirmation
alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
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


@dataclass
class Plain:
    """The machine as docs/analysis.md words it, with lists of the whole series and no state but its words."""

    prices: list[Prices]
    leg: str = "first"
    steps: int = 0
    primary: int = -1
    side: str = ""
    candidate: int | None = None
    between: list[int] = field(default_factory=list)
    found: list[tuple[str, str, int, int]] = field(default_factory=list)

    def points(self) -> list[tuple[str, str, int, int]]:
        """Return kind, grade, candle and confirming candle of each point, in the order in which they are
        known."""
        moved = [i for i in range(len(self.prices)) if i == 0 or not self._stands_still(i)]
        band = self.prices[0][1:3] if self.prices else (0, 0)
        for before, i in pairwise(moved):
            self._swing([one for one in moved if one <= i])
            _, high, low, _ = self.prices[i]
            inside = high <= band[0] and low >= band[1]
            if self.leg in ("first", "none") or not inside:
                self._step(i, before, band)
            if not inside:
                band = (high, low)
        return self.found

    def _stands_still(self, i: int) -> bool:
        return set(self.prices[i]) == {self.prices[i - 1][3]}

    def _swing(self, moved: list[int]) -> None:
        """A small swing ends with the newest candle: higher than the one before it, equal ones, then a
        lower one."""
        peaks = self.side == "valley"
        if not self.side:
            return
        line = [self.prices[i][1] if peaks else -self.prices[i][2] for i in moved]
        if line[-1] >= line[-2]:
            return
        first = len(line) - 2
        while first > 0 and line[first - 1] == line[-2]:
            first -= 1
        at = moved[first]
        if first == 0 or line[first - 1] > line[first] or at <= self.primary:
            return
        kind = "peak" if peaks else "valley"
        height = {
            one: self.prices[one][1] if peaks else -self.prices[one][2] for one in (at, self.candidate or 0)
        }
        if self.candidate is not None and height[at] <= height[self.candidate]:
            self.found.append((kind, "secondary", self.candidate, moved[-1]))
            self.between.append(self.candidate)
        self.candidate = at

    def _step(self, i: int, before: int, band: tuple[int, int]) -> None:
        opened, high, low, close = self.prices[i]
        base = self.prices[before][3] if high == low else opened
        if self.leg == "first":
            self.leg, self.steps = ("up" if close > base else "down" if close < base else "none"), 1
        elif self.leg == "none":
            self.leg, self.steps = ("down" if low < band[1] else "up" if high > band[0] else "none"), 1
        elif self.leg == "up":
            self._upward(i, before, band)
        else:
            self._downward(i, before, band)

    def _upward(self, i: int, before: int, band: tuple[int, int]) -> None:
        opened, high, low, close = self.prices[i]
        opened_before, high_before, low_before, closed_before = self.prices[before]
        base = closed_before if high == low else opened
        span = high_before - low_before
        if self.steps == 3:
            if close < band[1] and close < base:
                self._turn("peak", i)
                self.leg, self.steps = "down", 1
        elif self.steps == 1 and span > 0 and close - closed_before > span and close > base:
            self.steps = 3
        elif high > band[0] and close > closed_before:
            self.steps += 1
        elif low < band[1]:
            self.leg, self.steps = ("down" if close < opened_before else "none"), 1

    def _downward(self, i: int, before: int, band: tuple[int, int]) -> None:
        opened, high, low, close = self.prices[i]
        opened_before, high_before, low_before, closed_before = self.prices[before]
        base = closed_before if high == low else opened
        span = high_before - low_before
        if self.steps == 3:
            if close > band[0] and close > base:
                self._turn("valley", i)
                self.leg, self.steps = "up", 1
        elif self.steps == 1 and span > 0 and closed_before - close > span and close < base:
            self.steps = 3
        elif low < band[1] and close < closed_before:
            self.steps += 1
        elif high > band[0]:
            self.leg, self.steps = ("up" if close > opened_before else "none"), 1

    def _turn(self, kind: str, i: int) -> None:
        leg = range(self.primary + 1, i + 1)
        at = max(leg, key=lambda one: (self.prices[one][1] if kind == "peak" else -self.prices[one][2], -one))
        other = "valley" if kind == "peak" else "peak"
        waits = self.candidate is not None and self.candidate <= at
        if kind == self.side and waits and not any(one < at for one in self.between):
            assert self.candidate is not None
            self.found.append((other, "secondary", self.candidate, i))
        self.found.append((kind, "primary", at, i))
        if kind != self.side or waits:
            self.candidate = None
        self.primary, self.side, self.between = at, kind, []


@settings(max_examples=300)
@given(shapes())
def test_points_are_those_of_the_written_rules(prices: list[Prices]) -> None:
    """The machine finds what its description, written down once more without it, finds."""
    assert points(prices) == Plain(prices).points()


@pytest.mark.parametrize("seed", range(10))
def test_long_walks_follow_the_written_rules(seed: int) -> None:
    """The same on longer series, with hundreds of points."""
    prices = walk(seed, 1_000)
    assert points(prices) == Plain(prices).points()


@given(shapes())
def test_the_skeleton_is_the_best_of_each_run(prices: list[Prices]) -> None:
    """Of neighbours of one kind the most extreme stands, of equal ones the first candle."""
    known = sorted(analyse(rows(prices)).points, key=lambda one: (one.at, one.known, one.grade == "primary"))
    runs = [list(run) for _, run in groupby(known, key=lambda one: one.kind)]
    best = [max(run, key=lambda one: (one.value if one.is_peak else -one.value, -one.at)) for run in runs]
    assert [(one.at, one.kind) for one in skeleton(known)] == [(one.at, one.kind) for one in best]


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


@pytest.mark.parametrize("factor", [Fraction(1), Fraction(1, 3), Fraction(20, 21)])
def test_a_rise_of_exactly_the_range_before_is_not_stronger(factor: Fraction) -> None:
    """Two differences that are equal in won stay equal after a split, whose products are rounded."""
    for base in range(1_000, 3_000, 7):
        prices = [
            (base, base + 10, base - 10, base),
            (base, base + 13, base - 1, base + 5),
            (base + 5, base + 19, base + 5, base + 19),
        ]
        machine = Structure()
        for candle in rows(prices, [factor] * 3):
            machine.take(candle)
        assert machine.state == 2


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
