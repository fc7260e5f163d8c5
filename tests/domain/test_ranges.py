"""RangeSet behaves as the plain set of the instants in it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.ranges import EMPTY, RangeSet

edges = st.integers(-60, 60)
spans = st.lists(st.tuples(edges, edges), max_size=12)
range_sets = spans.map(lambda pairs: RangeSet.of(*pairs))


def instants(ranges: RangeSet) -> set[int]:
    return {instant for start, end in ranges.spans for instant in range(start, end)}


@given(spans)
def test_of_is_the_union_of_its_ranges(pairs: list[tuple[int, int]]) -> None:
    """Ranges in any order, overlapping, touching, empty or reversed, make the union of their instants."""
    model = {instant for start, end in pairs for instant in range(start, end)}

    ranges = RangeSet.of(*pairs)

    assert instants(ranges) == model
    assert ranges.total == len(model)
    assert bool(ranges) is bool(model)


@given(range_sets, range_sets)
def test_operators_are_those_of_sets(left: RangeSet, right: RangeSet) -> None:
    """Union, intersection, difference and covers do what sets do."""
    assert instants(left | right) == instants(left) | instants(right)
    assert instants(left & right) == instants(left) & instants(right)
    assert instants(left - right) == instants(left) - instants(right)
    assert left.covers(right) is (instants(right) <= instants(left))


@given(range_sets, range_sets)
def test_every_result_is_normal(left: RangeSet, right: RangeSet) -> None:
    """Ranges of a result ascend, none is empty and no two touch, so equal sets are equal and hash alike."""
    for ranges in (left | right, left & right, left - right, left.clip(-20, 20)):
        flat = [edge for span in ranges.spans for edge in span]
        assert all(a < b for a, b in pairwise(flat))
        again = RangeSet.of(*reversed(ranges.spans))
        assert (again, hash(again)) == (ranges, hash(ranges))


@given(range_sets, edges, edges)
def test_clip_and_contains(ranges: RangeSet, start: int, end: int) -> None:
    """Clip keeps what lies in [start, end); `in` asks for one instant."""
    assert instants(ranges.clip(start, end)) == instants(ranges) & set(range(start, end))
    assert (start in ranges) is (start in instants(ranges))


def test_repr_can_be_read_back() -> None:
    """The repr is what would be typed to make the set."""
    assert repr(RangeSet.of((3, 5), (1, 3), (8, 9))) == "RangeSet.of((1, 5), (8, 9))"
    assert not EMPTY
