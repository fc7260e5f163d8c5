"""Where weeks start, independent of the broker's labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.grid import grid_between
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe


def aligned_weeks(candles: Candles, calendar: Calendar) -> Candles:
    """Let every week start on its first trading day.

    Kiwoom labels a week by its first trading day, as far as is known; some say always by its Monday
    (kiwoom.md#week-labels). A label that is a session is taken as it is; another moves to the first session
    of its week. Labels that would meet are left for the quality check to refuse.
    """
    if not len(candles):
        return candles
    sessions = grid_between(calendar, Timeframe.D1, int(candles.ts[0]), int(candles.ts[-1]) + 1).ts
    odd = np.flatnonzero(~np.isin(candles.ts, sessions))
    if not len(odd):
        return candles
    ts = candles.ts.copy()
    ts[odd] = [_first_session(int(label), calendar) for label in ts[odd]]
    return replace(candles, ts=ts) if _is_ascending(ts) else candles


def _first_session(label: int, calendar: Calendar) -> int:
    week = calendar.week_of(day_of(datetime.fromtimestamp(label, UTC)))
    first = label if week is None else int(midnight(week[0]).timestamp())
    return max(label, first)


def _is_ascending(ts: Ints) -> bool:
    return bool(np.all(np.diff(ts) > 0))
