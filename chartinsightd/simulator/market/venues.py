"""A market whose stocks trade on NXT too: codes with the suffixes of NXT and of both exchanges together.

The chart of both is what KRX and NXT show at the same moment, added up (kiwoom.md#exchange-suffixes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from chartinsightd.facts.krx import KST
from chartinsightd.facts.nxt import CODE_SUFFIX, HOURS, UNIFIED_CODE_SUFFIX
from chartinsightd.simulator.market import charts, nxt, ticks
from chartinsightd.simulator.market.draws import key_of
from chartinsightd.simulator.market.engine import SimulatedMarket
from chartinsightd.simulator.market.folding import fold_minutes, starts_of
from chartinsightd.simulator.market.prints import MINUTE_MS
from chartinsightd.simulator.market.rows import Action, Minutes
from chartinsightd.simulator.market.sight import DaySeen
from chartinsightd.simulator.model import Flags, Ints, Issue, MinuteRows, Period, PeriodRows, Snapshot, Trade

_DAYS_KEPT = 4_096
"""Days of NXT whose minutes are kept: about 35 KB each."""
_EVENING_SHARE = 0.12
"""Of the stocks, those whose day NXT shows in the evening already: 74 of 630.

Source: kiwoom.md#overnight-corrections.
"""
_MORNING = time(7)


class VenueMarket:
    """A `model.Market` over a market of KRX alone.

    Args:
        krx: answers every code without a suffix.
        late_days: whether a day of NXT is missing until the next morning for most stocks.
    """

    def __init__(self, krx: SimulatedMarket, *, late_days: bool = True) -> None:
        self._krx, self._late_days = krx, late_days
        self._day = lru_cache(_DAYS_KEPT)(self._find_day)
        self._folded_day = lru_cache(4 * _DAYS_KEPT)(self._fold_day)

    def issues(self, now: datetime) -> Sequence[Issue]:
        """Return the issues of KRX: NXT lists none of its own."""
        return self._krx.issues(now)

    def issue(self, code: str) -> Issue | None:
        """Return an issue; None for an unknown code, and for one of NXT that is not traded there."""
        plain, suffix = _parted(code)
        found = self._krx.issue(plain)
        if not suffix or found is None:
            return found
        is_here = suffix == UNIFIED_CODE_SUFFIX or (suffix == CODE_SUFFIX and found.nxt_enabled)
        return replace(found, code=code) if is_here else None

    def actions(self, code: str) -> Sequence[tuple[date, float, float]]:
        """Return the corporate actions of a stock, wherever it trades."""
        return self._krx.actions(_parted(code)[0])

    def trading_days(self, first: date, last: date) -> list[date]:
        """Return the trading days from `first` to `last`, both included."""
        return self._krx.trading_days(first, last)

    def correct(self, code: str, day: date, label: int | None, factor: float) -> bool:
        """Change a volume of KRX, and with it the chart of both; NXT corrects nothing."""
        return self._krx.correct(code, day, label, factor)

    def minute_days(self, code: str, now: datetime) -> Sequence[date]:
        """Return the days with minute rows inside the retention, newest first."""
        plain, suffix = _parted(code)
        if not suffix:
            return self._krx.minute_days(code, now)
        today, days = now.astimezone(KST).date(), self._krx.minute_days(plain, now)
        trades_today = self._seen(plain, today, now) is not None
        if trades_today and today not in days:
            days = [today, *days]  # before KRX opens NXT has traded already
        issue = self._krx.issue(plain)
        if suffix == UNIFIED_CODE_SUFFIX or issue is None:
            return days
        joined = nxt.joined_on(plain, issue.listed_on) if issue.nxt_enabled else date.max
        return [day for day in days if day >= joined and (day < today or trades_today)]

    def minutes(
        self, code: str, day: date, scope: int, now: datetime, adjusted_to: date | None = None
    ) -> MinuteRows | None:
        """Return the rows of one day; None where there is none. `adjusted_to` holds for KRX alone."""
        plain, suffix = _parted(code)
        if not suffix:
            return self._krx.minutes(code, day, scope, now, adjusted_to)
        theirs = self._krx.minutes(plain, day, 1, now) if suffix == UNIFIED_CODE_SUFFIX else None
        seen = self._seen(plain, day, now)
        if theirs is None and (seen is None or self._is_gone(plain, day, now)):
            return None
        parts = [part for part in (_plain_rows(theirs), seen) if part is not None]
        rows = fold_minutes(parts[0] if len(parts) == 1 else _both(*parts), scope)
        return self._rows(plain, day, scope, now, rows, with_krx=theirs is not None)

    def _rows(
        self, plain: str, day: date, scope: int, now: datetime, rows: Minutes, *, with_krx: bool
    ) -> MinuteRows:
        theirs = self._krx.minutes(plain, day, scope, now) if with_krx else None
        local = now.astimezone(KST)
        minute = (local.date() - day).days * 1440 + local.hour * 60 + local.minute
        final: Flags = rows.label + scope <= minute
        if theirs is not None:
            final &= ~np.isin(rows.label, theirs.label[~theirs.final])
        found = self._krx.original_day(plain, day)
        base = theirs.previous_close if theirs is not None else 0
        if theirs is None and found is not None:
            base = found[0].base
        is_over = minute >= HOURS[-1].after_closes.hour * 60
        return MinuteRows(
            day=day,
            label=rows.label,
            open=rows.open,
            high=rows.high,
            low=rows.low,
            close=rows.close,
            volume=rows.volume,
            running=np.cumsum(rows.volume),
            final=final,
            previous_close=base,
            settled=is_over and (theirs is None or theirs.settled),
        )

    def periods(self, code: str, period: Period, now: datetime, adjusted_to: date | None) -> PeriodRows:
        """Return all rows since the stock joined NXT, or of both exchanges since it was listed."""
        plain, suffix = _parted(code)
        if not suffix:
            return self._krx.periods(code, period, now, adjusted_to)
        issue = self._krx.issue(plain)
        if issue is None:
            return charts.empty()
        rows = self._nxt_days(plain, issue, now, with_late=suffix == UNIFIED_CODE_SUFFIX)
        if suffix == UNIFIED_CODE_SUFFIX:
            rows = _added(self._krx.periods(plain, Period.DAY, now, None), rows)
        if not len(rows.day):
            return charts.empty()
        last = date.fromordinal(int(rows.day[-1]))
        over = datetime.combine(self._krx.last_trading_day(issue, last, period), HOURS[-1].after_closes, KST)
        actions = [Action(ex_date=a, price_factor=b, volume_factor=c) for a, b, c in self._krx.actions(plain)]
        return charts.fold_days(
            charts.adjusted(rows, actions, adjusted_to),
            period,
            last_is_over=now >= over,
            raw_close=rows.close,
            monday_label=False,
        )

    def _nxt_days(self, plain: str, issue: Issue, now: datetime, *, with_late: bool) -> PeriodRows:
        """Return the daily rows of NXT, labelled by ordinals."""
        rows, today = charts.empty(), now.astimezone(KST).date()
        if not issue.nxt_enabled:
            return rows
        for day in self._krx.trading_days(nxt.joined_on(plain, issue.listed_on), today):
            seen = self._folded_day(plain, day) if day < today else self._today(plain, day, now)
            if seen is not None and (with_late or not self._is_late(plain, day, now)):
                rows = charts.with_day(rows, day.toordinal(), seen)
        return rows

    def _is_late(self, plain: str, day: date, now: datetime) -> bool:
        """Whether the day of this stock is missing after the close until the next morning."""
        over = datetime.combine(day, HOURS[-1].after_closes, KST)
        until = datetime.combine(day + timedelta(days=1), _MORNING, KST)
        is_slow = key_of("evening", plain, day) / 2**64 >= _EVENING_SHARE
        return self._late_days and is_slow and over <= now < until

    def _today(self, plain: str, day: date, now: datetime) -> DaySeen | None:
        seen = self._seen(plain, day, now)
        is_over = now >= datetime.combine(day, HOURS[-1].after_closes, KST)
        return None if seen is None else _day_of(seen, final=is_over)

    def _fold_day(self, plain: str, day: date) -> DaySeen | None:
        rows = self._find_day(plain, day)
        return None if rows is None else _day_of(rows, final=True)

    def _find_day(self, plain: str, day: date) -> Minutes | None:
        """Return the minutes of a whole day on NXT; None where the stock does not trade there."""
        issue = self._krx.issue(plain)
        if issue is None or not issue.nxt_enabled or day < nxt.joined_on(plain, issue.listed_on):
            return None
        found = self._krx.original_day(plain, day)
        return None if found is None else nxt.minutes_of(plain, *found, ticks.grid_on(issue.market_code, day))

    def _seen(self, plain: str, day: date, now: datetime) -> Minutes | None:
        """Return the minutes of NXT so far; None before the first."""
        if day > now.astimezone(KST).date() or (rows := self._day(plain, day)) is None:
            return None
        seen = nxt.visible(rows, day, now)
        return seen if len(seen) else None

    def _is_gone(self, plain: str, day: date, now: datetime) -> bool:
        """Whether the minutes of a past day are not served any more."""
        return day < now.astimezone(KST).date() and day not in self._krx.minute_days(plain, now)

    def trades(self, code: str, after: datetime, until: datetime) -> Sequence[Trade]:
        """Return the prints in (after, until], oldest first; they fold exactly into `minutes`."""
        plain, suffix = _parted(code)
        if not suffix:
            return self._krx.trades(code, after, until)
        ours = list(self._nxt_trades(plain, after, until))
        if suffix == CODE_SUFFIX:
            return ours
        merged = sorted([*self._krx.trades(plain, after, until), *ours], key=lambda trade: trade.at)
        return list(self._added_up(plain, merged))

    def _nxt_trades(self, plain: str, after: datetime, until: datetime) -> Iterable[Trade]:
        day = after.astimezone(KST).date()
        while day <= until.astimezone(KST).date():
            rows = self._day(plain, day)
            if rows is not None:
                yield from (trade for trade in _trades(rows, day) if after < trade.at <= until)
            day += timedelta(days=1)

    def _added_up(self, plain: str, merged: Sequence[Trade]) -> Iterable[Trade]:
        """Yield trades of both exchanges with what both together have traded by then."""
        if not merged:
            return
        day = merged[0].at.date()
        before = merged[0].at - timedelta(milliseconds=1)
        start = datetime.combine(day, time(), KST)
        of_krx = self._krx.trades(plain, start, before)[-1:]
        of_nxt = list(self._nxt_trades(plain, start, before))[-1:]
        volume = sum(trade.running_volume for trade in (*of_krx, *of_nxt))
        value = sum(trade.running_value for trade in (*of_krx, *of_nxt))
        for trade in merged:
            if trade.at.date() != day:
                day, volume, value = trade.at.date(), 0, 0
            volume, value = volume + abs(trade.volume), value + abs(trade.volume) * trade.price
            yield replace(trade, running_volume=volume, running_value=value)

    def snapshot(self, code: str, now: datetime) -> Snapshot | None:
        """Return today's figures (on a closed day: the last day's); None for an unknown code."""
        plain, suffix = _parted(code)
        krx = self._krx.snapshot(plain, now)
        if not suffix or krx is None:
            return krx
        today = now.astimezone(KST).date()
        day = max(self.minute_days(code, now)[:1], default=today)
        theirs = self._krx.snapshot(plain, now) if suffix == UNIFIED_CODE_SUFFIX and day == today else None
        ours = self._today(plain, day, now)
        seen = _sum_of(theirs, ours)
        midnight = datetime.combine(day, time(), KST)
        moments = [trade.at for trade in list(self._nxt_trades(plain, midnight, now))[-1:]]
        if theirs is not None and theirs.last_trade_at is not None:
            moments.append(theirs.last_trade_at)
        if seen is None:
            return krx if suffix == UNIFIED_CODE_SUFFIX else None
        return replace(
            krx,
            code=code,
            price=seen.close,
            open=seen.open,
            high=seen.high,
            low=seen.low,
            volume=seen.volume,
            value=seen.value,
            last_trade_at=max(moments, default=krx.last_trade_at),
        )


def _parted(code: str) -> tuple[str, str]:
    """Return the symbol and the suffix, empty for KRX."""
    plain, mark, exchange = code.partition("_")
    return plain, mark + exchange


def _plain_rows(rows: MinuteRows | None) -> Minutes | None:
    if rows is None:
        return None
    return Minutes(
        label=rows.label,
        open=rows.open,
        high=rows.high,
        low=rows.low,
        close=rows.close,
        volume=rows.volume,
        running_value=np.zeros(len(rows.label), dtype=np.int64),
    )


def _both(krx: Minutes, ours: Minutes) -> Minutes:
    """Return the rows of both exchanges: where both trade KRX opens the minute and NXT closes it."""
    labels = np.concatenate([krx.label, ours.label])
    order = np.argsort(labels, kind="stable")  # of one minute KRX first
    rows = krx.and_then(ours).where(order)
    starts = starts_of(rows.label)
    ends = np.append(starts[1:], len(rows)) - 1
    return Minutes(
        label=rows.label[starts],
        open=rows.open[starts],
        high=np.maximum.reduceat(rows.high, starts),
        low=np.minimum.reduceat(rows.low, starts),
        close=rows.close[ends],
        volume=np.add.reduceat(rows.volume, starts),
        running_value=np.zeros(len(starts), dtype=np.int64),
    )


def _day_of(rows: Minutes, *, final: bool) -> DaySeen:
    return DaySeen(
        open=int(rows.open[0]),
        high=int(rows.high.max()),
        low=int(rows.low.min()),
        close=int(rows.close[-1]),
        volume=int(rows.volume.sum()),
        value=int(rows.running_value[-1]),
        final=final,
    )


def _added(krx: PeriodRows, ours: PeriodRows) -> PeriodRows:
    """Return the days of both exchanges, labelled by ordinals: NXT trades first and last where it trades."""
    days = _ordinals(krx.day)
    place = np.searchsorted(days, ours.day)
    known = np.isin(ours.day, days)
    at = place[known]
    columns = {name: getattr(krx, name).copy() for name in PeriodRows.__dataclass_fields__}
    theirs = {name: getattr(ours, name)[known] for name in PeriodRows.__dataclass_fields__}
    columns["open"][at] = theirs["open"]
    columns["close"][at] = theirs["close"]
    columns["high"][at] = np.maximum(columns["high"][at], theirs["high"])
    columns["low"][at] = np.minimum(columns["low"][at], theirs["low"])
    for name in ("volume", "value"):
        columns[name][at] += theirs[name]
    columns["final"][at] &= theirs["final"]
    rows = PeriodRows(**(columns | {"day": days}))
    for i in np.flatnonzero(~known).tolist():  # today, before KRX opens
        rows = charts.with_day(rows, int(ours.day[i]), _seen_of(ours, i))
    return rows


def _sum_of(krx: Snapshot | None, ours: DaySeen | None) -> DaySeen | None:
    """Return the day of both exchanges as it stands, where KRX has traded too; else that of NXT."""
    if krx is None or ours is None or not krx.volume:
        return ours
    return replace(
        ours,
        high=max(krx.high, ours.high),
        low=min(krx.low, ours.low),
        volume=krx.volume + ours.volume,
        value=krx.value + ours.value,
    )


def _seen_of(rows: PeriodRows, at: int) -> DaySeen:
    names = ("open", "high", "low", "close", "volume", "value")
    return DaySeen(**{name: int(getattr(rows, name)[at]) for name in names}, final=bool(rows.final[at]))


def _ordinals(numbers: Ints) -> Ints:
    days = [date(n // 10_000, n // 100 % 100, n % 100).toordinal() for n in numbers.tolist()]
    return np.array(days, dtype=np.int64)


def _trades(rows: Minutes, day: date) -> Iterable[Trade]:
    """Yield the two trades of each minute."""
    midnight = datetime.combine(day, time(), KST)
    volume = value = 0
    columns = (rows.label, rows.open, rows.close, rows.volume)
    for label, first, last, shares in zip(*(column.tolist() for column in columns), strict=True):
        half = shares // 2
        pair = ((first, half, 1), (last, shares - half, -1))
        for (price, part, sign), at in zip(pair, nxt.TRADES_AT_MS, strict=True):
            volume, value = volume + part, value + part * price
            yield Trade(
                at=midnight + timedelta(milliseconds=label * MINUTE_MS + at),
                price=price,
                volume=sign * part,
                running_volume=volume,
                running_value=value,
            )
