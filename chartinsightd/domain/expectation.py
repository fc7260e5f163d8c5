"""What should be final by now of a timeframe, and how much of it is covered, counted in sessions."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from chartinsightd.domain.candle import Ints, inside
from chartinsightd.domain.expected import expected
from chartinsightd.domain.grid import DAY_S, grid_between
from chartinsightd.domain.kst import KST_OFFSET_S, day_of, midnight
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe


class Lack(NamedTuple):
    """What is missing of a session."""

    ratio: float
    """The share of its candles that is there."""
    newest: int
    """The newest candle that is missing; seconds since the epoch."""


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What should be final by now, the same for every symbol of a tier. Instants are seconds since the epoch.

    The candles of a session (of a week for 1w) that follow each other without a hole are a piece. Nearly
    every session is one piece; the newest can be several, where a candle between them is not settled yet.
    """

    timeframe: Timeframe
    start: int
    """Where the horizon begins."""
    until: int
    """The last refresh: nothing newer can be final."""
    candles: Ints
    """The candles that should be final, ascending."""
    firsts: array[int]
    """The first candle of each piece, ascending."""
    lasts: array[int]
    """The last candle of each piece, ascending."""
    whole: array[int]
    """How many of the pieces before each are a whole session; one entry more than there are pieces."""
    parted: tuple[tuple[int, ...], ...]
    """The pieces of each session that has several."""

    @property
    def sessions(self) -> int:
        """How many sessions hold anything that should be final."""
        return self.whole[-1] + len(self.parted)

    def complete(self, covered: RangeSet) -> int:
        """Return how many of the sessions are covered from their first to their last candle."""
        runs = [
            (bisect_left(self.firsts, start), bisect_left(self.lasts, end)) for start, end in covered.spans
        ]
        runs = [(low, high) for low, high in runs if low < high]
        parted = sum(
            all(any(low <= piece < high for low, high in runs) for piece in pieces) for pieces in self.parted
        )
        return parted + sum(self.whole[high] - self.whole[low] for low, high in runs)

    def newest(self, covered: RangeSet) -> int | None:
        """Return the newest candle that is covered."""
        for start, end in reversed(covered.spans):
            place = int(np.searchsorted(self.candles, end)) - 1
            if place >= 0 and self.candles[place] >= start:
                return int(self.candles[place])
        return None

    def newest_missing(self, covered: RangeSet) -> int | None:
        """Return the newest candle that is not covered."""
        missing = np.flatnonzero(~inside(self.candles, covered))
        return int(self.candles[missing[-1]]) if len(missing) else None

    def lacking(self, covered: RangeSet, first_day: date, last_day: date) -> dict[date, Lack]:
        """Return what each session lacks that is not complete."""
        span = (_seconds(midnight(first_day)), _seconds(midnight(last_day + timedelta(days=1))))
        low, high = np.searchsorted(self.candles, span).tolist()
        candles = self.candles[low:high]
        is_there = inside(candles, covered)
        if is_there.all():
            return {}
        numbers, places, counts = np.unique(_session_numbers(candles), return_index=True, return_counts=True)
        there = np.bincount(
            np.searchsorted(numbers, _session_numbers(candles[is_there])), minlength=len(numbers)
        )
        lost = candles[~is_there]
        newest = lost[np.searchsorted(_session_numbers(lost), numbers, side="right") - 1]
        return {
            day_of(datetime.fromtimestamp(int(candles[places[i]]), UTC)): Lack(
                float(there[i] / counts[i]), int(newest[i])
            )
            for i in np.flatnonzero(there < counts).tolist()
        }


def expectation(
    now: datetime, timeframe: Timeframe, rules: PlanRules, tier: Tier = Tier.TARGET
) -> Expectation:
    """Return what should be final of a timeframe at now (aware), by the measure of the planner."""
    should = expected(
        now,
        timeframe,
        horizon=rules.horizon(timeframe, tier),
        calendar=rules.calendar,
        refresh=rules.refresh_of(tier),
    )
    grid = grid_between(rules.calendar, timeframe, should.start, should.until).ts
    places = np.flatnonzero(inside(grid, should.ranges))
    candles = grid[places]
    numbers = np.arange(len(places)) if timeframe is Timeframe.W1 else _session_numbers(candles)
    # A piece is what is expected of one session without a hole. A piece begins where the session changes, or
    # where candles of the grid between are not expected; the sessions with several pieces are `parted`.
    begins = np.flatnonzero((np.diff(numbers, prepend=-1) != 0) | (np.diff(places, prepend=-1) != 1))
    _, first, session, count = np.unique(
        numbers[begins], return_index=True, return_inverse=True, return_counts=True
    )
    ends = np.append(begins[1:], len(candles)) if len(candles) else begins
    return Expectation(
        timeframe=timeframe,
        start=should.start,
        until=should.until,
        candles=candles,
        firsts=_compact(candles[begins]),
        lasts=_compact(candles[ends - 1]),
        whole=_compact(np.append(0, np.cumsum(count[session] == 1))),
        parted=tuple(tuple(range(first[i], first[i] + count[i])) for i in np.flatnonzero(count > 1).tolist()),
    )


def _compact(numbers: Ints) -> array[int]:
    """Return numbers in eight bytes each, for `bisect`.

    A list takes forty, and days reach back fifty years: even for a moment that many small objects would
    leave holes in the memory that are never closed.
    """
    return array("q", numbers.astype(np.int64).tobytes())


def _session_numbers(candles: Ints) -> Ints:
    """Number candles by their Korean day."""
    numbers: Ints = (candles + KST_OFFSET_S) // DAY_S
    return numbers


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
