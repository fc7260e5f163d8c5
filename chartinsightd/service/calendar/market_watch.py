"""Watches whether the market keeps to the calendar, and teaches the calendar where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain import silence
from chartinsightd.domain.calendar import Session
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import at_kst, day_of
from chartinsightd.domain.silence import DayStatus, LastTrade, LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.facts import kiwoom
from chartinsightd.service.calendar.learned_days import LearnedDays
from chartinsightd.service.calendar.market_probe import MarketProbe, days_of, trades_every_day
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed

log = structlog.get_logger(__name__)

_EVERY_S = 60.0
_EVERY_REAL_S = 0.2
"""Under a fast clock, no more often than this in real seconds."""
_POLLS = timedelta(minutes=5)
_POLLS_REAL_S = 10.0
"""How long daily charts are waited for that are polled anyway, before any is asked for."""
_AGAIN = timedelta(minutes=30)
"""How often a day taken for closed is looked at, and how long a look that told nothing is not repeated."""


class MarketWatch:
    """Looks at what is read anyway, and asks a few charts when that leaves a doubt.

    Args:
        probe: asks the charts of large stocks when commits leave a doubt.
        learned_days: where contradictions of the calendar are applied.
        current_rules: the calendar in effect.
        retries: while the broker is held back, nothing is asked.
        collected: the symbols that are collected.
        commits: every committed page shows when its symbol last traded.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        probe: MarketProbe,
        learned_days: LearnedDays,
        current_rules: CurrentRules,
        retries: RetryTracker,
        collected: CollectedStocks,
        commits: CommitFeed,
        clock: Clock,
    ) -> None:
        self._probe = probe
        self._learned_days = learned_days
        self._current_rules = current_rules
        self._retries = retries
        self._collected = collected
        self._clock = clock
        self._seen: dict[str, LastTrade] = {}
        self._charts: dict[str, tuple[datetime, Candles]] = {}
        """The daily pages of large stocks polled last, as many as must agree, and when each was asked for."""
        self._begun_at: datetime | None = None
        self._asked_at: datetime | None = None
        """When the probe was last asked about this day."""
        self._compared_until: datetime | None = None
        self._compare_after: datetime | None = None
        commits.subscribe(self._on_commit)

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        """Remember the last trades that committed pages show."""
        del written
        for write in writes:
            tells = write.is_newest and len(write.candles) and not write.rejected
            # a week's newest row is its first day, whatever was traded since
            if tells and write.asked_at and write.series.timeframe is not Timeframe.W1:
                self._note(write.asked_at, write)
                if write.series.timeframe is Timeframe.D1 and trades_every_day(write.series.symbol):
                    self._keep_chart(write.asked_at, write.series.symbol, write.candles)

    def _keep_chart(self, asked_at: datetime, symbol: str, candles: Candles) -> None:
        self._charts.pop(symbol, None)
        self._charts[symbol] = asked_at, candles
        if len(self._charts) > silence.WITNESSES:
            del self._charts[next(iter(self._charts))]

    def _note(self, asked_at: datetime, write: Write) -> None:
        symbol = write.series.symbol
        newest_at = datetime.fromtimestamp(int(write.candles.ts[-1]), asked_at.tzinfo)
        before = self._seen.get(symbol)
        if before is not None:
            newest_at, asked_at = max(before.newest_at, newest_at), max(before.asked_at, asked_at)
        self._seen[symbol] = LastTrade(symbol=symbol, asked_at=asked_at, newest_at=newest_at)

    async def run(self) -> None:
        """Look again and again; until cancelled."""
        while True:
            await self._look()
            await self._clock.pace(every_s=_EVERY_S, least_real_s=_EVERY_REAL_S)

    async def _look(self) -> None:
        is_held = self._retries.held_until is not None or self._retries.block is not None
        if not await self._learned_days.load() or is_held or not self._collected.listed:
            return
        now = self._clock.now()
        self._begun_at = self._begun_at or now
        await self._compare(now, self._begun_at)
        today = self._current_rules.learned.get(day_of(now))
        if today is not None and not today.is_open:
            await self._look_again(today, now)
        elif (session := self._current_rules.calendar.session(day_of(now))) is not None:
            await self._look_for_silence(session, now)
        else:
            await self._look_at_holiday(now)

    async def _look_for_silence(self, session: Session, now: datetime) -> None:
        if not session.open_at + silence.DOUBT <= now < session.ends_at:
            return
        followed = self._collected.listed
        last_trades = list(self._seen.values())
        # a few that are followed could all be halted: others are asked, once none of these has traded
        silent = silence.day_status(session, followed, last_trades, least=1) is DayStatus.SILENT
        if silent and self._may_ask(now):
            asked = await self._probe.last_trades(followed, silence.LEAST_SYMBOLS)
            found = [*last_trades, *asked]
            if asked and silence.day_status(session, followed, found) is DayStatus.SILENT:
                await self._learn(session.day, is_open=False, last_trades=found)

    async def _look_again(self, learned: LearnedDay, now: datetime) -> None:
        """Look whether a day taken for closed has begun after all."""
        session = self._current_rules.calendar.supposed_session(learned.day)
        if session is None or now >= session.ends_at or not self._may_ask(now):
            return
        last_trades = await self._probe.last_trades(self._collected.listed, silence.WITNESSES)
        if silence.day_status(session, (), last_trades) is DayStatus.OPEN:
            await self._learned_days.revert(learned.day)

    async def _look_at_holiday(self, now: datetime) -> None:
        due_at = silence.look_due(now, self._current_rules.calendar)
        if due_at is None or (self._asked_at is not None and self._asked_at >= due_at):
            return
        self._asked_at = now
        last_trades = await self._probe.last_trades(self._collected.listed, silence.WITNESSES)
        if silence.has_trading(day_of(now), last_trades):
            await self._learn(day_of(now), is_open=True, last_trades=last_trades)

    def _may_ask(self, now: datetime) -> bool:
        """Whether the last look is long enough ago; remember this one."""
        if self._asked_at is not None and now < self._asked_at + _AGAIN:
            return False
        self._asked_at = now
        return True

    async def _learn(self, day: date, *, is_open: bool, last_trades: Sequence[LastTrade]) -> None:
        now = self._clock.now()
        newest = max(one.newest_at for one in last_trades)
        evidence = {"symbols": len({one.symbol for one in last_trades}), "newest_row": newest.isoformat()}
        await self._learned_days.apply(
            LearnedDay(day=day, is_open=is_open, evidence=evidence, learned_at=now)
        )

    async def _compare(self, now: datetime, begun_at: datetime) -> None:
        """At the start and every morning, compare the last days with daily charts, polled or asked for."""
        due_at = _morning(now)
        is_done = self._compared_until is not None and self._compared_until >= due_at
        if is_done or (self._compare_after is not None and now < self._compare_after):
            return
        read = [candles for asked_at, candles in self._charts.values() if asked_at >= due_at]
        charts = [days_of(candles) for candles in read]
        if len(charts) < silence.WITNESSES:
            polls = max(_POLLS, timedelta(seconds=self._clock.real(_POLLS_REAL_S)))
            if now < max(begun_at, due_at) + polls:
                return
            self._compare_after = now + _AGAIN
            charts = await self._probe.daily_charts(self._collected.listed, silence.WITNESSES)
        found = silence.contradictions(now, self._current_rules.calendar, charts)
        if found is None:
            return
        for day in found.refuted:
            await self._learned_days.revert(day)
        for day in found.opened:
            await self._confirm(day, is_open=True, evidence={"daily_charts": len(charts)})
        for session in found.missing:
            await self._judge_afterwards(session)
        self._compared_until = due_at

    async def _judge_afterwards(self, session: Session) -> None:
        known = self._current_rules.learned.get(session.day)
        if known is not None and known.confirmed_at is not None:
            return
        count = silence.LEAST_SYMBOLS
        last_trades = await self._probe.last_trades(self._collected.listed, count, as_of=session.day)
        status = silence.day_status(session, (), last_trades)
        if status is DayStatus.SILENT:
            await self._confirm(session.day, is_open=False, evidence={"symbols": len(last_trades)})
        elif status is DayStatus.OPEN:
            log.warning("calendar.daily_rows_missing", day=str(session.day), symbols=len(last_trades))

    async def _confirm(self, day: date, *, is_open: bool, evidence: dict[str, int]) -> None:
        now = self._clock.now()
        known = self._current_rules.learned.get(day)
        if known is None or known.is_open is not is_open:
            known = LearnedDay(day=day, is_open=is_open, evidence=evidence, learned_at=now)
        elif known.confirmed_at is not None:
            return
        await self._learned_days.apply(replace(known, confirmed_at=now))


def _morning(now: datetime) -> datetime:
    """Return when overnight corrections were last in: this morning, or before it the one of yesterday."""
    today = at_kst(day_of(now), kiwoom.SETTLED_NEXT_DAY)
    return today if today <= now else at_kst(day_of(now) - timedelta(days=1), kiwoom.SETTLED_NEXT_DAY)
