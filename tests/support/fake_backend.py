"""A daemon made up for tests of the control API and of both front ends: it behaves, it does not record.

Everything is a function of symbol, timeframe and `NOW`, so that screens can be compared picture by picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from zlib import crc32

from chartinsightd.backend.alarms import AlarmDesk
from chartinsightd.backend.verdicts import verdict_message
from chartinsightd.clock import Clock
from chartinsightd.control.events import EventHub, EventTap
from chartinsightd.control.handlers import Caller, Handlers, NotNow, UnknownThing
from chartinsightd.control.metrics import status_metrics
from chartinsightd.control.operations import (
    ACKNOWLEDGE,
    ADJUSTMENTS,
    ALERT_HISTORY,
    ALERTS,
    ANALYSE,
    BACKFILL,
    CANCEL,
    CANDLE_TEXT,
    CANDLES,
    CATCH_UP_PLAN,
    CONFIG,
    COVERAGE,
    EXPLAIN,
    GAPS,
    HEALTH,
    JOB,
    JOBS,
    LOGS,
    PATTERNS,
    PAUSE,
    POINTS,
    QUARANTINE,
    RELOAD,
    REMOVE_SCREEN,
    RESUME,
    RETRY,
    REVISIONS,
    SAVE_SCREEN,
    SCREEN,
    SCREEN_RUNS,
    SCREENER,
    SCREENS,
    SEALS,
    SESSION_COVERAGE,
    SILENCE,
    STATISTICS,
    STATUS,
    STOCKS,
    STRATEGIES,
    SYNC,
    TEST_ALERTS,
    TRACK,
    TRIES,
    UNIVERSE,
    UNTRACK,
    VERDICT,
    VERIFY,
)
from chartinsightd.control.protocol.analysis import (
    AnalyseRequest,
    AnalysisStatus,
    PatternList,
    PatternPointRow,
    PatternQuery,
    PatternRow,
    PointList,
    PointRow,
    PointsQuery,
    SeriesAnalysis,
    TrendRow,
)
from chartinsightd.control.protocol.config import Setting, SettingList
from chartinsightd.control.protocol.coverage import (
    CoverageList,
    CoverageQuery,
    CoverageRow,
    GapList,
    GapQuery,
    GapRow,
    SealList,
    SealQuery,
    SealRow,
    SessionCoverage,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.control.protocol.events import CandleChange, EventType, StateChange
from chartinsightd.control.protocol.history import ExplainQuery, Explanation, Standing
from chartinsightd.control.protocol.jobs import (
    BackfillEstimate,
    BackfillRequest,
    CandleDifference,
    Job,
    JobDetail,
    JobList,
    JobPath,
    JobProgress,
    JobQuery,
    JobState,
    LaneCost,
    Outcome,
    OutcomeState,
    PauseRequest,
    SymbolsRequest,
    TryList,
    TryQuery,
    TryRow,
    VerifiedDay,
    VerifyRequest,
)
from chartinsightd.control.protocol.planning import CatchUpPlan, CatchUpQuery, PlannedFetch
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    AdjustmentRow,
    CandleList,
    CandleQuery,
    CandleRow,
    CandleText,
    CandleTextQuery,
    LogQuery,
    QuarantinedRow,
    QuarantineList,
    QuarantineQuery,
    RevisionList,
    RevisionQuery,
    RevisionRow,
    StockList,
    StockQuery,
    StockRow,
    UniverseList,
    UniverseQuery,
    UniverseRow,
)
from chartinsightd.control.protocol.screens import (
    ScreenCounts,
    ScreenerQuery,
    ScreenException,
    ScreenFigure,
    ScreenMatch,
    ScreenRemoveRequest,
    ScreenRequest,
    ScreenResult,
    ScreenRunList,
    ScreenRunQuery,
    ScreenRunRow,
    ScreenSaved,
    ScreenSaveRequest,
    StoredScreenList,
    StoredScreenRow,
    StrategyList,
    StrategyRow,
)
from chartinsightd.control.protocol.statistics import (
    StatisticFigure,
    StatisticRow,
    StatisticsQuery,
    StatisticsResult,
)
from chartinsightd.control.protocol.status import (
    AcknowledgeRequest,
    Alert,
    AlertHistory,
    AlertHistoryQuery,
    AlertList,
    AlertTrial,
    AnalysisFreshness,
    ChannelState,
    ClockStatus,
    CloseCounts,
    DaemonState,
    DaemonStatus,
    DatabaseStatus,
    Freshness,
    GateLane,
    Health,
    HealthCheck,
    LiveState,
    LiveStatus,
    Phase,
    PriorityName,
    RowCounts,
    SessionStatus,
    SilenceRequest,
    SpoolStatus,
    Status,
    TokenState,
    TokenStatus,
    VenueStatus,
    Verdict,
)
from chartinsightd.control.server import serve
from chartinsightd.control.stream import StreamPace
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.domain.verdict import (
    Bilingual,
    Cause,
    Coming,
    SealedSession,
    Situation,
    Tier,
    VerdictState,
    verdict_of,
)
from chartinsightd.facts.krx import KST
from tests.support.fake_alarms import fake_alarms, stored_screens
from tests.support.fake_notes import FakeNotes
from tests.support.fake_replay import FakeReplay
from tests.support.fake_watching import FakeWatching, groups_of

TARGETS: dict[str, str] = {
    "005930": "삼성전자",
    "000660": "SK하이닉스",
    "373220": "LG에너지솔루션",
    "005380": "현대차",
    "000270": "기아",
    "035720": "카카오",
    "068270": "셀트리온",
    "005490": "POSCO홀딩스",
    "051910": "LG화학",
    "055550": "신한지주",
    "006400": "삼성SDI",
    "012330": "현대모비스",
    "015760": "한국전력",
    "033780": "KT&G",
    "247540": "에코프로비엠",
    "028300": "HLB",
    "293490": "카카오게임즈",
    "058470": "리노공업",
    "041510": "에스엠",
    "035900": "JYP Ent.",
    "207940": "삼성바이오로직스",
    "035420": "NAVER",
    "105560": "KB금융",
    "028260": "삼성물산",
    "012450": "한화에어로스페이스",
    "329180": "HD현대중공업",
    "034020": "두산에너빌리티",
    "086790": "하나금융지주",
    "196170": "알테오젠",
    "259960": "크래프톤",
}
"""Thirty stocks; screens were drawn with them."""
NOW = datetime(2026, 10, 14, 1, 7, 30, tzinfo=UTC)
"""Wednesday 10:07:30 KST, in the regular session."""
TODAY = date(2026, 10, 14)
SEALED_DAY = date(2026, 10, 13)
_STARTED = NOW - timedelta(hours=3, minutes=12)
_SESSION_MINUTES = 390
_SPAN_MINUTES = {Timeframe.M5: 5, Timeframe.M30: 30, Timeframe.H1: 60}
_API_OF = {Timeframe.D1: "ka10081", Timeframe.W1: "ka10082"}
_ALL_MARKET = 2_700
_FIRST = "한대동서남북삼성현신미래우리국제"
_SECOND = "전자화학건설제약바이오금융전기소재통신물산"


class Scene(StrEnum):
    """What the daemon is like."""

    FULL = "full"
    """Thirty symbols, jobs that run and have run, gaps, alerts."""
    EMPTY = "empty"
    """Just started: nothing tracked, nothing stored."""
    ERROR = "error"
    """The database is away, the token refused."""
    MARKET = "market"
    """Every listed stock is tracked: 2,700."""
    UNIVERSE = "universe"
    """Thirty are tracked, and of all 2,700 there are prices."""


_SETTINGS = (
    Setting(name="mode", value="simulation", origin="environment", place="CHARTINSIGHT_MODE"),
    Setting(name="kiwoom.app_key", value=True, is_secret=True, origin="credential", place="kiwoom_app_key"),
    Setting(name="collect.symbols", value=["005930"], origin="file", place="/etc/chartinsight.toml:12"),
    Setting(name="collect.calendar_overrides", value=None, origin="default"),
    Setting(name="database.dsn", value=False, is_secret=True, origin="default"),
)
CALLER = Caller(name="test", may_write=True)


class FrozenClock(Clock):
    """A clock that a test moves."""

    speed = 1.0
    longest_nap_s = 1.0

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time set last."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that move with the time."""
        return (self._now - NOW).total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the time on."""
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Move the time on, at once."""
        self.advance(seconds)
        await asyncio.sleep(0)


