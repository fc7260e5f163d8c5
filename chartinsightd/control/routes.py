"""The one table of what can be asked: the server serves it, the OpenAPI document describes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from chartinsightd.control.backend import ControlBackend, Verifying
from chartinsightd.control.events import EventTap
from chartinsightd.control.protocol.coverage import (
    CoverageList,
    CoverageQuery,
    GapList,
    GapQuery,
    SealList,
    SealQuery,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    Job,
    JobList,
    JobPath,
    JobQuery,
    Outcome,
    SymbolsRequest,
    VerifyRequest,
)
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    CandleList,
    CandleQuery,
    LogList,
    LogQuery,
    QuarantineList,
    QuarantineQuery,
    RevisionList,
    RevisionQuery,
    StockList,
    StockQuery,
)
from chartinsightd.control.protocol.status import AlertList, AlertTrial, Health, Status
from chartinsightd.control.protocol.words import Nothing, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, checked against its route."""

    path: Any
    """The route's `path` model; so with `query` and `body`."""
    query: Any
    body: Any
    by: str
    """Name of the user at the other end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """What answers requests."""

    backend: ControlBackend
    tap: EventTap


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API with everything that is known of it."""

    method: Literal["GET", "POST"]
    path_pattern: str
    name: str
    """Its operation id: what the client's method is called."""
    summary: str
    answer: type[BaseModel]
    call: Callable[[Daemon, Asked], Awaitable[BaseModel]]
    path: type[Request] = Nothing
    query: type[Request] = Nothing
    body: type[Request] | None = None
    refusals: tuple[int, ...] = ()
    """HTTP statuses it may answer with, beside those that any operation may."""

    needs: type[Any] | None = None
    """What the backend has to implement beside `ControlBackend`, checked by its methods."""

    def is_offered_by(self, backend: ControlBackend) -> bool:
        """Whether this backend can do it; what it cannot is neither served nor described."""
        return self.needs is None or isinstance(backend, self.needs)

    @property
    def is_mutation(self) -> bool:
        """Whether it changes something."""
        return self.method == "POST"


async def _logs(daemon: Daemon, asked: Asked) -> LogList:
    return daemon.tap.recent(asked.query)


