"""What happened after an event, beside what happened anyway.

For each event the entry is the open of the next candle and the exit a close: a return that a person could
have had. The base is every candle of the same stocks over the same days. The interval comes from resampling
blocks of days, because events of one day and of overlapping stretches are no independent cases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from chartinsightd.analysis.candles import Bools, Candles, Floats, Ints
from chartinsightd.analysis.strategy import Strategy

HORIZONS = (1, 5, 20)
"""Candles from the entry to the exit, both included: 1 is in at the open and out at the close."""
LEAST_EVENTS = 30
"""With fewer a share says nothing; it is not shown."""
CONFIDENCE = 0.95
RESAMPLES = 2_000
LEAST_BLOCK = 10
"""Days that are resampled together at least; twice the horizon where that is more."""
LEAST_BLOCKS = 3
"""With events in fewer an interval would be a guess."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The events of one stock."""

    candles: Candles
    hit: Bools
    """One value a candle. A run of hits is one event, at its first candle."""
    first: int = 0
    """Candles before this one take no part, in the base neither: there an event could not be seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A range that holds the true value in 95 of 100 such cases."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How often prices rose, or by how much, after events and anyway."""

    value: float
    base: float
    interval: Interval | None
    """Of `value`; None where the events lie in too few blocks of days."""

    @property
    def verdict(self) -> str:
        """`above` or `below` where the interval leaves out the base, else `same`."""
        if self.interval is None or self.interval.low <= self.base <= self.interval.high:
            return "same"
        return "above" if self.interval.low > self.base else "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One horizon of one sample."""

    horizon: int
    n: int
    """Events whose exit has come."""
    base_n: int
    """Candles of the base."""
    rise: Figures | None
    """Share of returns over the cost line, 0 to 1. None: too few events."""
    mean: Figures | None
    """Mean return after cost, as a share. None: too few events."""

    @property
    def is_too_few(self) -> bool:
        """Whether there are fewer than 30 events."""
        return self.n < LEAST_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Statistics of a pattern or strategy: up to a day, by which its rules may have been chosen, and after
    it."""

    split_ts: int
    cost: float
    in_sample: tuple[Statistic, ...]
    out_of_sample: tuple[Statistic, ...]


def report(
    stocks: Iterable[Events], *, split_ts: int, cost: float, horizons: Sequence[int] = HORIZONS
) -> Report:
    """Return what followed the events of some stocks.

    Args:
        stocks: with their candles; those without an event take no part, in the base neither.
        split_ts: events before it are in sample, from it on out of sample.
        cost: of a round trip, as a share of the price (tax and fees; 0.0025 is a quarter percent).
        horizons: candles from entry to exit.
    """
    taking_part = [one for one in stocks if one.hit.any()]
    samples = {
        is_later: tuple(
            _statistic([_cases(one, horizon, split_ts, cost, later=is_later) for one in taking_part], horizon)
            for horizon in horizons
        )
        for is_later in (False, True)
    }
    return Report(split_ts=split_ts, cost=cost, in_sample=samples[False], out_of_sample=samples[True])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    """The candles of one stock with a return, and which of them are events."""

    day: Ints
    gain: Floats
    """After cost."""
    is_event: Bools


def _cases(stock: Events, horizon: int, split_ts: int, cost: float, *, later: bool) -> _Cases:
    candles = stock.candles
    gain = forward_returns(candles, horizon) - cost
    belongs = (candles.ts >= split_ts) if later else (candles.ts < split_ts)
    if not later:  # an exit after the split would tell of days that are kept for the test
        exits = np.full(len(candles), split_ts, dtype=np.int64)
        exits[: len(candles) - horizon] = candles.ts[horizon:]
        belongs &= exits < split_ts
    belongs[: stock.first] = False
    used = belongs & ~np.isnan(gain)
    return _Cases(day=candles.ts[used] // _DAY_S, gain=gain[used], is_event=begins(stock.hit)[used])


def forward_returns(candles: Candles, horizon: int) -> Floats:
    """Return for each candle what the next open brought until the close of the candle `horizon` later.

    NaN where that candle is not there yet.
    """
    result = np.full(len(candles), np.nan)
    count = len(candles) - horizon
    if count > 0:
        result[:count] = candles.close[horizon:] / candles.open[1 : count + 1] - 1
    return result


def begins(hit: Bools) -> Bools:
    """Return the first candle of each run of hits."""
    before = np.zeros_like(hit)
    before[1:] = hit[:-1]
    return np.asarray(hit & ~before)


def _statistic(cases: Sequence[_Cases], horizon: int) -> Statistic:
    day = np.concatenate([one.day for one in cases]) if cases else np.empty(0, dtype=np.int64)
    gain = np.concatenate([one.gain for one in cases]) if cases else np.empty(0)
    is_event = np.concatenate([one.is_event for one in cases]) if cases else np.empty(0, dtype=np.bool_)
    n = int(is_event.sum())
    if n < LEAST_EVENTS:
        return Statistic(horizon=horizon, n=n, base_n=len(gain), rise=None, mean=None)
    blocks = _blocks(day, max(LEAST_BLOCK, 2 * horizon))
    return Statistic(
        horizon=horizon,
        n=n,
        base_n=len(gain),
        rise=_figures((gain > 0).astype(np.float64), is_event, blocks),
        mean=_figures(gain, is_event, blocks),
    )


def _blocks(day: Ints, length: int) -> Ints:
    """Return the number of each case's block; a block has `length` consecutive trading days."""
    since = day - day.min()  # days lie close together: counting finds their ranks without sorting the cases
    is_traded = np.bincount(since) > 0
    ranks = np.cumsum(is_traded) - 1
    return np.asarray(ranks[since] // length, dtype=np.int64)


def _figures(values: Floats, is_event: Bools, blocks: Ints) -> Figures:
    value, base = float(values[is_event].mean()), float(values.mean())
    spread = _spread(values, is_event, blocks)
    interval = None if spread is None else Interval(low=value - spread[1], high=value - spread[0])
    return Figures(value=value, base=base, interval=interval)


def _spread(values: Floats, is_event: Bools, blocks: Ints) -> tuple[float, float] | None:
    """Return how far resampling moves the difference of events and base, at both ends of the interval.

    Blocks are drawn with replacement, events and base of a block together, so that what all stocks did on
    those days moves both. The seed comes from the data: the same data give the same interval.
    """
    count = int(blocks.max()) + 1
    sums = [np.bincount(blocks, weights=weights, minlength=count) for weights in (values, values * is_event)]
    sizes = [
        np.bincount(blocks, weights=weights, minlength=count) for weights in (np.ones_like(values), is_event)
    ]
    effective = float(sizes[1].sum() ** 2 / (sizes[1] ** 2).sum())
    if effective < LEAST_BLOCKS:
        return None
    drawn = np.random.default_rng(_seed(values, is_event)).integers(0, count, (RESAMPLES, count))
    totals = [[column[drawn].sum(axis=1) for column in pair] for pair in (sums, sizes)]
    has_events = totals[1][1] > 0
    (base_sum, event_sum), (base_size, event_size) = ([one[has_events] for one in pair] for pair in totals)
    differences = event_sum / event_size - base_sum / base_size
    centre = values[is_event].mean() - values.mean()
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(differences - centre, [tail, 1 - tail]) * _few_blocks(effective)
    return float(low), float(high)


def _few_blocks(count: float) -> float:
    """Return how much wider an interval has to be because its spread is taken from so few blocks.

    The quantile of Student's t over that of the normal distribution, and the bias of a small sample's spread.

    Args:
        count: blocks, fewer where most events lie in a few of them (Kish's effective number).
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    free = count - 1
    student = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return float(student / z * (count / free) ** 0.5)


def _seed(values: Floats, is_event: Bools) -> int:
    digest = hashlib.sha256(values.tobytes() + is_event.tobytes()).digest()
    return int.from_bytes(digest[:8], "big")


def events_of(strategy: Strategy, candles: Candles) -> Events:
    """Return the hits of a strategy with its default parameters, from the end of its warm-up on.

    Raises:
        Exception: whatever the strategy raises.
    """
    needs = strategy.needs(strategy.params())
    signals = strategy(candles if needs.adjusted else candles.as_traded())
    first = needs.candles - 1
    hit = signals.hit.copy()
    hit[:first] = False
    return Events(candles=candles, hit=hit, first=min(first, len(candles)))


def hits_at(length: int, places: Iterable[int]) -> NDArray[np.bool_]:
    """Return a column of hits from the numbers of candles, such as the ends of patterns."""
    hit = np.zeros(length, dtype=np.bool_)
    hit[list(places)] = True
    return hit