class FakeBackend:
    """A daemon in memory. `scene` may be changed at any time; mutations change what is read afterwards."""

    def __init__(self, scene: Scene = Scene.FULL, clock: FrozenClock | None = None) -> None:
        self.clock = clock or FrozenClock()
        self.hub = EventHub(self.clock.now)
        self.tap = EventTap(self.hub, self.clock.now)
        self.handlers = self._handlers()
        self.reset(scene)

    def reset(self, scene: Scene) -> None:
        """Begin again with what this scene holds; events and log lines so far stay."""
        self.scene = scene
        self.asked: list[tuple[str, str]] = []
        """Mutations in order: name and user."""
        self._paused = False
        self._names = _names(_ALL_MARKET if scene in {Scene.MARKET, Scene.UNIVERSE} else 40)
        self._tracked = _tracked(scene, self._names)
        self._jobs = {job.id: job for job in _jobs()} if scene is not Scene.EMPTY else {}
        self.watching = FakeWatching(
            names=self._names,
            tracked=tuple(self._names if scene is Scene.UNIVERSE else self._tracked),
            groups=groups_of(tuple(self._tracked)),
            hub=self.hub,
            need=self._need_store,
            clock=self.clock,
        )
        self.watching.register(self.handlers)
        self.alarms = fake_alarms(self.watching, self._need_store, self.clock)
        AlarmDesk(self.alarms, names=self.watching.names, screens=stored_screens, clock=self.clock).register(
            self.handlers
        )
        for line in _log_lines() if scene is not Scene.EMPTY else ():
            self.tap(None, str(line["level"]), dict(line))

    def _handlers(self) -> Handlers:
        """Return the made-up answer to every operation."""
        handlers = Handlers()
        handlers.add(STATUS, self.status)
        handlers.add(VERDICT, self.verdict)
        handlers.add(HEALTH, self.health)
        handlers.add(ALERTS, self.alerts)
        handlers.add(ALERT_HISTORY, self.alert_history)
        handlers.add(ACKNOWLEDGE, self.acknowledge)
        handlers.add(SILENCE, self.silence)
        handlers.add(COVERAGE, self.coverage)
        handlers.add(SESSION_COVERAGE, self.session_coverage)
        handlers.add(GAPS, self.gaps)
        handlers.add(SEALS, self.seals)
        handlers.add(CATCH_UP_PLAN, self.catch_up_plan)
        handlers.add(JOBS, self.jobs)
        handlers.add(JOB, self.job)
        handlers.add(STOCKS, self.stocks)
        handlers.add(UNIVERSE, self.universe)
        handlers.add(CANDLES, self.candles)
        handlers.add(EXPLAIN, self.explain)
        handlers.add(CANDLE_TEXT, self.candle_text)
        handlers.add(REVISIONS, self.revisions)
        handlers.add(ADJUSTMENTS, self.adjustments)
        handlers.add(QUARANTINE, self.quarantine)
        handlers.add(POINTS, self.points)
        handlers.add(PATTERNS, self.patterns)
        handlers.add(ANALYSE, self.analyse)
        handlers.add(STRATEGIES, self.strategies)
        handlers.add(SCREENER, self.screener)
        handlers.add(SCREEN, self.screen)
        handlers.add(STATISTICS, self.statistics)
        handlers.add(SCREENS, self.screens)
        handlers.add(SCREEN_RUNS, self.screen_runs)
        handlers.add(SAVE_SCREEN, self.save_screen)
        handlers.add(REMOVE_SCREEN, self.remove_screen)
        handlers.add(LOGS, self.tap.logs)
        handlers.add(CONFIG, self.config)
        FakeNotes().register(handlers)
        FakeReplay(self.status, self.coverage, NOW).register(handlers)
        handlers.add(BACKFILL, self.backfill)
        handlers.add(VERIFY, self.verify)
        handlers.add(CANCEL, self.cancel)
        handlers.add(RETRY, self.retry)
        handlers.add(TRIES, self.tries)
        handlers.add(PAUSE, self.pause)
        handlers.add(RESUME, self.resume)
        handlers.add(TRACK, self.track)
        handlers.add(UNTRACK, self.untrack)
        handlers.add(SYNC, self.sync)
        handlers.add(TEST_ALERTS, self.test_alerts)
        handlers.add(RELOAD, self.reload)
        return handlers

    # what was analysed

    async def points(self, query: PointsQuery) -> PointList:
        """Return a peak, a valley and a trend change of any known stock."""
        self._need_store()
        self._need_known((query.symbol,))
        days = [datetime(2026, 9, day, tzinfo=KST).astimezone(UTC) for day in (1, 8, 15)]
        points = (
            _point(days[0], "valley", "primary", 68_000),
            _point(days[1], "peak", "secondary", 72_500),
        )
        trend = TrendRow(from_ts=days[2], trend="up", confirmed_at=days[2] + timedelta(hours=20))
        analysis = SeriesAnalysis(
            status=AnalysisStatus.DONE, data_id="3f0c", code_id="structure-1", analysed_to=days[2]
        )
        return PointList(
            symbol=query.symbol,
            name=self._names[query.symbol],
            timeframe=query.timeframe,
            analysis=analysis,
            points=points,
            trends=(trend,),
        )

    async def patterns(self, query: PatternQuery) -> PatternList:
        """Return a completed double bottom of the stocks asked for, or of the first tracked one."""
        self._need_store()
        symbols = query.symbol or tuple(islice(self._tracked, 1))
        self._need_known(symbols)
        return PatternList(
            items=tuple(_pattern_row(symbol, self._names[symbol]) for symbol in symbols), total=len(symbols)
        )

    async def analyse(self, request: AnalyseRequest, caller: Caller) -> Outcome:
        """Find nothing due."""
        self.asked.append(("analyse", caller.name))
        self._need_known(request.symbols)
        return Outcome(changed=False, state=OutcomeState.ALREADY_COMPLETE, detail="Nothing is due.")

    async def strategies(self) -> StrategyList:
        """Return one strategy."""
        row = StrategyRow(id="trend_up", version=1, title="상승 추세", timeframes=(Timeframe.D1,), warmup=60)
        return StrategyList(items=(row,))

    async def statistics(self, query: StatisticsQuery) -> StatisticsResult:
        """Return enough events before the split and too few after it."""
        self._need_store()
        if query.strategy_name not in {None, "trend_up"}:
            raise UnknownThing(f"There is no strategy {query.strategy_name}.", remedy="There are trend_up.")
        figure = StatisticFigure(value=0.52, base=0.49, low=0.44, high=0.60)
        enough = StatisticRow(horizon=5, n=120, base_n=60_000, too_few=False, rise=figure, mean=figure)
        return StatisticsResult(
            what=query.strategy_name or f"{query.pattern} {query.state}",
            timeframe=query.timeframe,
            split=query.split or SEALED_DAY,
            cost=query.cost,
            stocks=30,
            data_id="3f0c",
            code_id="statistics-1",
            in_sample=(enough,),
            out_of_sample=(StatisticRow(horizon=5, n=12, base_n=9_000, too_few=True),),
        )

    async def screens(self) -> StoredScreenList:
        """Return one stored screen that ran."""
        self._need_store()
        result = await self.screen(ScreenRequest(expression={}))
        row = StoredScreenRow(
            name="morning",
            version=2,
            expression={"strategy": "trend_up"},
            created_at=NOW,
            session=result.session,
            run_at=NOW,
            counts=result.counts,
            matches=len(result.matches),
            new=sum(one.is_new for one in result.matches),
        )
        return StoredScreenList(items=(row,))

    async def screen_runs(self, query: ScreenRunQuery) -> ScreenRunList:
        """Return one run of the stored screen."""
        self._need_store()
        if query.name != "morning":
            raise UnknownThing(f"No screen {query.name!r} is stored.", remedy="There is morning.")
        result = await self.screen(ScreenRequest(expression={}))
        return ScreenRunList(items=(ScreenRunRow(name="morning", version=2, run_at=NOW, result=result),))

    async def save_screen(self, request: ScreenSaveRequest, caller: Caller) -> ScreenSaved:
        """Say that it is stored."""
        self.asked.append(("save_screen", caller.name))
        return ScreenSaved(name=request.name, version=1)

    async def remove_screen(self, request: ScreenRemoveRequest, caller: Caller) -> ScreenSaved:
        """Say that it is removed."""
        self.asked.append(("remove_screen", caller.name))
        if request.name != "morning":
            raise UnknownThing(f"No screen {request.name!r} is stored.", remedy="There is morning.")
        return ScreenSaved(name=request.name, version=3, removed=True)

    async def screener(self, query: ScreenerQuery) -> ScreenResult:
        """Find the first tracked stock, and one that is too short."""
        if (query.screen, query.strategy_name) not in {("morning", None), (None, "trend_up")}:
            raise UnknownThing(f"There is no strategy {query.strategy_name}.", remedy="There are trend_up.")
        return await self.screen(ScreenRequest(expression={}, session=query.session))

    async def screen(self, request: ScreenRequest) -> ScreenResult:
        """Find the same whatever is asked."""
        self._need_store()
        symbols = tuple(islice(self._tracked, 2))
        day = request.session or SEALED_DAY
        start = datetime(day.year, day.month, day.day, tzinfo=KST).astimezone(UTC)
        figure = ScreenFigure(value=3.2, unit="%", ts=start)
        matches = tuple(
            ScreenMatch(
                symbol=symbol,
                name=self._names[symbol],
                score=1.5,
                evidence={"trend_up": {"rise": figure}},
                since=start,
                is_new=True,
            )
            for symbol in symbols[:1]
        )
        exceptions = tuple(
            ScreenException(
                symbol=symbol, name=self._names[symbol], reason="too_short", detail="10 of 61 candles"
            )
            for symbol in symbols[1:]
        )
        counts = ScreenCounts(universe=len(symbols), evaluated=len(matches), too_short=len(exceptions))
        return ScreenResult(
            session=day,
            data_id="3f0c",
            code_id="9ab1",
            counts=counts,
            matches=matches,
            exceptions=exceptions,
        )

    # what is read

    async def status(self) -> Status:
        """Return the overview."""
        away = self.scene is Scene.ERROR
        lanes = () if self.scene is Scene.EMPTY else _lanes(self._paused or away)
        queue = {name: sum(lane.queued.get(name, 0) for lane in lanes) for name in PriorityName}
        alerts = _alerts(away) if self._tracked else ()
        return Status(
            verdict=self._verdict(alerts),
            daemon=self._daemon(),
            clock=ClockStatus(now=self.clock.now()),
            session=_session(),
            token=_token(away),
            gate=lanes,
            queue=queue,
            database=_database(away),
            spool=SpoolStatus(pages=37, bytes=3_412_992, oldest_at=_ago(420)) if away else SpoolStatus(),
            live=_live(away=away),
            analysis=AnalysisFreshness(series=150, done=147, too_short=1, left=2) if self._tracked else None,
            freshness=() if self.scene is Scene.EMPTY else tuple(_freshness()),
            venues=(_nxt(),) if self.scene is Scene.FULL else (),
            rows_today=RowCounts(inserted=4_210, changed=390, unchanged=51_200, quarantined=2)
            if self._tracked
            else RowCounts(),
            tracked=len(self._tracked),
            listed=len(self._names),
            gaps=len(self._gaps()),
            jobs_running=sum(job.state is JobState.RUNNING for job in self._jobs.values()),
            alerts=alerts,
        )

    def _verdict(self, alerts: Sequence[Alert]) -> Verdict:
        """Return the verdict that the daemon would give on these alerts and gaps."""
        causes = [
            Cause(
                kind=alert.event,
                state=VerdictState.TROUBLE if alert.level == "error" else VerdictState.ATTENTION,
                since=alert.at,
                words=Bilingual(en=alert.message.rstrip("."), ko="데이터베이스 연결 끊김 7분째"),
            )
            for alert in alerts
            if alert.ended_at is None
        ]
        if gaps := len(self._gaps()):
            words = Bilingual(
                en=f"{gaps} gaps that reading again did not fill", ko=f"다시 읽어도 채워지지 않는 누락 {gaps}"
            )
            causes.append(Cause(kind="gaps", state=VerdictState.ATTENTION, since=_ago(9_000), words=words))
        if self._paused:
            words = Bilingual(en="paused", ko="수집 일시정지")
            causes.append(Cause(kind="paused", state=VerdictState.ATTENTION, since=_ago(9_999), words=words))
        situation = Situation(
            causes=causes,
            tiers=[Tier(symbols=len(self._tracked), timeframes=5)] if self._tracked else [],
            late=0,
            late_unknown=False,
            gaps=gaps,
            sealed=SealedSession(day=date(2026, 10, 13), sealed=30, of=30) if self._tracked else None,
            progress=None,
            coming=None if self._paused else Coming(at=NOW + timedelta(seconds=166), timeframe=Timeframe.M5),
        )
        return verdict_message(verdict_of(situation))

    async def verdict(self) -> Verdict:
        """Return the verdict alone."""
        return (await self.status()).verdict

    async def health(self) -> Health:
        """Return whether data flows."""
        if self.scene is not Scene.ERROR:
            return Health(ok=True, checks=(HealthCheck(part="database", ok=True),))
        away = HealthCheck(
            part="database", ok=False, detail="not reachable for 7 minutes", remedy="Start PostgreSQL."
        )
        return Health(ok=False, checks=(away, HealthCheck(part="token", ok=False, detail="8050")))

    async def metrics(self) -> Sequence[Metric]:
        """Return the status in figures, and one counter."""
        name, words = "chartinsight_rows_inserted_total", "Rows inserted since the start"
        rows = Metric(name=name, help=words, kind="counter", value=123_456)
        return [*status_metrics(await self.status()), rows]

    async def alerts(self) -> AlertList:
        """Return the alerts of the overview, and two channels."""
        shown = _alerts(self.scene is Scene.ERROR) if self._tracked else ()
        return AlertList(items=shown, channels=() if self.scene is Scene.EMPTY else _channels())

    async def alert_history(self, query: AlertHistoryQuery) -> AlertHistory:
        """Return the two alerts there have been."""
        found = [one for one in _alerts(away=True) if not query.event or one.event in query.event]
        return AlertHistory(items=tuple(found[: query.limit]), total=len(found))

    async def acknowledge(self, request: AcknowledgeRequest, caller: Caller) -> Outcome:
        """Take note, as long as something is wrong."""
        self.asked.append((f"acknowledge {request.event}", caller.name))
        is_wrong = self.scene is Scene.ERROR
        state = OutcomeState.ACKNOWLEDGED if is_wrong else OutcomeState.ALREADY_ACKNOWLEDGED
        return Outcome(changed=is_wrong, state=state)

    async def silence(self, request: SilenceRequest, caller: Caller) -> Outcome:
        """Silence, without keeping it."""
        self.asked.append((f"silence {request.event}", caller.name))
        if not request.for_s:
            return Outcome(changed=True, state=OutcomeState.UNSILENCED)
        until = self.clock.now() + timedelta(seconds=request.for_s)
        return Outcome(changed=True, state=OutcomeState.SILENCED, until=until)

    async def test_alerts(self, caller: Caller) -> AlertTrial:
        """Find that Slack works, and that the mail server is away in the scene of errors."""
        self.asked.append(("test_alerts", caller.name))
        if self.scene is Scene.EMPTY:
            return AlertTrial()
        return AlertTrial(items=_channels(mail_fails=self.scene is Scene.ERROR))

    async def catch_up_plan(self, query: CatchUpQuery) -> CatchUpPlan:
        """Return one series that waits."""
        del query
        one = PlannedFetch(
            place=1,
            symbol="005930",
            name="삼성전자",
            timeframe=Timeframe.M5,
            kind="catch_up",
            api_id="ka10080",
            pages=3,
            from_ts=_ago(86_400),
            to_ts=_ago(3_600),
        )
        lane = LaneCost(api_id="ka10080", requests=3, seconds=0.6)
        return CatchUpPlan(items=(one,), total=1, requests=3, seconds=0.6, lanes=(lane,))

    async def coverage(self, query: CoverageQuery) -> CoverageList:
        """Return coverage of the tracked symbols."""
        self._need_store()
        symbols = query.symbol or tuple(self._tracked)
        wanted = query.timeframe or tuple(Timeframe)
        self._need_known(symbols)
        reasons = {(gap.symbol, gap.timeframe): gap.reason for gap in self._gaps()}
        series = [(symbol, timeframe) for symbol in symbols for timeframe in wanted]
        rows = tuple(self._coverage_row(*pair, reasons.get(pair)) for pair in series)
        return CoverageList(at=self.clock.now(), items=rows)

    async def session_coverage(self, query: SessionCoverageQuery) -> SessionCoverageList:
        """Return the sessions of the gaps, and those that a seal says are broken."""
        self._need_store()
        self._need_known(query.symbol)
        last = min(query.to_day or TODAY, TODAY)
        days = tuple(_weekdays(query.from_day, last))[-60:]
        wanted = query.symbol or tuple(self._tracked)
        found = {
            (gap.symbol, _day(gap.from_ts)): (0.4, gap.reason)
            for gap in self._gaps()
            if gap.timeframe is query.timeframe
        }
        if query.timeframe is Timeframe.M5:
            broken = {(gap.symbol, SEALED_DAY): (1.0, GapReason.BROKEN) for gap in self._gaps()[:3]}
            found = broken | found
        items = tuple(
            SessionCoverage(
                symbol=symbol, timeframe=query.timeframe, day=day, complete_ratio=ratio, reason=reason
            )
            for (symbol, day), (ratio, reason) in found.items()
            if symbol in wanted and day in days
        )
        return SessionCoverageList(
            timeframe=query.timeframe, at=self.clock.now(), symbols=wanted, days=days, items=items
        )

    async def gaps(self, query: GapQuery) -> GapList:
        """Return what is missing."""
        self._need_store()
        rows = [
            gap
            for gap in self._gaps()
            if (not query.symbol or gap.symbol in query.symbol)
            and (not query.timeframe or gap.timeframe in query.timeframe)
        ]
        return GapList(items=tuple(rows[: query.limit]), total=len(rows))

    async def seals(self, query: SealQuery) -> SealList:
        """Return yesterday's seals."""
        self._need_store()
        broken = {gap.symbol for gap in self._gaps()[:3]}
        rows = [self._seal(symbol, symbol in broken) for symbol in query.symbol or self._tracked]
        kept = [row for row in rows if not query.state or row.state in query.state]
        return SealList(items=tuple(kept[: query.limit]), total=len(kept))

    async def jobs(self, query: JobQuery) -> JobList:
        """Return the history."""
        rows = [
            job
            for job in sorted(self._jobs.values(), key=lambda job: -job.id)
            if (not query.state or job.state in query.state) and (not query.kind or job.kind in query.kind)
            if query.until is None or job.created_at <= query.until
        ]
        page = [job for job in rows if query.before is None or job.id < query.before]
        return JobList(items=tuple(page[: query.limit]), total=len(rows))

    async def job(self, asked: JobPath) -> JobDetail:
        """Return one job with what the log says of it."""
        log = self.tap.recent(LogQuery(job=asked.job_id, limit=100))
        return JobDetail(**dict(self._known_job(asked)), log=log.items)

    def _known_job(self, asked: JobPath) -> Job:
        if asked.job_id not in self._jobs:
            raise UnknownThing(f"There is no job {asked.job_id}.", remedy="chartinsightctl jobs lists them.")
        return self._jobs[asked.job_id]

    async def universe(self, query: UniverseQuery) -> UniverseList:
        """Return the tracked symbols as members, and one stock that is left out."""
        members = [
            UniverseRow(symbol=one, name=self._names[one], market="KOSPI", market_cap=10**13, member=True)
            for one in self._tracked
        ]
        small = UniverseRow(
            symbol="000020",
            name="동화약품",
            market="KOSPI",
            market_cap=9 * 10**10,
            member=False,
            reason="too_small",
        )
        rows = [small] if query.excluded else members
        return UniverseList(
            day=query.day or self.clock.now().date(),
            members=len(members),
            excluded={"too_small": 1},
            items=tuple(rows[: query.limit]),
            total=len(rows),
        )

    async def stocks(self, query: StockQuery) -> StockList:
        """Return the stock list."""
        self._need_store()
        rows = [row for row in map(self._stock, self._names) if _is_wanted(row, query)]
        rows.sort(key=lambda row: -row.market_cap)
        return StockList(items=tuple(rows[: query.limit]), total=len(rows))

    async def candles(self, query: CandleQuery) -> CandleList:
        """Return a random walk that is the same each time."""
        self._need_store()
        self._need_known((query.symbol,))
        newest_first = () if self.scene is Scene.EMPTY else _candles(query, self.clock.now())
        rows = list(islice(newest_first, query.limit))
        return CandleList(
            symbol=query.symbol,
            name=self._names[query.symbol],
            timeframe=query.timeframe,
            adjusted=query.adjusted,
            as_of=query.as_of,
            items=tuple(reversed(rows)),
            has_older=len(rows) == query.limit,
        )

    async def candle_text(self, query: CandleTextQuery) -> CandleText:
        """Return the same candles as lines."""
        asked = CandleQuery(
            symbol=query.symbol, timeframe=query.timeframe, from_ts=query.from_ts, to_ts=query.to_ts
        )
        self._need_store()
        self._need_known((query.symbol,))
        newest_first = () if self.scene is Scene.EMPTY else _candles(asked, self.clock.now())
        rows = [row for row in newest_first if row.final or not query.final][::-1][: query.limit]
        lines = [_line(query.symbol, query.timeframe, row) for row in rows]
        ends = (rows[0].ts, rows[-1].ts) if rows else (None, None)
        return CandleText(text="".join(lines), rows=len(rows), first_ts=ends[0], last_ts=ends[1])

    async def revisions(self, query: RevisionQuery) -> RevisionList:
        """Return one change a timeframe and symbol."""
        self._need_store()
        wanted = query.symbol or tuple(self._tracked)[:3]
        symbols = [symbol for symbol in wanted if symbol in self._names]
        timeframes = query.timeframe or (Timeframe.M5, Timeframe.D1)
        rows = [self._revision(symbol, timeframe) for symbol in symbols for timeframe in timeframes]
        return RevisionList(items=tuple(rows[: query.limit]), total=len(rows))

    async def explain(self, query: ExplainQuery) -> Explanation:
        """Return a candle that was revised, whatever the moment."""
        self._need_store()
        self._need_known((query.symbol,))
        revision = self._revision(query.symbol, query.timeframe)
        return Explanation(
            symbol=query.symbol,
            name=self._names[query.symbol],
            timeframe=query.timeframe,
            at=query.at,
            ts=revision.ts,
            ends_at=revision.ts + timedelta(minutes=5),
            standing=Standing.FINAL,
            candle=revision.new,
            covered=True,
            read_at=_ago(60),
            revisions=(revision,),
        )

    async def adjustments(self, query: AdjustmentQuery) -> AdjustmentList:
        """Return Samsung's split."""
        self._need_store()
        rows = [self._adjustment(symbol) for symbol in query.symbol or ("005930",) if symbol in self._names]
        return AdjustmentList(items=tuple(rows[: query.limit]), total=len(rows))

    async def quarantine(self, query: QuarantineQuery) -> QuarantineList:
        """Return two rows that could not be candles."""
        self._need_store()
        rows = _quarantined() if self._tracked else []
        kept = [row for row in rows if not query.symbol or row.symbol in query.symbol]
        return QuarantineList(items=tuple(kept[: query.limit]), total=len(kept))

    async def config(self) -> SettingList:
        """Return a setting of each origin."""
        return SettingList(items=_SETTINGS)

    # what changes something

    async def backfill(self, request: BackfillRequest, caller: Caller) -> Outcome:
        """Add a job, or say what it would cost."""
        self._need_known(request.symbols)
        estimate = _estimate(request)
        if request.dry_run:
            return Outcome(changed=False, state=OutcomeState.ESTIMATED, estimate=estimate)
        return self._start("backfill", caller.name, request.model_dump(mode="json"), estimate)

    async def verify(self, request: VerifyRequest, caller: Caller) -> Outcome:
        """Add a job."""
        self._need_known(request.symbols)
        return self._start("verify", caller.name, request.model_dump(mode="json"))

    async def sync(self, caller: Caller) -> Outcome:
        """Add a job."""
        return self._start("sync", caller.name, {})

    async def retry(self, asked: JobPath, caller: Caller) -> Outcome:
        """Add an equal job."""
        job = self._known_job(asked)
        if not job.state.is_over:
            return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=job.id)
        return self._start(job.kind, caller.name, dict(job.params))

    async def tries(self, query: TryQuery) -> TryList:
        """Return the tries of all jobs."""
        rows = [
            TryRow(**dict(one), job_id=job.id, kind=job.kind)
            for job in sorted(self._jobs.values(), key=lambda job: -job.id)
            for one in job.progress.tries
            if not query.symbol or one.about[:6] in query.symbol
        ]
        return TryList(items=tuple(rows[: query.limit]), total=len(rows))

    async def cancel(self, asked: JobPath, caller: Caller) -> Outcome:
        """End a job."""
        self.asked.append(("cancel", caller.name))
        job_id, job = asked.job_id, self._known_job(asked)
        if job.kind == "poll":
            raise NotNow("Polling is the daemon's own work.", remedy="Use pause.")
        if job.state.is_over:
            return Outcome(changed=False, state=OutcomeState.ALREADY_OVER, job_id=job_id)
        self._put(job.model_copy(update={"state": JobState.CANCELLED, "finished_at": self.clock.now()}))
        return Outcome(changed=True, state=OutcomeState.CANCELLED, job_id=job_id)

    async def pause(self, request: PauseRequest, caller: Caller) -> Outcome:
        """Pause; the end is told and not kept."""
        outcome = self._set_paused(caller.name, paused=True)
        until = None if request.for_s is None else self.clock.now() + timedelta(seconds=request.for_s)
        return outcome.model_copy(update={"until": until})

    async def resume(self, caller: Caller) -> Outcome:
        """Go on."""
        return self._set_paused(caller.name, paused=False)

    async def track(self, request: SymbolsRequest, caller: Caller) -> Outcome:
        """Track symbols and load their horizon."""
        self._need_known(request.symbols)
        self.asked.append(("track", caller.name))
        new = tuple(symbol for symbol in dict.fromkeys(request.symbols) if symbol not in self._tracked)
        if not new:
            return Outcome(changed=False, state=OutcomeState.ALREADY_TRACKED)
        self._tracked.update(dict.fromkeys(new))
        job = self._start("backfill", caller.name, {"symbols": list(new)})
        outcome = Outcome(changed=True, state=OutcomeState.TRACKED, symbols=new, job_id=job.job_id)
        self.hub.publish(EventType.SYMBOLS, outcome)
        return outcome

    async def untrack(self, request: SymbolsRequest, caller: Caller) -> Outcome:
        """Track symbols no longer."""
        self.asked.append(("untrack", caller.name))
        gone = tuple(symbol for symbol in dict.fromkeys(request.symbols) if symbol in self._tracked)
        for symbol in gone:
            del self._tracked[symbol]
        state = OutcomeState.UNTRACKED if gone else OutcomeState.ALREADY_UNTRACKED
        outcome = Outcome(changed=bool(gone), state=state, symbols=gone)
        if gone:
            self.hub.publish(EventType.SYMBOLS, outcome)
        return outcome

    async def reload(self, caller: Caller) -> Outcome:
        """Find that nothing had changed."""
        self.asked.append(("reload", caller.name))
        return Outcome(changed=False, state=OutcomeState.ALREADY_CURRENT)

    # what happens

    def work(self, pages: int = 1) -> None:
        """Let every running job commit pages, and publish what a daemon would."""
        for job in [job for job in self._jobs.values() if job.state is JobState.RUNNING]:
            self._put(_further(job, pages, self.clock.now()))

    def tick(self, symbol: str = "005930", timeframe: Timeframe = Timeframe.M5) -> None:
        """Publish the forming candle of a series."""
        newest = next(_candles(CandleQuery(symbol=symbol, timeframe=timeframe), self.clock.now()))
        change = CandleChange(symbol=symbol, timeframe=timeframe, candle=newest)
        self.hub.publish(EventType.CANDLE, change, f"{symbol}/{timeframe}")

    def log(self, level: str, event: str, **fields: object) -> None:
        """Log an event."""
        self.tap(None, level, {"event": event, "level": level, "timestamp": _iso(self.clock.now()), **fields})

    # inside

    def _daemon(self) -> DaemonStatus:
        notes = {
            Scene.EMPTY: ("No symbol is tracked.",),
            Scene.ERROR: (
                "Waiting for PostgreSQL; pages go to the spool.",
                "Kiwoom refuses this address (8050).",
            ),
        }
        return DaemonStatus(
            version="0.1.0",
            pid=4_242,
            mode="simulation",
            environment="paper",
            started_at=_STARTED,
            uptime_s=(self.clock.now() - _STARTED).total_seconds(),
            state=DaemonState.PAUSED if self._paused else DaemonState.RUNNING,
            ready=self.scene is not Scene.ERROR,
            notes=notes.get(self.scene, ()),
        )

    def _need_store(self) -> None:
        if self.scene is Scene.ERROR:
            raise StoreUnavailable("PostgreSQL is not reachable.", remedy="Is it running? See database.dsn.")

    def _need_known(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            if symbol not in self._names:
                raise UnknownThing(
                    f"{symbol} is not listed.", remedy="chartinsightctl symbols list shows all."
                )

    def _coverage_row(self, symbol: str, timeframe: Timeframe, reason: GapReason | None) -> CoverageRow:
        expected = {Timeframe.D1: 4_800, Timeframe.W1: 1_000}.get(timeframe, 244)
        missing = 1 + crc32(symbol.encode()) % 20 if reason else 0
        return CoverageRow(
            symbol=symbol,
            name=self._names[symbol],
            timeframe=timeframe,
            from_ts=_kst(TODAY - timedelta(days=365)),
            to_ts=self.clock.now(),
            complete_ratio=(expected - missing) / expected,
            expected=expected,
            covered=expected - missing,
            missing=missing,
            newest_final_ts=_newest_final(timeframe),
            read_at=_ago(crc32(symbol.encode()) % 150),
            reason=reason,
        )

    def _gaps(self) -> list[GapRow]:
        """One series in eleven has a gap."""
        series = [(symbol, timeframe) for symbol in self._tracked for timeframe in Timeframe]
        days = list(_weekdays(None, TODAY - timedelta(days=1)))
        return [self._gap(*pair, number, days) for number, pair in enumerate(series[::11])]

    def _gap(self, symbol: str, timeframe: Timeframe, number: int, days: list[date]) -> GapRow:
        reasons = (
            GapReason.HALTED,
            GapReason.BROKER_ERROR,
            GapReason.NOT_FETCHED_YET,
            GapReason.BEYOND_RETENTION,
        )
        day = days[-1 - number % 20]
        return GapRow(
            symbol=symbol,
            name=self._names[symbol],
            timeframe=timeframe,
            from_ts=_kst(day, time(9)),
            to_ts=_kst(day, time(15, 30)),
            reason=reasons[number % len(reasons)],
            evidence={"told": "no data served", "failures": 1 + number},
            since=_kst(day + timedelta(days=1), time(7, 30)),
        )

    def _stock(self, symbol: str) -> StockRow:
        price = _base_price(symbol)
        return StockRow(
            symbol=symbol,
            name=self._names[symbol],
            market="KOSPI" if crc32(symbol.encode()) % 3 else "KOSDAQ",
            market_cap=price * (crc32(b"shares" + symbol.encode()) % 900_000_000 + 5_000_000),
            state="증거금20%|담보대출|신용가능",
            order_warning="0",
            nxt_enabled=bool(crc32(symbol.encode()) % 2),
            tracked=symbol in self._tracked,
            last_price=price,
            listed_on=date(1975 + crc32(symbol.encode()) % 50, 6, 11),
        )

    def _adjustment(self, symbol: str) -> AdjustmentRow:
        evidence = {"fraction": "1/50", "raw_close": 2_650_000, "adjusted_close": 53_000}
        return AdjustmentRow(
            symbol=symbol,
            name=self._names[symbol],
            ex_date=date(2018, 5, 4),
            price_factor=0.02,
            volume_factor=50.0,
            found_at=self.clock.now(),
            evidence=evidence,
        )

    def _seal(self, symbol: str, broken: bool) -> SealRow:
        evidence = {"volume_chain": not broken, "folds": ["30m", "1h"]}
        state = "broken" if broken else "sealed"
        name = self._names.get(symbol, "")
        return SealRow(symbol=symbol, name=name, day=SEALED_DAY, state=state, evidence=evidence)

    def _revision(self, symbol: str, timeframe: Timeframe) -> RevisionRow:
        query = CandleQuery(symbol=symbol, timeframe=timeframe, limit=30)
        old = list(islice(_candles(query, self.clock.now()), 30))[-1]
        return RevisionRow(
            symbol=symbol,
            name=self._names[symbol],
            timeframe=timeframe,
            ts=old.ts,
            changed_at=_ago(9_000),
            old=old,
            new=old.model_copy(update={"volume": old.volume + 1}),
            cause="reread",
        )

    def _start(
        self, kind: str, by: str, params: dict[str, object], estimate: BackfillEstimate | None = None
    ) -> Outcome:
        self.asked.append((kind, by))
        same = (job for job in self._jobs.values() if (job.kind, job.params) == (kind, params))
        if (running := next((job for job in same if not job.state.is_over), None)) is not None:
            return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=running.id)
        pages = estimate.requests if estimate else 10
        job = Job(
            id=max(self._jobs, default=0) + 1,
            kind=kind,
            state=JobState.RUNNING,
            requested_by=by,
            params=params,
            progress=JobProgress(fetches=pages, pages_expected=pages),
            eta_s=pages / 5,
            created_at=self.clock.now(),
            started_at=self.clock.now(),
        )
        self._put(job)
        return Outcome(changed=True, state=OutcomeState.STARTED, job_id=job.id, estimate=estimate)

    def _put(self, job: Job) -> None:
        is_new = job.id not in self._jobs
        self._jobs[job.id] = job
        kind = EventType.JOB if is_new or job.state.is_over else EventType.PROGRESS
        self.hub.publish(kind, job, str(job.id))

    def _set_paused(self, by: str, *, paused: bool) -> Outcome:
        verb, before = ("pause", "running") if paused else ("resume", "paused")
        self.asked.append((verb, by))
        if self._paused is paused:
            state = OutcomeState.ALREADY_PAUSED if paused else OutcomeState.ALREADY_RESUMED
            return Outcome(changed=False, state=state)
        self._paused = paused
        now = "paused" if paused else "running"
        self.hub.publish(EventType.STATE, StateChange(part="daemon", state=now, previous=before), "daemon")
        return Outcome(changed=True, state=OutcomeState.PAUSED if paused else OutcomeState.RESUMED)


