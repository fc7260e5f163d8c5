"""The days of one stock on NXT: trades of their own beside those of KRX (kiwoom.md#nxt-hours). Pure.

A minute has two trades at its very end. So a chart of both exchanges is exact by construction: in a minute in
which both trade KRX opens it, NXT closes it, and its volume is the sum.
"""

from __future__ import annotations

from datetime import date, datetime, time

import numpy as np

from chartinsightd.facts import nxt
from chartinsightd.facts.krx import KST, REGULAR_HOURS
from chartinsightd.simulator.market.days import hours_on
from chartinsightd.simulator.market.draws import Floats, key_of, uniforms_of
from chartinsightd.simulator.market.prints import MINUTE_MS
from chartinsightd.simulator.market.rows import DayPlan, Minutes
from chartinsightd.simulator.market.ticks import Grid
from chartinsightd.simulator.model import Ints

TRADES_AT_MS = (59_998, 59_999)
"""When the two trades of a minute happen, since its beginning: after all but the last instant of KRX."""
_JOINING_DAYS = (nxt.FIRST_DAY, date(2025, 3, 17), date(2025, 3, 24), date(2025, 3, 31))
_JOINED = {"005930": date(2025, 3, 24)}
"""The one day that was measured."""
_PRE_BUSY, _MAIN_BUSY, _AFTER_BUSY = 0.4, 0.9, 0.5
"""The share of the minutes with a trade."""
_SHARE = 0.6
"""What trades in a busy minute, of the mean minute of KRX."""
_KRX_MINUTES = 380


def joined_on(code: str, listed_on: date) -> date:
    """Return the first day of a stock on NXT."""
    day = _JOINED.get(code) or _JOINING_DAYS[key_of("joined", code) % len(_JOINING_DAYS)]
    return max(day, listed_on)


def minutes_of(code: str, plan: DayPlan, krx: Minutes, grid: Grid) -> Minutes:
    """Return the one-minute rows of a day on which KRX trades: before it near the day's base price, during it
    at prices of the same minute, after it near the close.

    The first and the last minute always have a trade, so a day of both exchanges opens and closes with NXT.
    """
    labels, busy, around = _labels(plan)
    draws = uniforms_of(key_of("nxt", code, plan.day), labels, 4)
    at = np.union1d(np.flatnonzero(draws[:, 0] < busy), [0, len(labels) - 1])
    labels, draws, around = labels[at], draws[at], around[at]
    first, last = (_price(labels, draws[:, turn], around, krx, grid) for turn in (1, 2))
    shares = 2 + (draws[:, 3] * _SHARE * plan.board / _KRX_MINUTES).astype(np.int64)
    half = shares // 2
    return Minutes(
        label=labels,
        open=first,
        high=np.maximum(first, last),
        low=np.minimum(first, last),
        close=last,
        volume=shares,
        running_value=np.cumsum(half * first + (shares - half) * last),
    )


def _labels(plan: DayPlan) -> tuple[Ints, Floats, Floats]:
    """Return the minutes in which NXT trades, how busy each is, and around which price."""
    opens, closes = _later(plan.date)
    hours = nxt.HOURS[-1]
    parts = (
        (_minute(hours.pre_opens) + opens, _minute(hours.pre_closes) + opens, _PRE_BUSY, plan.base),
        (_minute(hours.opens) + opens, _minute(hours.closes) + closes, _MAIN_BUSY, plan.open),
        (_minute(hours.after_opens) + closes, _minute(hours.after_closes), _AFTER_BUSY, plan.close),
    )
    labels = np.concatenate([np.arange(start, end) for start, end, _, _ in parts]).astype(np.int64)
    sizes = [end - start for start, end, _, _ in parts]
    busy = np.repeat([share for _, _, share, _ in parts], sizes)
    return labels, busy, np.repeat([float(price) for *_, price in parts], sizes)


def _later(day: date) -> tuple[int, int]:
    """Return how many minutes later than usual KRX opens and closes."""
    hours = hours_on(day)
    usual = REGULAR_HOURS[-1]
    return hours.opens - _minute(usual.opens), hours.closes - _minute(usual.closes)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _price(labels: Ints, draw: Floats, around: Floats, krx: Minutes, grid: Grid) -> Ints:
    """Return a price of each minute: one of the four that KRX has in it, or one near another price."""
    near = grid.floor(around * (1 + 0.004 * (2 * draw - 1)))
    place = np.minimum(np.searchsorted(krx.label, labels), len(krx) - 1)
    both = krx.label[place] == labels
    four = np.stack([krx.open[place], krx.high[place], krx.low[place], krx.close[place]])
    theirs = four[(draw * 4).astype(np.int64), np.arange(len(labels))]
    prices: Ints = np.where(both, theirs, np.maximum(near, 1))
    return prices


def visible(rows: Minutes, day: date, now: datetime) -> Minutes:
    """Return the rows so far; a minute in progress holds the trades until now."""
    midnight = datetime.combine(day, time(), KST)
    ms = int((now - midnight).total_seconds() * 1000)
    since = ms - rows.label * MINUTE_MS
    seen = rows.where(since >= TRADES_AT_MS[1])
    begun = rows.where((since >= TRADES_AT_MS[0]) & (since < TRADES_AT_MS[1]))
    return seen.and_then(_first_trades(begun)) if len(begun) else seen


def _first_trades(rows: Minutes) -> Minutes:
    """Return rows with only the first of their two trades."""
    half = rows.volume // 2
    second = (rows.volume - half) * rows.close
    return Minutes(
        label=rows.label,
        open=rows.open,
        high=rows.open,
        low=rows.open,
        close=rows.open,
        volume=half,
        running_value=rows.running_value - second,
    )
