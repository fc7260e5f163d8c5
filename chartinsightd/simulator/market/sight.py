"""What can be seen of a day at a moment: rows in progress, the late print, and what is final."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.market.days import Hours, hours_on, late_print_at
from chartinsightd.simulator.market.prints import MINUTE_MS, Tape, fold_prints, prints_of
from chartinsightd.simulator.market.rows import DayPlan, Minutes, single_minute
from chartinsightd.simulator.model import Flags, Ints

_OFF_BOOK_AT = 1080
"""18:00, when the daily row takes in the trades outside the order book."""
_END_OF_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment as one trading day sees it."""

    hours: Hours
    ms: int
    """Since the day's midnight, KST; negative before it, the length of a day after it."""
    late_is_in: bool
    """Whether the late print has appeared."""

    @property
    def minute(self) -> int:
        """Whole minutes since the day's midnight."""
        return self.ms // MINUTE_MS

    @property
    def is_over(self) -> bool:
        """Whether the day's last trade, the late print aside, has been counted."""
        return self.minute >= self.hours.over

    @property
    def off_book_is_in(self) -> bool:
        """Whether trades outside the order book have been counted."""
        return self.minute >= _OFF_BOOK_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySeen:
    """A daily row as it stands."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int
    final: bool


def moment_of(plan: DayPlan, now: datetime) -> Moment:
    """Return how far the day of a plan has come; now: aware."""
    local = now.astimezone(KST)
    ms = ((local.hour * 60 + local.minute) * 60 + local.second) * 1000 + local.microsecond // 1000
    apart = local.toordinal() - plan.day
    if apart != 0:
        ms = -1 if apart < 0 else _END_OF_DAY_MS
    late_is_in = apart > 0 and now >= late_print_at(plan.date)
    return Moment(hours=hours_on(plan.date), ms=ms, late_is_in=late_is_in)


def visible_minutes(rows: Minutes, plan: DayPlan, moment: Moment, tape: Tape) -> Minutes:
    """Return the one-minute rows so far; the last may be in progress.

    Args:
        rows: all of the day, the late print left out.
        plan: the day.
        moment: the moment.
        tape: of the day's trades.
    """
    done = int(np.searchsorted(rows.label, moment.minute))
    seen = rows.where(slice(0, done))
    if done < len(rows) and int(rows.label[done]) == moment.minute:
        partial = _minute_in_progress(rows, done, moment, tape)
        return seen if partial is None else seen.and_then(partial)
    return with_late_print(seen, plan, moment) if moment.late_is_in else seen


def _minute_in_progress(rows: Minutes, at: int, moment: Moment, tape: Tape) -> Minutes | None:
    before = running_before(rows, at)
    prints = prints_of(rows.where(slice(at, at + 1)), before, tape, moment.hours)
    return fold_prints(prints.where(prints.at_ms <= moment.ms), int(rows.label[at]))


def running_before(rows: Minutes, at: int) -> tuple[int, int]:
    """Return the shares and won traded in the day before a row."""
    if at == 0:
        return 0, 0
    return int(rows.volume[:at].sum()), int(rows.running_value[at - 1])


def with_late_print(rows: Minutes, plan: DayPlan, moment: Moment) -> Minutes:
    """Return the rows with the late print among them, and later running values raised by it."""
    if plan.late == 0:
        return rows
    label, worth = moment.hours.late, plan.late * plan.close
    at = int(np.searchsorted(rows.label, label))
    running = worth + (int(rows.running_value[at - 1]) if at else 0)
    early, later = rows.where(slice(0, at)), rows.where(slice(at, None))
    late = single_minute(label, plan.close, plan.late, running)
    return early.and_then(late).and_then(later.with_value(later.running_value + worth))


def is_final(labels: Ints, scope: int, plan: DayPlan, moment: Moment) -> Flags:
    """Return which rows of `scope` minutes cannot change any more, corrections aside."""
    final: Flags = labels + scope <= moment.minute
    if plan.late > 0 and not moment.late_is_in:
        late = moment.hours.late
        final &= ~((labels <= late) & (late < labels + scope))
    return final


def is_settled(plan: DayPlan, moment: Moment) -> bool:
    """Return whether no row of the day changes or appears any more, corrections aside."""
    return moment.is_over and (plan.late == 0 or moment.late_is_in)


def day_seen(plan: DayPlan, rows: Minutes | None, moment: Moment, *, after_counts: bool) -> DaySeen | None:
    """Return the daily row so far; None before its first trade.

    Args:
        plan: the day.
        rows: the one-minute rows so far; None where the day has none at all.
        moment: the moment.
        after_counts: whether after-market prices count (`MarketOptions.after_market_in_daily`).
    """
    if moment.is_over:
        return _settled(plan, moment, after_counts=after_counts)
    if rows is None:
        # A halted day shows its flat row from the opening on; a day without known minutes, from the close.
        since = moment.hours.opens if plan.volume == 0 else moment.hours.closes
        return _settled(plan, moment, after_counts=after_counts) if moment.minute >= since else None
    if len(rows) == 0:
        return None
    off_book = plan.off_book if moment.off_book_is_in else 0
    priced = rows if after_counts else rows.where(rows.label <= moment.hours.closes)
    return DaySeen(
        open=int(priced.open[0]),
        high=int(priced.high.max()),
        low=int(priced.low.min()),
        close=int(priced.close[-1]),
        volume=int(rows.volume.sum()) + off_book,
        value=int(rows.running_value[-1]) + off_book * plan.close,
        final=False,
    )


def _settled(plan: DayPlan, moment: Moment, *, after_counts: bool) -> DaySeen:
    hidden = 0 if moment.late_is_in else plan.late
    extended = after_counts and plan.after > 0
    return DaySeen(
        open=plan.open,
        high=max(plan.high, plan.after_high) if extended else plan.high,
        low=min(plan.low, plan.after_low) if extended else plan.low,
        close=plan.after_close if extended else plan.close,
        volume=plan.volume - hidden,
        value=plan.value - hidden * plan.close,
        final=is_settled(plan, moment),
    )