@asynccontextmanager
async def serving(
    backend: FakeBackend, socket_path: Path, pace: StreamPace | None = None
) -> AsyncIterator[Path]:
    """Serve a made-up daemon on a real socket."""
    async with serve(socket_path, backend.handlers, backend.hub, backend.metrics, pace=pace):
        yield socket_path


def _names(count: int) -> dict[str, str]:
    names = dict(TARGETS)
    for number in range(count - len(names)):
        mark = crc32(str(number).encode())
        first, second = _FIRST[mark % len(_FIRST)], _SECOND[mark // 31 % (len(_SECOND) // 2) * 2 :][:2]
        names.setdefault(f"{900_000 + number}", f"{first}{second}{number}")
    return dict(list(names.items())[:count])


def _tracked(scene: Scene, names: dict[str, str]) -> dict[str, None]:
    if scene is Scene.EMPTY:
        return {}
    return dict.fromkeys(names if scene is Scene.MARKET else list(names)[: len(TARGETS)])


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def _kst(day: date, wall: time = time.min) -> datetime:
    return datetime.combine(day, wall, KST).astimezone(UTC)


def _day(instant: datetime) -> date:
    return instant.astimezone(KST).date()


def _weekdays(first: date | None, last: date) -> Iterator[date]:
    """Days from Monday to Friday, oldest first; 60 when no first day is given."""
    day = first if first is not None and (last - first).days < 400 else last - timedelta(days=83)
    while day <= last:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)


