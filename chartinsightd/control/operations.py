"""The table of operations: server, client and OpenAPI document all read it.

An operation is declared here once. The daemon registers a handler for it (`control.handlers`), a front end
asks it with `await client.ask(GAPS, GapQuery())`; both are typed by the operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel

from chartinsightd.control.protocol.analysis import (
    AnalyseRequest,
    PatternList,
    PatternQuery,
    PointList,
    PointsQuery,
)
from chartinsightd.control.protocol.config import SettingList
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
from chartinsightd.control.protocol.history import ExplainQuery, Explanation
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    JobDetail,
    JobList,
    JobPath,
    JobQuery,
    Outcome,
    PauseRequest,
    SymbolsRequest,
    TryList,
    TryQuery,
    VerifyRequest,
)
from chartinsightd.control.protocol.notes import (
    Note,
    NoteAsk,
    NoteList,
    NotePath,
    NoteQuery,
    PromptList,
)
from chartinsightd.control.protocol.planning import CatchUpPlan, CatchUpQuery
from chartinsightd.control.protocol.replay import MomentAnswer, MomentQuery, Timeline, TimelineQuery
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    CandleList,
    CandleQuery,
    CandleText,
    CandleTextQuery,
    LogList,
    LogQuery,
    QuarantineList,
    QuarantineQuery,
    RevisionList,
    RevisionQuery,
    StockList,
    StockQuery,
    UniverseList,
    UniverseQuery,
)
from chartinsightd.control.protocol.screens import (
    ScreenerQuery,
    ScreenRemoveRequest,
    ScreenRequest,
    ScreenResult,
    ScreenRunList,
    ScreenRunQuery,
    ScreenSaved,
    ScreenSaveRequest,
    StoredScreenList,
    StrategyList,
)
from chartinsightd.control.protocol.statistics import StatisticsQuery, StatisticsResult
from chartinsightd.control.protocol.status import (
    AcknowledgeRequest,
    AlertHistory,
    AlertHistoryQuery,
    AlertList,
    AlertTrial,
    Health,
    SilenceRequest,
    Status,
    Verdict,
)
from chartinsightd.control.protocol.words import Nothing, Request

Q = TypeVar("Q", bound=Request)
A = TypeVar("A", bound=BaseModel)

OK = 200
UNAVAILABLE = 503
_PATH_FIELD = re.compile(r"\{(\w+)\}")


def _always_ok(answer: BaseModel) -> int:
    del answer
    return OK


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation(Generic[Q, A]):
    """One thing that can be asked over HTTP; either a `Query` or a `Command`.

    The request's fields that the path names in braces are read from the path, the others from the URL's
    parameters (query) or from a JSON body (command). A command has path fields or a body, not both.
    """

    method: ClassVar[Literal["GET", "POST"]]
    writes: ClassVar[bool]

    name: str
    """The OpenAPI operation id, also in the log of commands."""
    path: str
    summary: str
    request: type[Q]
    answer: type[A]
    statuses: tuple[int, ...] = ()
    """Problem statuses it may answer with, beside those that any operation may."""
    answer_statuses: tuple[int, ...] = (OK,)
    """Statuses under which `answer` comes."""
    status_of: Callable[[A], int] = _always_ok
    """Which of them an answer comes under."""
    rows: str = ""
    """The field of the answer that holds rows: as NDJSON or CSV these come one a line. Empty: it has none."""

    may_lack_body: bool = False
    """Whether an empty body is the request with its defaults."""

    @cached_property
    def path_fields(self) -> frozenset[str]:
        """The request's fields that are part of the path."""
        return frozenset(_PATH_FIELD.findall(self.path))

    @property
    def has_body(self) -> bool:
        """Whether the request is a JSON body."""
        return self.method == "POST" and self.request is not Nothing and not self.path_fields


class Query(Operation[Q, A]):
    """Reads and changes nothing. The only kind that a read-only listener can offer."""

    method: ClassVar[Literal["GET", "POST"]] = "GET"
    writes = False


