"""What KRX and NXT together should show, from the candles of each (kiwoom.md#exchange-suffixes)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chartinsightd.domain.candle import Candles, Ints


def added_up(parts: Sequence[Candles], unified: Candles) -> Candles:
    """Return the candles that the parts make together, over every instant at which one of them has one.

    Volumes add up, high and low are the farther ones. Which of them opens and closes a candle the parts do
    not say: a price of the unified candle that is one of theirs is right, else that of the first part stands.

    Args:
        parts: of one symbol and timeframe, each ascending; none empty of columns.
        unified: what is held against the answer.
    """
    ts: Ints = np.unique(np.concatenate([part.ts for part in parts]))
    places = [np.searchsorted(ts, part.ts) for part in parts]
    volume, high = np.zeros(len(ts), dtype=np.int64), np.zeros(len(ts), dtype=np.int64)
    low = np.full(len(ts), np.iinfo(np.int64).max)
    for part, at in zip(parts, places, strict=True):
        volume[at] += part.volume
        high[at] = np.maximum(high[at], part.high)
        low[at] = np.minimum(low[at], part.low)
    ends = [
        _one_of(ts, places, [getattr(part, name) for part in parts], unified.ts, getattr(unified, name))
        for name in ("open", "close")
    ]
    return Candles(
        symbol=unified.symbol,
        timeframe=unified.timeframe,
        ts=ts,
        open=ends[0],
        high=high,
        low=low,
        close=ends[1],
        volume=volume,
        value=None,
        final=np.ones(len(ts), dtype=np.bool_),
    )


def _one_of(ts: Ints, places: Sequence[Ints], prices: Sequence[Ints], shown_ts: Ints, shown: Ints) -> Ints:
    """Return at each instant the price shown, where one of the parts has it; else the first part's."""
    found = np.zeros(len(ts), dtype=np.int64)
    for at, column in zip(reversed(places), reversed(prices), strict=True):
        found[at] = column
    known = np.isin(ts, shown_ts)
    wanted = np.zeros(len(ts), dtype=np.int64)
    wanted[known] = shown[np.searchsorted(shown_ts, ts[known])]
    for at, column in zip(places, prices, strict=True):
        is_theirs = column == wanted[at]
        found[at[is_theirs]] = column[is_theirs]
    return found
