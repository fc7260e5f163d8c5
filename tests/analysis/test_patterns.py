"""Patterns against their written rules: when each begins, and the one way in which it ends."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.analyser import Analysis, Learned, analyse
from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.patterns.life import PatternEvent, PatternKind, PatternState
from chartinsightd.analysis.points import Point
from chartinsightd.analysis.skeleton import skeleton
from tests.analysis.made_up import Prices, candles, rows, walk
from tests.analysis.test_structure import until

KINDS = pytest.mark.parametrize("kind", PatternKind)
SEEDS = range(30)
TOPS = {PatternKind.DOUBLE_TOP, PatternKind.RETEST_TOP, PatternKind.HEAD_SHOULDERS}
HAIR = 1e-9
MANY = settings(max_examples=25)


@cache
def played(seed: int) -> tuple[Candles, Learned]:
    """Return a random walk and what is seen in it."""
    series = candles(walk(seed, 400))
    return series, analyse(series)


def lives(kind: PatternKind) -> list[tuple[Candles, Learned, list[PatternEvent]]]:
    """Return the events of each pattern of a kind in all walks."""
    found = []
    for seed in SEEDS:
        series, learned = played(seed)
        events: dict[str, list[PatternEvent]] = defaultdict(list)
        for event in learned.patterns:
            if event.kind is kind:
                events[event.key].append(event)
        found += [(series, learned, life) for life in events.values()]
    assert len(found) > 10
    return found


def upright(series: Candles, kind: PatternKind) -> list[AdjustedCandle]:
    """Return the candles so that a bottom is a top."""
    if kind in TOPS:
        return list(series)
    return [one._replace(open=-one.open, high=-one.low, low=-one.high, close=-one.close) for one in series]


def corners(learned: Learned, event: PatternEvent, known: int) -> list[Point]:
    """Return the points of a shape out of the skeleton as it was known."""
    line = {point.ts: point for point in skeleton(one for one in learned.points if one.known <= known)}
    return [line[point.ts] for point in event.points if point.role != "touch"]


@KINDS
def test_a_life_begins_once_and_ends_once_at_most(kind: PatternKind) -> None:
    """Forming comes first; completed, failed or expired comes last, and nothing comes after it."""
    for _, _, life in lives(kind):
        states = [event.state for event in life]
        assert states[0] is PatternState.FORMING
        assert PatternState.FORMING not in states[1:]
        assert len(states) <= 2
        assert [event.known for event in life] == sorted(event.known for event in life)


@KINDS
def test_all_ends_happen(kind: PatternKind) -> None:
    """The walks show patterns that completed and patterns that failed, so that the rules below are tried."""
    ends = {life[-1].state for _, _, life in lives(kind)}
    assert {PatternState.COMPLETED, PatternState.FAILED} <= ends


@KINDS
def test_events_carry_their_candle(kind: PatternKind) -> None:
    """A state is known at the close of its candle, after all its points; levels and evidence are figures."""
    for series, _, life in lives(kind):
        for event in life:
            assert event.ts == series.ts[event.known]
            assert event.confirmed_at == series.closes_at[event.known]
            assert all(point.ts <= event.ts for point in event.points)
            assert event.evidence["close"] == (series.close[event.known], "won")
            assert all(unit for _, unit in event.evidence.values())


@pytest.mark.parametrize("kind", [PatternKind.DOUBLE_TOP, PatternKind.DOUBLE_BOTTOM])
def test_a_double_is_two_extremes_of_one_height(kind: PatternKind) -> None:
    """They differ by one ATR at most, lie 5 to 100 candles apart, and three ATR over the turn between
    them."""
    side = 1 if kind in TOPS else -1
    for series, learned, life in lives(kind):
        begin = life[0]
        first, turn, second = corners(learned, begin, begin.known)
        atr = series.ind.atr(14)[begin.known]
        assert first.kind is second.kind is not turn.kind
        assert first.is_peak is (kind in TOPS)
        assert abs(first.value - second.value) <= atr * (1 + HAIR)
        assert min(side * first.value, side * second.value) - side * turn.value >= 3 * atr * (1 - HAIR)
        assert 5 <= second.at - first.at <= 100
        assert begin.levels["neckline"] == turn.value
        assert begin.levels["limit"] == side * max(side * first.value, side * second.value)


@pytest.mark.parametrize("kind", [PatternKind.HEAD_SHOULDERS, PatternKind.INVERSE_HEAD_SHOULDERS])
def test_a_head_stands_over_its_shoulders(kind: PatternKind) -> None:
    """Head over both shoulders by a fifth, shoulders in balance, halves within 1 to 2.5, height three ATR."""
    side = 1 if kind in TOPS else -1
    for series, learned, life in lives(kind):
        begin = life[0]
        points = corners(learned, begin, begin.known)
        left, left_neck, head, right_neck, right = (side * point.value for point in points)
        height = head - min(left_neck, right_neck)
        halves = points[2].at - points[0].at, points[4].at - points[2].at
        assert head - max(left, right) >= 0.2 * height * (1 - HAIR)
        assert left >= (right + right_neck) / 2 * (1 - side * HAIR)
        assert right >= (left + left_neck) / 2 * (1 - side * HAIR)
        assert min(halves) / max(halves) >= 0.4
        assert height >= 3 * series.ind.atr(14)[begin.known] * (1 - HAIR)
        assert begin.levels["limit"] == side * max(left, right)


@pytest.mark.parametrize("kind", [PatternKind.HEAD_SHOULDERS, PatternKind.INVERSE_HEAD_SHOULDERS])
def test_the_best_of_all_shapes_is_taken(kind: PatternKind) -> None:
    """Of all five points that fit among those known then, the ones with the highest mean of three shares
    win."""
    side = 1 if kind in TOPS else -1
    for series, learned, life in lives(kind):
        begin = life[0]
        known = skeleton(one for one in learned.points if one.known <= begin.known)[-10:]
        atr = float(series.ind.atr(14)[begin.known])
        fits = [
            shape for shape in fives(known) if is_sound([known[i] for i in shape], known[shape[0] - 1], side)
        ]
        fits = [shape for shape in fits if height([known[i] for i in shape], side) >= 3 * atr]
        best = max(fits, key=lambda shape: (score([known[i] for i in shape], side), shape[0]))
        assert [known[i].ts for i in best] == [point.ts for point in begin.points]


def fives(line: tuple[Point, ...]) -> list[tuple[int, int, int, int, int]]:
    """Return all shoulders, heads and lowest necks between them that end with the last point."""
    last, found = len(line) - 1, []
    side = 1 if line[last].is_peak else -1
    for head in range(last - 2, 2, -2):
        for left in range(head - 2, 0, -2):
            necks = [
                min(range(begin + 1, end, 2), key=lambda i: side * line[i].value)
                for begin, end in ((left, head), (head, last))
            ]
            if all(
                side * line[i].value < side * line[head].value for i in range(left, last + 1) if i != head
            ):
                found.append((left, necks[0], head, necks[1], last))
    return found


def is_sound(points: list[Point], before: Point, side: int) -> bool:
    """Return whether five points keep every proportion of the definition but the height."""
    left, left_neck, head, right_neck, right = (side * point.value for point in points)
    halves = points[2].at - points[0].at, points[4].at - points[2].at
    return (
        side * before.value < left_neck
        and sum(halves) <= 150
        and min(halves) / max(halves) >= 0.4
        and head - max(left, right) >= 0.2 * height(points, side)
        and left >= (right + right_neck) / 2
        and right >= (left + left_neck) / 2
    )


def height(points: list[Point], side: int) -> float:
    """Return how far the head stands over the lower neck."""
    _, left_neck, head, right_neck, _ = (side * point.value for point in points)
    return head - min(left_neck, right_neck)


def score(points: list[Point], side: int) -> float:
    """Return the mean of prominence, symmetry and balance."""
    left, _, head, _, right = (side * point.value for point in points)
    halves = points[2].at - points[0].at, points[4].at - points[2].at
    whole = height(points, side)
    return ((head - max(left, right)) / whole + min(halves) / max(halves) + 1 - abs(left - right) / whole) / 3


@KINDS
def test_one_forming_pattern_stands_on_one_point(kind: PatternKind) -> None:
    """No two patterns of a kind that form at the same time share neckline, head or primary point."""
    anchor = {"double": 1, "retest": 1, "head": 2, "inverse": 2}[kind.split("_")[0]]
    spans: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for seed in SEEDS:
        for event in played(seed)[1].patterns:
            if event.kind is kind and event.state is PatternState.FORMING:
                ends = [one.known for one in played(seed)[1].patterns if one.key == event.key]
                end = max(ends) if len(ends) > 1 else 10**6
                spans[seed, event.points[anchor].ts].append((event.known, end))
    for stretches in spans.values():
        for (_, end), (begin, _) in pairwise(sorted(stretches)):
            assert begin >= end


@pytest.mark.parametrize("kind", [kind for kind in PatternKind if "retest" not in kind])
def test_a_neckline_is_broken_by_the_first_close_beyond_it(kind: PatternKind) -> None:
    """Candle by candle after it formed: beyond the neckline completes, beyond the limit fails, in time
    expires."""
    side = 1 if kind in TOPS else -1
    for series, learned, life in lives(kind):
        begin = life[0]
        points = corners(learned, begin, begin.known)
        necks = [point for point, one in zip(points, begin.points, strict=True) if "neckline" in one.role]
        limit, span = begin.levels["limit"], points[-1].at - points[0].at
        expected: tuple[int, PatternState] | None = None
        for i in range(begin.known, len(series)):
            close, neck = side * series.close[i], side * line(necks, i)
            if close < neck - HAIR * abs(neck):
                expected = i, PatternState.COMPLETED
            elif close > side * limit:
                expected = i, PatternState.FAILED
            elif i >= begin.known + min(3 * span, 60):
                expected = i, PatternState.EXPIRED
            if expected:
                break
        assert [(event.known, event.state) for event in life[1:]] == ([expected] if expected else [])
        assert life[-1].levels["neckline"] == pytest.approx(line(necks, life[-1].known), abs=0.01)


def line(necks: list[Point], at: int) -> float:
    """Return the neckline through one point or two at a candle."""
    first, last = necks[0], necks[-1]
    slope = (last.value - first.value) / (last.at - first.at) if last.at > first.at else 0.0
    return first.value + slope * (at - first.at)


@pytest.mark.parametrize("kind", [PatternKind.RETEST_TOP, PatternKind.RETEST_BOTTOM])
def test_a_retest_comes_back_to_the_band_and_turns(kind: PatternKind) -> None:
    """First a touch of the upper fifth after a fall of two ATR; then a close under the low of the last
    touch."""
    for series, learned, life in lives(kind):
        begin, view = life[0], upright(series, kind)
        peak = next(
            one
            for one in learned.points
            if one.ts == begin.points[1].ts and one.grade == "primary" and one.is_peak is (kind in TOPS)
        )
        turn, last = skeleton(one for one in learned.points if one.known <= peak.known)[-2:]
        assert (last.ts, turn.ts) == (peak.ts, begin.points[0].ts)
        expected = plain_retest(series, view, peak, view[peak.at].high, view[turn.at].low)
        assert [(event.known, event.state) for event in life] == expected


def plain_retest(
    series: Candles, view: list[AdjustedCandle], peak: Point, top: float, turn: float
) -> list[tuple[int, PatternState]]:
    """Return the states of one watch, by the rules read candle after candle."""
    found: list[tuple[int, PatternState]] = []
    after = view[peak.at + 1 : peak.known + 1] or [view[peak.known]]
    deepest, trigger = min(one.low for one in after), None
    for i in range(peak.known + 1, len(view)):
        one = view[i]
        if one.close > top:
            return [*found, (i, PatternState.FAILED)]
        if trigger is not None and one.close < trigger:
            return [*found, (i, PatternState.COMPLETED)]
        if i >= peak.known + 20 or (trigger is None and one.close < turn):
            return [*found, (i, PatternState.EXPIRED)]
        bottom = top - 0.2 * (top - deepest)
        far = top - deepest >= 2 * series.ind.atr(14)[i] * (1 - HAIR)
        if far and one.high >= bottom - HAIR * abs(bottom):
            found += [] if found else [(i, PatternState.FORMING)]
            trigger = one.low
        elif trigger is None:
            deepest = min(deepest, one.low)
    return found


@MANY
@given(st.integers(0, 2**32), st.integers(0, 250))
def test_patterns_do_not_depend_on_later_candles(seed: int, cut: int) -> None:
    """The states of a prefix are those of the whole by then, whichever candidate wins later."""
    series = rows(walk(seed, 250, volatility=0.03))
    assert analyse(series[:cut]) == until(analyse(series), cut)


@MANY
@given(st.integers(0, 2**32), st.integers(0, 250))
def test_patterns_survive_a_restart(seed: int, cut: int) -> None:
    """A state that was stored and read again goes on to the same events and the same bytes."""
    series, whole = rows(walk(seed, 250, volatility=0.03)), Analysis()
    expected = analyse(series, whole)

    first = Analysis()
    before = analyse(series[:cut], first)
    second = Analysis.load(first.dump())
    after = analyse(series[cut:], second)

    assert before.patterns + after.patterns == expected.patterns
    assert second.dump() == whole.dump()


@MANY
@given(st.integers(0, 2**32), st.sampled_from([Fraction(1, 3), Fraction(50), Fraction(1_000_003, 7)]))
def test_a_later_split_changes_no_pattern(seed: int, factor: Fraction) -> None:
    """Keys, states, points, levels and evidence in won of the day stay; only the measure of today changes."""
    prices = walk(seed, 250, volatility=0.03)
    plain = analyse(rows(prices)).patterns
    assert analyse(rows(prices, [factor] * len(prices))).patterns == plain


@pytest.mark.parametrize("seed", SEEDS)
def test_the_carried_range_is_the_indicator(seed: int) -> None:
    """The average true range that patterns measure with is ATR(14) to the last bit."""
    series, state = candles(walk(seed, 60)), Analysis()
    analyse(series, state)
    assert state.patterns.atr == series.ind.atr(14)[-1]


def rising(start: int, stop: int, step: int) -> list[Prices]:
    """Return candles that walk from one price to another, each 20 won beyond its body."""
    sign = 1 if stop > start else -1
    return [
        (one, max(one, one + sign * step) + 20, min(one, one + sign * step) - 20, one + sign * step)
        for one in range(start, stop, sign * step)
    ]


UP_DOWN = [
    *rising(9_000, 10_000, 100),
    *rising(10_000, 9_400, 100),
    *rising(9_400, 10_000, 100),
    *rising(10_000, 9_300, 100),
]
"""Up to 10,020, down to 9,380, up to 10,020 and down through 9,380."""


def test_a_double_top_by_hand() -> None:
    """Tops of 10,020 twelve candles apart over a valley of 9,380: completed by the close of 9,300."""
    events = [one for one in analyse(rows(UP_DOWN)).patterns if one.kind is PatternKind.DOUBLE_TOP]
    assert [event.state for event in events] == [PatternState.FORMING, PatternState.COMPLETED]
    done = events[-1]
    assert [(one.role, one.price) for one in done.points] == [
        ("first", 10_020),
        ("neckline", 9_380),
        ("second", 10_020),
    ]
    assert done.levels == {"neckline": 9_380, "limit": 10_020, "target": 8_740}
    assert done.evidence["close"] == (9_300, "won")
    assert done.evidence["span"] == (12, "candles")
    assert done.known == len(UP_DOWN) - 1


def test_a_double_bottom_is_the_same_upside_down() -> None:
    """Prices mirrored at 9,500 give a double bottom with mirrored levels."""
    mirrored = [(19_000 - o, 19_000 - low, 19_000 - high, 19_000 - c) for o, high, low, c in UP_DOWN]
    events = [one for one in analyse(rows(mirrored)).patterns if one.kind is PatternKind.DOUBLE_BOTTOM]
    assert events[-1].state is PatternState.COMPLETED
    assert events[-1].levels == {"neckline": 9_620, "limit": 8_980, "target": 10_260}
