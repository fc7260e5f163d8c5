"""Keeps the corporate actions complete: first all of a symbol's past, then those of each morning."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto
from typing import Any

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.adjustment import CorporateAction, UnclearRatio
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import AccessBlocked, MalformedAnswer, SourceError, StoreError
from chartinsightd.domain.kst import at_kst, day_of, midnight
from chartinsightd.domain.planning import plan
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority, QuoteSource
from chartinsightd.ports.stores import ActionStore, AdjustmentCheck
from chartinsightd.service.actions.action_finder import CorporateActionFinder, Findings
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import Job
from chartinsightd.service.state.retry_delays import RetryDelays

log = structlog.get_logger(__name__)

_KIND = "adjust"
_DAY = timedelta(days=1)
_MORNING = time(8, 20)
"""KST: after the list of stocks, before the opening; the day's base prices are there."""
_AGAIN = (time(8, 50), time(9, 5), time(15, 45))
"""KST: when symbols whose action the chart did not confirm in the morning are looked at again."""
_CONFIRMED_AFTER = timedelta(hours=12)
"""A look so much later than the find confirms a factor: a chart wrong for a morning is right by then."""
_SUSPECT_DAYS = timedelta(days=7)
"""So long an unconfirmed action is looked for."""
_ANCHOR_EVERY = timedelta(days=28)
_ANCHOR_SHARE = 20
"""A day, at most this part (one twentieth) of the symbols has its oldest prices checked."""
_LOOK_EVERY_S = 60.0
"""While symbols or their history are awaited."""
_IDLE_S = 300.0
"""A symbol that is added meanwhile is noticed after this."""
_LOOK_EVERY_REAL_S = 0.5
"""Under a fast clock, no more often than this in real seconds."""
_LOADING = timedelta(hours=6)
"""A symbol whose history does not come is looked at all the same after this."""
_DEEPER = timedelta(days=7)
"""History that begins so much earlier than at the last whole look asks for another one."""
_SLICE = 100
"""Symbols looked at before others may run: some milliseconds."""
_LAST = datetime.max.replace(tzinfo=UTC)
_LOOKS_AN_ORDER = 100
"""Looks after which the symbols are put in the order of their need again: that looks at them all."""
_BACKOFF = Backoff(first=timedelta(minutes=5), longest=timedelta(hours=12))
_SHORT_FOR = timedelta(days=1)
"""So long it is hoped that an adjusted chart will reach back as far as what is stored."""
_UNUSABLE_SHARE = 0.25
"""Share of the symbols: if more base prices differ, the source has changed, not the stocks."""


class _Depth(Enum):
    """How far back a look goes."""

    ALL = auto()
    """As far as candles are kept."""
    NEWS = auto()
    """To the last look."""
    ANCHOR = auto()
    """One page of weeks, independent of earlier findings."""


class _SharedJob:
    """One job for all that is done without a rest between."""

    def __init__(self, job_groups: JobGroups) -> None:
        self._job_groups = job_groups
        self._has_failed: bool | None = None
        """Of the last piece of work, which leaves the job only when the next one has joined."""

    async def enter(self, params: Mapping[str, Any], pages: int) -> Job:
        job = await self._job_groups.enter(_KIND, params, pages)
        await self.rest()
        return job

    def exit(self, *, failed: bool) -> None:
        self._has_failed = failed

    async def rest(self) -> None:
        """End the job, unless something joined it just now."""
        if self._has_failed is not None:
            failed, self._has_failed = self._has_failed, None
            await self._job_groups.exit(_KIND, failed=failed)


