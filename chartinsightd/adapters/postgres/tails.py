"""The newest rows of each series, kept in memory: a poll that brings nothing new costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from chartinsightd.adapters.postgres.rows import Rows, joined
from chartinsightd.domain.series import Series

LONGEST_TAIL = 1000
"""Rows; a page of minute rows has 900."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Every stored row of a series from `since` on."""

    since: int
    """Seconds since 1970."""
    rows: Rows

    def shortened(self) -> Tail:
        """Return the same knowledge of fewer rows, where there are too many."""
        if len(self.rows) <= LONGEST_TAIL:
            return self
        rows = joined([self.rows[-LONGEST_TAIL:]])
        return Tail(since=int(rows["ts"][0]), rows=rows)


class RecentRows:
    """The tails of the series used last, within a bound of bytes.

    They are valid only while this process is the only writer; they are cleared when the connection is lost.

    Args:
        capacity: bytes that all of them may take.
        monotonic: seconds that never go back; tells when a tail was used.
    """

    def __init__(self, capacity: int, monotonic: Callable[[], float]) -> None:
        self._capacity = capacity
        self._monotonic = monotonic
        self._bytes = 0
        self._tails: OrderedDict[Series, Tail] = OrderedDict()
        self._used_s: dict[Series, float] = {}

    @property
    def nbytes(self) -> int:
        """How much memory their rows take."""
        return self._bytes

    def get(self, series: Series) -> Tail | None:
        """Return a series' tail, where it is known."""
        tail = self._tails.get(series)
        if tail is not None:
            self._tails.move_to_end(series)
            self._used_s[series] = self._monotonic()
        return tail

    def put(self, series: Series, tail: Tail) -> None:
        """Remember what a commit left behind."""
        self.forget(series)
        self._tails[series] = tail
        self._used_s[series] = self._monotonic()
        self._bytes += tail.rows.nbytes
        while self._bytes > self._capacity:
            self._forget_oldest()

    def forget(self, series: Series) -> None:
        """Drop what may not be true any more."""
        tail = self._tails.pop(series, None)
        if tail is not None:
            del self._used_s[series]
            self._bytes -= tail.rows.nbytes

    def forget_unused(self, idle_s: float) -> None:
        """Drop the rows that were not used for this number of seconds."""
        since_s = self._monotonic() - idle_s
        while self._tails and self._used_s[next(iter(self._tails))] < since_s:
            self._forget_oldest()

    def clear(self) -> None:
        """Drop everything."""
        self._tails.clear()
        self._used_s.clear()
        self._bytes = 0

    def _forget_oldest(self) -> None:
        self.forget(next(iter(self._tails)))
