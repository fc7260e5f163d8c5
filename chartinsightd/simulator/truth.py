"""The truth about a series as served now, straight from the market: no wire code takes part."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.model import Flags, Ints, Market, MinuteRows, Period

TruthRow = tuple[int, int, int, int, int, int, int | None, bool]
"""Start of the candle (seconds since 1970), open, high, low, close, volume, value in won or None, final."""

SCOPES = {"5m": 5, "30m": 30, "1h": 60}
PERIODS = {"1d": Period.DAY, "1w": Period.WEEK}
_MILLION = 1_000_000


def truth(
    market: Market,
    code: str,
    timeframe: str,
    first: datetime | None,
    last: datetime | None,
    now: datetime,
    *,
    adjusted: bool = False,
) -> list[TruthRow]:
    """Return the candles that start in [first, last), oldest first.

    Args:
        market: where they come from.
        code: as the market knows it.
        timeframe: 5m, 30m, 1h, 1d or 1w.
        first, last: aware; None is no bound.
        now: the virtual moment of the question; aware, KST.
        adjusted: prices and volumes with every corporate action up to today applied; else as traded. Minutes
            too, which the broker's own charts need not do (kiwoom.md#adjusted-prices).

    Raises:
        KeyError: another timeframe.
    """
    low = int(first.timestamp()) if first is not None else 0
    high = int(last.timestamp()) if last is not None else 1 << 62
    until = now.astimezone(KST).date() if adjusted else None
    if timeframe in PERIODS:
        rows = _periods(market, code, timeframe, now, until)
    else:
        rows = _minutes(market, code, SCOPES[timeframe], low, high, now, until)
    return [row for row in rows if low <= row[0] < high]


def _minutes(
    market: Market, code: str, scope: int, low: int, high: int, now: datetime, adjusted_to: date | None
) -> list[TruthRow]:
    rows: list[TruthRow] = []
    for day in reversed(market.minute_days(code, now)):
        midnight = _midnight(day)
        if midnight + _DAY_S <= low or midnight >= high:
            continue
        found = market.minutes(code, day, scope, now)
        if found is not None:
            rows += _minute_rows(found, midnight, _factors(market, code, day, adjusted_to))
    return rows


_DAY_S = int(timedelta(days=1).total_seconds())


def _factors(market: Market, code: str, day: date, adjusted_to: date | None) -> tuple[float, float]:
    """Return by what prices and volumes of a day are multiplied."""
    price = volume = 1.0
    for ex_date, price_factor, volume_factor in market.actions(code) if adjusted_to is not None else ():
        if day < ex_date <= (adjusted_to or day):
            price, volume = price * price_factor, volume * volume_factor
    return price, volume


def _minute_rows(found: MinuteRows, midnight: int, factors: tuple[float, float]) -> list[TruthRow]:
    starts = (midnight + found.label * 60).tolist()
    prices = (found.open, found.high, found.low, found.close)
    columns = [np.round(column * factors[0]).astype(np.int64).tolist() for column in prices]
    columns.append(np.round(found.volume * factors[1]).astype(np.int64).tolist())
    return list(zip(starts, *columns, [None] * len(starts), found.final.tolist(), strict=True))


def _periods(
    market: Market, code: str, timeframe: str, now: datetime, adjusted_to: date | None
) -> list[TruthRow]:
    found = market.periods(code, PERIODS[timeframe], now, adjusted_to)
    # A day's value is served in whole millions; no client can know more (kiwoom.md#traded-value).
    value = found.value // _MILLION * _MILLION if timeframe == "1d" else found.value
    starts = [_midnight(_date(number)) for number in found.day.tolist()]
    return _zipped(starts, found.open, found.high, found.low, found.close, found.volume, value, found.final)


def _zipped(starts: list[int], *columns: Ints | Flags) -> list[TruthRow]:
    return list(zip(starts, *(np.asarray(column).tolist() for column in columns), strict=True))


def _date(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), KST).timestamp())