class Search(Query[Q, A]):
    """A query whose request is too deep for a URL, so it comes as a body; reads and changes nothing."""

    method = "POST"


class Command(Operation[Q, A]):
    """Changes something. The server logs who asked and what became of it."""

    method = "POST"
    writes = True


STATUS = Query(
    name="status",
    path="/v1/status",
    summary="Everything the overview shows",
    request=Nothing,
    answer=Status,
)
VERDICT = Query(
    name="verdict",
    path="/v1/verdict",
    summary="How things are in one sentence, with causes and the next thing that happens",
    request=Nothing,
    answer=Verdict,
)
MOMENT = Query(
    name="moment",
    path="/v1/replay/moment",
    summary="Everything the overview showed at a moment of the last month, as it was recorded then",
    request=MomentQuery,
    answer=MomentAnswer,
)
TIMELINE = Query(
    name="timeline",
    path="/v1/replay/timeline",
    summary="The verdicts of a time of the last month; what was not recorded is unknown",
    request=TimelineQuery,
    answer=Timeline,
    rows="items",
)
HEALTH = Query(
    name="health",
    path="/v1/health",
    summary="Whether data flows, or provably nothing was due; 503 when not",
    request=Nothing,
    answer=Health,
    answer_statuses=(OK, UNAVAILABLE),
    status_of=lambda health: OK if health.ok else UNAVAILABLE,
)
ALERTS = Query(
    name="alerts",
    path="/v1/alerts",
    summary="What a person should know, and how it reaches people",
    request=Nothing,
    answer=AlertList,
)
ALERT_HISTORY = Query(
    name="alert_history",
    path="/v1/alerts/history",
    summary="Alerts of the last thirty days, over restarts",
    request=AlertHistoryQuery,
    answer=AlertHistory,
    statuses=(404,),
)
COVERAGE = Query(
    name="coverage",
    path="/v1/coverage",
    summary="How complete each series is within its horizon",
    request=CoverageQuery,
    answer=CoverageList,
    statuses=(404,),
)
SESSION_COVERAGE = Query(
    name="session_coverage",
    path="/v1/coverage/sessions",
    summary="Which trading days of a timeframe are not complete",
    request=SessionCoverageQuery,
    answer=SessionCoverageList,
    statuses=(404,),
)
GAPS = Query(
    name="gaps",
    path="/v1/gaps",
    summary="What is missing, and why",
    request=GapQuery,
    answer=GapList,
    statuses=(404,),
)
CATCH_UP_PLAN = Query(
    name="catch_up_plan",
    path="/v1/catchup/plan",
    summary="What waits for its turn at the broker, in which order, and what it costs",
    request=CatchUpQuery,
    answer=CatchUpPlan,
    rows="items",
)
SEALS = Query(
    name="seals",
    path="/v1/seals",
    summary="What the mornings after proved",
    request=SealQuery,
    answer=SealList,
    statuses=(404,),
)
JOBS = Query(
    name="jobs",
    path="/v1/jobs",
    summary="The run history, newest first",
    request=JobQuery,
    answer=JobList,
)
TRIES = Query(
    name="tries",
    path="/v1/tries",
    summary="What was tried and failed, when and why, newest first",
    request=TryQuery,
    answer=TryList,
)
JOB = Query(
    name="job",
    path="/v1/jobs/{job_id}",
    summary="One job, with its slice of the log",
    request=JobPath,
    answer=JobDetail,
    statuses=(404,),
)
STOCKS = Query(
    name="stocks",
    path="/v1/symbols",
    summary="The stock list",
    request=StockQuery,
    answer=StockList,
    rows="items",
)
UNIVERSE = Query(
    name="universe",
    path="/v1/universe",
    summary="Who belongs to the universe on a day, or who is left out and why",
    request=UniverseQuery,
    answer=UniverseList,
    rows="items",
)
CANDLES = Query(
    name="candles",
    path="/v1/candles",
    summary="Candles of one series, oldest first, the forming one included",
    request=CandleQuery,
    answer=CandleList,
    statuses=(404,),
)
EXPLAIN = Query(
    name="explain",
    path="/v1/explain",
    summary="One candle with all that is known of it: reads, changes, proof, gap",
    request=ExplainQuery,
    answer=Explanation,
    statuses=(404,),
)
CANDLE_TEXT = Query(
    name="candle_text",
    path="/v1/candles/text",
    summary="Candles of one series as lines of CSV, oldest first: the way to read very many",
    request=CandleTextQuery,
    answer=CandleText,
    statuses=(404,),
)
REVISIONS = Query(
    name="revisions",
    path="/v1/revisions",
    summary="Changes of final candles",
    request=RevisionQuery,
    answer=RevisionList,
    statuses=(404,),
)
ADJUSTMENTS = Query(
    name="adjustments",
    path="/v1/adjustments",
    summary="The ledger of corporate actions",
    request=AdjustmentQuery,
    answer=AdjustmentList,
)
QUARANTINE = Query(
    name="quarantine",
    path="/v1/quarantine",
    summary="Rows that could not be candles",
    request=QuarantineQuery,
    answer=QuarantineList,
    statuses=(404,),
)
POINTS = Query(
    name="points",
    path="/v1/points/{symbol}",
    summary="Peaks, valleys and trend changes of one series, each with its confirmation",
    request=PointsQuery,
    answer=PointList,
    rows="points",
    statuses=(404,),
)
PATTERNS = Query(
    name="patterns",
    path="/v1/patterns",
    summary="The latest state of each pattern",
    request=PatternQuery,
    answer=PatternList,
    rows="items",
    statuses=(404,),
)
STRATEGIES = Query(
    name="strategies",
    path="/v1/strategies",
    summary="The strategies that a screen may name, with their parameters",
    request=Nothing,
    answer=StrategyList,
)
SCREENER = Query(
    name="screener",
    path="/v1/screener",
    summary="One strategy or stored screen over every collected stock at one session",
    request=ScreenerQuery,
    answer=ScreenResult,
    rows="matches",
    statuses=(404, 409),
)
SCREEN = Search(
    name="screen",
    path="/v1/screener",
    summary="An expression over every collected stock at one session; stores nothing",
    request=ScreenRequest,
    answer=ScreenResult,
    rows="matches",
    statuses=(409,),
)
SCREENS = Query(
    name="screens",
    path="/v1/screens",
    summary="The stored screens, each with its newest run",
    request=Nothing,
    answer=StoredScreenList,
)
SCREEN_RUNS = Query(
    name="screen_runs",
    path="/v1/screens/runs",
    summary="Runs of a stored screen, with their matches and what was new",
    request=ScreenRunQuery,
    answer=ScreenRunList,
    statuses=(404,),
)
SAVE_SCREEN = Command(
    name="save_screen",
    path="/v1/screens",
    summary="Store a screen, or its next version",
    request=ScreenSaveRequest,
    answer=ScreenSaved,
)
REMOVE_SCREEN = Command(
    name="remove_screen",
    path="/v1/screens/remove",
    summary="Remove a stored screen; its runs stay",
    request=ScreenRemoveRequest,
    answer=ScreenSaved,
    statuses=(404,),
)
STATISTICS = Query(
    name="statistics",
    path="/v1/statistics",
    summary="What followed a strategy's hits or a pattern, beside what followed anyway",
    request=StatisticsQuery,
    answer=StatisticsResult,
    statuses=(404, 409),
)
NOTES = Query(
    name="notes",
    path="/v1/notes",
    summary="Notes on stocks, newest first, and the budget of the day",
    request=NoteQuery,
    answer=NoteList,
)
NOTE = Query(
    name="note",
    path="/v1/notes/{note_id}",
    summary="One note",
    request=NotePath,
    answer=Note,
    statuses=(404,),
)
PROMPTS = Query(
    name="prompts",
    path="/v1/prompts",
    summary="What a model can be asked",
    request=Nothing,
    answer=PromptList,
)
LOGS = Query(
    name="logs",
    path="/v1/logs",
    summary="Recent log lines, oldest first",
    request=LogQuery,
    answer=LogList,
)
CONFIG = Query(
    name="config",
    path="/v1/config",
    summary="Each setting in force, and where its value comes from",
    request=Nothing,
    answer=SettingList,
)
BACKFILL = Command(
    name="backfill",
    path="/v1/backfill",
    summary="Fetch what is missing, or say what that would cost",
    request=BackfillRequest,
    answer=Outcome,
    statuses=(404, 409),
)
ANALYSE = Command(
    name="analyse",
    path="/v1/analyse",
    summary="Analyse what is due now",
    request=AnalyseRequest,
    answer=Outcome,
    statuses=(404, 409),
)
WRITE_NOTE = Command(
    name="write_note",
    path="/v1/ai/analysis",
    summary="Write a note on stocks, or return the stored one of the same candles",
    request=NoteAsk,
    answer=Note,
    statuses=(404,),
)
VERIFY = Command(
    name="verify",
    path="/v1/verify",
    summary="Read series again and compare them with the store",
    request=VerifyRequest,
    answer=Outcome,
    statuses=(404, 409),
)
RETRY = Command(
    name="retry",
    path="/v1/jobs/{job_id}/retry",
    summary="Do a job again, or try now what failed in it",
    request=JobPath,
    answer=Outcome,
    statuses=(404, 409),
)
CANCEL = Command(
    name="cancel",
    path="/v1/jobs/{job_id}/cancel",
    summary="End a job after the page it is at",
    request=JobPath,
    answer=Outcome,
    statuses=(404, 409),
)
PAUSE = Command(
    name="pause",
    path="/v1/pause",
    summary="Ask nothing more of the broker, for a time or until it is resumed",
    request=PauseRequest,
    may_lack_body=True,
    answer=Outcome,
    statuses=(409,),
)
RESUME = Command(
    name="resume",
    path="/v1/resume",
    summary="Go on, and catch up",
    request=Nothing,
    answer=Outcome,
    statuses=(409,),
)
TRACK = Command(
    name="track",
    path="/v1/symbols/track",
    summary="Collect symbols from now on",
    request=SymbolsRequest,
    answer=Outcome,
    statuses=(404, 409),
)
UNTRACK = Command(
    name="untrack",
    path="/v1/symbols/untrack",
    summary="Collect symbols no longer; their candles stay",
    request=SymbolsRequest,
    answer=Outcome,
    statuses=(404, 409),
)
SYNC = Command(
    name="sync",
    path="/v1/symbols/sync",
    summary="Read the stock list again",
    request=Nothing,
    answer=Outcome,
    statuses=(409,),
)
TEST_ALERTS = Command(
    name="test_alerts",
    path="/v1/alerts/test",
    summary="Send one message through each channel of alerts",
    request=Nothing,
    answer=AlertTrial,
    statuses=(409,),
)
ACKNOWLEDGE = Command(
    name="acknowledge",
    path="/v1/alerts/acknowledge",
    summary="Note that a person knows of an active alert, or of all",
    request=AcknowledgeRequest,
    answer=Outcome,
    statuses=(404,),
)
SILENCE = Command(
    name="silence",
    path="/v1/alerts/silence",
    summary="Show a kind of alert and send none of it, for a time",
    request=SilenceRequest,
    answer=Outcome,
    statuses=(404,),
)
RELOAD = Command(
    name="reload",
    path="/v1/reload",
    summary="Read the configuration again and take over what can be",
    request=Nothing,
    answer=Outcome,
    statuses=(409,),
)

OPERATIONS: tuple[Operation[Any, Any], ...] = tuple(
    declared for declared in list(globals().values()) if isinstance(declared, Operation)
)
"""Every operation of this module, in the order of declaration."""