def _session() -> SessionStatus:
    return SessionStatus(
        phase=Phase.REGULAR,
        day=TODAY,
        opens_at=_kst(TODAY, time(9)),
        closes_at=_kst(TODAY, time(15, 30)),
        after_opens_at=_kst(TODAY, time(16)),
        ends_at=_kst(TODAY, time(20)),
        next_change_at=_kst(TODAY, time(15, 20)),
        next_session=TODAY + timedelta(days=1),
        previous_session=SEALED_DAY,
    )


def _token(refused: bool) -> TokenStatus:
    if refused:
        note = "8050: this address is not registered. Register it at openapi.kiwoom.com."
        return TokenStatus(state=TokenState.REFUSED, note=note)
    return TokenStatus(state=TokenState.VALID, expires_at=NOW + timedelta(hours=19))


def _database(away: bool) -> DatabaseStatus:
    note = "Connection refused. Is PostgreSQL running?" if away else ""
    return DatabaseStatus(
        kind="external" if away else "embedded",
        reachable=not away,
        version="18.6",
        size_bytes=412_876_800,
        schema_="simulation",
        note=note,
    )


def _lanes(idle: bool) -> tuple[GateLane, ...]:
    if idle:
        return (GateLane(api_id="ka10080", limit=5, ceiling=5, recent=(0,) * 60),)
    minute = GateLane(
        api_id="ka10080",
        limit=4,
        ceiling=5,
        queued={PriorityName.LIVE: 2, PriorityName.BACKFILL: 418},
        in_flight=3,
        sent_last_minute=228,
        utilisation=0.95,
        throttled=2,
        recent=tuple(3 + crc32(bytes([second])) % 2 for second in range(60)),
    )
    day = GateLane(
        api_id="ka10081", limit=5, ceiling=5, sent_last_minute=30, utilisation=0.1, recent=(1, 0) * 30
    )
    return (minute, day)