class Adjuster:
    """Looks at each symbol once, then asks each morning whose base price is not yesterday's close.

    Args:
        quotes: today's base prices.
        finder: compares charts.
        store: the corporate actions.
        collected: the symbols whose actions are kept complete.
        timeframes: those that are collected.
    """

    def __init__(
        self,
        *,
        quotes: QuoteSource,
        finder: CorporateActionFinder,
        store: ActionStore,
        ledger: CoverageLedger,
        job_groups: JobGroups,
        retries: RetryTracker,
        clock: Clock,
        current_rules: CurrentRules,
        collected: CollectedStocks,
        timeframes: Sequence[Timeframe],
    ) -> None:
        self._quotes = quotes
        self._finder = finder
        self._store = store
        self._ledger = ledger
        self._job = _SharedJob(job_groups)
        self._retries = retries
        self._clock = clock
        self._current_rules = current_rules
        self._collected = collected
        self._timeframes = timeframes
        self._checks: dict[str, AdjustmentCheck] | None = None
        self._quoted_on = date.min
        self._anchored: tuple[date, int] = (date.min, 0)
        self._symbol_delays: RetryDelays[str] = RetryDelays(clock, _BACKOFF)
        self._base_price_delay: RetryDelays[None] = RetryDelays(clock, _BACKOFF)
        self._short_since: dict[str, datetime] = {}
        """Since when the adjusted chart of a symbol ends too early, each time."""
        self._seen_at: dict[str, datetime] = {}
        self._found_at: dict[str, datetime] = {}
        """When an action of the last days was found or corrected; a second look has to confirm it."""
        self._changed: set[str] = set()
        """Symbols whose ledger somebody else changed: every chart of theirs is compared again."""
        self._loaded: set[str] = set()
        """Unread symbols whose history is here; found out after each rest, since that looks at them all."""
        self._turns: deque[str] = deque()
        """The symbols in the order of their need, but for those that had their turn."""
        self._looks = 0
        """Looks since they were put in order."""
        self._never = asyncio.Event()
        collected.on_change(self._turns.clear)  # who left must not have a turn

    async def run(self) -> None:
        """Work, one symbol after the other, and rest; until cancelled."""
        while True:
            if not await self._worked():
                await self._job.rest()
                is_awaited = not self._collected.all_symbols or bool(await self._unread())
                await wait_until(self._clock, self._next_look(is_awaited=is_awaited), self._never)
                self._loaded = await self._find_loaded()

    async def _worked(self) -> bool:
        """Do the next thing there is to do; return whether there was one."""
        if self._retries.held_until is not None:
            return False
        try:
            if self._checks is None:
                recent = day_of(self._clock.now()) - _SUSPECT_DAYS
                self._found_at = await self._store.found_since(recent)
                self._checks = await self._store.checks()
                await self._find_changed()
            if self._is_morning_due():
                return await self._ask_base_prices()
            return await self._look_at_next()
        except StoreError as error:
            log.warning("adjustments.not_stored", error=str(error))
        return False

    # What is due.

    async def _find_changed(self) -> None:
        """Compare the ledger with what the looks at the charts left of it."""
        self._changed = await self._store.changed_ledgers()
        if self._changed:
            log.warning("adjustments.ledger_changed", symbols=sorted(self._changed))

    def _is_morning_due(self) -> bool:
        now = self._clock.now()
        today = day_of(now)
        is_time = self._current_rules.calendar.is_trading_day(today) and now >= at_kst(today, _MORNING)
        return (
            is_time
            and self._quoted_on != today
            and bool(self._collected.all_symbols)
            and self._base_price_delay.may_try(None)
        )

    def _next_look(self, *, is_awaited: bool) -> datetime:
        """Return when something may be due: a time of day, a new symbol whose history has come meanwhile."""
        now = self._clock.now()
        today = day_of(now)
        nap_s = _LOOK_EVERY_S if is_awaited else _IDLE_S
        times = [at_kst(day, one) for day in (today, today + _DAY) for one in (_MORNING, *_AGAIN)]
        nap = timedelta(seconds=max(nap_s, self._clock.real(_LOOK_EVERY_REAL_S)))
        return min(now + nap, *(at for at in times if at > now))

    async def _unread(self) -> list[str]:
        """Return the symbols that were never looked at, or not as far back as their history goes by now."""
        checks, symbols, found = self._checks or {}, self._collected.all_symbols, list[str]()
        for start in range(0, len(symbols), _SLICE):
            some = symbols[start : start + _SLICE]
            found += [one for one in some if one not in checks or self._is_deeper(one, checks[one])]
            await asyncio.sleep(0)
        return found

    def _is_deeper(self, symbol: str, check: AdjustmentCheck) -> bool:
        kept_from = self._kept_from(symbol)
        if kept_from is None:
            return False
        return check.complete_from is None or kept_from <= check.complete_from - _DEEPER

    def _kept_from(self, symbol: str) -> date | None:
        """Return since when days or weeks are covered."""
        states = self._ledger.states(self._long_series([symbol])).values()
        starts = [state.covered.spans[0][0] for state in states if state.covered]
        return day_of(datetime.fromtimestamp(min(starts), UTC)) if starts else None

    def _long_series(self, symbols: Sequence[str]) -> list[Series]:
        kept = [timeframe for timeframe in (Timeframe.D1, Timeframe.W1) if timeframe in self._timeframes]
        return [Series(symbol=symbol, timeframe=timeframe) for symbol in symbols for timeframe in kept]

    async def _look_at_next(self) -> bool:
        """Look at the symbol that needs it most; return whether any did."""
        if self._looks < _LOOKS_AN_ORDER and await self._look_in_turn():
            return True
        self._turns.clear()
        self._turns.extend(self._by_need())
        self._looks = 0
        return await self._look_in_turn()

    async def _look_in_turn(self) -> bool:
        """Look at the next symbol of the order for which a look is due; return whether there was one."""
        while self._turns:
            for _ in range(min(_SLICE, len(self._turns))):
                symbol = self._turns.popleft()
                check = (self._checks or {}).get(symbol)
                depth = self._depth_due(symbol, check)
                if depth is not None:
                    self._looks += 1
                    await self._look(symbol, check, depth)
                    return True
            await asyncio.sleep(0)
        return False

    def _depth_due(self, symbol: str, check: AdjustmentCheck | None) -> _Depth | None:
        """Return how far back a symbol is to be looked at now; None where it need not be."""
        if not self._symbol_delays.may_try(symbol):
            return None
        if symbol in self._changed:
            return _Depth.ALL
        if check is not None and self._has_news(symbol, check):
            return _Depth.NEWS
        if symbol in self._loaded and (check is None or self._is_deeper(symbol, check)):
            return _Depth.ALL
        return _Depth.ANCHOR if check is not None and self._is_anchor_due(check) else None

    def _by_need(self) -> list[str]:
        """Return the tracked symbols: suspects, those that fell behind, the others, at last the new ones."""
        checks = self._checks or {}

        def need(symbol: str) -> tuple[bool, date, datetime]:
            check = checks.get(symbol)
            if check is None:
                return True, date.max, _LAST
            return check.suspicion is None, check.complete_to, check.checked_at

        return sorted(self._collected.all_symbols, key=need)

    async def _find_loaded(self) -> set[str]:
        """Return the unread symbols whose days and weeks are here, as far as they will be."""
        now, rules, unread = self._clock.now(), self._current_rules.rules, await self._unread()
        self._seen_at = {symbol: self._seen_at.get(symbol, now) for symbol in unread}
        if not unread:
            return set()
        missing: set[Series] = set()
        for start in range(0, len(unread), _SLICE):
            states = self._ledger.states(self._long_series(unread[start : start + _SLICE]))
            missing |= {one.series for one in plan(now, states, rules) if one.reason != "live"}
            missing |= {one for one, state in states.items() if not state.covered}
            await asyncio.sleep(0)
        waiting = {one.symbol for one in missing if not self._retries.has_given_up(one)}
        late = {symbol for symbol in unread if now - self._seen_at[symbol] >= _LOADING}
        return (set(unread) - waiting) | late

    def _is_behind(self, check: AdjustmentCheck) -> bool:
        """Whether a morning was missed: then base prices of today tell nothing of the days before.

        A look that lies in the future was none: a clock ran ahead.
        """
        now = self._clock.now()
        today = day_of(now)
        if check.complete_to > today or check.checked_at > now:
            return True
        return check.complete_to < self._current_rules.calendar.session_on_or_before(today - _DAY).day

    def _has_news(self, symbol: str, check: AdjustmentCheck) -> bool:
        """Whether the last days are to be looked at."""
        if self._is_behind(check):
            return True
        if check.suspicion is not None:
            return self._is_due_since(check, (_MORNING, *_AGAIN))
        return self._is_unconfirmed(symbol, check) and self._is_due_since(check, (_MORNING, _AGAIN[-1]))

    def _is_unconfirmed(self, symbol: str, check: AdjustmentCheck) -> bool:
        """Whether a factor of these days was read once only, or twice within one fault of a server."""
        found_at = self._found_at.get(symbol)
        return found_at is not None and check.checked_at - found_at < _CONFIRMED_AFTER

    def _is_due_since(self, check: AdjustmentCheck, times: Sequence[time]) -> bool:
        """Whether one of today's times (KST) has passed since the last look."""
        now = self._clock.now()
        return any(check.checked_at < at_kst(day_of(now), one) <= now for one in times)

    def _is_anchor_due(self, check: AdjustmentCheck) -> bool:
        now = self._clock.now()
        day, count = self._anchored
        most = -(-len(self._collected.all_symbols) // _ANCHOR_SHARE)
        return now - check.checked_at >= _ANCHOR_EVERY and (day != day_of(now) or count < most)

    # Looking.

    async def _look(self, symbol: str, check: AdjustmentCheck | None, depth: _Depth) -> None:
        """Compare a symbol's charts, and write down what they say."""
        priority = Priority.SEAL if depth is _Depth.NEWS else Priority.VERIFICATION
        job = await self._job.enter({"timeframes": [Timeframe.D1, Timeframe.W1]}, 1)
        failed = True
        try:
            if await self._store.changed_ledgers([symbol]):
                depth = _Depth.ALL
            known = await self._store.actions(symbol)
            kept_from = self._kept_from(symbol)
            if depth is _Depth.ANCHOR:
                self._count_anchor()
                findings = await self._finder.newest_weeks(symbol, known, priority, job)
            else:
                since = check.complete_to - _DAY if check is not None and depth is _Depth.NEWS else None
                findings = await self._finder.find(symbol, known, since, priority, job)
            await self._take(symbol, findings)
            failed = findings.short is not None and self._is_too_short(symbol, findings.short)
            if not failed:
                if depth is not _Depth.ALL and check is not None:
                    kept_from = check.complete_from
                await self._conclude(symbol, check, [*known, *findings.actions], kept_from)
        except UnclearRatio as error:
            self._put_off(symbol, error, "adjustments.unclear")
        except SourceError as error:
            if isinstance(error, AccessBlocked):
                self._retries.failed((Series(symbol=symbol, timeframe=Timeframe.D1), False), error)
            self._put_off(symbol, error, "adjustments.look_failed")
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a chart does costs its symbol alone
            self._put_off(symbol, error, "adjustments.look_failed")
        finally:
            self._job.exit(failed=failed)

    def _count_anchor(self) -> None:
        today = day_of(self._clock.now())
        day, count = self._anchored
        self._anchored = today, count + 1 if day == today else 1

    def _put_off(self, symbol: str, error: Exception, event: str) -> None:
        wait_s = self._symbol_delays.failed(symbol)
        log.warning(event, symbol=symbol, error=str(error), retry_in_s=wait_s)

    def _is_too_short(self, symbol: str, reached: date) -> bool:
        """Whether a chart that ends too early is to be asked for again: for a day it may be a slip."""
        since = self._short_since.setdefault(symbol, self._clock.now())
        if self._clock.now() - since >= _SHORT_FOR:
            log.warning("adjustments.chart_stays_short", symbol=symbol, reached=reached)
            return False
        words = f"The adjusted chart of {symbol} ends at {reached}, after what is stored begins."
        self._put_off(symbol, MalformedAnswer(words), "adjustments.chart_short")
        return True

    async def _take(self, symbol: str, findings: Findings) -> None:
        """Put findings into the ledger."""
        if findings.actions:
            await self._store.put_actions(symbol, findings.actions, self._clock.now())
        for action in findings.actions:
            _tell(symbol, action)
            if day_of(self._clock.now()) - action.ex_date < _SUSPECT_DAYS:
                self._found_at[symbol] = self._clock.now()
        for window in findings.unconfirmed:
            log.warning("adjustments.unconfirmed", symbol=symbol, after=window.after, until=window.until)

    async def _conclude(
        self,
        symbol: str,
        check: AdjustmentCheck | None,
        actions: Sequence[CorporateAction],
        complete_from: date | None,
    ) -> None:
        """Note that the ledger is complete; only after it is, so that a crash between harms nothing."""
        now = self._clock.now()
        self._symbol_delays.succeeded(symbol)
        self._short_since.pop(symbol, None)
        suspicion = None if check is None else self._still_suspected(symbol, check, actions)
        done = AdjustmentCheck(
            complete_to=day_of(now), checked_at=now, complete_from=complete_from, suspicion=suspicion
        )
        await self._note({symbol: done})
        self._changed.discard(symbol)

    def _still_suspected(
        self, symbol: str, check: AdjustmentCheck, actions: Sequence[CorporateAction]
    ) -> Mapping[str, Any] | None:
        """Return the suspicion that stays after a look, if one does."""
        if check.suspicion is None:
            return None
        day = date.fromisoformat(str(check.suspicion["day"]))
        if any(one.ex_date >= day and one.price_factor != 1 for one in actions):
            return None
        if day_of(self._clock.now()) - day >= _SUSPECT_DAYS:
            log.warning("adjustments.suspicion_dropped", symbol=symbol, **check.suspicion)
            return None
        return check.suspicion

    # Each morning.

    async def _ask_base_prices(self) -> bool:
        """Compare today's base prices with the last closes: a difference is an action of today."""
        today, symbols = day_of(self._clock.now()), list(self._collected.all_symbols)
        last = self._current_rules.calendar.session_on_or_before(today - _DAY)
        job = await self._job.enter({"day": today.isoformat()}, -(-len(symbols) // 100))
        failed = True
        try:
            await self._find_changed()
            prices = await self._quotes.base_prices(symbols, Priority.CATCH_UP)
            closes = await self._store.last_closes(symbols, midnight(today), last.close_at)
            await self._judge(today, last.day, prices, closes)
            failed = False
        except SourceError as error:
            wait_s = self._base_price_delay.failed(None)
            log.warning("adjustments.base_prices_failed", error=str(error), retry_in_s=wait_s)
            return False
        finally:
            self._job.exit(failed=failed)
        self._quoted_on = today
        self._base_price_delay.succeeded(None)
        job.pages += -(-len(symbols) // 100)
        return True

    async def _judge(
        self, today: date, last_day: date, prices: Mapping[str, int], closes: Mapping[str, frozenset[int]]
    ) -> None:
        """Note whom the morning found as complete as the day before, and whom suspect."""
        compared = [symbol for symbol in closes if symbol in prices]
        differing = {symbol for symbol in compared if prices[symbol] not in closes[symbol]}
        log.info("adjustments.base_prices_compared", symbols=len(compared), differing=len(differing))
        if len(differing) > max(1, _UNUSABLE_SHARE * len(compared)):
            log.warning("adjustments.base_prices_odd", symbols=len(compared), differing=len(differing))
        noted: dict[str, AdjustmentCheck] = {}
        for symbol, check in (self._checks or {}).items():
            if symbol in differing:
                suspicion = {"day": today.isoformat(), "base_price": prices[symbol]}
                suspicion["closes"] = sorted(closes[symbol])
                noted[symbol] = replace(check, suspicion=suspicion)
            elif symbol in prices and symbol in closes and check.complete_to >= last_day:
                noted[symbol] = replace(check, complete_to=today)
        await self._note(noted)
        self._turns.clear()  # whom the morning suspects goes first

    async def _note(self, checks: Mapping[str, AdjustmentCheck]) -> None:
        await self._store.put_checks(checks)
        assert self._checks is not None  # read before anything is looked at
        self._checks |= checks


def _tell(symbol: str, action: CorporateAction) -> None:
    """Log a change of the ledger; the stream of events carries the line."""
    log.info(
        "adjustments.found",
        symbol=symbol,
        ex_date=action.ex_date,
        price_factor=str(action.price_factor),
        volume_factor=str(action.volume_factor),
        is_correction="replaced" in action.evidence,
    )