async def _verify(daemon: Daemon, asked: Asked) -> Outcome:
    assert isinstance(daemon.backend, Verifying)  # else the route is not offered
    return await daemon.backend.verify(asked.body, asked.by)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path_pattern="/v1/status",
        name="status",
        summary="Everything the overview shows",
        answer=Status,
        call=lambda daemon, _: daemon.backend.status(),
    ),
    Route(
        method="GET",
        path_pattern="/v1/health",
        name="health",
        summary="Whether data flows, or provably nothing was due; 503 when not",
        answer=Health,
        call=lambda daemon, _: daemon.backend.health(),
    ),
    Route(
        method="GET",
        path_pattern="/v1/alerts",
        name="alerts",
        summary="What a person should know, and how it reaches people",
        answer=AlertList,
        call=lambda daemon, _: daemon.backend.alerts(),
    ),
    Route(
        method="GET",
        path_pattern="/v1/coverage",
        name="coverage",
        summary="How complete each series is within its horizon",
        answer=CoverageList,
        query=CoverageQuery,
        call=lambda daemon, asked: daemon.backend.coverage(asked.query),
        refusals=(404,),
    ),
    Route(
        method="GET",
        path_pattern="/v1/coverage/sessions",
        name="session_coverage",
        summary="Which trading days of a timeframe are not complete",
        answer=SessionCoverageList,
        query=SessionCoverageQuery,
        call=lambda daemon, asked: daemon.backend.session_coverage(asked.query),
        refusals=(404,),
    ),
    Route(
        method="GET",
        path_pattern="/v1/gaps",
        name="gaps",
        summary="What is missing, and why",
        answer=GapList,
        query=GapQuery,
        call=lambda daemon, asked: daemon.backend.gaps(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/seals",
        name="seals",
        summary="What the mornings after proved",
        answer=SealList,
        query=SealQuery,
        call=lambda daemon, asked: daemon.backend.seals(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/jobs",
        name="jobs",
        summary="The run history, newest first",
        answer=JobList,
        query=JobQuery,
        call=lambda daemon, asked: daemon.backend.jobs(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/jobs/{job_id}",
        name="job",
        summary="One job",
        answer=Job,
        path=JobPath,
        call=lambda daemon, asked: daemon.backend.job(asked.path.job_id),
        refusals=(404,),
    ),
    Route(
        method="GET",
        path_pattern="/v1/symbols",
        name="stocks",
        summary="The stock list",
        answer=StockList,
        query=StockQuery,
        call=lambda daemon, asked: daemon.backend.stocks(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/candles",
        name="candles",
        summary="Candles of one series, oldest first, the forming one included",
        answer=CandleList,
        query=CandleQuery,
        call=lambda daemon, asked: daemon.backend.candles(asked.query),
        refusals=(404,),
    ),
    Route(
        method="GET",
        path_pattern="/v1/revisions",
        name="revisions",
        summary="Changes of final candles",
        answer=RevisionList,
        query=RevisionQuery,
        call=lambda daemon, asked: daemon.backend.revisions(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/adjustments",
        name="adjustments",
        summary="The ledger of corporate actions",
        answer=AdjustmentList,
        query=AdjustmentQuery,
        call=lambda daemon, asked: daemon.backend.adjustments(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/quarantine",
        name="quarantine",
        summary="Rows that could not be candles",
        answer=QuarantineList,
        query=QuarantineQuery,
        call=lambda daemon, asked: daemon.backend.quarantine(asked.query),
    ),
    Route(
        method="GET",
        path_pattern="/v1/logs",
        name="logs",
        summary="Recent log lines, oldest first",
        answer=LogList,
        query=LogQuery,
        call=_logs,
    ),
    Route(
        method="POST",
        path_pattern="/v1/backfill",
        name="backfill",
        summary="Fetch what is missing, or say what that would cost",
        answer=Outcome,
        body=BackfillRequest,
        call=lambda daemon, asked: daemon.backend.backfill(asked.body, asked.by),
        refusals=(404, 409),
    ),
    Route(
        method="POST",
        path_pattern="/v1/verify",
        name="verify",
        summary="Read series again and compare them with the store",
        answer=Outcome,
        body=VerifyRequest,
        call=_verify,
        needs=Verifying,
        refusals=(404, 409),
    ),
    Route(
        method="POST",
        path_pattern="/v1/jobs/{job_id}/cancel",
        name="cancel",
        summary="End a job after the page it is at",
        answer=Outcome,
        path=JobPath,
        call=lambda daemon, asked: daemon.backend.cancel(asked.path.job_id, asked.by),
        refusals=(404, 409),
    ),
    Route(
        method="POST",
        path_pattern="/v1/pause",
        name="pause",
        summary="Ask nothing more of the broker",
        answer=Outcome,
        call=lambda daemon, asked: daemon.backend.pause(asked.by),
        refusals=(409,),
    ),
    Route(
        method="POST",
        path_pattern="/v1/resume",
        name="resume",
        summary="Go on, and catch up",
        answer=Outcome,
        call=lambda daemon, asked: daemon.backend.resume(asked.by),
        refusals=(409,),
    ),
    Route(
        method="POST",
        path_pattern="/v1/symbols/track",
        name="track",
        summary="Collect symbols from now on",
        answer=Outcome,
        body=SymbolsRequest,
        call=lambda daemon, asked: daemon.backend.track(asked.body, asked.by),
        refusals=(404, 409),
    ),
    Route(
        method="POST",
        path_pattern="/v1/symbols/untrack",
        name="untrack",
        summary="Collect symbols no longer; their candles stay",
        answer=Outcome,
        body=SymbolsRequest,
        call=lambda daemon, asked: daemon.backend.untrack(asked.body, asked.by),
        refusals=(404, 409),
    ),
    Route(
        method="POST",
        path_pattern="/v1/symbols/sync",
        name="sync",
        summary="Read the stock list anew",
        answer=Outcome,
        call=lambda daemon, asked: daemon.backend.sync(asked.by),
        refusals=(409,),
    ),
    Route(
        method="POST",
        path_pattern="/v1/alerts/test",
        name="test_alerts",
        summary="Send one message through each channel of alerts",
        answer=AlertTrial,
        call=lambda daemon, asked: daemon.backend.test_alerts(asked.by),
    ),
    Route(
        method="POST",
        path_pattern="/v1/reload",
        name="reload",
        summary="Read the configuration again and take over what can be",
        answer=Outcome,
        call=lambda daemon, asked: daemon.backend.reload(asked.by),
        refusals=(409,),
    ),
)
