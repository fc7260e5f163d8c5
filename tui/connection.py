"""The connection to the daemon: connect, read, follow the events, notice silence, connect again.

Imported after the first picture is on the screen: the HTTP client alone takes longer than that picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Never

from chartinsight_tui.clock import Clock
from chartinsight_tui.questions import Questions, failure_of
from chartinsight_tui.quotes import quotes_of
from chartinsight_tui.shared_values import held_once
from chartinsight_tui.store import MAX_JOBS, Failure, Link, LinkState, Part, Store
from chartinsightd.control.alarm_operations import ALARM_ADD, ALARM_REMOVE, ALARMS
from chartinsightd.control.client import ControlClient, ControlError, DaemonAway
from chartinsightd.control.operations import (
    ALERTS,
    CATCH_UP_PLAN,
    COVERAGE,
    GAPS,
    JOBS,
    LOGS,
    PAUSE,
    QUARANTINE,
    RESUME,
    REVISIONS,
    SCREENS,
    SEALS,
    SESSION_COVERAGE,
    SILENCE,
    STATUS,
    STOCKS,
    STRATEGIES,
)
from chartinsightd.control.protocol.alarms import AlarmAddRequest, AlarmRemoveRequest, AlarmRows
from chartinsightd.control.protocol.coverage import (
    CoverageQuery,
    CoverageRow,
    GapQuery,
    SealQuery,
    SessionCoverageQuery,
)
from chartinsightd.control.protocol.events import Event, EventType
from chartinsightd.control.protocol.jobs import (
    JobQuery,
    Outcome,
    PauseRequest,
)
from chartinsightd.control.protocol.planning import CatchUpQuery
from chartinsightd.control.protocol.rows import (
    LogQuery,
    QuarantineQuery,
    RevisionQuery,
    StockQuery,
)
from chartinsightd.control.protocol.status import (
    SilenceRequest,
    Status,
)
from chartinsightd.control.protocol.watching import (
    QuotesQuery,
    TrendQuery,
)
from chartinsightd.control.protocol.words import MAX_ROWS
from chartinsightd.control.watch_operations import (
    QUOTES,
    TRENDS,
    WATCHLIST,
)
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.task_group import TaskGroup

OpenClient = Callable[[], AbstractAsyncContextManager[ControlClient]]
_RETRY_S = (0.25, 0.5, 1.0, 2.0)
"""Waits between tries to connect; the last one is repeated."""
_POLL_S = 2.0
"""A status is read this often: it carries what no event tells, and its silence is noticed."""
_SILENCE_S = 4.0
"""A daemon that needs longer for a status is taken for away."""
_REREAD_S = 4.0
"""Wait before a part that could not be read is tried again."""
_MANY_STOCKS = 300
"""Of more than these, whatever is read at once is felt in the memory."""
_CALM_S = 1.0
"""Events come in bursts; what they make old is read once, this long after the first."""
_READ_BY_EVENT = {
    EventType.SYMBOLS: (Part.STOCKS, Part.COVERAGE, Part.SESSIONS, Part.GAPS, Part.SEALS),
    EventType.COVERAGE: (
        Part.SESSIONS,
        Part.GAPS,
        Part.SEALS,
        Part.REVISIONS,
        Part.QUARANTINE,
        Part.PLAN,
    ),
    EventType.ALERT: (Part.ALERTS, Part.ALARMS),
    EventType.WATCHLIST: (Part.WATCH,),
}
_TRENDS_EVERY = 8
"""Of these rounds, every so many ask for the way of the price too, and when other stocks are in sight."""
_SEALED_DAYS = 40
"""Days back, holidays included, whose seals are shown."""
_STATUS_EVENTS = {EventType.STATE, EventType.ALERT, EventType.SYMBOLS}


class Connection(Questions):
    """Keeps the store up to date while the daemon answers, and says so when it does not.

    Args:
        open_client: makes a client; a new one for each connection.
        store: where data goes.
        clock: this machine's time.
        changed: called after each change of the store with the part that changed.
    """

    def __init__(
        self, open_client: OpenClient, store: Store, clock: Clock, changed: Callable[[Part], None]
    ) -> None:
        self._open_client = open_client
        self._store = store
        self._clock = clock
        self._changed = changed
        self._client: ControlClient | None = None
        self._wanted = {Part.JOBS, Part.LOGS}
        self._to_read: set[Part] = set()
        self._old: set[Part] = set()
        """Read soon: events made them old."""
        self._read_soon = asyncio.Event()
        self._poll_soon = asyncio.Event()
        self._quotes_wanted = asyncio.Event()
        self._quotes_every_s = 0.0
        """Between two questions for what changed of them."""
        self._quotes_soon = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures = 0
        while True:
            heard_before = self._store.link.heard_at
            error = await self._until_away()
            if (task := asyncio.current_task()) is not None and task.cancelling():
                # A task group that fails while it is cancelled tells of its failure alone.
                raise asyncio.CancelledError
            self._go_offline(error)
            failures = failures + 1 if self._store.link.heard_at == heard_before else 0
            await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])

    def need(self, part: Part) -> None:
        """Read a part now, and again with every new connection, unless it is kept up to date already."""
        if part not in self._wanted:
            self._wanted.add(part)
            self._read(part)

    def show_sessions(self, timeframe: str) -> None:
        """Keep the trading days of another timeframe up to date."""
        self._store.sessions_of = timeframe
        self._read(Part.SESSIONS)

    def refresh(self) -> None:
        """Read everything that is shown again."""
        self._read(*self._wanted)
        self._poll_soon.set()

    # what changes what is shown

    def follow_quotes(self, every_s: float | None) -> None:
        """Ask for what changed of the quotes this often from now on; None: no longer."""
        self._quotes_wanted.clear() if every_s is None else self._quotes_wanted.set()
        if every_s is not None and every_s != self._quotes_every_s:
            self._quotes_every_s = every_s
            self._quotes_soon.set()

    async def silence(self, event: str, seconds: float) -> Outcome | Failure:
        """Send none of a kind of alert for a time; 0 ends a silence."""
        outcome = await self._ask(
            lambda client: client.ask(SILENCE, SilenceRequest(event=event, for_s=seconds))
        )
        self._read(Part.ALERTS)
        return outcome

    async def add_alarm(self, request: AlarmAddRequest) -> Failure | None:
        """Set an alarm."""
        return await self._ask_for_alarms(lambda client: client.ask(ALARM_ADD, request))

    async def remove_alarm(self, alarm_id: int) -> Failure | None:
        """Remove an alarm."""
        request = AlarmRemoveRequest(ids=(alarm_id,))
        return await self._ask_for_alarms(lambda client: client.ask(ALARM_REMOVE, request))

    async def _ask_for_alarms(
        self, question: Callable[[ControlClient], Awaitable[AlarmRows]]
    ) -> Failure | None:
        answer = await self._ask(question)
        if isinstance(answer, Failure):
            return answer
        self._store.put_alarms(answer.items)
        self._changed(Part.ALARMS)
        return None

    async def set_paused(self, paused: bool, *, for_s: float | None = None) -> Outcome | Failure:
        """Ask nothing more of the broker, for a time or until resumed; or ask again."""
        outcome = await self._ask(
            lambda client: client.ask(PAUSE, PauseRequest(for_s=for_s)) if paused else client.ask(RESUME)
        )
        self._poll_soon.set()
        return outcome

    # inside

    async def _until_away(self) -> ControlError:
        """Work with one connection; return why it ended."""
        try:
            async with self._open_client() as client:
                self._client = client
                await self._live(client)
        except BaseExceptionGroup as group:
            if group.split(ControlError)[1] is not None:
                raise
            return _first(group)
        except ControlError as error:
            return error
        finally:
            self._client = None

    async def _live(self, client: ControlClient) -> Never:
        async with TaskGroup() as tasks:
            tasks.create_task(self._poll(client), name="status")
            tasks.create_task(self._listen(client), name="events")
            tasks.create_task(self._keep_reading(client), name="reads")
            tasks.create_task(self._follow(client), name="quotes")
            # Wait here and not at the group's end: there, before Python 3.13, a task that fails leaves its
            # cancelling of this one counted, and `run` could not tell that from being cancelled itself.
            await asyncio.Event().wait()
        raise RuntimeError("the tasks of a connection ended without a reason")

    async def _poll(self, client: ControlClient) -> None:
        while True:
            self._poll_soon.clear()
            try:
                async with asyncio.timeout(_SILENCE_S):
                    status = await client.ask(STATUS)
            except TimeoutError:
                raise DaemonAway("The daemon does not answer.", "Look into its log.") from None
            self._put_status(status)
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._poll_soon.wait()

    async def _listen(self, client: ControlClient) -> None:
        """Take events over. A stream that dropped us as too slow is opened again at once."""
        while True:
            stream = client.events(reconnect=False)
            async with aclosing(stream) as events:
                async for event in events:
                    if event.type is EventType.DROPPED:
                        break
                    with suppress(ValueError):  # data of a newer daemon: the next read has what we know of it
                        self._take(event)

    def _take(self, event: Event) -> None:
        if event.type is EventType.RESET:
            self._read(*self._wanted)
        elif event.type is EventType.STATUS:
            self._put_status(Status.model_validate(event.data))
        elif (part := self._store.take(event)) is not None:
            self._changed(part)
        if event.type in _STATUS_EVENTS:
            self._poll_soon.set()
        self._read_calmly(*_READ_BY_EVENT.get(event.type, ()))

    async def _follow(self, client: ControlClient) -> Never:
        """Ask for what changed of the quotes while they are shown; why that failed is noted beside them."""
        cursor, rounds, trends_of = "", 0, tuple[str, ...]()
        while True:
            await self._quotes_wanted.wait()
            try:
                cursor = await self._read_quotes(client, cursor)
                if rounds % _TRENDS_EVERY == 0 or trends_of != self._store.trend_of:
                    rounds, trends_of = 0, self._store.trend_of
                    await self._read_trends(client, trends_of)
                rounds += 1
            except ControlError as error:
                self._store.failures[Part.QUOTES] = failure_of(error)
            self._quotes_soon.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._quotes_every_s):
                    await self._quotes_soon.wait()

    async def _read_quotes(self, client: ControlClient, cursor: str) -> str:
        answer = await client.ask(QUOTES, QuotesQuery(after=cursor))
        if answer.symbol or Part.QUOTES not in self._store.loaded:
            self._store.put_quotes(quotes_of(answer), is_whole=answer.is_whole)
            self._changed(Part.QUOTES)
        return answer.cursor

    async def _read_trends(self, client: ControlClient, symbols: tuple[str, ...]) -> None:
        if symbols:
            answer = await client.ask(TRENDS, TrendQuery(symbol=symbols))
            if self._store.put_trends(dict(zip(answer.symbol, answer.closes, strict=True))):
                self._changed(Part.QUOTES)

    def _read_calmly(self, *parts: Part) -> None:
        """Read parts once a burst of events is over."""
        new = (self._wanted & set(parts)) - self._old
        if new and not self._old:
            asyncio.get_running_loop().call_later(_CALM_S, self._read_old)
        self._old |= new

    def _read_old(self) -> None:
        old, self._old = self._old, set()
        self._read(*old)

    def _read(self, *parts: Part) -> None:
        self._to_read |= self._wanted & set(parts)
        if self._to_read:
            self._read_soon.set()

    async def _keep_reading(self, client: ControlClient) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_REREAD_S if self._store.failures else None):
                    await self._read_soon.wait()
            self._read_soon.clear()
            parts, self._to_read = self._to_read or set(self._store.failures), set()
            for part in sorted(parts):
                await self._read_part(client, part)

    async def _read_part(self, client: ControlClient, part: Part) -> None:
        """Read a part; why that failed is noted beside it. Whether the daemon is away, the status tells."""
        try:
            await self._fetch(client, part)
        except ControlError as error:
            self._store.failures[part] = failure_of(error)
        self._changed(part)

    async def _fetch_coverage(self, client: ControlClient) -> None:
        """Read it; of many stocks a timeframe at a time: all at once would take their room for good."""
        before, rows = dict(self._store.coverage), list[CoverageRow]()
        tracked = self._store.status.tracked if self._store.status is not None else 0
        parts = [tuple(Timeframe)] if tracked <= _MANY_STOCKS else [(one,) for one in Timeframe]
        for timeframes in parts:
            answer = await client.ask(COVERAGE, CoverageQuery(timeframe=timeframes))
            rows += held_once(answer.items)
        told = (row for series, row in self._store.coverage.items() if before.get(series) is not row)
        self._store.put_coverage([*rows, *told], answer.at)  # what an event told meanwhile is newer

    async def _fetch(self, client: ControlClient, part: Part) -> None:
        match part:
            case Part.JOBS:
                self._store.put_jobs((await client.ask(JOBS, JobQuery(limit=MAX_JOBS))).items)
            case Part.LOGS:
                self._store.put_logs((await client.ask(LOGS, LogQuery(limit=1_000))).items)
            case Part.COVERAGE:
                await self._fetch_coverage(client)
            case Part.SESSIONS:
                query = SessionCoverageQuery(timeframe=Timeframe(self._store.sessions_of))
                self._store.put_sessions(await client.ask(SESSION_COVERAGE, query))
            case Part.GAPS:
                found = await client.ask(GAPS, GapQuery(limit=1_000))
                self._store.put_gaps(found.items, found.total)
            case Part.SEALS:
                self._store.put_seals((await client.ask(SEALS, self._seal_query())).items)
            case Part.REVISIONS:
                changes = await client.ask(REVISIONS, RevisionQuery())
                self._store.put_revisions(changes.items, changes.total)
            case Part.QUARANTINE:
                rows = await client.ask(QUARANTINE, QuarantineQuery())
                self._store.put_quarantine(rows.items, rows.total)
            case Part.PLAN:
                self._store.put_plan(await client.ask(CATCH_UP_PLAN, CatchUpQuery()))
            case Part.ALARMS:
                self._store.put_alarms((await client.ask(ALARMS)).items)
            case Part.ALERTS:
                self._store.put_alerts(await client.ask(ALERTS))
            case Part.SCREENS:
                stored = await client.ask(SCREENS)
                self._store.put_screens(stored.items, (await client.ask(STRATEGIES)).items)
            case Part.WATCH:
                self._store.put_watchlist(await client.ask(WATCHLIST))
            case Part.STOCKS:
                self._store.put_stocks((await client.ask(STOCKS, StockQuery())).items)

    def _seal_query(self) -> SealQuery:
        now = self._clock.now() if self._store.status is None else self._store.status.clock.now
        return SealQuery(from_day=day_of(now) - timedelta(days=_SEALED_DAYS), limit=MAX_ROWS)

    def _put_status(self, status: Status) -> None:
        self._hear()
        if self._store.put_status(status, self._clock.monotonic()):
            self._changed(Part.STATUS)

    def _hear(self) -> None:
        link, now = self._store.link, self._clock.now()
        if link.state is LinkState.ONLINE:
            self._store.link = replace(link, heard_at=now)
            return
        self._store.link = Link(state=LinkState.ONLINE, since=now, heard_at=now)
        self._changed(Part.LINK)

    def _go_offline(self, error: ControlError) -> None:
        link = self._store.link
        since = link.since if link.state is LinkState.OFFLINE else self._clock.now()
        self._store.link = replace(
            link, state=LinkState.OFFLINE, since=since, reason=error.reason, remedy=error.remedy
        )
        if self._store.link != link:  # else every try to connect would draw the same again
            self._changed(Part.LINK)


def _first(group: BaseExceptionGroup[BaseException]) -> ControlError:
    """Return the first plain error of a group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ControlError)
    return error
