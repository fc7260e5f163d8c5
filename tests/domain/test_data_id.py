"""The name of candles changes with them, and with nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe

codes = st.from_regex(r"[0-9A-Z]{6}", fullmatch=True)
series = st.builds(Series, symbol=codes, timeframe=st.sampled_from(Timeframe))
cuts = st.none() | st.datetimes(timezones=st.just(UTC))
named = st.tuples(series, st.integers(0, 2**40), cuts)


@given(named, named)
def test_one_name_for_one_state_of_one_series(
    one: tuple[Series, int, datetime | None], other: tuple[Series, int, datetime | None]
) -> None:
    """Series, last change and cut decide: the same give the same name, any other another."""
    names = [data_id(who, change, until=until) for who, change, until in (one, other)]
    assert (names[0] == names[1]) == (one == other)
