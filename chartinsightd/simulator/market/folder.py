"""A market of real candles from a folder of CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np

from chartinsightd.simulator.market import days
from chartinsightd.simulator.market.csvdata import DailyRow, DailySource, Folder, read_folder
from chartinsightd.simulator.market.options import MarketOptions
from chartinsightd.simulator.market.rows import Action, Daily, DayPlan, Minutes
from chartinsightd.simulator.model import Ints, Issue

_MARKETS = {"KOSPI": "0", "KOSDAQ": "10", "KOSDAQ GLOBAL": "10", "KONEX": "50"}
_DAILY_KEPT = 64


class FolderSource:
    """Days as the files have them.

    Daily rows of a code come from one source, never from a mixture: the one named in the options, else, of
    those with volumes, raw before adjusted, one without holes before others, then the one that has most of
    the days with minutes, then the longest. A day with minutes that the source lacks gets the fold of its
    minutes. The row of a day with minutes forms from them; at 18:00 it becomes what the source says. A row
    five minutes after the close, at the closing price, is the late print: served from 06:00 next morning.
    """

    def __init__(self, path: Path, options: MarketOptions) -> None:
        self._options = options
        self._folder = read_folder(path)
        self._codes = sorted({*self._folder.daily, *self._folder.minutes})
        self._late = {code: _take_late_prints(days) for code, days in self._folder.minutes.items()}
        self._days = _calendar(self._folder)
        self._chosen = {code: self._choose(code) for code in self._codes}
        self._folder.daily.clear()  # what was not chosen is most of the memory
        self.daily = lru_cache(_DAILY_KEPT)(self._daily)
        self._issues = {code: self._issue(code) for code in self._codes}

    def codes(self) -> Sequence[str]:
        """Return the codes that have candles, in order."""
        return self._codes

    def issue(self, code: str, day: date | None = None) -> Issue | None:
        """Return an issue; before a split of its ledger it has fewer shares."""
        issue = self._issues.get(code)
        if issue is None or day is None:
            return issue
        shares = float(issue.listed_shares)
        for action in self.actions(code):
            if day < action.ex_date:
                shares /= action.volume_factor
        return replace(issue, listed_shares=round(shares))

    def minutes(self, code: str, plan: DayPlan) -> Minutes | None:
        """Return the one-minute rows of a day that the files have."""
        return self._folder.minutes.get(code, {}).get(plan.day)

    def actions(self, code: str) -> Sequence[Action]:
        """Return the corporate actions of a code whose daily rows are raw."""
        chosen = self._chosen.get(code)
        return self._folder.actions.get(code, []) if chosen is not None and chosen.is_raw else []

    def trading_days(self) -> Ints:
        """Return the calendar: the folder's where it has one, the exchange's own beyond."""
        return self._days

    def source_of(self, code: str) -> str | None:
        """Return the name of the daily source that was chosen for a code."""
        chosen = self._chosen.get(code)
        return None if chosen is None else chosen.name

    def _choose(self, code: str) -> DailySource | None:
        sources = self._folder.daily.get(code, {}).values()
        with_minutes = self._folder.minutes.get(code, {}).keys()

        def merit(source: DailySource) -> tuple[bool, bool, bool, bool, int, int]:
            covered = len(with_minutes & {row[0] for row in source.rows})
            named = source.name == self._options.daily_source
            whole = _is_whole(source, self._days)
            return named, source.has_volume, source.is_raw, whole, covered, len(source.rows)

        return max(sources, key=merit, default=None)

    def _daily(self, code: str) -> Daily:
        chosen, minutes, late = (
            self._chosen[code],
            self._folder.minutes.get(code, {}),
            self._late.get(code, {}),
        )
        rows = {row[0]: _repaired(row) for row in chosen.rows} if chosen is not None else {}
        for day, found in minutes.items():
            rows.setdefault(day, _fold(day, found, late.get(day, 0)))
        columns = np.array([rows[day] for day in sorted(rows)], dtype=np.int64).reshape(-1, 7)
        daily = _columns(columns, minutes, late, self.actions(code))
        return daily if self._options.halted_day_has_row else daily.where(daily.volume > 0)

    def _issue(self, code: str) -> Issue:
        listed = self._folder.stocks.get(code, {})
        first = date.fromordinal(int(self._daily(code).day[0]))
        return Issue(
            code=code,
            name=listed.get("Name") or code,
            market_code=_MARKETS.get(listed.get("Market", "KOSPI"), "0"),
            listed_shares=int(listed.get("Stocks") or 0),
            listed_on=min(_listing_date(listed) or first, first),
        )


def _is_whole(source: DailySource, trading_days: Ints) -> bool:
    """Return whether a source has nine in ten of the trading days between its first and its last."""
    rows = [row[0] for row in source.rows]
    first, last = np.searchsorted(trading_days, [min(rows), max(rows)])
    return len(rows) >= 0.9 * (int(last) - int(first) + 1)


def _listing_date(listed: Mapping[str, str]) -> date | None:
    text = listed.get("ListingDate", "")[:10]
    return date.fromisoformat(text) if text else None


def _calendar(folder: Folder) -> Ints:
    """Return the trading days: what the folder knows, and the exchange's own calendar outside of that."""
    own = set(days.trading_days().tolist())
    known = folder.trading_days
    if known:
        first, last = min(known), max(known)
        own = {day for day in own if not first <= day <= last} | known
    with_minutes = {day for of_code in folder.minutes.values() for day in of_code}
    return np.array(sorted(own | with_minutes), dtype=np.int64)


