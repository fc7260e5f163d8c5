"""The market itself: a source's days, as they look at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.market import charts, sight, ticks
from chartinsightd.simulator.market.corrections import Corrections, corrected_shares
from chartinsightd.simulator.market.days import hours_on
from chartinsightd.simulator.market.draws import key_of
from chartinsightd.simulator.market.folding import fold_minutes
from chartinsightd.simulator.market.options import MarketOptions
from chartinsightd.simulator.market.prints import MINUTE_MS, Prints, Tape, prints_of
from chartinsightd.simulator.market.rows import Daily, DayPlan, Minutes
from chartinsightd.simulator.market.source import Source
from chartinsightd.simulator.model import Ints, Issue, MinuteRows, Period, PeriodRows, Snapshot, Trade

_RETENTION_MONTHS = 12
_PLANS_KEPT = 8_192
"""Days of codes whose figures are kept: under 1 KB each."""
_PARTS_KEPT = 5_500
"""Stretches of daily rows that are kept, two for each issue of the whole market: about 6 KB each."""
_PART_DAYS = 64
_DAY_LISTS_KEPT = 3_000


class SimulatedMarket:
    """A `model.Market` over any source."""

    def __init__(self, source: Source, options: MarketOptions) -> None:
        self._source, self._options = source, options
        self._corrections = Corrections()
        self._original = lru_cache(_PLANS_KEPT)(self._find_original)
        self._part = lru_cache(_PARTS_KEPT)(self._find_part)
        self._retained = lru_cache(_DAY_LISTS_KEPT)(self._find_retained)
        self._listed = lru_cache(2)(self._find_listed)

    def issues(self, now: datetime) -> Sequence[Issue]:
        """Return the issues listed on the day of `now`, in code order."""
        return self._listed(_day(now))

    def issue(self, code: str) -> Issue | None:
        """Return an issue, delisted or not; None for an unknown code."""
        return self._source.issue(code)

    def actions(self, code: str) -> list[tuple[date, float, float]]:
        """Return (ex_date, price_factor, volume_factor) of every corporate action, past and to come."""
        if self._source.issue(code) is None:
            return []
        return [(a.ex_date, a.price_factor, a.volume_factor) for a in self._source.actions(code)]

    def trading_days(self, first: date, last: date) -> list[date]:
        """Return the trading days from `first` to `last`, both included."""
        days = self._source.trading_days()
        part = days[(days >= first.toordinal()) & (days <= last.toordinal())]
        return [date.fromordinal(day) for day in part.tolist()]

    def last_trading_day(self, issue: Issue, day: date, period: Period) -> date:
        """Return the last trading day of the period a day lies in, while the issue is listed."""
        days = self._source.trading_days()
        return date.fromordinal(charts.last_trading_day(days, day.toordinal(), period, issue.delisted_on))

    def original_day(self, code: str, day: date) -> tuple[DayPlan, Minutes] | None:
        """Return a day of a known code as it will have been, without corrections; None without minutes."""
        plan = self._original(code, day.toordinal())
        rows = None if plan is None else self._source.minutes(code, plan)
        return None if plan is None or rows is None else (plan, rows)

    def _find_listed(self, day: date) -> Sequence[Issue]:
        issues = (self._source.issue(code, day) for code in self._source.codes())
        return [issue for issue in issues if issue is not None and _is_listed(issue, day)]

    def minute_days(self, code: str, now: datetime) -> Sequence[date]:
        """Return the days with minute rows inside the retention, newest first; today once it has traded.

        Source: kiwoom.md#minute-retention: from the first day of the month twelve months before.
        """
        if self._source.issue(code) is None:
            return []
        today = _day(now)
        found = [date.fromordinal(day) for day in self._retained(code, today.toordinal()).tolist()]
        if found and found[0] == today and self._visible(code, today, now) is None:
            return found[1:]
        return found

    def minutes(
        self, code: str, day: date, scope: int, now: datetime, adjusted_to: date | None = None
    ) -> MinuteRows | None:
        """Return the rows of one day; None where there is none.

        `running` adds up over the rows as they are served: it rises for after-market rows when the late print
        appears, which is not measured. `adjusted_to` works under `MarketOptions.adjusted_minutes` only.
        """
        seen = self._visible(code, day, now)
        if seen is None or day < _retention_start(_day(now)):
            return None
        plan, moment, rows = seen
        folded = fold_minutes(rows, scope)
        price, volume = self._minute_factors(code, day, adjusted_to)
        shares = charts.scaled(folded.volume, volume)
        return MinuteRows(
            day=day,
            label=folded.label,
            open=charts.scaled(folded.open, price),
            high=charts.scaled(folded.high, price),
            low=charts.scaled(folded.low, price),
            close=charts.scaled(folded.close, price),
            volume=shares,
            running=np.cumsum(shares),
            final=sight.is_final(folded.label, scope, plan, moment),
            previous_close=int(charts.scaled(np.array([plan.base]), price)[0]),
            settled=sight.is_settled(plan, moment),
        )

    def _minute_factors(self, code: str, day: date, adjusted_to: date | None) -> tuple[float, float]:
        if adjusted_to is None or not self._options.adjusted_minutes:
            return 1.0, 1.0
        days = np.array([day.toordinal()], dtype=np.int64)
        price, volume = charts.factors(days, self._source.actions(code), adjusted_to)
        return float(price[0]), float(volume[0])

    def _find_retained(self, code: str, today: int) -> Ints:
        daily = self._source.daily(code)
        first = _retention_start(date.fromordinal(today)).toordinal()
        keep = (daily.day >= first) & (daily.day <= today) & (daily.board > 0)
        newest_first: Ints = daily.day[keep][::-1]
        return newest_first

    def _find_original(self, code: str, day: int) -> DayPlan | None:
        """Return a day's figures before corrections."""
        part = self._part(code, day // _PART_DAYS)
        at = part.find(day)
        return None if at is None else part.row(at)

    def _find_part(self, code: str, part: int) -> Daily:
        daily = self._source.daily(code)
        first, last = np.searchsorted(daily.day, [part * _PART_DAYS, (part + 1) * _PART_DAYS])
        # Copies, because a view would keep the whole path in memory.
        return daily.where(np.arange(first, last))

    def _day_of(self, code: str, day: int) -> tuple[DayPlan, Minutes | None] | None:
        """Return a day and its minutes, corrections included."""
        original = self._original(code, day) if self._source.issue(code) is not None else None
        if original is None:
            return None
        rows = self._source.minutes(code, original)
        plan = self._corrections.plan(code, original, rows)
        return plan, None if rows is None else self._corrections.minutes(code, day, rows)

    def _visible(self, code: str, day: date, now: datetime) -> tuple[DayPlan, sight.Moment, Minutes] | None:
        """Return the one-minute rows of a day so far; None where there is none."""
        if day > _day(now) or (looked := self._look(code, day.toordinal(), now)) is None:
            return None
        plan, moment, rows = looked
        return (plan, moment, rows) if rows is not None and len(rows) else None

    def _look(
        self, code: str, day: int, now: datetime
    ) -> tuple[DayPlan, sight.Moment, Minutes | None] | None:
        """Return a day and its one-minute rows so far, which are None where the day has none at all."""
        found = self._day_of(code, day)
        if found is None:
            return None
        plan, rows = found
        moment = sight.moment_of(plan, now)
        if rows is not None:
            rows = sight.visible_minutes(rows, plan, moment, self._tape(code, day))
        return plan, moment, rows

    def _day_seen(self, code: str, day: int, now: datetime) -> sight.DaySeen | None:
        """Return the daily row of a day so far."""
        looked = self._look(code, day, now)
        return None if looked is None else self._row_of(*looked)

    def _row_of(self, plan: DayPlan, moment: sight.Moment, rows: Minutes | None) -> sight.DaySeen | None:
        return sight.day_seen(plan, rows, moment, after_counts=self._options.after_market_in_daily)

    def periods(self, code: str, period: Period, now: datetime, adjusted_to: date | None) -> PeriodRows:
        """Return all rows since listing; adjusted_to: with the corporate actions up to that day applied."""
        issue = self._source.issue(code)
        if issue is None:
            return charts.empty()
        rows = self._days_so_far(code, now)
        actions = () if adjusted_to is None else self._source.actions(code)
        is_over = bool(len(rows.day)) and self._is_over(issue, int(rows.day[-1]), period, now)
        return charts.fold_days(
            charts.adjusted(rows, actions, adjusted_to),
            period,
            last_is_over=is_over,
            raw_close=rows.close,
            monday_label=self._options.week_label_is_monday,
        )

    def _days_so_far(self, code: str, now: datetime) -> PeriodRows:
        """Return the raw daily rows, labelled by ordinals."""
        daily = self._corrected_daily(code)
        today = _day(now).toordinal()
        # The last row before today may still wait for its late print: it is looked at as closely as today's.
        settled = max(0, int(np.searchsorted(daily.day, today)) - 1)
        rows = charts.settled_days(daily, settled, after_counts=self._options.after_market_in_daily)
        for day in daily.day[settled : settled + 2].tolist():
            if day <= today and (seen := self._day_seen(code, day, now)) is not None:
                rows = charts.with_day(rows, day, seen)
        return rows

    def _corrected_daily(self, code: str) -> Daily:
        daily = self._source.daily(code)
        found = (self._day_of(code, day) for day in self._corrections.days_of(code))
        plans = [day[0] for day in found if day is not None]
        return self._corrections.daily(daily, plans) if plans else daily

    def _is_over(self, issue: Issue, day: int, period: Period, now: datetime) -> bool:
        """Return whether the last trading day of the period has ended."""
        last = charts.last_trading_day(self._source.trading_days(), day, period, issue.delisted_on)
        ends = _midnight(date.fromordinal(last)) + timedelta(minutes=hours_on(date.fromordinal(last)).over)
        return bool(now >= ends)

    def trades(self, code: str, after: datetime, until: datetime) -> Sequence[Trade]:
        """Return the prints in (after, until], oldest first; they fold exactly into `minutes`.

        The late print is among them once it has appeared, at its own time.
        """
        first, last = _day(after).toordinal(), _day(until).toordinal()
        found: list[Trade] = []
        for day in range(first, last + 1):
            prints = self._prints(code, day, after, until)
            if prints is not None:
                found.extend(_trades(prints, day))
        return found

    def _prints(self, code: str, day: int, after: datetime, until: datetime) -> Prints | None:
        known = self._day_of(code, day)
        if known is None or known[1] is None:
            return None
        plan, rows = known[0], known[1]
        start, end = sight.moment_of(plan, after), sight.moment_of(plan, until)
        if end.late_is_in:
            rows = sight.with_late_print(rows, plan, end)
        low = int(np.searchsorted(rows.label, max(start.ms, 0) // MINUTE_MS))
        high = int(np.searchsorted(rows.label, end.minute, side="right"))
        if low >= high:
            return None
        part = rows.where(slice(low, high))
        prints = prints_of(part, sight.running_before(rows, low), self._tape(code, day), end.hours)
        return prints.where((prints.at_ms > start.ms) & (prints.at_ms <= end.ms))

    def _tape(self, code: str, day: int) -> Tape:
        return Tape(key_of("prints", code, day), self._options.print_won)

    def snapshot(self, code: str, now: datetime) -> Snapshot | None:
        """Return today's figures (on a closed day: the last day's); None for an unknown or unlisted code.

        Price, open, high and low take in the after-market; volume and value are those of the daily row.
        """
        issue = self._source.issue(code)
        if issue is None or not _is_listed(issue, _day(now)):
            return None
        day = self._last_day(code, _day(now).toordinal())
        return None if day is None else self._snapshot_of(issue, day, now)

    def _last_day(self, code: str, today: int) -> int | None:
        """Return the newest day with a daily row, today or before."""
        days = self._part(code, today // _PART_DAYS).day
        if len(days) == 0 or int(days[0]) > today:
            days = self._source.daily(code).day
        at = int(np.searchsorted(days, today, side="right")) - 1
        return int(days[at]) if at >= 0 else None

    def _snapshot_of(self, issue: Issue, day: int, now: datetime) -> Snapshot | None:
        looked = self._look(issue.code, day, now)
        if looked is None:
            return None
        plan, _, rows = looked
        lower, upper = _limits(issue, plan)
        seen, rows = self._row_of(*looked), rows if rows is not None and len(rows) else None
        return Snapshot(
            code=issue.code,
            price=int(rows.close[-1])
            if rows is not None
            else (seen.close if seen is not None else plan.base),
            previous_close=plan.base,
            open=int(rows.open[0]) if rows is not None else 0,
            high=int(rows.high.max()) if rows is not None else 0,
            low=int(rows.low.min()) if rows is not None else 0,
            volume=seen.volume if seen is not None else 0,
            value=seen.value if seen is not None else 0,
            upper_limit=upper,
            lower_limit=lower,
            last_trade_at=self._last_trade_at(issue.code, rows, day, now),
        )

    def _last_trade_at(self, code: str, rows: Minutes | None, day: int, now: datetime) -> datetime | None:
        if rows is None:
            return None
        start = _midnight(date.fromordinal(day)) + timedelta(minutes=int(rows.label[-1]), milliseconds=-1)
        prints = self._prints(code, day, start, now)
        return None if prints is None else _at(day, int(prints.at_ms[-1]))

    def correct(self, code: str, day: date, label: int | None, factor: float) -> bool:
        """Change the volume of a past minute (or, without label, of a past day) by a factor, for good.

        A minute's change is in every chart that contains it. A day's goes into the trades outside the
        order book: day, week, month and year follow, minutes stay. Never below what holds the prices.
        """
        found = self._day_of(code, day.toordinal())
        if found is None:
            return False
        shares = _shares_to_add(*found, label, factor)
        if shares is None:
            return False
        self._corrections.add(code, day.toordinal(), label, shares)
        return True


def _shares_to_add(plan: DayPlan, rows: Minutes | None, label: int | None, factor: float) -> int | None:
    """Return by how many shares a correction changes a row; None where there is no such row."""
    if label is None:
        return corrected_shares(plan.volume, factor, least=plan.volume - plan.off_book)
    if label == hours_on(plan.date).late and plan.late > 0:
        return corrected_shares(plan.late, factor, least=1)
    at = np.flatnonzero(rows.label == label) if rows is not None else np.zeros(0)
    if rows is None or len(at) == 0:
        return None
    return corrected_shares(int(rows.volume[at[0]]), factor)


def _day(now: datetime) -> date:
    return now.astimezone(KST).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=KST)


def _at(day: int, ms: int) -> datetime:
    return _midnight(date.fromordinal(day)) + timedelta(milliseconds=ms)


def _is_listed(issue: Issue, day: date) -> bool:
    return issue.listed_on <= day and (issue.delisted_on is None or day < issue.delisted_on)


def _retention_start(today: date) -> date:
    """Return the first day whose minutes are still there (kiwoom.md#minute-retention)."""
    months = today.year * 12 + today.month - 1 - _RETENTION_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def _limits(issue: Issue, plan: DayPlan) -> tuple[int, int]:
    grid = ticks.grid_on(issue.market_code, plan.date)
    percent = np.array([ticks.limit_percent(plan.date)], dtype=np.int64)
    lower, upper = ticks.limits(np.array([plan.base], dtype=np.int64), percent, grid)
    return int(lower[0]), int(upper[0])


def _trades(prints: Prints, day: int) -> list[Trade]:
    midnight = _midnight(date.fromordinal(day))
    return [
        Trade(
            at=midnight + timedelta(milliseconds=at_ms),
            price=price,
            volume=volume,
            running_volume=running_volume,
            running_value=running_value,
        )
        for at_ms, price, volume, running_volume, running_value in zip(
            prints.at_ms.tolist(),
            prints.price.tolist(),
            prints.volume.tolist(),
            prints.running_volume.tolist(),
            prints.running_value.tolist(),
            strict=True,
        )
    ]
