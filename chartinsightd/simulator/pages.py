"""Pages of charts: which rows, in which order, and the key of the next one (kiwoom.md#continuation)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from chartinsightd.facts.krx import KST
from chartinsightd.simulator import wire_charts as wire
from chartinsightd.simulator.model import Ints, Market, Period, PeriodRows
from chartinsightd.simulator.settings import Profile
from chartinsightd.simulator.wire_charts import EncodedRows
from chartinsightd.simulator.wire_requests import ChartAsk

_Value = TypeVar("_Value", np.int64, np.bool_)

_CACHE_BYTES = 64 * 1024 * 1024
_PAST_THE_END = 0
"""Day in a key that is older than every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of one answer."""

    rows: bytes
    """In JSON, newest first, joined by commas."""
    count: int
    next_key: str
    """Empty on the last page."""


class RowCache:
    """Encoded rows that will not change any more, the least used dropped first."""

    def __init__(self, capacity_bytes: int = _CACHE_BYTES) -> None:
        self._capacity = capacity_bytes
        self._size = 0
        self._rows: OrderedDict[tuple[object, ...], EncodedRows] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        return self._size

    def get(self, key: tuple[object, ...]) -> EncodedRows | None:
        """Return what was put."""
        rows = self._rows.get(key)
        if rows is not None:
            self._rows.move_to_end(key)
        return rows

    def put(self, key: tuple[object, ...], rows: EncodedRows) -> None:
        """Keep rows, as long as there is room."""
        self._rows[key] = rows
        self._size += rows.size
        while self._size > self._capacity:
            self._size -= self._rows.popitem(last=False)[1].size

    def clear(self) -> None:
        """Forget everything: a correction changed the past."""
        self._rows.clear()
        self._size = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Where a page begins: at the newest row that is not newer than this."""

    day: date
    label: int | None = None
    """Place within the day; None is its newest row."""


