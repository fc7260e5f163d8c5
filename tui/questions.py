"""What screens ask the daemon for, and what they order: an answer, or why there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from chartinsight_tui.store import MAX_JOBS, Failure
from chartinsightd.control.client import ControlClient, ControlError
from chartinsightd.control.operations import (
    ACKNOWLEDGE,
    ADJUSTMENTS,
    ALERT_HISTORY,
    BACKFILL,
    CANCEL,
    CANDLES,
    EXPLAIN,
    JOB,
    JOBS,
    MOMENT,
    PATTERNS,
    POINTS,
    RETRY,
    REVISIONS,
    SCREEN_RUNS,
    SCREENER,
    SYNC,
    TIMELINE,
    TRACK,
    TRIES,
    UNIVERSE,
    UNTRACK,
    VERIFY,
)
from chartinsightd.control.protocol.analysis import PatternList, PatternQuery, PointList, PointsQuery
from chartinsightd.control.protocol.history import ExplainQuery, Explanation
from chartinsightd.control.protocol.jobs import (
    BackfillEstimate,
    BackfillRequest,
    JobDetail,
    JobList,
    JobPath,
    JobQuery,
    Outcome,
    SymbolsRequest,
    TryList,
    TryQuery,
    VerifyRequest,
)
from chartinsightd.control.protocol.replay import MomentAnswer, MomentQuery, Timeline, TimelineQuery
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    CandleList,
    CandleQuery,
    RevisionList,
    RevisionQuery,
    UniverseQuery,
)
from chartinsightd.control.protocol.screens import ScreenerQuery, ScreenResult, ScreenRunQuery
from chartinsightd.control.protocol.status import (
    AcknowledgeRequest,
    AlertHistory,
    AlertHistoryQuery,
)
from chartinsightd.control.protocol.watching import (
    WatchAddRequest,
    WatchGroupRequest,
    WatchlistRows,
    WatchMoveRequest,
    WatchRemoveRequest,
)
from chartinsightd.control.protocol.words import MAX_ROWS
from chartinsightd.control.watch_operations import (
    WATCH_ADD,
    WATCH_GROUP,
    WATCH_MOVE,
    WATCH_REMOVE,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

_T = TypeVar("_T")
_NOT_CONNECTED = Failure(reason="The daemon is not connected.", remedy="Wait for the connection.")


class Questions:
    """Every question and order of the screens. None raises: what went wrong is a `Failure` to be shown."""

    _client: ControlClient | None = None
    """None while the daemon is away."""

    # what screens ask for

    async def candles(
        self,
        symbol: str,
        timeframe: str,
        *,
        before: datetime | None,
        adjusted: bool,
        venue: Venue = Venue.KRX,
    ) -> CandleList | Failure:
        """Return up to 500 candles that open before an instant; the newest for None."""
        query = CandleQuery(
            symbol=symbol,
            timeframe=Timeframe(timeframe),
            to_ts=before,
            limit=500,
            adjusted=adjusted,
            venue=venue,
        )
        return await self._ask(lambda client: client.ask(CANDLES, query))

    async def points(self, symbol: str, timeframe: str) -> PointList | Failure:
        """Return the peaks, valleys and trend changes of one series, each with when it could be known."""
        query = PointsQuery(symbol=symbol, timeframe=Timeframe(timeframe))
        return await self._ask(lambda client: client.ask(POINTS, query))

    async def patterns(self, symbol: str, timeframe: str) -> PatternList | Failure:
        """Return the latest state of each pattern of one series, the newest first."""
        query = PatternQuery(symbol=(symbol,), timeframe=(Timeframe(timeframe),))
        return await self._ask(lambda client: client.ask(PATTERNS, query))

    async def revisions(self, symbol: str, timeframe: str) -> RevisionList | Failure:
        """Return the changes of final candles of one series."""
        query = RevisionQuery(symbol=(symbol,), timeframe=(Timeframe(timeframe),))
        return await self._ask(lambda client: client.ask(REVISIONS, query))

    async def adjustments(self, symbol: str) -> AdjustmentList | Failure:
        """Return the corporate actions of a stock."""
        query = AdjustmentQuery(symbol=(symbol,))
        return await self._ask(lambda client: client.ask(ADJUSTMENTS, query))

    async def explain(self, symbol: str, timeframe: str, at: datetime) -> Explanation | Failure:
        """Return all that is known of the candle that holds a moment."""
        query = ExplainQuery(symbol=symbol, timeframe=Timeframe(timeframe), at=at)
        return await self._ask(lambda client: client.ask(EXPLAIN, query))

    async def screen(self, name: str, *, is_stored: bool) -> ScreenResult | Failure | None:
        """Return what the newest run of a stored screen found, or where a strategy hits now.

        None: the stored screen has not run yet.
        """
        if not is_stored:
            query = ScreenerQuery(strategy_name=name)
            return await self._ask(lambda client: client.ask(SCREENER, query))
        runs = await self._ask(lambda client: client.ask(SCREEN_RUNS, ScreenRunQuery(name=name)))
        if isinstance(runs, Failure):
            return runs
        return runs.items[0].result if runs.items else None

    async def job(self, job_id: int) -> JobDetail | Failure:
        """Return a job with what the log says of it."""
        return await self._ask(lambda client: client.ask(JOB, JobPath(job_id=job_id)))

    async def estimate(self, request: BackfillRequest) -> BackfillEstimate | Failure:
        """Return what a backfill would cost."""
        return await self._ask(lambda client: client.estimate(request))

    async def moment(self, at: datetime) -> MomentAnswer | Failure:
        """Return how things were at a moment, as far as that was recorded."""
        return await self._ask(lambda client: client.ask(MOMENT, MomentQuery(at=at)))

    async def timeline(self, from_at: datetime, to_at: datetime) -> Timeline | Failure:
        """Return the verdicts of a time."""
        return await self._ask(
            lambda client: client.ask(TIMELINE, TimelineQuery(from_at=from_at, to_at=to_at))
        )

    async def jobs_until(self, at: datetime) -> JobList | Failure:
        """Return the last jobs that had begun by a moment, as they are known now."""
        return await self._ask(lambda client: client.ask(JOBS, JobQuery(until=at, limit=MAX_JOBS)))

    async def alert_history(self) -> AlertHistory | Failure:
        """Return the alerts of the last thirty days, the newest first."""
        return await self._ask(lambda client: client.ask(ALERT_HISTORY, AlertHistoryQuery()))

    async def universe(self) -> frozenset[str]:
        """Return the stocks of the universe; none where they cannot be had now."""
        query = UniverseQuery(limit=MAX_ROWS)
        answer = await self._ask(lambda client: client.ask(UNIVERSE, query))
        return frozenset() if isinstance(answer, Failure) else frozenset(row.symbol for row in answer.items)

    # the watchlist

    async def watch(self, symbols: tuple[str, ...], group: str | None) -> WatchlistRows | Failure:
        """Put stocks into a group of the watchlist; None: the first one."""
        request = WatchAddRequest(symbols=symbols, group=group)
        return await self._ask(lambda client: client.ask(WATCH_ADD, request))

    async def unwatch(self, symbols: tuple[str, ...], group: str | None) -> WatchlistRows | Failure:
        """Take stocks out of a group; None: of every one."""
        request = WatchRemoveRequest(symbols=symbols, group=group)
        return await self._ask(lambda client: client.ask(WATCH_REMOVE, request))

    async def move_watched(self, symbol: str, group: str, to: str, place: int) -> WatchlistRows | Failure:
        """Give a stock of the watchlist another place."""
        request = WatchMoveRequest(symbol=symbol, group=group, to_group=to, place=place)
        return await self._ask(lambda client: client.ask(WATCH_MOVE, request))

    async def move_group(self, name: str, place: int) -> WatchlistRows | Failure:
        """Give a group another place."""
        request = WatchGroupRequest(name=name, place=place)
        return await self._ask(lambda client: client.ask(WATCH_GROUP, request))

    async def rename_group(self, name: str, new_name: str) -> WatchlistRows | Failure:
        """Give a group another name."""
        request = WatchGroupRequest(name=name, new_name=new_name)
        return await self._ask(lambda client: client.ask(WATCH_GROUP, request))

    async def remove_group(self, name: str) -> WatchlistRows | Failure:
        """Remove a group; what is collected stays so."""
        request = WatchGroupRequest(name=name, remove=True)
        return await self._ask(lambda client: client.ask(WATCH_GROUP, request))

    # what changes something

    async def acknowledge(self, event: str) -> Outcome | Failure:
        """Note that a person knows of an active alert."""
        return await self._ask(lambda client: client.ask(ACKNOWLEDGE, AcknowledgeRequest(event=event)))

    async def backfill(self, request: BackfillRequest) -> Outcome | Failure:
        """Fetch what is missing."""
        return await self._ask(lambda client: client.ask(BACKFILL, request))

    async def retry(self, job_id: int) -> Outcome | Failure:
        """Do a job again, or try now what failed in it."""
        return await self._ask(lambda client: client.ask(RETRY, JobPath(job_id=job_id)))

    async def tries(self, symbol: str, timeframe: str) -> TryList | Failure:
        """Return what was tried of a series and failed."""
        query = TryQuery(symbol=(symbol,), timeframe=(Timeframe(timeframe),), limit=200)
        return await self._ask(lambda client: client.ask(TRIES, query))

    async def cancel(self, job_id: int) -> Outcome | Failure:
        """End a job."""
        return await self._ask(lambda client: client.ask(CANCEL, JobPath(job_id=job_id)))

    async def verify(self, request: VerifyRequest) -> Outcome | Failure:
        """Read series again and compare them with the store."""
        return await self._ask(lambda client: client.ask(VERIFY, request))

    async def set_tracked(self, symbols: tuple[str, ...], tracked: bool) -> Outcome | Failure:
        """Collect symbols from now on, or no longer."""
        request = SymbolsRequest(symbols=symbols)
        return await self._ask(
            lambda client: client.ask(TRACK, request) if tracked else client.ask(UNTRACK, request)
        )

    async def sync(self) -> Outcome | Failure:
        """Read the stock list of both markets again."""
        return await self._ask(lambda client: client.ask(SYNC))

    async def _ask(self, question: Callable[[ControlClient], Awaitable[_T]]) -> _T | Failure:
        if self._client is None:
            return _NOT_CONNECTED
        try:
            return await question(self._client)
        except ControlError as error:
            return failure_of(error)


def failure_of(error: ControlError) -> Failure:
    """Return what went wrong as something to be shown."""
    return Failure(reason=error.reason, remedy=error.remedy)
