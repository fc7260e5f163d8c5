"""Unrounded adjusted candles."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.adjusted import Factors, adjusted, following_mondays, mixed_weeks, starts_at
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.calendar import Calendar
from tests.domain.made_up_charts import walk, weekly

FIRST = date(2026, 9, 14)
DAYS = [session.day for session in Calendar().sessions(FIRST, date(2026, 11, 20))]

factors = st.builds(Fraction, st.integers(1, 60), st.integers(1, 60))
actions = st.lists(
    st.builds(
        CorporateAction,
        ex_date=st.dates(FIRST - timedelta(days=9), date(2026, 11, 29)),
        price_factor=factors,
        volume_factor=factors,
    ),
    unique_by=lambda action: action.ex_date,
    max_size=4,
)


@given(actions)
def test_a_day_is_multiplied_by_every_later_factor(ledger: list[CorporateAction]) -> None:
    """Each day's price is the raw one times the product of the factors with a later ex-date."""
    raw = walk(3, DAYS, 50_000)
    found = adjusted(raw, Factors.of(ledger))

    for i, day in enumerate(DAYS):
        factor = prod((one.price_factor for one in ledger if one.ex_date > day), start=Fraction(1))
        assert found.close[i] == float(int(raw.close[i]) * factor)


@given(actions)
def test_weeks_are_folds_of_their_adjusted_days(ledger: list[CorporateAction]) -> None:
    """A week with an ex-date inside and any other week agree with the adjusted days of that week."""
    raw, table = walk(4, DAYS, 50_000), Factors.of(ledger)
    days, weeks = adjusted(raw, table), adjusted(weekly(raw), table, raw)

    assert len(weeks) == len(weekly(raw))
    ends = following_mondays(weeks.raw.ts)
    for i, (start, end) in enumerate(zip(weeks.raw.ts, ends, strict=True)):
        inside = (raw.ts >= start) & (raw.ts < end)
        np.testing.assert_allclose(weeks.high[i], days.high[inside].max(), rtol=1e-12)
        np.testing.assert_allclose(weeks.low[i], days.low[inside].min(), rtol=1e-12)
        np.testing.assert_allclose(weeks.close[i], days.close[inside][-1], rtol=1e-12)


@given(actions)
def test_a_week_is_mixed_when_an_ex_date_follows_its_first_day(ledger: list[CorporateAction]) -> None:
    """Only a later ex-date of the same week mixes two measures; days are never mixed."""
    raw, table = walk(5, DAYS, 50_000), Factors.of(ledger)
    weeks = weekly(raw)
    starts = [starts_at(one.ex_date) for one in ledger]
    expected = [
        any(start < ex < end for ex in starts)
        for start, end in zip(weeks.ts, following_mondays(weeks.ts), strict=True)
    ]
    assert mixed_weeks(weeks, table).tolist() == expected
    assert not mixed_weeks(raw, table).any()