class Pages:
    """Builds pages from the market."""

    def __init__(self, market: Market, profile: Profile) -> None:
        self._market = market
        self._profile = profile
        self._cache = RowCache()

    def forget(self) -> None:
        """Drop what was encoded, after a correction."""
        self._cache.clear()

    def page(self, ask: ChartAsk, now: datetime) -> Page:
        """Return the page a request asks for; the blank row where there is no data."""
        if ask.key is not None and ask.key.endswith("-1"):
            ask = replace(ask, key=None)
        code = served_code(ask.code, self._market, self._profile)
        if code is None:
            return self._blank(ask)
        build: Callable[[str, ChartAsk, datetime], Page | None] = self._period_page
        if ask.api_id not in wire.PERIODS:
            build = self._intraday_page
        return build(code, ask, now) or self._no_rows(ask)

    def _blank(self, ask: ChartAsk) -> Page:
        return Page(rows=wire.blank_row(ask.api_id, self._profile.row_tail), count=1, next_key="")

    def _no_rows(self, ask: ChartAsk) -> Page:
        if self._profile.empty_page_loop and ask.key is not None:
            return endless_page(ask.code)
        return self._blank(ask)

    def _last_key(self, key: str) -> str:
        return key if self._profile.empty_page_loop else ""

    # Minute and tick charts: day by day, newest first.

    def _intraday_page(self, code: str, ask: ChartAsk, now: datetime) -> Page | None:
        start = self._intraday_start(ask, now.date())
        if start is None:
            return None
        size = self._profile.tick_page if ask.api_id == "ka10079" else self._profile.minute_page
        parts: list[bytes] = []
        count = 0
        for day, rows in self._days(code, ask, start, now):
            first = _first_at_or_before(rows, start.label) if day == start.day else 0
            last = min(len(rows), first + size - count)
            if last > first:
                parts.append(rows.slice(first, last))
                count += last - first
            if last < len(rows):
                key = _row_key(ask, day, rows.labels[last])
                return Page(rows=b",".join(parts), count=count, next_key=key)
        end = self._last_key(_row_key(ask, None, 0))
        return Page(rows=b",".join(parts), count=count, next_key=end) if count else None

    def _days(
        self, code: str, ask: ChartAsk, start: _Start, now: datetime
    ) -> Iterator[tuple[date, EncodedRows]]:
        days = [day for day in self._market.minute_days(code, now) if day <= start.day]
        if ask.api_id == "ka10079":
            days = days[: self._profile.tick_days]
        adjusted_to = (ask.base_day or now.date()) if ask.is_adjusted else None
        for day in days:
            if ask.api_id == "ka10079":
                rows = self._ticks(code, day, ask.scope, now)
            else:
                rows = self._minutes(code, day, ask.scope, now, adjusted_to)
            if rows is not None and len(rows):
                yield day, rows

    def _minutes(
        self, code: str, day: date, scope: int, now: datetime, adjusted_to: date | None
    ) -> EncodedRows | None:
        key = ("minute", code, day, scope, adjusted_to)
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        rows = self._market.minutes(code, day, scope, now, adjusted_to)
        if rows is None:
            return None
        encoded = wire.minute_rows(rows, self._profile.row_tail)
        if rows.settled:
            self._cache.put(key, encoded)
        return encoded

    def _ticks(self, code: str, day: date, scope: int, now: datetime) -> EncodedRows | None:
        key = ("tick", code, day, scope)
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        hours = self._market.minutes(code, day, 60, now)
        if hours is None:
            return None
        midnight = datetime.combine(day, time(), KST)
        trades = self._market.trades(code, midnight, min(now, midnight + timedelta(days=1)))
        encoded = wire.tick_rows(trades, scope, hours.previous_close)
        if hours.settled:
            self._cache.put(key, encoded)
        return encoded

    def _intraday_start(self, ask: ChartAsk, today: date) -> _Start | None:
        first_page = _Start(day=min(ask.base_day or today, today))
        if ask.key is None:
            return first_page
        is_tick = ask.api_id == "ka10079"
        digits = wire.key_digits(ask.key, ask.code, 18 if is_tick else 22)
        day = None if digits is None else _day_of(int(digits[:8]))
        if digits is None or day is None:
            return first_page if self._profile.bad_key == "first_page" else None
        label = int(digits[8:]) if is_tick else int(digits[8:10]) * 60 + int(digits[10:12])
        return _Start(day=day, label=label)

    # Day, week, month and year charts.

    def _period_page(self, code: str, ask: ChartAsk, now: datetime) -> Page | None:
        period = wire.PERIODS[ask.api_id]
        base = min(ask.base_day or now.date(), now.date())
        start = self._period_start(ask, base)
        if start is None:
            return None
        rows, raw_close = self._periods(code, period, base, ask.is_adjusted, now)
        end = int(np.searchsorted(rows.day, start, side="right"))
        first = max(0, end - self._page_size(period))
        if end == 0:
            return None
        kept, adjusted_to = _cut(rows, first, end), base if ask.is_adjusted else None
        key = wire.period_key(ask.code, int(rows.day[first - 1] if first else _PAST_THE_END))
        return Page(
            rows=self._encoded_periods(code, period, adjusted_to, kept, raw_close[first:end]),
            count=end - first,
            next_key=key if first else self._last_key(key),
        )

    def _page_size(self, period: Period) -> int:
        sizes = self._profile
        return {
            Period.DAY: sizes.day_page,
            Period.WEEK: sizes.week_page,
            Period.MONTH: sizes.month_page,
            Period.YEAR: sizes.year_page,
        }[period]

    def _period_start(self, ask: ChartAsk, base: date) -> int | None:
        if ask.key is None:
            return _number(base)
        digits = wire.key_digits(ask.key, ask.code, 16)
        if digits is None:
            return _number(base) if self._profile.bad_key == "first_page" else None
        return int(digits[:8])

    def _periods(
        self, code: str, period: Period, base: date, is_adjusted: bool, now: datetime
    ) -> tuple[PeriodRows, Ints]:
        """Return the rows up to the base day, the last one as of then, and their closes as traded."""
        raw = self._as_of(code, period, base, None, now)
        if not is_adjusted:
            return raw, raw.close
        return self._as_of(code, period, base, base, now), raw.close

    def _as_of(
        self, code: str, period: Period, base: date, adjusted_to: date | None, now: datetime
    ) -> PeriodRows:
        rows = self._market.periods(code, period, now, adjusted_to)
        kept = _cut(rows, 0, int(np.searchsorted(rows.day, _number(base), side="right")))
        if period is Period.DAY or base >= now.date() or not len(kept.day):
            return kept
        days = self._market.periods(code, Period.DAY, now, adjusted_to)
        return _with_last_cut_short(kept, days, _number(base))

    def _encoded_periods(
        self, code: str, period: Period, adjusted_to: date | None, rows: PeriodRows, raw_close: Ints
    ) -> bytes:
        """Encode a page; its final rows only once."""
        settled = _final_length(rows)
        newest = self._encode(code, period, _cut(rows, settled, len(rows.day)), raw_close[settled:])
        if settled == 0:
            return newest.slice(0, len(newest))
        key = (period, code, adjusted_to, int(rows.day[0]), int(rows.day[settled - 1]))
        oldest = self._cache.get(key)
        if oldest is None:
            oldest = self._encode(code, period, _cut(rows, 0, settled), raw_close[:settled])
            self._cache.put(key, oldest)
        parts = [part.slice(0, len(part)) for part in (newest, oldest) if len(part)]
        return b",".join(parts)

    def _encode(self, code: str, period: Period, rows: PeriodRows, raw_close: Ints) -> EncodedRows:
        issue = self._market.issue(code.partition("_")[0])
        shares = issue.listed_shares if issue is not None else 0
        return wire.period_rows(rows, raw_close, period, shares, self._profile.row_tail)