def _nxt() -> VenueStatus:
    """NXT beside KRX, with three sessions missing."""
    return VenueStatus(
        venue=Venue.NXT,
        symbols=12,
        freshness=(Freshness(timeframe=Timeframe.M5, worst_age_s=20.0, median_age_s=0.0, newest_ts=NOW),),
        expected=12_400,
        missing=3,
        unsealed=1,
        rows_today=RowCounts(inserted=1_900),
    )


def _live(*, away: bool) -> LiveStatus:
    """The stream of trades: open, or taken over by another program."""
    if away:
        return LiveStatus(
            state=LiveState.LOST, note="Another session logged in [R10001]. Give it its own key."
        )
    closes = CloseCounts(compared=412, differing=3, wrong=0, unseen=1, shares_missing=58)
    return LiveStatus(state=LiveState.OPEN, since=_ago(5_400), symbols=30, trades=182_412, closes=closes)


def _freshness() -> Iterator[Freshness]:
    for number, timeframe in enumerate(Timeframe):
        late = timeframe is Timeframe.M5
        yield Freshness(
            timeframe=timeframe,
            worst_age_s=152.0 if late else 0.0,
            median_age_s=float(number),
            worst_symbol="247540",
            newest_ts=_newest_final(timeframe),
            late=1 if late else 0,
            late_symbols=("247540",) if late else (),
        )


