"""The trades inside a minute: as many prints as its worth makes, folding exactly into its row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chartinsightd.simulator.market.days import Hours
from chartinsightd.simulator.market.draws import Floats, key_of, uniforms_of
from chartinsightd.simulator.market.rows import Minutes, single_minute
from chartinsightd.simulator.model import Flags, Ints

MINUTE_MS = 60_000
_AUCTION_FIRST_MS, _AUCTION_SPAN_MS = 9_000, 16_000
"""The closing auction prints 9 to 25 seconds after the close. Source: tick rows of October 2025."""

_TURNS = 4
"""Open, first extreme, second extreme, close."""
_MOST_A_MINUTE = 3_000
"""Fifty prints a second: no stock of the exchange is known to be busier for a whole minute."""
_GROWTH = 0.75
"""Prints grow slower than what is traded: busy stocks have larger ones too."""
_OPENING_AUCTION = 2
"""One share in this number of the opening minute trades after its auction."""
_OPENING_WITHIN = 60
"""The opening auction prints in this part of the first minute: its first second."""
_BURSTS, _BURST_MS = 3, 1_500
"""Half of the prints of a minute come in this number of bursts."""
_BURST_KEY = key_of("bursts")
"""The bursts of a minute are the same for all codes: news move the market as one."""


@dataclass(frozen=True, slots=True)
class Tape:
    """How the trades of one code and day are drawn."""

    key: int
    won: int
    """Won of a row that has one print; a row has the more prints the more it traded."""


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


_NO_PRINTS = Prints(**dict.fromkeys(Prints.__dataclass_fields__, np.zeros(0, dtype=np.int64)))


def prints_of(rows: Minutes, running_before: tuple[int, int], tape: Tape, hours: Hours) -> Prints:
    """Return the trades of consecutive rows.

    A row's trades depend on the row and the tape alone, not on its neighbours.

    Args:
        rows: one-minute rows.
        running_before: shares and won traded in the day before the first of them.
        tape: of the code and day.
        hours: of the day.
    """
    if len(rows) == 0:
        return _NO_PRINTS
    path = _path(rows, uniforms_of(tape.key, rows.label, 3))
    slots = _slots(rows, _counts(rows, path, tape.won, hours))
    draws = uniforms_of(key_of(tape.key, "print"), rows.label[slots.row] * _MOST_A_MINUTE + slots.place, 4)
    price = _prices(path, slots, draws[:, 0])
    shares = _shares(rows, slots, draws[:, 1], hours)
    sign = np.where((draws[:, 1] * 4096).astype(np.int64) % 2 == 0, 1, -1)
    return Prints(
        at_ms=_moments(rows, slots, draws[:, 2:], hours),
        price=price,
        volume=shares * sign,
        running_volume=running_before[0] + np.cumsum(shares),
        running_value=_values(rows, slots, shares * price, running_before[1]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Path:
    """The prices each row has to visit, in this order; one row a minute, one column a turn."""

    turns: Ints
    count: Ints
    """How many of the turns differ from the one before: the fewest prints that the row needs."""
    share: Floats
    """How far into the row each turn comes, ascending from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Slots:
    """The prints of all rows, flat."""

    row: Ints
    """To which row each belongs."""
    place: Ints
    """Its place within the row."""
    starts: Ints
    """Where each row's first print stands."""
    counts: Ints


def _path(rows: Minutes, draws: Floats) -> _Path:
    """Return open, the extremes in an order that needs few prints, and close; turns that are none last."""
    low_first = (rows.open == rows.low) | (rows.close == rows.high)
    high_first = (rows.open == rows.high) | (rows.close == rows.low)
    low_first = np.where(low_first == high_first, draws[:, 0] < 0.5, low_first)
    first = np.where(low_first, rows.low, rows.high)
    second = np.where(low_first, rows.high, rows.low)
    prices = np.stack([rows.open, first, second, rows.close], axis=1)
    moves = np.ones(prices.shape, dtype=np.bool_)
    moves[:, 1:] = prices[:, 1:] != prices[:, :-1]
    turns = np.take_along_axis(prices, np.argsort(~moves, axis=1, kind="stable"), axis=1)
    count = moves.sum(axis=1)
    share = np.zeros(prices.shape)
    share[:, 1:3] = np.sort(draws[:, 1:], axis=1)
    share[np.arange(_TURNS) >= count[:, None] - 1] = 1.0
    share[:, 0] = 0.0
    return _Path(turns=turns, count=count, share=share)


