"""The truth about a series as served now, straight from the market: no wire code takes part."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np

from chartinsightd.simulator.clock import KST
from chartinsightd.simulator.model import Flags, Ints, Market, MinuteRows, Period

TruthRow = tuple[int, int, int, int, int, int, int | None, bool]
"""Start of the candle (seconds since 1970), open, high, low, close, volume, value in won or None, final."""

SCOPES = {"5m": 5, "30m": 30, "1h": 60}
PERIODS = {"1d": Period.DAY, "1w": Period.WEEK}
_MILLION = 1_000_000


def truth(
    market: Market, code: str, timeframe: str, first: datetime | None, last: datetime | None, now: datetime
) -> list[TruthRow]:
    """Return the candles that start in [first, last), oldest first, prices as traded.

    Args:
        market: where they come from.
        code: as the market knows it.
        timeframe: 5m, 30m, 1h, 1d or 1w.
        first, last: aware; None is no bound.
        now: the virtual moment of the question; aware, KST.

    Raises:
        KeyError: another timeframe.
    """
    low = int(first.timestamp()) if first is not None else 0
    high = int(last.timestamp()) if last is not None else 1 << 62
    rows = _periods(market, code, timeframe, now) if timeframe in PERIODS else None
    if rows is None:
        rows = _minutes(market, code, SCOPES[timeframe], low, high, now)
    return [row for row in rows if low <= row[0] < high]


def _minutes(market: Market, code: str, scope: int, low: int, high: int, now: datetime) -> list[TruthRow]:
    rows: list[TruthRow] = []
    for day in reversed(market.minute_days(code, now)):
        midnight = _midnight(day)
        if midnight + _DAY_S <= low or midnight >= high:
            continue
        found = market.minutes(code, day, scope, now)
        if found is not None:
            rows += _minute_rows(found, midnight)
    return rows


_DAY_S = int(timedelta(days=1).total_seconds())


def _minute_rows(found: MinuteRows, midnight: int) -> list[TruthRow]:
    starts = (midnight + found.label * 60).tolist()
    prices = (found.open, found.high, found.low, found.close, found.volume)
    columns = [column.tolist() for column in prices]
    return list(zip(starts, *columns, [None] * len(starts), found.final.tolist(), strict=True))


def _periods(market: Market, code: str, timeframe: str, now: datetime) -> list[TruthRow]:
    found = market.periods(code, PERIODS[timeframe], now, None)
    # A day's value is served in whole millions; more than that nobody can know (API.md 5.2).
    value = found.value // _MILLION * _MILLION if timeframe == "1d" else found.value
    starts = [_midnight(_date(number)) for number in found.day.tolist()]
    return _zipped(starts, found.open, found.high, found.low, found.close, found.volume, value, found.final)


def _zipped(starts: list[int], *columns: Ints | Flags) -> list[TruthRow]:
    return list(zip(starts, *(np.asarray(column).tolist() for column in columns), strict=True))


def _date(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), KST).timestamp())
