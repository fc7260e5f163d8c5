"""The service of the live stream: trades in, forming candles out, everything else as if it were not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.forming import Forming
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.live_silence import Voice
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import Trade
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.live import DayCandles, FeedLost, FeedOpened, FeedState, LiveFeed, Trades
from chartinsightd.service.live.close_check import CloseCheck
from chartinsightd.service.live.coalescer import Coalescer
from chartinsightd.service.live.forming_candles import FormingCandles
from chartinsightd.service.live.provisional_rows import ProvisionalRows
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_QUICK_EVERY_REAL_S, _SLOW_EVERY_REAL_S = 0.25, 1.0
"""The shortest candle changes for its readers at most four times a second, the longer ones once."""
_QUICK = frozenset({Timeframe.M5})
_SLOW = frozenset(Timeframe) - _QUICK
_LOOK_EVERY_REAL_S = 0.02
_STORE_EVERY_S, _STORE_EVERY_REAL_S = 20.0, 1.0
"""Three rows a series and minute are some hundred bytes of WAL."""
_WATCH_EVERY_S, _WATCH_EVERY_REAL_S = 10.0, 0.2
_WEEK_EVERY_S = 3_600.0
_DEAF_LEAST = 2
"""Registered symbols that must have traded unseen before the stream is taken for dead."""

WantedStocks = Callable[[], Awaitable[Sequence[str]]]
OnForming = Callable[[Sequence[Forming]], None]
"""Told the newest candles of one symbol; must be quick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Why nothing comes. Instants are aware, UTC."""

    since: datetime
    event: FeedLost


class LiveCandles:
    """Folds the stream, tells of it, keeps it, and sees to it that it speaks.

    Args:
        feed: the stream.
        forming: what its trades make.
        rows: where they are kept.
        days: the days before today.
        wanted: whose trades are wanted now, the most wanted first.
        commits: what the charts brought, beside which the stream is checked.
        on_forming: told what changed.
        current_rules: the calendar in force.
        clock: what time it is.
    """

    def __init__(
        self,
        *,
        feed: LiveFeed,
        forming: FormingCandles,
        rows: ProvisionalRows,
        days: DayCandles,
        wanted: WantedStocks,
        commits: CommitFeed,
        on_forming: OnForming,
        current_rules: CurrentRules,
        clock: Clock,
    ) -> None:
        self._feed = feed
        self._forming = forming
        self._rows = rows
        self._days = days
        self._wanted = wanted
        self._stocks: Sequence[str] = ()
        self._on_forming = on_forming
        self._current_rules = current_rules
        self._clock = clock
        self._voice = Voice()
        self._registered_since: dict[str, int] = {}
        self.closes = CloseCheck(forming, self._registered_since)
        self._loss: Loss | None = None
        self._trades = 0
        self._repeated = 0
        self._news = asyncio.Event()
        self._quick, self._slow = Coalescer(_QUICK_EVERY_REAL_S), Coalescer(_SLOW_EVERY_REAL_S)
        self._to_store: set[str] = set()
        self._week_read: tuple[Session, float] | None = None
        commits.subscribe(self._on_commit)

    @property
    def loss(self) -> Loss | None:
        """Why nothing comes; None while the stream is there, or nothing was ever wanted of it."""
        return self._loss

    @property
    def trades(self) -> int:
        """Trades since the start."""
        return self._trades

    @property
    def repeated(self) -> int:
        """Trades that came more than once, since the start."""
        return self._repeated

    def state(self) -> FeedState:
        """Return what may be shown of the stream."""
        return self._feed.state()

    def heard(self) -> frozenset[str]:
        """Return the symbols of which every trade comes now."""
        return self._feed.state().registered if self._loss is None else frozenset()

    def _on_commit(self, writes: Sequence[Write], _written: Sequence[Written]) -> None:
        """Compare what the charts brought with the stream."""
        self._rows.note(writes)
        self.closes.note(writes)

    async def run(self) -> None:
        """Work until cancelled."""
        async with TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._publish())
            group.create_task(self._keep())
            group.create_task(self._watch())

    async def _listen(self) -> NoReturn:
        while True:
            match await self._feed.next():
                case Trades(trades=trades):
                    self._take(trades)
                    await asyncio.sleep(0)  # a stream that never rests would leave no turn to anybody else
                case FeedOpened(symbols=symbols):
                    self._open(symbols)
                case FeedLost() as event:
                    self._lose(event)

    def _take(self, trades: Sequence[Trade]) -> None:
        take = self._forming.take
        taken = [trade.symbol for trade in trades if take(trade)]
        self._trades += len(trades)
        self._repeated += len(trades) - len(taken)
        changed = set(taken)
        self._quick.add(changed)
        self._slow.add(changed)
        self._to_store |= changed
        self._news.set()

    def _open(self, symbols: frozenset[str]) -> None:
        now = self._clock.now()
        if self._loss is not None:
            log.info("live.restored", lost_s=round((now - self._loss.since).total_seconds(), 1))
        self._loss = None
        self._voice.begins(now)
        for symbol in self._registered_since.keys() - symbols:
            del self._registered_since[symbol]
        for symbol in symbols - self._registered_since.keys():
            self._registered_since[symbol] = int(now.timestamp())

    def _lose(self, event: FeedLost) -> None:
        since = self._loss.since if self._loss is not None else self._clock.now()
        if self._loss is None or self._loss.event.cause is not event.cause:
            log.info(
                "live.lost", cause=event.cause, message=event.message, next_try_s=round(event.next_try_s)
            )
        self._loss = Loss(since=since, event=event)
        self._registered_since.clear()

    async def _publish(self) -> NoReturn:
        """Tell of what changed, soon after its trade."""
        now_s = asyncio.get_running_loop().time
        while True:
            if not (self._quick or self._slow):
                await self._news.wait()
            if self._news.is_set():
                self._news.clear()
                self._voice.heard(self._clock.now())
            for symbol in self._quick.take_due(now_s()):
                self._on_forming(self._forming.newest(symbol, _QUICK))
            for symbol in self._slow.take_due(now_s()):
                self._on_forming(self._forming.newest(symbol, _SLOW))
            await asyncio.sleep(_LOOK_EVERY_REAL_S)

    async def _keep(self) -> NoReturn:
        """Keep what changed, now and then."""
        while True:
            await self._clock.pace(every_s=_STORE_EVERY_S, least_real_s=_STORE_EVERY_REAL_S)
            changed, self._to_store = self._to_store, set()
            await self._rows.save([one for symbol in sorted(changed) for one in self._forming.recent(symbol)])

    async def _watch(self) -> NoReturn:
        """Ask for the wanted stocks, know the week, and doubt a stream that says nothing."""
        while True:
            self._stocks = await self._wanted()
            self._feed.want(self._stocks)
            await self._learn_week()
            self._doubt()
            await self._clock.pace(every_s=_WATCH_EVERY_S, least_real_s=_WATCH_EVERY_REAL_S)

    def _doubt(self) -> None:
        if self._loss is not None or self._feed.state().since is None:
            return
        missed = len(self.closes.deaf) >= _DEAF_LEAST
        if self._voice.is_lost(self._clock.now(), self._current_rules.calendar, missed=missed):
            self._voice.doubted()
            self.closes.forget_deaf()
            self._feed.reconnect("The live stream gave no trades while the market traded.")

    async def _learn_week(self) -> None:
        """Read the days of this week before today, once an hour: some may come in later."""
        session, now_s = (
            self._current_rules.calendar.session(day_of(self._clock.now())),
            self._clock.monotonic(),
        )
        if session is None or (self._week_read and self._is_fresh(*self._week_read, session, now_s)):
            return
        symbols = self._stocks
        span = _days_before(session, self._current_rules.calendar)
        try:
            found = await self._days.candles_of(Timeframe.D1, [(symbol, *span) for symbol in symbols])
        except StoreError:
            return
        weeks = {symbol: list(days) for symbol, days in zip(symbols, found, strict=True)}
        self._forming.know_week(session.day, weeks)
        self._week_read = session, now_s

    @staticmethod
    def _is_fresh(of: Session, read_s: float, session: Session, now_s: float) -> bool:
        return of == session and now_s - read_s < _WEEK_EVERY_S


def _days_before(session: Session, calendar: Calendar) -> tuple[int, int]:
    """Return the first and the last second of a session's week before its day; none where it is the first."""
    week = calendar.week_of(session.day)
    assert week is not None  # a session has a week
    return int(midnight(week[0]).timestamp()), int(session.starts_at.timestamp()) - 1
