"""Which of two quotes of a stock is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.quote import Quote, QuoteSource, newer_quote

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SWEPT = Quote(
    symbol="005930",
    price=72_000,
    base=71_000,
    volume=500,
    traded_at=NOON,
    read_at=NOON,
    source=QuoteSource.SWEEP,
)
TRADE = replace(SWEPT, price=72_100, base=None, volume=600, source=QuoteSource.STREAM)

volumes = st.integers(0, 10)
quotes = st.builds(
    replace, st.just(SWEPT), volume=volumes, base=st.none() | st.just(71_000), price=st.integers(1, 5)
)


@given(quotes, quotes)
def test_of_one_day_more_volume_is_newer(one: Quote, other: Quote) -> None:
    """Whatever comes first, the same price is shown, and a base that was told once goes on."""
    shown, turned = newer_quote(one, other), newer_quote(other, one)

    assert shown.volume == turned.volume == max(one.volume, other.volume)
    assert (shown.base is None) == (turned.base is None) == (one.base is None and other.base is None)


def test_a_trade_keeps_the_base_of_its_day() -> None:
    """A trade tells no base, so that of the day's round stays; that of the day before says nothing."""
    yesterday = replace(
        SWEPT, traded_at=NOON - timedelta(days=1), read_at=NOON - timedelta(days=1), volume=9_999
    )

    assert newer_quote(SWEPT, TRADE).base == 71_000
    assert newer_quote(yesterday, TRADE) == TRADE
    assert newer_quote(TRADE, yesterday) == TRADE