def _repaired(row: DailyRow) -> DailyRow:
    """Return a row with prices only; some sources give a halted day as 0, 0, 0 and the last close."""
    day, opening, high, low, close, volume, value = row
    if 0 in (opening, high, low):
        opening = high = low = close
    # Adjusted sources round each price separately, which can leave the high a won below the close.
    high, low = max(opening, high, low, close), min(opening, high, low, close)
    return day, opening, high, low, close, volume, value


def _take_late_prints(of_days: dict[int, Minutes]) -> dict[int, int]:
    """Take the rows that the broker adds overnight out of each day; return their shares by day."""
    found: dict[int, int] = {}
    for day, rows in of_days.items():
        is_late = rows.label == days.hours_on(date.fromordinal(day)).late
        at = int(np.argmax(is_late)) if is_late.any() else 0
        if at > 0 and rows.close[at - 1] == rows.low[at] == rows.high[at]:
            found[day] = int(rows.volume[at])
            worth = np.where(np.arange(len(rows)) > at, rows.volume[at] * rows.close[at], 0)
            of_days[day] = rows.with_value(rows.running_value - worth).where(~is_late)
    return found


def _fold(day: int, rows: Minutes, late: int) -> DailyRow:
    """Return the daily row that minutes and a late print make."""
    return (
        day,
        int(rows.open[0]),
        int(rows.high.max()),
        int(rows.low.min()),
        int(rows.close[-1]),
        int(rows.volume.sum()) + late,
        int(rows.running_value[-1]) + late * int(rows.close[-1]),
    )


def _columns(
    rows: Ints, minutes: Mapping[int, Minutes], late_of: Mapping[int, int], actions: Sequence[Action]
) -> Daily:
    """Return daily columns; rows as `DailyRow`."""
    day, opening, high, low, close, volume, value = rows.T
    board = np.array([_board(minutes.get(ordinal)) for ordinal in day.tolist()], dtype=np.int64)
    # A day cannot have traded less than its minutes; a source that says so was read during the session.
    late = np.array([late_of.get(ordinal, 0) for ordinal in day.tolist()], dtype=np.int64)
    volume = np.maximum(volume, board + late)
    middle = (opening + high + low + close) // 4
    none = np.zeros(len(day), dtype=np.int64)
    return Daily(
        day=day,
        base=_bases(day, opening, close, actions),
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
        value=np.where(value >= 0, value, volume * middle),
        late=late,
        board=board,
        after=none,
        after_open=none,
        after_high=none,
        after_low=none,
        after_close=none,
    )


def _bases(day: Ints, opening: Ints, close: Ints, actions: Sequence[Action]) -> Ints:
    """Return the close before each day, adjusted for actions; the first day refers to its own opening."""
    base = np.concatenate([opening[:1], close[:-1]])
    for action in actions:
        at = int(np.searchsorted(day, action.ex_date.toordinal()))
        if 0 < at < len(day):
            base[at] = round(base[at] * action.price_factor)
    return base


def _board(rows: Minutes | None) -> int:
    return 0 if rows is None else int(rows.volume.sum())
