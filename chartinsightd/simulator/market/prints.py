"""The trades inside a minute: four or five prints that fold exactly into its row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chartinsightd.simulator.market.days import Hours
from chartinsightd.simulator.market.draws import Floats, uniforms_of
from chartinsightd.simulator.market.rows import Minutes, single_minute
from chartinsightd.simulator.model import Flags, Ints

MINUTE_MS = 60_000
_AUCTION_FIRST_MS, _AUCTION_SPAN_MS = 9_000, 16_000
"""The closing auction prints 9 to 25 seconds after the close. Source: tick rows of October 2025."""

_PRICES = 5
"""Open, first extreme, something between, second extreme, close."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prints:
    """Trades of one code and day, oldest first."""

    at_ms: Ints
    """Milliseconds since midnight, KST."""
    price: Ints
    volume: Ints
    """Shares; negative where the seller was the aggressor."""
    running_volume: Ints
    running_value: Ints

    def where(self, keep: Flags) -> Prints:
        """Return only the trades a mask names."""
        return Prints(**{name: getattr(self, name)[keep] for name in Prints.__dataclass_fields__})

    def __len__(self) -> int:
        return len(self.at_ms)


def prints_of(rows: Minutes, running_before: tuple[int, int], key: int, hours: Hours) -> Prints:
    """Return the trades of consecutive rows.

    A row's trades depend on the row and the key alone, not on its neighbours.

    Args:
        rows: one-minute rows.
        running_before: shares and won traded in the day before the first of them.
        key: of the code and day.
        hours: of the day.
    """
    draws = uniforms_of(key, rows.label, 2 * _PRICES + 2)
    prices = _price_order(rows, draws[:, 0] < 0.5)
    shares, happens = _split(rows.volume, prices, draws[:, 1 : 1 + _PRICES], _single(rows, hours))
    at_ms = _moments(rows, draws[:, 1 + _PRICES : 1 + 2 * _PRICES], hours)
    sign = np.where((prices + (draws[:, -1:] * 7).astype(np.int64)) % 2 == 0, 1, -1)
    running = running_before[0] + np.cumsum(shares.reshape(-1)).reshape(shares.shape)
    flat = happens.reshape(-1)
    return Prints(
        at_ms=at_ms.reshape(-1)[flat],
        price=prices.reshape(-1)[flat],
        volume=(shares * sign).reshape(-1)[flat],
        running_volume=running.reshape(-1)[flat],
        running_value=_values(rows, shares * prices, running_before[1]).reshape(-1)[flat],
    )


def _single(rows: Minutes, hours: Hours) -> Flags:
    """Return which rows are one print: the closing auction and the late print."""
    single: Flags = (rows.label == hours.closes) | (rows.label == hours.late)
    return single


def _price_order(rows: Minutes, coin: Flags) -> Ints:
    """Return the five prices of each row, in an order that needs as few prints as can be."""
    low_first = (rows.open == rows.low) | (rows.close == rows.high)
    high_first = (rows.open == rows.high) | (rows.close == rows.low)
    low_first = np.where(low_first == high_first, coin, low_first)
    first = np.where(low_first, rows.low, rows.high)
    second = np.where(low_first, rows.high, rows.low)
    return np.stack([rows.open, first, rows.open, second, rows.close], axis=1)


def _split(volume: Ints, prices: Ints, weights: Floats, single: Flags) -> tuple[Ints, Flags]:
    """Return the shares of each print and which prints happen: those that move the price always do."""
    needed = np.ones(prices.shape, dtype=np.bool_)
    needed[:, 1] = prices[:, 1] != prices[:, 0]
    needed[:, 2] = False
    needed[:, 3] = prices[:, 3] != prices[:, 1]
    needed[:, 4] = prices[:, 4] != prices[:, 3]
    spare = np.maximum(volume - needed.sum(axis=1), 0)
    weights = np.where(single[:, None], 0.0, weights)
    shares = needed + np.floor(spare[:, None] * weights / _PRICES).astype(np.int64)
    shares[:, 0] += volume - shares.sum(axis=1)
    return shares, needed | (shares > 0)


def _moments(rows: Minutes, draws: Floats, hours: Hours) -> Ints:
    """Return when each print happens, in milliseconds since midnight."""
    inside = np.sort(np.floor(draws * MINUTE_MS).astype(np.int64), axis=1)
    auction = _AUCTION_FIRST_MS + np.floor(draws[:, :1] * _AUCTION_SPAN_MS).astype(np.int64)
    inside = np.where((rows.label == hours.closes)[:, None], auction, inside)
    inside = np.where((rows.label == hours.late)[:, None], 0, inside)
    return rows.label[:, None] * MINUTE_MS + inside


def _values(rows: Minutes, value: Ints, before: int) -> Ints:
    """Return the running value of each print: each row ends exactly at its own."""
    starts = np.concatenate([[before], rows.running_value[:-1]])
    share = np.cumsum(value, axis=1) / np.maximum(value.sum(axis=1), 1)[:, None]
    running: Ints = starts[:, None] + np.floor(share * (rows.running_value - starts)[:, None]).astype(
        np.int64
    )
    return running


def fold_prints(prints: Prints, label: int) -> Minutes | None:
    """Return the row that trades of one minute make so far; None where there is none yet."""
    if len(prints) == 0:
        return None
    row = single_minute(label, 0, int(np.abs(prints.volume).sum()), int(prints.running_value[-1]))
    return Minutes(
        label=row.label,
        open=prints.price[:1],
        high=prints.price.max(keepdims=True),
        low=prints.price.min(keepdims=True),
        close=prints.price[-1:],
        volume=row.volume,
        running_value=row.running_value,
    )
