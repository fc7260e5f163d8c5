"""Sets of instants, kept as ranges: what is covered, what is expected, what is missing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, repr=False)
class RangeSet:
    """An immutable set of instants: disjoint half-open ranges of whole seconds since 1970-01-01T00:00Z.

    Made by `RangeSet.of`, which orders ranges and merges those that touch. All operations take linear time.
    """

    spans: tuple[Span, ...] = ()
    """(start, end) pairs, ascending; end excluded; no two touch."""

    @classmethod
    def of(cls, *spans: Span) -> RangeSet:
        """The union of ranges in any order; an empty or reversed range adds nothing."""
        return cls(_merged(sorted(span for span in spans if span[0] < span[1])))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, instant: int) -> bool:
        i = bisect_right(self.spans, instant, key=_start_of)
        return i > 0 and instant < self.spans[i - 1][1]

    def __or__(self, other: RangeSet) -> RangeSet:
        if not other.spans:
            return self
        # sorted() merges two ascending runs in linear time
        return RangeSet(_merged(sorted(self.spans + other.spans))) if self.spans else other

    def __and__(self, other: RangeSet) -> RangeSet:
        return RangeSet(_common(self.spans, other.spans))

    def __sub__(self, other: RangeSet) -> RangeSet:
        if not self.spans or not other.spans:
            return self
        return RangeSet(_common(self.spans, _holes(other.spans, self.spans[0][0], self.spans[-1][1])))

    def __repr__(self) -> str:
        return f"RangeSet.of({', '.join(map(str, self.spans))})"

    @property
    def total(self) -> int:
        """How many seconds are in the set."""
        return sum(end - start for start, end in self.spans)

    def covers(self, other: RangeSet) -> bool:
        """Whether every instant of the other set is in this one."""
        return all(self._covers_span(span) for span in other.spans)

    def clip(self, start: int, end: int) -> RangeSet:
        """The part within [start, end)."""
        return RangeSet(_common(self.spans, ((start, end),)))

    def _covers_span(self, span: Span) -> bool:
        i = bisect_right(self.spans, span[0], key=_start_of)
        return i > 0 and span[1] <= self.spans[i - 1][1]


def _start_of(span: Span) -> int:
    return span[0]


def _merged(ascending: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in ascending:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _common(left: tuple[Span, ...], right: tuple[Span, ...]) -> tuple[Span, ...]:
    common: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            common.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def _holes(spans: tuple[Span, ...], start: int, end: int) -> tuple[Span, ...]:
    """What of [start, end) the spans leave out."""
    edges = [start, *(edge for span in spans for edge in span), end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((max(a, start), min(b, end)) for a, b in pairs if max(a, start) < min(b, end))


EMPTY = RangeSet()
"""The set without an instant."""
