"""Which candles can exist: the labels of every timeframe, at each venue.

Sources: kiwoom.md#minute-labels, kiwoom.md#nxt-hours.

All intraday labels come from one table, the minutes in which the venue trades, floored to the timeframe from
00:00 KST. A candle of the grid need not exist: a span without trades has no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.candle import Flags, Ints
from chartinsightd.domain.kst import KST_OFFSET_S, day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import kiwoom

DAY_S = 86_400
_MINUTE_S = 60
_JOINED = 8
"""Grids of several years that are kept. Those of 5m take half a megabyte each, and joining one 0.1 ms."""
_SETTLED_S = DAY_S + kiwoom.SETTLED_NEXT_DAY.hour * 3600 + kiwoom.SETTLED_NEXT_DAY.minute * _MINUTE_S
"""From 00:00 KST of a session's day until Kiwoom's overnight corrections of it are in."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Candles that can exist, in columns of equal length, oldest first; instants are epoch seconds.

    What follows from these columns is not kept: the years of 5m would take three times the memory.
    """

    ts: Ints
    """Where each candle starts, strictly ascending."""
    lasts: Ints
    """Seconds until trading in it ends; all intraday candles share one number, a column without memory."""
    waits_overnight: Flags
    """Whether it changes until it is settled: days, weeks, and intraday candles that hold the late print."""

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def ends(self) -> Ints:
        """When trading in each candle ends: after its span, or with its (last) session."""
        return self.ts + self.lasts

    @property
    def settled(self) -> Ints:
        """When Kiwoom's overnight corrections of each candle's (last) session are in."""
        last_second = self.ends - 1 + KST_OFFSET_S
        return last_second - last_second % DAY_S - KST_OFFSET_S + _SETTLED_S

    def final_at(self, settle_s: int) -> Ints:
        """Return when each candle is final: this number of seconds after its end."""
        instants = self.ends + settle_s
        instants[self.waits_overnight] = self.at(self.waits_overnight).settled
        return instants

    def at(self, places: Ints | Flags | slice) -> Grid:
        """Return the candles at these places."""
        return Grid(self.ts[places], self.lasts[places], self.waits_overnight[places])


def candle_starts(session: Session, timeframe: Timeframe) -> Ints:
    """Return the labels that can exist in a session, ascending; daily: 00:00 KST of its day.

    Raises:
        ValueError: the timeframe is weekly; where a week starts is for the calendar to say (`grid_between`).
    """
    if timeframe is Timeframe.W1:
        raise ValueError("one session does not tell where its week starts")
    if timeframe is Timeframe.D1:
        return np.array([_seconds(session.starts_at)], dtype=np.int64)
    return _intraday(session, timeframe).ts


def poll_ends(session: Session, timeframe: Timeframe) -> Ints:
    """Return when the candles of an intraday timeframe end that take shape during the session, ascending."""
    pattern = _pattern_of(session, timeframe)
    return _seconds(session.starts_at) + pattern.starts[~pattern.is_late_only] + _span_s(timeframe)


def traded_minutes(session: Session) -> frozenset[int]:
    """Return the minutes since 00:00 KST in which a session trades; the late print has none."""
    return frozenset((_traded(_edges(session)) // _MINUTE_S).tolist())


def candle_end(calendar: Calendar, timeframe: Timeframe, ts: int) -> int:
    """Return when a candle that starts at ts ends, in seconds since the epoch, like ts.

    Daily: when trading of the day ends; weekly: of its last trading day. A candle that is off the grid ends a
    day or a week after its start.
    """
    if timeframe.is_intraday:
        return ts + _span_s(timeframe)
    day = day_of(datetime.fromtimestamp(ts, UTC))
    last_day = day if timeframe is Timeframe.D1 else (calendar.week_of(day) or (day, day))[1]
    session = calendar.session(last_day)
    if session is None or _seconds(session.ends_at) <= ts:
        return ts + DAY_S * (1 if timeframe is Timeframe.D1 else 7)
    return _seconds(session.ends_at)


def candle_ends(calendar: Calendar, timeframe: Timeframe, ts: Ints) -> Ints:
    """Return when candles that start at ts, ascending, end: `candle_end` of each, in columns."""
    if not len(ts):
        return ts
    grid = grid_of_years(calendar, timeframe, _year_of(int(ts[0])), _year_of(int(ts[-1])))
    at = np.searchsorted(grid.ts, ts)
    at[at == len(grid)] = 0
    ends = grid.at(at).ends if len(grid) else np.zeros(len(ts), dtype=np.int64)
    for i in np.flatnonzero(grid.ts[at] != ts) if len(grid) else range(len(ts)):
        ends[i] = candle_end(calendar, timeframe, int(ts[i]))
    return ends


def last_shown_day(calendar: Calendar, timeframe: Timeframe, ts: int) -> date:
    """Return the last Korean day that belongs to the candle starting at ts.

    A chart asked as of an earlier day would show the candle unfinished, and nothing in the answer would say
    so.
    """
    day = day_of(datetime.fromtimestamp(ts, UTC))
    return (calendar.week_of(day) or (day, day))[1] if timeframe is Timeframe.W1 else day


def grid_between(calendar: Calendar, timeframe: Timeframe, start: int, end: int) -> Grid:
    """Return the candles that start in [start, end), in seconds since the epoch."""
    whole = grid_of_years(calendar, timeframe, _year_of(start), _year_of(end))
    return whole.at(slice(*np.searchsorted(whole.ts, (start, end)).tolist()))


def candle_at(calendar: Calendar, timeframe: Timeframe, instant: int) -> int | None:
    """Return where the candle starts that holds an instant (both in seconds since the epoch).

    None where none does: outside of sessions; for days and weeks, on days without one.
    """
    year = _year_of(instant)
    grid = grid_of_years(calendar, timeframe, year - 1, year)
    place = int(np.searchsorted(grid.ts, instant, side="right")) - 1
    if place < 0:
        return None
    [until] = span_after(timeframe, grid.ts[place : place + 1]).tolist()
    return int(grid.ts[place]) if instant < until else None


@lru_cache(maxsize=_JOINED)
def grid_of_years(calendar: Calendar, timeframe: Timeframe, first: int, last: int) -> Grid:
    """Return the candles whose session lies in the years first to last, both included."""
    if first == last:
        return _grid_of_year(calendar, timeframe, first)
    return _join(timeframe, [_grid_of_year(calendar, timeframe, year) for year in range(first, last + 1)])


def span_after(timeframe: Timeframe, ts: Ints) -> Ints:
    """Return until when each candle owns the time after its label: its span, its day, or up to Monday."""
    if timeframe.is_intraday:
        return ts + _span_s(timeframe)
    if timeframe is Timeframe.D1:
        return ts + DAY_S
    local_day = (ts + KST_OFFSET_S) // DAY_S
    weekday = (local_day + 3) % 7  # 1970-01-01 was a Thursday
    return (local_day + 7 - weekday) * DAY_S - KST_OFFSET_S


@lru_cache(maxsize=512)
def _grid_of_year(calendar: Calendar, timeframe: Timeframe, year: int) -> Grid:
    sessions = calendar.sessions(date(year, 1, 1), date(year, 12, 31))
    if timeframe.is_intraday:
        return _join(timeframe, [_intraday(session, timeframe) for session in sessions])
    if timeframe is Timeframe.D1:
        return _overnight((session, session) for session in sessions)
    return _overnight(_weeks(calendar, sessions))


def _weeks(calendar: Calendar, sessions: Iterable[Session]) -> Iterable[tuple[Session, Session]]:
    """Yield the first and the last session of each week that begins with one of these sessions."""
    for session in sessions:
        week = calendar.week_of(session.day)
        if week is not None and week[0] == session.day:
            yield session, calendar.session_on_or_before(week[1])


def _overnight(candles: Iterable[tuple[Session, Session]]) -> Grid:
    """Return candles that run from 00:00 KST of a first session to the end of a last one."""
    rows = [(_seconds(a.starts_at), _seconds(b.ends_at)) for a, b in candles]
    ts, ends = np.array(rows, dtype=np.int64).reshape(-1, 2).T.copy()
    return Grid(ts, ends - ts, np.ones(len(rows), dtype=np.bool_))


def _intraday(session: Session, timeframe: Timeframe) -> Grid:
    pattern = _pattern_of(session, timeframe)
    ts = _seconds(session.starts_at) + pattern.starts
    return Grid(ts, _span_of_each(timeframe, len(ts)), pattern.holds_late)


def _span_of_each(timeframe: Timeframe, count: int) -> Ints:
    """Return the span of each of `count` intraday candles, in seconds, as an array."""
    return np.broadcast_to(np.int64(_span_s(timeframe)), count)


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """The candles of one kind of day; starts in seconds since 00:00 KST."""

    starts: Ints
    holds_late: Flags
    is_late_only: Flags


def _pattern_of(session: Session, timeframe: Timeframe) -> _Pattern:
    return _pattern(_edges(session), timeframe)


@dataclass(frozen=True, slots=True)
class _Edges:
    """The opening and closing hours of a session, since 00:00 KST: all that its pattern depends on."""

    pre: tuple[timedelta, timedelta] | None
    opens: timedelta
    closes: timedelta
    after: tuple[timedelta, timedelta] | None
    has_auction: bool


def _edges(session: Session) -> _Edges:
    return _Edges(
        pre=_between(session, session.pre_open_at, session.pre_close_at),
        opens=session.open_at - session.starts_at,
        closes=session.close_at - session.starts_at,
        after=_between(session, session.after_open_at, session.after_close_at),
        has_auction=session.venue.has_auction,
    )


def _between(
    session: Session, start: datetime | None, end: datetime | None
) -> tuple[timedelta, timedelta] | None:
    if start is None or end is None:
        return None
    return start - session.starts_at, end - session.starts_at


@lru_cache(maxsize=256)
def _pattern(edges: _Edges, timeframe: Timeframe) -> _Pattern:
    span = _span_s(timeframe)
    during = np.unique(_traded(edges) // span * span)
    if not edges.has_auction:
        none = np.zeros(len(during), dtype=np.bool_)
        return _Pattern(during, none, none)
    late = edges.closes + kiwoom.LATE_PRINT_AFTER_CLOSE
    # The late print adds a label only at 5m (15:35). At 30m and 1h it falls into a candle that trades anyway,
    # and that candle then waits for the morning too, since the print still changes it overnight.
    late_start = int(late.total_seconds()) // span * span
    starts = np.union1d(during, np.array([late_start], dtype=np.int64))
    return _Pattern(starts, starts == late_start, ~np.isin(starts, during))


@lru_cache(maxsize=64)
def _traded(edges: _Edges) -> Ints:
    """Return the minutes in which a venue trades, in seconds since 00:00 KST, ascending."""
    traded = [] if edges.pre is None else [_minutes(*edges.pre)]
    if edges.has_auction:
        traded.append(_minutes(edges.opens, edges.closes - kiwoom.CLOSING_AUCTION))
        traded.append(_minutes(edges.closes, edges.closes + kiwoom.CLOSING_PRINT))
    else:
        traded.append(_minutes(edges.opens, edges.closes))
    if edges.after is not None:
        traded.append(_minutes(*edges.after))
    return np.concatenate(traded)


def _minutes(start: timedelta, end: timedelta) -> Ints:
    """Return the minutes of [start, end), in seconds."""
    return np.arange(int(start.total_seconds()), int(end.total_seconds()), _MINUTE_S, dtype=np.int64)


def _join(timeframe: Timeframe, grids: Sequence[Grid]) -> Grid:
    if not grids:
        return _overnight(())
    ts = np.concatenate([grid.ts for grid in grids])
    return Grid(
        ts,
        _span_of_each(timeframe, len(ts))
        if timeframe.is_intraday
        else np.concatenate([grid.lasts for grid in grids]),
        np.concatenate([grid.waits_overnight for grid in grids]),
    )


def _span_s(timeframe: Timeframe) -> int:
    return int(timeframe.span.total_seconds())


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _year_of(instant: int) -> int:
    return day_of(datetime.fromtimestamp(instant, UTC)).year