def served_code(code: str, market: Market, profile: Profile) -> str | None:
    """Return the code the market knows a requested one by; None where it has no data.

    Source: kiwoom.md#exchange-suffixes.
    """
    plain, _, exchange = code.partition("_")
    if not exchange:
        return code if market.issue(code) is not None else None
    if exchange == "AL":
        is_known = profile.unified == "served" and market.issue(code) is not None
        return code if is_known else served_code(plain, market, profile)
    is_served = exchange == "NX" and profile.nxt == "served"
    return code if is_served and market.issue(code) is not None else None


def endless_page(code: str) -> Page:
    """Return the empty page whose key starts over (kiwoom.md#endless-pages)."""
    return Page(rows=b"", count=0, next_key=f"A{code}-1")


def _first_at_or_before(rows: EncodedRows, label: int | None) -> int:
    if label is None:
        return 0
    return next((i for i, have in enumerate(rows.labels) if have <= label), len(rows))


def _row_key(ask: ChartAsk, day: date | None, label: int) -> str:
    number = _number(day or date.min)
    if ask.api_id == "ka10079":
        return wire.tick_key(ask.code, number, label)
    return wire.minute_key(ask.code, number, label)


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _day_of(number: int) -> date | None:
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def _cut(rows: PeriodRows, first: int, end: int) -> PeriodRows:
    part = slice(first, end)
    return PeriodRows(
        day=rows.day[part],
        open=rows.open[part],
        high=rows.high[part],
        low=rows.low[part],
        close=rows.close[part],
        volume=rows.volume[part],
        value=rows.value[part],
        previous_close=rows.previous_close[part],
        final=rows.final[part],
    )


def _final_length(rows: PeriodRows) -> int:
    """Return how many rows from the oldest on are final."""
    return len(rows.final) if bool(rows.final.all()) else int(np.argmin(rows.final))


def _with_last_cut_short(rows: PeriodRows, days: PeriodRows, base: int) -> PeriodRows:
    """Return rows whose last one holds only its days up to the base day (kiwoom.md#base-day)."""
    first = int(np.searchsorted(days.day, rows.day[-1]))
    part = _cut(days, first, int(np.searchsorted(days.day, base, side="right")))
    return replace(
        rows,
        high=_last_replaced(rows.high, int(part.high.max())),
        low=_last_replaced(rows.low, int(part.low.min())),
        close=_last_replaced(rows.close, int(part.close[-1])),
        volume=_last_replaced(rows.volume, int(part.volume.sum())),
        value=_last_replaced(rows.value, int(part.value.sum())),
        final=_last_replaced(rows.final, False),
    )


def _last_replaced(column: NDArray[_Value], value: int | bool) -> NDArray[_Value]:
    changed = column.copy()
    changed[-1] = value
    return changed
