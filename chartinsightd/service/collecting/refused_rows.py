"""Rows that the database refuses while it takes the rest of their pages: each costs itself alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import numpy as np

from chartinsightd.domain.candle import Candle
from chartinsightd.domain.errors import RowsRefused
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.write import Write
from chartinsightd.facts.krx import KST
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.set_aside import TRIES, SetAside

_REASON = "refused_by_the_database"
_MOST_REMEMBERED = 1_000


class Deferrals(Protocol):
    """Ranges that are left alone for a while."""

    def defer(self, series: Series, ranges: RangeSet, reason: GapReason, told: str) -> None:
        """Ask for these ranges later, each time later than the last."""

    def held_back(self, series: Series, covered: RangeSet) -> RangeSet:
        """Return the ranges of a series that wait, but for what is covered."""


class RefusedRows:
    """Takes refused rows out of what is committed, and keeps them out until it is time to try them again.

    Args:
        set_aside: names them, and says when to try again.
        deferrals: where their ranges wait.
        current_rules: say where a candle ends.
    """

    def __init__(self, set_aside: SetAside, deferrals: Deferrals, current_rules: CurrentRules) -> None:
        self._set_aside = set_aside
        self._deferrals = deferrals
        self._current_rules = current_rules
        self._known: dict[tuple[Series, int], str] = {}
        """What the database said of a row, by when its candle opens."""

    def without_known(self, writes: Sequence[Write]) -> Sequence[Write]:
        """Return writes without the rows that are not to be tried yet."""
        if not self._known:
            return writes
        return [self._without_waiting(write) for write in writes]

    def without(self, writes: Sequence[Write], refused: RowsRefused) -> list[Write]:
        """Note what the database refuses; return the writes without it."""
        left = list(writes)
        for number, rows in refused.rows.items():
            series = writes[number].series
            for start in rows:
                self._known[series, start] = refused.message
                self._set_aside.failed("row", _name(series, start), refused, tries=TRIES)
            self._deferrals.defer(series, self._spans(series, rows), GapReason.QUARANTINED, refused.message)
            left[number] = self._without(writes[number], rows)
        while len(self._known) > _MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        return left

    def committed(self, writes: Sequence[Write]) -> None:
        """Forget rows that the database took."""
        if not self._known:
            return
        for write in writes:
            for start in write.candles.ts.tolist():
                if self._known.pop((write.series, start), None) is not None:
                    self._set_aside.succeeded("row", _name(write.series, start))

    def _without_waiting(self, write: Write) -> Write:
        """Return a write without the rows that are not to be tried yet; nor is their range asked for."""
        series = write.series
        waiting = {
            start: told
            for (one, start), told in self._known.items()
            if one == series and not self._set_aside.may_try("row", _name(series, start))
        }
        left = self._without(write, waiting)
        holes = (write.covered - left.covered) - self._deferrals.held_back(series, EMPTY)
        if holes:
            self._deferrals.defer(series, holes, GapReason.QUARANTINED, next(iter(waiting.values())))
        return left

    def _without(self, write: Write, starts: Iterable[int]) -> Write:
        out = np.isin(write.candles.ts, list(starts))
        if not out.any():
            return write
        rejected = [self._rejected(write.series, candle) for candle in write.candles.where(out)]
        hole = self._spans(write.series, write.candles.ts[out].tolist())
        return replace(
            write,
            candles=write.candles.where(~out),
            covered=write.covered - hole,
            rejected=(*write.rejected, *rejected),
        )

    def _spans(self, series: Series, starts: Iterable[int]) -> RangeSet:
        calendar = self._current_rules.calendar
        spans = [(start, candle_end(calendar, series.timeframe, start)) for start in starts]
        return RangeSet.of(*spans) if spans else EMPTY

    def _rejected(self, series: Series, candle: Candle) -> RejectedRow:
        names = ("open", "high", "low", "close", "volume", "value")
        values = {name: getattr(candle, name) for name in names}
        told = self._known.get((series, int(candle.ts.timestamp())), "")
        payload = {"ts": candle.ts.isoformat(), **values, "told": told}
        return RejectedRow(symbol=candle.symbol, reason=_REASON, payload=payload, ts=candle.ts)


def _name(series: Series, start: int) -> str:
    return f"{series} {datetime.fromtimestamp(start, KST):%Y-%m-%d %H:%M}"
