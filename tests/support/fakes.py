"""A broker, a store and a checkpoint that behave, in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from chartinsightd.clock import Clock
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.domain.grid import candle_starts
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.stock_list import KnownStocks
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.universe import Membership
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.broker import ChartPage, ChartRequest, ListedStock, Priority, StockListing
from chartinsightd.ports.spool import Spooled, SpoolState
from chartinsightd.ports.stores import AdjustmentCheck, Gap, KeptLog, UnfinishedBackfill

PAGE_ROWS = {Timeframe.D1: 600, Timeframe.W1: 300}


@dataclass
class FakeBroker:
    """Serves every candle of the grid, a page at a time, each answer `pace_s` after the last one."""

    clock: Clock
    calendar: Calendar
    listed_at: datetime
    """The oldest candle there is; aware."""
    pace_s: float = 0.2
    errors: list[Exception] = field(default_factory=list)
    """Raised by the next requests, one each."""
    blank: set[str] = field(default_factory=set)
    """Symbols without any data."""
    halted: set[str] = field(default_factory=set)
    """Symbols that have not traded for a day."""
    loses_ends: bool = False
    """Whether the header that a page is the last one is lost on the way."""
    spoilt: set[int] = field(default_factory=set)
    """Starts of candles whose rows cannot be candles, whoever asks."""
    requests: list[tuple[datetime, ChartRequest, Priority]] = field(default_factory=list)
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages as Kiwoom would."""
        before: int | None = None
        while True:
            async with self._gate:
                await self.clock.sleep(self.pace_s)
                asked_at = self.clock.now()
                self.requests.append((asked_at, request, priority))
                if self.errors:
                    raise self.errors.pop(0)
            starts = self._starts(request, asked_at, before)
            size = PAGE_ROWS.get(request.timeframe, 900)
            chosen, older = starts[-size:], starts[:-size]
            is_last = bool(len(chosen)) and not len(older) and not self.loses_ends
            page = _page(request, chosen, asked_at, is_last=is_last)
            yield _spoiled(page, self.spoilt)
            if not len(older) or chosen[0] <= request.until.timestamp():
                return
            before = int(chosen[0])

    def _starts(self, request: ChartRequest, asked_at: datetime, before: int | None) -> np.ndarray:
        if request.symbol in self.blank:
            return np.array([], dtype=np.int64)
        last_day = request.base_day or day_of(asked_at)
        starts = grid_between(self.calendar, request.timeframe, self.listed_at, asked_at)
        end_of_day = (
            datetime.combine(last_day, datetime.min.time(), UTC) + timedelta(days=1) - timedelta(hours=9)
        )
        limit = int(end_of_day.timestamp()) if before is None else before
        if request.symbol in self.halted:
            limit = min(limit, int(asked_at.timestamp()) - 86_400)
        return starts[starts < min(limit, asked_at.timestamp())]

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return one stock."""
        del priority
        return StockListing(stocks=[listed_stock()])


def grid_between(calendar: Calendar, timeframe: Timeframe, first: datetime, last: datetime) -> np.ndarray:
    """Return the labels of every candle of the grid that begins in [first, last]."""
    found = _grid_of_days(calendar, timeframe, day_of(first), day_of(last))
    return found[(found >= first.timestamp()) & (found <= last.timestamp())]


@lru_cache(maxsize=64)
def _grid_of_days(calendar: Calendar, timeframe: Timeframe, first: date, last: date) -> np.ndarray:
    """Return the labels of whole days: years of them, asked for with every page."""
    sessions = calendar.sessions(first, last)
    if timeframe is Timeframe.W1:
        starts = sorted({int(_first_of_week(calendar, session.day).timestamp()) for session in sessions})
        return np.array(starts, dtype=np.int64)
    return np.concatenate([candle_starts(session, timeframe) for session in sessions])


def _first_of_week(calendar: Calendar, day: Any) -> datetime:
    week = calendar.week_of(day)
    assert week is not None
    session = calendar.session(week[0])
    assert session is not None
    return session.starts_at


def _page(request: ChartRequest, starts: np.ndarray, asked_at: datetime, *, is_last: bool) -> ChartPage:
    prices = 10_000 + starts // 300 % 1_000
    candles = Candles(
        symbol=request.symbol,
        timeframe=request.timeframe,
        ts=starts,
        open=prices,
        high=prices + 10,
        low=prices - 10,
        close=prices + 5,
        volume=starts // 300 % 97 + 1,
        value=None if request.timeframe.is_intraday else prices * 1_000,
        final=np.zeros(len(starts), dtype=np.bool_),
    )
    return ChartPage(candles=candles, rows=len(starts), asked_at=asked_at, is_last=is_last)


def _spoiled(page: ChartPage, starts: set[int]) -> ChartPage:
    """Let some rows claim that less than nothing was traded."""
    if not starts:
        return page
    volume = np.where(np.isin(page.candles.ts, list(starts)), -1, page.candles.volume)
    rows = [{"ts": ts} for ts in page.candles.ts.tolist()]
    return replace(page, candles=replace(page.candles, volume=volume), raw_rows=rows)


@dataclass
class FakeStore:
    """Candles, coverage and jobs in dictionaries."""

    candles: dict[tuple[Series, int], Candle] = field(default_factory=dict)
    covered: dict[Series, RangeSet] = field(default_factory=dict)
    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    """Raised by the next commits, one each."""
    commits: list[int] = field(default_factory=list)
    """How many writes each commit had."""
    stocks: list[ListedStock] = field(default_factory=list)
    tracked: frozenset[str] = frozenset()
    memberships: list[tuple[date, Membership]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    quarantined: list[RejectedRow] = field(default_factory=list)
    revisions: list[tuple[Candle, Candle]] = field(default_factory=list)
    """Old and new of each final candle whose values changed."""
    left: dict[str, date] = field(default_factory=dict)
    """The Korean day on which each symbol was first missing from the list."""

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit all or nothing."""
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        self.commits.append(len(writes))
        return [self._save(write) for write in writes]

    def _save(self, write: Write) -> Written:
        series = write.series
        keys = [(series, ts) for ts in write.candles.ts.tolist()]
        done = Counter(map(self._put, keys, write.candles))
        if write.covered:
            self.covered[series] = self.covered.get(series, EMPTY) | write.covered
        self.quarantined.extend(write.rejected)
        return Written(**done, quarantined=len(write.rejected))

    def _put(self, key: tuple[Series, int], candle: Candle) -> str:
        """Keep a row; return what became of it, as `Written` names it."""
        old = self.candles.get(key)
        if old == candle or (old is not None and old.final and not candle.final):
            return "unchanged"
        self.candles[key] = candle
        if old is None:
            return "inserted"
        if replace(old, final=candle.final) == candle:
            return "unchanged"
        if old.final:
            self.revisions.append((old, candle))
        return "changed"

    async def coverage(self) -> dict[Series, RangeSet]:
        """Return what is durable."""
        return dict(self.covered)

    async def forget_coverage(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out."""
        self.covered[series] = self.covered.get(series, EMPTY) - ranges

    async def withdraw_finality(self, starts: Mapping[Timeframe, int], day: date) -> None:
        """Call candles final no longer."""
        del day
        for (series, ts), candle in self.candles.items():
            if ts >= starts[series.timeframe]:
                self.candles[series, ts] = replace(candle, final=False)

    async def replace_gaps(self, gaps: Sequence[Gap], at: datetime) -> None:
        """Replace the list."""
        del at
        self.gaps = list(gaps)

    async def save_stocks(
        self,
        stocks: Sequence[ListedStock],
        tracked: frozenset[str],
        at: datetime,
        unreadable: frozenset[str] = frozenset(),
    ) -> Written:
        """Replace the list."""
        before = {stock.symbol: (stock, stock.symbol in self.tracked) for stock in self.stocks}
        after = {stock.symbol: (stock, stock.symbol in tracked) for stock in stocks}
        listed = after.keys() | unreadable
        if len(listed) < 0.9 * len(before):
            raise StoreRefused(f"The new list has {len(listed)} stocks, {len(before)} are known.")
        seen = before.keys() | self.left.keys()
        self.left |= {symbol: day_of(at) for symbol in before.keys() - listed}
        self.left = {symbol: day for symbol, day in self.left.items() if symbol not in listed}
        self.stocks = [*(stock for stock in self.stocks if stock.symbol in unreadable), *stocks]
        self.tracked = tracked
        inserted = len(after.keys() - seen)
        unchanged = sum(before.get(symbol) == one for symbol, one in after.items())
        return Written(inserted=inserted, changed=len(after) - inserted - unchanged, unchanged=unchanged)

    async def known_stocks(self) -> KnownStocks:
        """Return what the last list said."""
        return KnownStocks(
            listed=frozenset(stock.symbol for stock in self.stocks),
            priced=frozenset(stock.symbol for stock in self.stocks if stock.last_price),
            delisted=dict(self.left),
        )

    async def universe_on(self, day: date) -> dict[str, Membership]:
        """Return the memberships of a day."""
        held = [one for at, one in self.memberships if at <= day]
        return {one.symbol: one for one in held}

    async def first_universe_day(self) -> date | None:
        """Return the first day with a record."""
        return min((day for day, _ in self.memberships), default=None)

    async def save_universe(self, day: date, changed: Sequence[Membership], at: datetime) -> None:
        """Record memberships."""
        del at
        self.memberships += [(day, one) for one in changed]

    async def add_job(self, kind: str, requested_by: str, params: Mapping[str, Any], at: datetime) -> int:
        """Write down a new job."""
        self.jobs[len(self.jobs) + 1] = {
            "kind": kind,
            "by": requested_by,
            "params": params,
            "state": "running",
            "at": at,
        }
        return len(self.jobs)

    async def update_job(self, job_id: int, progress: Mapping[str, Any]) -> None:
        """Replace a job's progress."""
        self.jobs[job_id]["progress"] = progress

    async def finish_job(
        self, job_id: int, state: str, progress: Mapping[str, Any], error: str | None, at: datetime
    ) -> None:
        """End a job."""
        self.jobs[job_id] |= {"state": state, "progress": progress, "error": error, "finished_at": at}

    async def keep_log(self, job_id: int, log: KeptLog) -> None:
        """Replace what is kept of a log."""
        self.jobs[job_id]["log"] = log

    async def end_orphans(self, at: datetime, known: Collection[int] = ()) -> int:
        """Mark jobs of an earlier daemon."""
        orphans = [
            job for number, job in self.jobs.items() if job["state"] == "running" and number not in known
        ]
        for job in orphans:
            job |= {"state": "interrupted", "finished_at": at}
        return len(orphans)


@dataclass
class FakeSpool:
    """A queue in a list."""

    kept: list[Spooled] = field(default_factory=list)
    page_bytes: int = 1_000
    errors: list[Exception] = field(default_factory=list)
    """Raised by the next appends, one each."""
    largest: int = 0
    """The most pages that ever waited."""
    _number: int = 0

    @property
    def state(self) -> SpoolState:
        """How much waits."""
        return SpoolState(pages=len(self.kept), bytes=self.page_bytes * len(self.kept))

    async def append(self, writes: Sequence[Write]) -> None:
        """Put writes at the end, all or none."""
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        for write in writes:
            self._number += 1
            self.kept.append(Spooled(number=self._number, write=write))
        self.largest = max(self.largest, len(self.kept))

    async def oldest(self, count: int, after: int = 0) -> list[Spooled]:
        """Return the oldest writes."""
        return [one for one in self.kept if one.number > after][:count]

    async def drop(self, until: int) -> None:
        """Forget the oldest."""
        self.kept = [one for one in self.kept if one.number > until]


@dataclass
class FakeCheckpoint:
    """States in a dictionary."""

    states: dict[Series, SeriesState] = field(default_factory=dict)
    backfills: dict[int, UnfinishedBackfill] = field(default_factory=dict)
    error: Exception | None = None
    """Raised by every write while it is there."""

    async def load(self) -> dict[Series, SeriesState]:
        """Return all series."""
        return dict(self.states)

    async def advance(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace the state of these series."""
        if self.error is not None:
            raise self.error
        self.states.update(states)

    async def replace_all(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace everything."""
        self.states = dict(states)

    async def unfinished_backfills(self) -> list[UnfinishedBackfill]:
        """Return backfills that were begun and not ended."""
        return list(self.backfills.values())

    async def begin_backfill(self, backfill: UnfinishedBackfill) -> None:
        """Remember a backfill."""
        self.backfills[backfill.job_id] = backfill

    async def end_backfill(self, job_id: int) -> None:
        """Forget a backfill."""
        self.backfills.pop(job_id, None)


@dataclass
class FakeLearnedDays:
    """Learned days in a dictionary."""

    days: dict[date, LearnedDay] = field(default_factory=dict)
    is_away: bool = False

    async def learned_days(self) -> list[LearnedDay]:
        """Return all."""
        self._reach()
        return [self.days[day] for day in sorted(self.days)]

    async def save_learned_day(self, learned: LearnedDay) -> None:
        """Keep a day."""
        self._reach()
        self.days[learned.day] = learned

    async def forget_learned_day(self, day: date, at: datetime) -> None:  # noqa: ARG002
        """Keep nothing of a day."""
        self._reach()
        self.days.pop(day, None)

    def _reach(self) -> None:
        if self.is_away:
            raise StoreUnavailable("away")


@dataclass
class FakeActions:
    """The ledger of corporate actions in dictionaries."""

    ledger: dict[tuple[str, date], CorporateAction] = field(default_factory=dict)
    known: dict[str, AdjustmentCheck] = field(default_factory=dict)
    found_at: dict[tuple[str, date], datetime] = field(default_factory=dict)
    closes: dict[str, frozenset[int]] = field(default_factory=dict)
    """The last close of each symbol, whichever day is asked for."""
    looked: dict[str, list[CorporateAction]] = field(default_factory=dict)
    """What the last look left of each symbol's ledger."""

    async def actions(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's actions."""
        return [action for (one, _), action in sorted(self.ledger.items()) if one == symbol]

    async def put_actions(self, symbol: str, actions: Sequence[CorporateAction], at: datetime) -> None:
        """Replace actions."""
        for one in actions:
            self.found_at.setdefault((symbol, one.ex_date), at)
        self.ledger |= {(symbol, one.ex_date): one for one in actions}

    async def found_since(self, day: date) -> dict[str, datetime]:
        """Return when the newest action of each symbol was found, where it is recent."""
        newest = {symbol: max(ex for one, ex in self.ledger if one == symbol) for symbol, _ in self.ledger}
        return {symbol: self.found_at[symbol, ex] for symbol, ex in newest.items() if ex >= day}

    async def checks(self) -> dict[str, AdjustmentCheck]:
        """Return what is known."""
        return dict(self.known)

    async def put_checks(self, checks: Mapping[str, AdjustmentCheck]) -> None:
        """Replace what is known; a look notes the ledger as well."""
        for symbol, check in checks.items():
            before = self.known.get(symbol)
            if before is None or before.checked_at != check.checked_at:
                self.looked[symbol] = await self.actions(symbol)
        self.known |= checks

    async def changed_ledgers(self, symbols: Sequence[str] | None = None) -> set[str]:
        """Return whose ledger is not what it was at the last look."""
        wanted = self.looked if symbols is None else self.looked.keys() & set(symbols)
        return {symbol for symbol in wanted if self.looked[symbol] != await self.actions(symbol)}

    async def last_closes(
        self, symbols: Sequence[str], before: datetime, auction_at: datetime
    ) -> dict[str, frozenset[int]]:
        """Return what was set."""
        del before, auction_at
        return {symbol: self.closes[symbol] for symbol in symbols if symbol in self.closes}


def listed_stock(**changes: Any) -> ListedStock:
    """Return a believable row of the stock list."""
    values: dict[str, Any] = {
        "symbol": "005930",
        "name": "삼성전자",
        "market": "KOSPI",
        "listed_shares": 5_919_637_922,
        "last_price": 199_400,
        "state": "정상",
        "order_warning": "0",
        "nxt_enabled": True,
        "listed_on": None,
    }
    return ListedStock(**{**values, **changes})
