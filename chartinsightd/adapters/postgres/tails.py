"""The newest rows of each series, kept in memory: a poll that brings nothing new costs nothing."""

from __future__ import annotations

from collections import OrderedDict
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
    """The tails of the series written last, within a bound of bytes.

    They are valid only while this process is the only writer; they are cleared when the connection is lost.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._bytes = 0
        self._tails: OrderedDict[Series, Tail] = OrderedDict()

    def get(self, series: Series) -> Tail | None:
        """Return a series' tail, where it is known."""
        tail = self._tails.get(series)
        if tail is not None:
            self._tails.move_to_end(series)
        return tail

    def put(self, series: Series, tail: Tail) -> None:
        """Remember what a commit left behind."""
        self.forget(series)
        self._tails[series] = tail
        self._bytes += tail.rows.nbytes
        while self._bytes > self._capacity:
            _, dropped = self._tails.popitem(last=False)
            self._bytes -= dropped.rows.nbytes

    def forget(self, series: Series) -> None:
        """Drop what may not be true any more."""
        tail = self._tails.pop(series, None)
        self._bytes -= tail.rows.nbytes if tail else 0

    def clear(self) -> None:
        """Drop everything."""
        self._tails.clear()
        self._bytes = 0
