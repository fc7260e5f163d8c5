"""The minutes of a generated day: a bridge that meets the day's open, high, low, close and volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chartinsightd.simulator.market.days import Hours, hours_on
from chartinsightd.simulator.market.draws import Floats, key_of, uniforms
from chartinsightd.simulator.market.rows import DayPlan, Minutes, single_minute
from chartinsightd.simulator.market.ticks import Grid
from chartinsightd.simulator.model import Ints

LEAST_SHARES = 6
"""Of a minute: enough for four different prices and a little between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A run of continuous trading."""

    first: int
    """Label of its first minute."""
    minutes: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    idle: float
    """Chance that a minute has no trade."""


def minutes_of(plan: DayPlan, key: int, idle: float, grid: Grid) -> Minutes | None:
    """Return the one-minute rows of a day, the late print left out; None where nothing traded.

    They fold exactly into the plan: regular open, high, low, close and shares, after-market likewise, and
    `running_value` ends at the plan's `book_value`.
    """
    if plan.board == 0:
        return None
    hours = hours_on(plan.date)
    rows = _regular(plan, hours, key_of(key, plan.day), idle, grid)
    if plan.after > 0:
        rows = rows.and_then(_bridge(_after_stretch(plan, hours, idle), key_of(key, plan.day, "after"), grid))
    return rows.with_value(_running_value(rows, plan.book_value))


def _regular(plan: DayPlan, hours: Hours, key: int, idle: float, grid: Grid) -> Minutes:
    """Return the minutes up to and including the closing auction, which trades at one price."""
    draw = uniforms(key_of(key, "auction"), 2)
    auction = max(1, int(plan.board * (0.04 + 0.08 * draw[0])))
    last = int(grid.floor(np.array([plan.close * (1 + 0.004 * (draw[1] - 0.5))]))[0])
    stretch = _Stretch(
        first=hours.opens,
        minutes=hours.auction_from - hours.opens,
        open=plan.open,
        high=plan.high,
        low=plan.low,
        close=min(max(last, plan.low), plan.high),
        volume=plan.board - auction,
        idle=idle,
    )
    return _bridge(stretch, key, grid).and_then(single_minute(hours.closes, plan.close, auction, 0))


def _after_stretch(plan: DayPlan, hours: Hours, idle: float) -> _Stretch:
    return _Stretch(
        first=hours.after_from,
        minutes=hours.after_to - hours.after_from,
        open=plan.after_open,
        high=plan.after_high,
        low=plan.after_low,
        close=plan.after_close,
        volume=plan.after,
        idle=idle,
    )


def _bridge(stretch: _Stretch, key: int, grid: Grid) -> Minutes:
    """Return the rows of a stretch: a bounded random bridge from its open to its close."""
    draws = uniforms(key, 6 * stretch.minutes).reshape(6, stretch.minutes)
    at = _active(stretch, draws[0], draws[1])
    path = _path(stretch, draws[2, : len(at)] + draws[3, : len(at)] - 1, grid)
    opens, closes = path[:-1], path[1:]
    reach = 0.04 * (stretch.high - stretch.low)
    high = np.minimum(grid.floor(np.maximum(opens, closes) + reach * draws[4, at]), stretch.high)
    low = np.maximum(grid.floor(np.minimum(opens, closes) - reach * draws[5, at]), stretch.low)
    high[np.argmax(high)] = stretch.high
    low[np.argmin(low)] = stretch.low
    volume = _shares(stretch, at, draws[1, at])
    return Minutes(
        label=stretch.first + at,
        open=opens,
        high=high,
        low=low,
        close=closes,
        volume=volume,
        running_value=np.zeros(len(at), dtype=np.int64),
    )


def _active(stretch: _Stretch, chance: Floats, order: Floats) -> Ints:
    """Return which minutes trade, as offsets; never more than the shares allow, never none."""
    at = np.flatnonzero(chance >= stretch.idle)
    most = max(1, stretch.volume // (2 * LEAST_SHARES))
    if len(at) > most:
        at = np.sort(at[np.argsort(order[at], kind="stable")[:most]])
    return at if len(at) else np.array([int(order[0] * stretch.minutes)])


def _path(stretch: _Stretch, steps: Floats, grid: Grid) -> Ints:
    """Return the prices between which the rows move: one more than there are rows."""
    count = len(steps)
    line = np.arange(count + 1) / count
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    bridge = walk - line * walk[-1]
    spread = (stretch.high - stretch.low) / max(float(np.ptp(bridge)), 1e-9)
    prices = stretch.open + (stretch.close - stretch.open) * line + 0.9 * spread * bridge
    path = grid.floor(np.clip(prices, stretch.low, stretch.high))
    path[0], path[-1] = stretch.open, stretch.close
    return path


def _shares(stretch: _Stretch, at: Ints, draw: Floats) -> Ints:
    """Return the shares of each active minute: many at both ends, the opening auction in the first."""
    until_end = stretch.minutes - at
    weight = (1 + 3 * np.exp(-at / 15) + np.exp(-until_end / 15)) * (0.1 - np.log(1 - draw))
    weight[0] *= 4
    spare = stretch.volume - LEAST_SHARES * len(at)
    shares: Ints = LEAST_SHARES + np.floor(spare * (weight / weight.sum())).astype(np.int64)
    shares[0] += stretch.volume - shares.sum()
    return shares


def _running_value(rows: Minutes, total: int) -> Ints:
    """Return the won traded so far, drawn out a little so that the day ends at its total."""
    middle = (rows.open + rows.high + rows.low + rows.close) / 4
    summed = np.cumsum(rows.volume * middle)
    running: Ints = np.round(summed * (total / summed[-1])).astype(np.int64)
    return running