def _counts(rows: Minutes, path: _Path, won: int, hours: Hours) -> Ints:
    """Return how many prints each row has: by the won it traded, one for an auction and the late print."""
    worth = rows.volume * (rows.open + rows.close) / 2
    by_worth = np.floor((worth / won) ** _GROWTH).astype(np.int64)
    most = np.minimum(rows.volume, _MOST_A_MINUTE)
    single = (rows.label == hours.closes) | (rows.label == hours.late)
    counts: Ints = np.where(single, 1, np.maximum(np.minimum(by_worth, most), path.count))
    return counts


def _slots(rows: Minutes, counts: Ints) -> _Slots:
    row = np.repeat(np.arange(len(rows)), counts)
    starts = np.cumsum(counts) - counts
    return _Slots(row=row, place=np.arange(len(row)) - starts[row], starts=starts, counts=counts)


def _prices(path: _Path, slots: _Slots, coin: Floats) -> Ints:
    """Return the price of each print: on its way from turn to turn it bounces between the two."""
    at = np.arange(_TURNS) + np.floor(path.share * (slots.counts - path.count)[:, None]).astype(np.int64)
    at[np.arange(_TURNS) >= path.count[:, None]] = _MOST_A_MINUTE
    turn = (slots.place[:, None] >= at[slots.row]).sum(axis=1) - 1
    following = np.minimum(turn + 1, path.count[slots.row] - 1)
    here, there = at[slots.row, turn], at[slots.row, following]
    way = (slots.place - here) / np.maximum(there - here, 1)
    prices: Ints = path.turns[slots.row, np.where(coin < way, following, turn)]
    return prices


def _shares(rows: Minutes, slots: _Slots, draw: Floats, hours: Hours) -> Ints:
    """Return the shares of each print: many small, a few large; the opening auction is the largest."""
    weight = -np.log(1 - draw)
    spare = np.maximum(rows.volume - slots.counts, 0)
    spare = np.where(rows.label == hours.opens, spare // _OPENING_AUCTION, spare)
    whole = np.add.reduceat(weight, slots.starts)
    shares: Ints = 1 + np.floor(spare[slots.row] * weight / np.maximum(whole, 1e-9)[slots.row]).astype(
        np.int64
    )
    shares[slots.starts] += rows.volume - np.add.reduceat(shares, slots.starts)
    return shares


def _moments(rows: Minutes, slots: _Slots, draws: Floats, hours: Hours) -> Ints:
    """Return when each print happens, in milliseconds since midnight: half of them in bursts."""
    burst = np.floor(draws[:, 1] * 2 * _BURSTS).astype(np.int64)
    centre = uniforms_of(_BURST_KEY, rows.label, _BURSTS)[slots.row, burst % _BURSTS]
    spread = np.floor(draws[:, 0] * MINUTE_MS)
    within = np.where(burst < _BURSTS, centre * (MINUTE_MS - _BURST_MS) + draws[:, 0] * _BURST_MS, spread)
    inside = within.astype(np.int64)
    label = rows.label[slots.row]
    auction = _AUCTION_FIRST_MS + np.floor(draws[:, 0] * _AUCTION_SPAN_MS).astype(np.int64)
    inside = np.where(label == hours.closes, auction, inside)
    inside = np.where(label == hours.late, 0, inside)
    inside[(label == hours.opens) & (slots.place == 0)] //= _OPENING_WITHIN
    in_order = np.sort(slots.row * MINUTE_MS + inside) - slots.row * MINUTE_MS
    moments: Ints = label * MINUTE_MS + in_order
    return moments


def _values(rows: Minutes, slots: _Slots, value: Ints, before: int) -> Ints:
    """Return the running value of each print: each row ends exactly at its own."""
    begins = np.concatenate([[before], rows.running_value[:-1]])
    so_far, whole = np.cumsum(value), np.add.reduceat(value, slots.starts)
    so_far -= (np.cumsum(whole) - whole)[slots.row]
    share = so_far / np.maximum(whole, 1)[slots.row]
    running: Ints = begins[slots.row] + np.floor(share * (rows.running_value - begins)[slots.row]).astype(
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