def _newest_final(timeframe: Timeframe) -> datetime:
    newest = {
        Timeframe.M5: _kst(TODAY, time(10)),
        Timeframe.M30: _kst(TODAY, time(9, 30)),
        Timeframe.H1: _kst(TODAY, time(9)),
        Timeframe.D1: _kst(date(2026, 10, 13)),
        Timeframe.W1: _kst(date(2026, 10, 5)),
    }
    return newest[timeframe]


def _alerts(away: bool) -> tuple[Alert, ...]:
    over = Alert(
        at=_ago(5_400),
        level="warning",
        event="gate.throttled",
        message="Kiwoom refused 2 requests for their pace.",
        ended_at=_ago(5_340),
    )
    lasting = Alert(
        at=_ago(420),
        level="error",
        event="database.away",
        message="PostgreSQL is not reachable.",
        remedy="Is it running? See database.dsn.",
    )
    return (lasting, over) if away else (over,)


def _channels(*, mail_fails: bool = False) -> tuple[ChannelState, ...]:
    mail = ChannelState(channel="mail", ok=True)
    if mail_fails:
        mail = ChannelState(
            channel="mail", ok=False, detail="The mail server took no mail.", remedy="Check alerts.smtp_host."
        )
    return ChannelState(channel="slack", ok=True), mail


