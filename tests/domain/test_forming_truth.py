"""Forming candles against the simulated market: the trades of a day make the candles that charts serve."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candle
from chartinsightd.domain.forming import SessionFold
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import Trade
from chartinsightd.facts.krx import KST
from chartinsightd.simulator.market import MarketOptions, SimulatedMarket, create_generated
from chartinsightd.simulator.model import Period
from tests.support.sessions import session_of

SCOPES = {Timeframe.M5: 5, Timeframe.M30: 30, Timeframe.H1: 60}
CODES = ("005930", "000660", "035900")


@cache
def market() -> SimulatedMarket:
    return create_generated(7, 40, MarketOptions(print_won=20_000_000))


def folded(code: str, day: date, now: datetime) -> SessionFold:
    """Fold the trades of a day up to a moment."""
    made = SessionFold(code, session_of(day))
    for one in market().trades(code, datetime.combine(day, time(), KST), now):
        made.take(
            Trade(
                symbol=code,
                at=int(one.at.timestamp()),
                price=one.price,
                volume=abs(one.volume),
                running_volume=one.running_volume,
                running_value=one.running_value,
                day=None,
            )
        )
    return made


def figures(candle: Candle) -> tuple[int, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume


days = st.sampled_from([date(2026, 9, 11), date(2026, 10, 28), date(2026, 11, 19), date(2026, 11, 20)])
moments = st.integers(9 * 3600, 21 * 3600)


@settings(deadline=None, max_examples=40)
@given(code=st.sampled_from(CODES), day=days, second=moments)
def test_trades_make_the_rows_that_charts_serve(code: str, day: date, second: int) -> None:
    """At any moment of a day, on special days too, each row served is a forming candle, exact and equal."""
    now = datetime.combine(day, time(), KST) + timedelta(seconds=second)
    made = folded(code, day, now)

    for timeframe, scope in SCOPES.items():
        rows = market().minutes(code, day, scope, now)
        columns = ("label", "open", "high", "low", "close", "volume")
        served = (
            []
            if rows is None
            else list(zip(*(getattr(rows, name).tolist() for name in columns), strict=True))
        )
        for label, *row in served:
            one = made.candle(timeframe, int(made.session.starts_at.timestamp()) + label * 60)
            assert one is not None
            assert (figures(one.candle), one.unexplained_since) == (tuple(row), None)
        newest = made.newest(timeframe)
        assert (newest is None) == (not served)
        if newest is not None:
            assert figures(newest.candle) == tuple(served[-1][1:])


@settings(deadline=None, max_examples=40)
@given(code=st.sampled_from(CODES), day=days, second=moments)
def test_trades_make_the_day_so_far(code: str, day: date, second: int) -> None:
    """So does the day, until 18:00 when trades outside the order book join it, which are no trades here."""
    now = datetime.combine(day, time(), KST) + timedelta(seconds=min(second, 18 * 3600 - 1))
    one = folded(code, day, now).newest(Timeframe.D1)
    rows = market().periods(code, Period.DAY, now, None)
    at = rows.day.tolist().index(int(f"{day:%Y%m%d}")) if one is not None else 0

    if one is not None:
        served = tuple(int(getattr(rows, name)[at]) for name in ("open", "high", "low", "close", "volume"))
        assert figures(one.candle) == served
        assert one.candle.value == int(rows.value[at])
