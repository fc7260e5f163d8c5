"""When a candle is final: by the clock and the calendar, never by its place in an answer.

A candle is final once it was read at or after its final time: for an intraday candle the end of its span plus
the settle time; for a day, a week, and an intraday candle that holds the late print, the moment when Kiwoom's
overnight corrections of its (last) session are in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle, Flags, Ints
from chartinsightd.domain.grid import DAY_S, Grid, candle_end, grid_of_years, span_after
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe

_LONG_AGO = -(2**40)
"""Before any candle, in seconds since the epoch."""
_OLD_S = dict.fromkeys(Timeframe, 2 * DAY_S) | {Timeframe.W1: 9 * DAY_S}
"""Age from which on a candle is final in any case."""


def known_at(
    candles: Sequence[Candle], instant: datetime, calendar: Calendar, settle: timedelta
) -> list[Candle]:
    """Return the candles of one series that were over at an instant, final as far as a read then could tell.

    Args:
        candles: oldest first.
        instant: aware.
        calendar: the sessions.
        settle: how long after its end an intraday candle may still change.
    """
    kept = list(candles)
    while kept and _end(kept[-1], calendar) > instant.timestamp():
        kept.pop()
    if not kept:
        return []
    ts = np.array([int(candle.ts.timestamp()) for candle in kept], dtype=np.int64)
    could_be = final_mask(kept[0].timeframe, ts, instant, calendar, settle).tolist()
    return [
        candle if could or not candle.final else replace(candle, final=False)
        for candle, could in zip(kept, could_be, strict=True)
    ]


def _end(candle: Candle, calendar: Calendar) -> int:
    return candle_end(calendar, candle.timeframe, int(candle.ts.timestamp()))


def final_mask(
    timeframe: Timeframe, ts: Ints, asked_at: datetime, calendar: Calendar, settle: timedelta
) -> Flags:
    """Say which candles, read at asked_at (aware), are final.

    Args:
        timeframe: of the candles.
        ts: where they start: seconds since the epoch, ascending. One that is off the grid is final two days
            (a week: nine days) after its start; but a week that starts within one of the calendar's, as the
            first one of a new listing does, is final with it.
        asked_at: when the request left.
        calendar: the sessions.
        settle: how long after its end an intraday candle may still change.
    """
    asked = int(asked_at.timestamp())
    final = np.ones(len(ts), dtype=np.bool_)
    # Only the newest few of a page need a look at the grid.
    old = int(np.searchsorted(ts, asked - _OLD_S[timeframe], side="right"))
    final[old:] = _are_final(timeframe, ts[old:], asked, _grid_near(calendar, timeframe, asked_at), settle)
    return final


def _are_final(timeframe: Timeframe, ts: Ints, asked: int, grid: Grid, settle: timedelta) -> Flags:
    """Say which candles of the last days are final; `asked` in seconds, the grid with all that was before."""
    at = np.searchsorted(grid.ts, ts, side="right") - 1
    belongs = ts < grid.at(at).ends if timeframe is Timeframe.W1 else ts == grid.ts[at]
    final: Flags = belongs & (_final_at(grid, at, settle) <= asked)
    return final


def final_ranges(
    timeframe: Timeframe, start: int, end: int, asked_at: datetime, calendar: Calendar, settle: timedelta
) -> RangeSet:
    """Return the part of [start, end) that a complete read at asked_at (aware) makes final.

    Instants are seconds since the epoch. The part runs on over nights and closed days; left out is what lies
    after asked_at and the span of every candle that is not final yet.
    """
    asked = int(asked_at.timestamp())
    end = min(end, asked)
    grid = _grid_near(calendar, timeframe, asked_at)
    first, last = np.searchsorted(grid.ts, (asked - _OLD_S[timeframe], end)).tolist()
    newest = np.arange(first, last)
    unfinal = grid.ts[newest[_final_at(grid, newest, settle) > asked]]
    taken = zip(unfinal.tolist(), span_after(timeframe, unfinal).tolist(), strict=True)
    return RangeSet.of((start, end)) - RangeSet.of(*taken)


def first_unfinal(timeframe: Timeframe, now: datetime, calendar: Calendar, settle: timedelta) -> int:
    """Return where the oldest candle starts that cannot be final yet, in seconds since the epoch.

    Args:
        timeframe: of the candles.
        now: aware.
        calendar: the sessions.
        settle: how long after its end an intraday candle may still change.
    """
    grid = _grid_near(calendar, timeframe, now)
    unfinal = np.flatnonzero(_final_at(grid, np.arange(len(grid)), settle) > int(now.timestamp()))
    return int(grid.ts[unfinal[0]])


def possible_coverage(
    timeframe: Timeframe, covered: RangeSet, now: datetime, calendar: Calendar, settle: timedelta
) -> RangeSet:
    """Return the part of a coverage that reads up to now (aware) can have proved; the rest lies ahead."""
    end = int(now.timestamp())
    settled = min(first_unfinal(timeframe, now, calendar, settle), end)
    recent = final_ranges(timeframe, settled, end, now, calendar, settle)
    return covered & (RangeSet.of((_LONG_AGO, settled)) | recent)


def _final_at(grid: Grid, at: Ints, settle: timedelta) -> Ints:
    return grid.at(at).final_at(math.ceil(settle.total_seconds()))


def _grid_near(calendar: Calendar, timeframe: Timeframe, instant: datetime) -> Grid:
    """Return the grid of the instant's year and its neighbours: all that can be unfinal then."""
    year = day_of(instant).year
    return grid_of_years(calendar, timeframe, year - 1, year + 1)