def _jobs() -> Iterator[Job]:
    half = JobProgress(
        fetches=10, fetches_done=4, pages=212, pages_expected=530, inserted=190_800, unchanged=12
    )
    yield Job(
        id=7,
        kind="backfill",
        state=JobState.RUNNING,
        requested_by="yuna",
        params={"symbols": ["005930", "006400"], "timeframes": ["5m", "1d"]},
        progress=half,
        eta_s=64.0,
        rate=4.9,
        created_at=_ago(50),
        started_at=_ago(48),
    )
    ends = (
        (6, "poll", JobState.RUNNING, None),
        (5, "catch_up", JobState.DONE, None),
        (4, "backfill", JobState.FAILED, "Kiwoom has no such symbol: 0126Z0 (1901)."),
        (3, "sync", JobState.DONE, None),
        (2, "backfill", JobState.CANCELLED, None),
        (1, "catch_up", JobState.INTERRUPTED, None),
    )
    for id_, kind, state, error in ends:
        at = _ago(10_000 - id_ * 900)
        done = JobProgress(fetches=150, fetches_done=150, pages=170, inserted=id_ * 1_000, unchanged=40_000)
        yield Job(
            id=id_,
            kind=kind,
            state=state,
            requested_by="yuna" if kind == "backfill" else "daemon",
            params={},
            progress=done,
            error=error,
            created_at=at,
            started_at=at,
            finished_at=at + timedelta(seconds=60) if state.is_over else None,
        )


def _log_lines() -> Iterator[dict[str, object]]:
    events = (
        ("info", "backfill.page_stored", {"job": 7, "rows": 900, "took_s": 0.21}),
        ("info", "collector.candle_stored", {"timeframe": "5m", "rows": 1}),
        ("debug", "gate.waited", {"api_id": "ka10080", "waited_s": 0.2}),
        ("warning", "gate.throttled", {"api_id": "ka10080", "limit": 4}),
        ("error", "backfill.failed", {"job": 4, "error": "Kiwoom has no such symbol (1901)."}),
    )
    symbols = list(TARGETS)
    for number in range(200):
        level, event, fields = events[crc32(bytes([number])) % len(events)]
        symbol = symbols[number % len(symbols)]
        at = _iso(_ago((200 - number) * 3))
        yield {"timestamp": at, "level": level, "event": event, "symbol": symbol, **fields}


