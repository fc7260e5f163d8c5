"""What a verification found, by series and day: days that differ one by one, all others together."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.comparison import Comparison, compare
from chartinsightd.domain.kst import KST_OFFSET_S
from chartinsightd.domain.series import Series

MOST_ROWS = 200
"""Rows that are listed; all are counted."""
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)


class VerifiedDays:
    """Adds up pages as they are compared."""

    def __init__(self) -> None:
        self._same: dict[Series, int] = {}
        """Equal candles of the days without a difference."""
        self._odd: dict[tuple[Series, date], tuple[Comparison, str]] = {}

    def take(self, series: Series, served: Candles, stored: Candles, compared: Comparison) -> None:
        """Add a page and its comparison; a day on two pages is one row."""
        if not compared.unequal:
            self._same[series] = self._same.get(series, 0) + compared.equal
            return
        for number in np.unique(_days(np.concatenate([served.ts, stored.ts]))).tolist():
            of_day = compare(
                served.where(_days(served.ts) == number), stored.where(_days(stored.ts) == number), 0
            )
            if of_day.unequal:
                outcome = "corrected" if of_day.differing or of_day.missing else "kept"
                self._add(series, _EPOCH + timedelta(days=number), of_day, outcome)
            else:
                self._same[series] = self._same.get(series, 0) + of_day.equal

    def withdraw(self, series: Series, day: date, counted: Comparison) -> None:
        """Add a piece that is not stored as it was written: its claim is withdrawn, and it is read again."""
        self._add(series, day, counted, "withdrawn")

    def fields(self) -> dict[str, Any]:
        """Return the rows as they are kept in JSON, newest differing days first."""
        odd = sorted(self._odd.items(), key=lambda one: (one[0][1], str(one[0][0])), reverse=True)
        rows = [_row(series, day, found, outcome) for (series, day), (found, outcome) in odd]
        same = sorted(self._same.items(), key=lambda one: str(one[0]))
        rows += [_row(series, None, Comparison(equal=equal), "same") for series, equal in same]
        return {"results": rows[:MOST_ROWS], "results_left_out": max(0, len(rows) - MOST_ROWS)}

    def _add(self, series: Series, day: date, found: Comparison, outcome: str) -> None:
        before, earlier = self._odd.get((series, day), (Comparison(), outcome))
        self._odd[series, day] = before + found, "corrected" if "corrected" in {earlier, outcome} else outcome


def _days(instants: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the Korean days of instants, counted from 1970."""
    return (instants + KST_OFFSET_S) // _DAY_S


def _row(series: Series, day: date | None, found: Comparison, outcome: str) -> dict[str, Any]:
    return {
        "symbol": series.symbol,
        "timeframe": series.timeframe.value,
        "day": None if day is None else day.isoformat(),
        "equal": found.equal,
        "differing": found.differing,
        "missing": found.missing,
        "extra": found.extra,
        "outcome": outcome,
    }
