"""What a verification found, by series and day."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.comparison import compare
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.verified import MOST_ROWS, VerifiedDays

SERIES = Series(symbol="005930", timeframe=Timeframe.H1)
_HOUR_S = 3_600
_FIRST = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp())


def _candles(closes: dict[int, int]) -> Candles:
    return Candles.of(
        "005930",
        Timeframe.H1,
        [
            Candle(
                symbol="005930",
                timeframe=Timeframe.H1,
                ts=datetime.fromtimestamp(_FIRST + hour * _HOUR_S, UTC),
                open=close,
                high=close,
                low=close,
                close=close,
                volume=1,
                value=None,
                final=True,
            )
            for hour, close in sorted(closes.items())
        ],
    )


_BOOKS = st.dictionaries(st.integers(0, 71), st.integers(1, 2), min_size=1, max_size=40)


@given(_BOOKS, _BOOKS)
def test_rows_add_up_to_the_comparison(served: dict[int, int], stored: dict[int, int]) -> None:
    """Each candle is counted in one row, and a row without a day holds equal ones alone."""
    ours, theirs = _candles(served), _candles(stored)
    compared, days = compare(ours, theirs), VerifiedDays()
    days.take(SERIES, ours, theirs, compared)
    rows = days.fields()["results"]
    for name in ("equal", "differing", "missing", "extra"):
        assert sum(row[name] for row in rows) == getattr(compared, name)
    for row in rows:
        assert (row["day"] is None) == (not row["differing"] + row["missing"] + row["extra"])
        assert row["outcome"] == (
            "same" if row["day"] is None else "corrected" if row["differing"] + row["missing"] else "kept"
        )


def test_rows_are_bounded_and_counted() -> None:
    """A verification of a whole store that differs everywhere lists two hundred rows and counts the rest."""
    days = VerifiedDays()
    one = compare(_candles({0: 1}), _candles({0: 2}))
    for number in np.arange(250).tolist():
        days.withdraw(SERIES, datetime.fromtimestamp(number * 86_400, UTC).date(), one)
    fields = days.fields()
    assert (len(fields["results"]), fields["results_left_out"]) == (MOST_ROWS, 50)
    assert fields["results"][0]["day"] > fields["results"][-1]["day"]