def _quarantined() -> list[QuarantinedRow]:
    return [
        QuarantinedRow(
            received_at=_ago(3_000 + number),
            api_id="ka10080",
            symbol=symbol,
            reason="open_pric_not_a_number",
            payload={"cntr_tm": "20261014093000", "open_pric": "", "cur_prc": "-78900"},
        )
        for number, symbol in enumerate(("005930", "035720"))
    ]


def _estimate(request: BackfillRequest) -> BackfillEstimate:
    first = request.from_day or date(2025, 10, 14)
    days = max(1, ((request.to_day or TODAY) - first).days)
    timeframes = request.timeframes or tuple(Timeframe)
    cost: dict[str, int] = {}
    for timeframe in timeframes:
        api_id = _API_OF.get(timeframe, "ka10080")
        rows = days * {Timeframe.M5: 78, Timeframe.M30: 13, Timeframe.H1: 7}.get(timeframe, 1)
        cost[api_id] = cost.get(api_id, 0) + len(request.symbols) * (1 + rows // 900)
    lanes = tuple(LaneCost(api_id=api_id, requests=n, seconds=n / 5) for api_id, n in cost.items())
    return BackfillEstimate(
        requests=sum(cost.values()),
        seconds=max(lane.seconds for lane in lanes),
        lanes=lanes,
        series=len(request.symbols) * len(timeframes),
    )


def _found_different() -> dict[str, object]:
    one = CandleDifference(
        symbol="005930",
        timeframe=Timeframe.M5,
        ts=_kst(TODAY, time(10)),
        kind="values",
        expected={"volume": 1_200},
        found={"volume": 1_100},
    )
    day = VerifiedDay(
        symbol=one.symbol,
        timeframe=one.timeframe,
        day=_day(one.ts),
        equal=76,
        differing=1,
        outcome="corrected",
    )
    rest = VerifiedDay(symbol=one.symbol, timeframe=one.timeframe, equal=8_923, outcome="same")
    return {"equal": 8_999, "differing": 1, "differences": (one,), "results": (day, rest)}


def _further(job: Job, pages: int, now: datetime) -> Job:
    progress = job.progress
    expected = progress.pages_expected or progress.fetches
    done = min(expected, progress.pages + pages)
    rows = progress.inserted + max(0, done - progress.pages) * 900
    moved = progress.model_copy(update={"pages": done, "inserted": rows})
    if done < expected:
        return job.model_copy(update={"progress": moved, "eta_s": (expected - done) / 5, "rate": 5.0})
    over = {"state": JobState.DONE, "finished_at": now, "eta_s": None, "rate": None}
    found = _found_different() if job.kind == "verify" else {}
    finished = moved.model_copy(update={"fetches_done": progress.fetches, **found})
    return job.model_copy(update={"progress": finished, **over})


def _is_wanted(row: StockRow, query: StockQuery) -> bool:
    text = query.search.casefold()
    return (
        (not query.symbol or row.symbol in query.symbol)
        and (not text or text in row.name.casefold() or row.symbol.startswith(text.upper()))
        and (not query.market or row.market in query.market)
        and (query.tracked is None or row.tracked is query.tracked)
    )


def _base_price(symbol: str) -> int:
    return 5_000 + crc32(symbol.encode()) % 300_000 // 100 * 100


def _candles(query: CandleQuery, now: datetime) -> Iterator[CandleRow]:
    """Candles of a series, newest first, back to 2005."""
    for ts in _starts(query.timeframe, min(now, query.to_ts or now), now):
        if query.from_ts is not None and ts < query.from_ts:
            return
        if query.to_ts is None or ts < query.to_ts:
            yield _candle(query.symbol, query.timeframe, ts, _end(query.timeframe, ts) <= now)


def _line(symbol: str, timeframe: Timeframe, row: CandleRow) -> str:
    """Return a candle as a line of CSV."""
    ts = row.ts.astimezone(KST).isoformat(" ")
    value = "" if row.value is None else row.value
    prices = f"{row.open},{row.high},{row.low},{row.close}"
    return f"{symbol},{timeframe},{ts},{prices},{row.volume},{value},{row.final}\n"


def _starts(timeframe: Timeframe, until: datetime, now: datetime) -> Iterator[datetime]:
    day, oldest = _day(until), date(2005, 1, 3) if not timeframe.is_intraday else date(2025, 10, 14)
    while day >= oldest:
        if day.weekday() < (1 if timeframe is Timeframe.W1 else 5):
            yield from (ts for ts in _starts_of_day(timeframe, day) if ts <= min(until, now))
        day -= timedelta(days=1)


def _starts_of_day(timeframe: Timeframe, day: date) -> list[datetime]:
    span = _SPAN_MINUTES.get(timeframe)
    if span is None:
        return [_kst(day)]
    opens = _kst(day, time(9))
    return [opens + timedelta(minutes=minute) for minute in range(0, _SESSION_MINUTES, span)][::-1]


def _end(timeframe: Timeframe, ts: datetime) -> datetime:
    if timeframe.is_intraday:
        return ts + timeframe.span
    days = 4 if timeframe is Timeframe.W1 else 0
    return ts + timedelta(days=days, hours=15, minutes=30)


def _candle(symbol: str, timeframe: Timeframe, ts: datetime, final: bool) -> CandleRow:
    step = timedelta(minutes=_SPAN_MINUTES.get(timeframe, 1_440))
    opened, closed = _price(symbol, ts - step), _price(symbol, ts)
    wick = max(100, closed // 100_000 * 100)
    mark = crc32(f"{symbol}{timeframe}{ts:%Y%m%d%H%M}".encode())
    volume = 1_000 + mark % 900_000
    return CandleRow(
        ts=ts,
        open=opened,
        high=max(opened, closed) + wick * (mark % 4),
        low=max(100, min(opened, closed) - wick * (mark // 7 % 4)),
        close=closed,
        volume=volume,
        value=None if timeframe.is_intraday else volume * closed,
        final=final,
    )


def _price(symbol: str, at: datetime) -> int:
    """A price in won that wanders slowly and trembles: a pure function."""
    base = _base_price(symbol)
    hours = at.timestamp() / 3_600
    wave = sum(
        (abs((hours / length) % 2 - 1) - 0.5) * size
        for length, size in ((2_000, 0.6), (170, 0.12), (7, 0.02))
    )
    tremble = (crc32(f"{symbol}{hours:.2f}".encode()) % 200 - 100) / 10_000
    return max(100, round(base * (1 + wave + tremble) / 100) * 100)


def _point(day: datetime, kind: str, grade: str, price: int) -> PointRow:
    known = day + timedelta(days=2, hours=20)
    return PointRow(ts=day, kind=kind, grade=grade, price=price, confirmed_at=known, cause="reversal")


def _pattern_row(symbol: str, name: str) -> PatternRow:
    days = [datetime(2026, 9, day, tzinfo=KST).astimezone(UTC) for day in (1, 8, 15, 22)]
    points = zip(("first", "neckline", "second"), days, (68_000, 72_500, 68_200), strict=False)
    return PatternRow(
        pattern_id=f"double_bottom:{symbol}",
        symbol=symbol,
        name=name,
        timeframe=Timeframe.D1,
        kind="double_bottom",
        state="completed",
        at=days[3],
        confirmed_at=days[3] + timedelta(hours=20),
        points=tuple(PatternPointRow(role=role, ts=day, price=price) for role, day, price in points),
        levels={"neckline": 72_500.0},
        evidence={"apart": (0.24, "atr")},
    )
