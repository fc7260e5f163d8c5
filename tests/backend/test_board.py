"""The board shows what is, and does what is asked, over the real services in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from chartinsightd.backend.assembly import Backend
from chartinsightd.backend.configuration import Reloaded
from chartinsightd.cli.waiting import how_it_ended, status_of
from chartinsightd.control.handlers import NotNow, UnknownThing
from chartinsightd.control.operations import (
    BACKFILL,
    CANCEL,
    CANDLES,
    COVERAGE,
    HEALTH,
    JOB,
    JOBS,
    PAUSE,
    RELOAD,
    RESUME,
    RETRY,
    SESSION_COVERAGE,
    STATUS,
    SYNC,
    TRACK,
    UNTRACK,
    VERIFY,
)
from chartinsightd.control.protocol.coverage import CoverageQuery, SessionCoverageQuery
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    JobPath,
    JobQuery,
    JobState,
    OutcomeState,
    PauseRequest,
    SymbolsRequest,
    VerifyRequest,
)
from chartinsightd.control.protocol.rows import CandleQuery
from chartinsightd.control.protocol.status import DaemonState, Phase, TokenState
from chartinsightd.domain.errors import (
    AccessBlocked,
    ConfigurationError,
    SourceUnavailable,
    StoreUnavailable,
)
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.series import Series
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.candles import RowDifference
from chartinsightd.ports.stores import Seal
from chartinsightd.service.sealing.sealer import Sealer
from tests.backend.conftest import BackendWorld, Listener, ask
from tests.support.virtual import cancelled_after, in_virtual_time

MORNING = datetime(2026, 9, 15, 10, 2, tzinfo=KST)
OLD = BackfillRequest(
    symbols=("005930",), timeframes=(Timeframe.D1,), from_day=date(2020, 1, 2), to_day=date(2024, 12, 30)
)


@asynccontextmanager
async def on_board() -> AsyncIterator[tuple[BackendWorld, Backend]]:
    """Run a backend over the real services; give them a minute after the start."""
    world = BackendWorld(MORNING)
    async with world.on_board() as backend:
        await world.clock.sleep(60)
        yield world, backend


@in_virtual_time
async def test_the_status_tells_that_all_is_well() -> None:
    """After the first catch-up everything is fresh, counted and ready."""
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        status = await ask(backend, STATUS)
        health = await ask(backend, HEALTH)
        is_healthy = world.is_healthy()

    assert status.daemon.ready
    assert status.daemon.state is DaemonState.RUNNING
    assert status.token.state is TokenState.VALID
    assert (status.tracked, status.listed) == (1, 4)
    assert {one.timeframe: (one.worst_age_s, one.late) for one in status.freshness} == dict.fromkeys(
        Timeframe, (0.0, 0)
    )
    assert status.rows_today.inserted == len(world.store.candles)
    assert health.ok
    assert is_healthy


@in_virtual_time
async def test_coverage_is_complete_after_the_first_load_and_not_before() -> None:
    """Every expected session is counted, and missing until its candles are committed."""
    async with on_board() as (world, backend):
        before = await ask(backend, COVERAGE, CoverageQuery(symbol=("000660",)))
        await ask(backend, TRACK, SymbolsRequest(symbols=("000660",)))
        await world.clock.sleep(60)
        after = await ask(backend, COVERAGE, CoverageQuery())

    assert {row.covered for row in before.items} == {0}
    assert all(row.expected > 0 and row.missing == row.expected for row in before.items)
    assert {row.complete_ratio for row in after.items} == {1.0}
    assert {row.name for row in after.items} == {"삼성전자", "SK하이닉스"}
    assert len(after.items) == 2 * len(Timeframe)


@in_virtual_time
async def test_sessions_that_are_complete_are_not_listed() -> None:
    """Only days that lack something are told, with their share and the reason."""
    async with on_board() as (_, backend):
        query = SessionCoverageQuery(timeframe=Timeframe.M5)
        whole = await ask(backend, SESSION_COVERAGE, query)
        empty = await ask(backend, SESSION_COVERAGE, query.model_copy(update={"symbol": ("000660",)}))

    assert whole.items == ()
    assert whole.days[-1] == date(2026, 9, 15)
    assert {item.day for item in empty.items} == set(whole.days)
    assert {item.complete_ratio for item in empty.items} == {0.0}


@in_virtual_time
async def test_a_local_verification_asks_nothing_of_the_broker() -> None:
    """Pieces that differ from what was written are counted: candles gone, added, or with other values."""
    series = Series(symbol="005930", timeframe=Timeframe.D1)
    pieces = [(10, 7), (5, 6), (4, 4)]
    async with on_board() as (world, backend):
        world.differences = [
            RowDifference(series=series, first=0, end=1, written=written, found=found)
            for written, found in pieces
        ]
        asked = len(world.broker.requests)
        started = await ask(backend, VERIFY, VerifyRequest(local=True))
        await cancelled_after(world.proofs.verifications.run(), 1)
        assert len(world.broker.requests) == asked
        audited = world.audited
        job = await ask(backend, JOB, JobPath(job_id=started.job_id))

    assert audited == [("005930",)]
    assert (job.progress.missing, job.progress.extra, job.progress.differing) == (3, 1, 4)
    assert how_it_ended(job).endswith("4 in pieces with other values, 3 missing, 1 extra.")
    assert status_of(job) == 1
    with pytest.raises(ValidationError, match="neither timeframes nor days"):
        VerifyRequest(local=True, timeframes=(Timeframe.D1,))


@in_virtual_time
async def test_a_backfill_is_estimated_started_once_and_done() -> None:
    """A dry run costs nothing; the same order twice is one job; a covered range needs none."""
    async with on_board() as (world, backend):
        world.broker.pace_s = 5.0
        estimate = await ask(backend, BACKFILL, OLD.model_copy(update={"dry_run": True}))
        jobs_before = len(world.store.jobs)
        first = await ask(backend, BACKFILL, OLD)
        second = await ask(backend, BACKFILL, OLD, by="you")
        await world.clock.sleep(8)
        halfway = await ask(backend, JOB, JobPath(job_id=first.job_id))
        await world.clock.sleep(60)
        over = await ask(backend, JOB, JobPath(job_id=first.job_id))
        third = await ask(backend, BACKFILL, OLD)

    assert estimate.state is OutcomeState.ESTIMATED
    assert estimate.estimate is not None
    assert estimate.estimate.requests == 2
    assert [(lane.api_id, lane.requests) for lane in estimate.estimate.lanes] == [("ka10081", 2)]
    assert estimate.estimate.seconds == pytest.approx(0.4)
    assert (first.state, first.job_id) == (OutcomeState.STARTED, jobs_before + 1)
    assert (second.state, second.job_id) == (OutcomeState.ALREADY_RUNNING, first.job_id)
    assert halfway.state is JobState.RUNNING
    assert halfway.progress.pages_expected == 2
    assert halfway.eta_s is not None
    assert over.state is JobState.DONE
    assert third.state is OutcomeState.ALREADY_COMPLETE


@in_virtual_time
async def test_a_backfill_is_cancelled_once() -> None:
    """Cancelling ends it; again, it is over; the daemon's own jobs are not cancelled."""
    async with on_board() as (world, backend):
        world.broker.pace_s = 5.0
        job_id = (await ask(backend, BACKFILL, OLD)).job_id
        first = await ask(backend, CANCEL, JobPath(job_id=job_id))
        await world.clock.sleep(30)
        second = await ask(backend, CANCEL, JobPath(job_id=job_id))
        with pytest.raises(UnknownThing):
            await ask(backend, CANCEL, JobPath(job_id=999))
        world.broker.pace_s = 60.0
        await world.clock.sleep(105)  # in the middle of the poll of 10:05
        [poll] = [job for job in world.jobs.running() if job.kind == "poll"]
        with pytest.raises(NotNow):
            await ask(backend, CANCEL, JobPath(job_id=poll.id))
        assert (first.state, second.state, (await ask(backend, JOB, JobPath(job_id=job_id))).state) == (
            OutcomeState.CANCELLED,
            OutcomeState.ALREADY_OVER,
            JobState.CANCELLED,
        )


@in_virtual_time
async def test_a_job_is_done_again() -> None:
    """A cancelled backfill as a new job of what is missing; what runs is left alone."""
    async with on_board() as (world, backend):
        world.broker.pace_s = 5.0
        first = await ask(backend, BACKFILL, OLD)
        running = await ask(backend, RETRY, JobPath(job_id=first.job_id))
        await ask(backend, CANCEL, JobPath(job_id=first.job_id))
        await world.clock.sleep(30)
        again = await ask(backend, RETRY, JobPath(job_id=first.job_id))
        assert again.job_id is not None
        params = [world.store.jobs[job_id]["params"] for job_id in (first.job_id or 0, again.job_id)]
        polls = await ask(backend, JOBS, JobQuery(kind=("poll", "catch_up")))
        nothing = await ask(backend, RETRY, JobPath(job_id=polls.items[-1].id))
        with pytest.raises(UnknownThing):
            await ask(backend, RETRY, JobPath(job_id=999))
    assert (running.state, running.job_id) == (OutcomeState.ALREADY_RUNNING, first.job_id)
    assert (again.state, again.job_id == first.job_id) == (OutcomeState.STARTED, False)
    assert params[0] == params[1]
    assert nothing.state in {OutcomeState.ALREADY_COMPLETE, OutcomeState.ALREADY_RUNNING}


@in_virtual_time
async def test_an_open_seal_is_shown_with_its_session_and_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day that is stored and not proved is no complete day: coverage says so, for what may be wrong."""
    evidence = {"suspects": ["5m", "30m"], "rereads": 1}
    seals = [
        Seal(symbol="005930", day=date(2026, 9, 10), state="unproved", evidence={}),
        Seal(symbol="005930", day=date(2026, 9, 11), state="broken", evidence=evidence),
    ]
    monkeypatch.setattr(Sealer, "open_seals", lambda _: seals)
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        coverage = await ask(backend, COVERAGE, CoverageQuery())
        sessions = [
            await ask(backend, SESSION_COVERAGE, SessionCoverageQuery(timeframe=timeframe))
            for timeframe in (Timeframe.M5, Timeframe.M30, Timeframe.H1)
        ]

    shown = {row.timeframe: (row.missing, row.unsealed, row.reason) for row in coverage.items}
    assert shown == {
        Timeframe.M5: (0, 2, GapReason.BROKEN),
        Timeframe.M30: (0, 1, GapReason.BROKEN),
        **dict.fromkeys((Timeframe.H1, Timeframe.D1, Timeframe.W1), (0, 0, None)),
    }
    assert [[(one.day.day, one.complete_ratio, one.reason) for one in some.items] for some in sessions] == [
        [(10, 1.0, GapReason.UNPROVED), (11, 1.0, GapReason.BROKEN)],
        [(11, 1.0, GapReason.BROKEN)],
        [],
    ]


@in_virtual_time
async def test_sessions_that_stay_broken_are_one_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is read again nobody is told; when that was in vain, once, and once when it is over."""
    seals: list[Seal] = []
    monkeypatch.setattr(Sealer, "open_seals", lambda _: seals)

    def broken(day: int, rereads: int) -> Seal:
        return Seal(symbol="005930", day=date(2026, 9, day), state="broken", evidence={"rereads": rereads})

    async with on_board() as (world, backend):
        shown = []
        for found in ([broken(10, 2)], [broken(10, 3)], [broken(10, 3), broken(11, 3)], []):
            seals[:] = found
            await world.clock.sleep(60)
            shown.append([(one.event, one.ended_at is None) for one in (await ask(backend, STATUS)).alerts])
        [alert] = (await ask(backend, STATUS)).alerts

    lasting = [("seals.broken", True)]
    assert shown == [[], lasting, lasting, [("seals.broken", False)]]
    assert "2026-09-10 of 005930" in alert.message
    assert "chartinsightctl seals" in alert.remedy


@in_virtual_time
async def test_a_learned_day_is_one_alert_and_a_note() -> None:
    """Who looks while a supposed session is silent is told so; the session is over with it."""
    async with on_board() as (world, backend):
        now = world.clock.now()
        world.current_rules.replace_learned(
            [LearnedDay(day=day_of(now), is_open=False, evidence={}, learned_at=now)]
        )
        await world.clock.sleep(60)
        status = await ask(backend, STATUS)
        world.current_rules.replace_learned([])
        await world.clock.sleep(60)
        after = await ask(backend, STATUS)

    assert [alert.event for alert in status.alerts] == ["calendar.learned"]
    assert status.daemon.notes == (status.alerts[0].message,)
    assert status.session.phase is Phase.CLOSED
    assert [alert.ended_at is not None for alert in after.alerts] == [True]


@in_virtual_time
async def test_while_paused_the_broker_is_asked_nothing() -> None:
    """Neither polls nor backfills pass; resumed, everything is caught up."""
    async with on_board() as (world, backend):
        states = [
            (await ask(backend, PAUSE, PauseRequest())).state,
            (await ask(backend, PAUSE, PauseRequest())).state,
        ]
        await ask(backend, BACKFILL, OLD)
        asked = len(world.broker.requests)
        await world.clock.sleep(3600)
        while_paused = len(world.broker.requests) - asked
        with pytest.raises(NotNow):
            await ask(backend, SYNC)
        paused, health = await ask(backend, STATUS), await ask(backend, HEALTH)
        is_healthy = world.is_healthy()
        states += [(await ask(backend, RESUME)).state, (await ask(backend, RESUME)).state]
        await world.clock.sleep(60)
        status = await ask(backend, STATUS)
        coverage = await ask(backend, COVERAGE, CoverageQuery())

    assert states == ["paused", "already_paused", "resumed", "already_resumed"]
    assert while_paused == 0
    assert paused.daemon.state is DaemonState.PAUSED
    assert health.ok
    assert is_healthy
    assert max(one.worst_age_s or 0.0 for one in paused.freshness) > 3000
    assert {one.late for one in status.freshness} == {0}
    assert {row.missing for row in coverage.items} == {0}


@in_virtual_time
async def test_a_symbol_added_by_hand_is_loaded_and_stays() -> None:
    """It is collected at once, in a job that is named; a restart and a new list change nothing."""
    async with on_board() as (world, backend):
        request = SymbolsRequest(symbols=("000660", "005930"))
        first, second = await ask(backend, TRACK, request), await ask(backend, TRACK, request)
        await world.clock.sleep(60)
        rows = world.rows("000660", Timeframe.D1)
        await ask(backend, SYNC)
        await world.clock.sleep(5)
        with pytest.raises(UnknownThing):
            await ask(backend, TRACK, SymbolsRequest(symbols=("999999",)))
        tracked = world.collected.symbols
        syncs = await ask(backend, JOBS, JobQuery(kind=("sync",)))

    assert (first.state, first.symbols) == (OutcomeState.TRACKED, ("000660",))
    assert first.job_id is not None
    assert second.state is OutcomeState.ALREADY_TRACKED
    assert rows > 0
    assert tracked == ("005930", "000660")
    assert [job.requested_by for job in syncs.items] == ["me", "daemon"]


@in_virtual_time
async def test_a_symbol_removed_by_hand_is_left_alone_and_keeps_its_candles() -> None:
    """The configuration names it, the person does not want it: the person wins."""
    async with on_board() as (world, backend):
        request = SymbolsRequest(symbols=("005930",))
        first, second = await ask(backend, UNTRACK, request), await ask(backend, UNTRACK, request)
        world.broker.requests.clear()
        rows = world.rows("005930", Timeframe.D1)
        await world.clock.sleep(3600)
        await ask(backend, SYNC)
        await world.clock.sleep(5)
        requests = world.broker.requests
        tracked = world.collected.symbols
        status = await ask(backend, STATUS)

    assert (first.state, second.state) == (OutcomeState.UNTRACKED, OutcomeState.ALREADY_UNTRACKED)
    assert rows > 0
    assert requests == []
    assert tracked == ()
    assert status.daemon.notes == ("No symbol is tracked.",)


@in_virtual_time
async def test_a_blocked_broker_is_told_with_its_remedy_and_not_answered_with_a_restart() -> None:
    """Token, health and one alert say what to mend; the watchdog is fed: a restart would mend nothing."""
    with capture_logs() as logs:
        async with on_board() as (world, backend):
            listener = Listener(world.hub)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(listener.listen())
                block = AccessBlocked("8050: unknown address", remedy="Register it.", code="8050")
                world.broker.errors = [block] * 2
                await world.clock.sleep(400)
                blocked = (
                    await ask(backend, STATUS),
                    await ask(backend, HEALTH),
                    world.is_healthy(),
                )
                await world.clock.sleep(900)
                task.cancel()
            (status, health, is_healthy) = blocked
            after = await ask(backend, STATUS)

    assert status.token.state is TokenState.REFUSED
    assert "Register it." in status.token.note
    [(part, remedy)] = [(check.part, check.remedy) for check in health.checks if not check.ok]
    assert part == "broker"
    assert remedy.startswith("Register it. Once it is fixed, `chartinsightctl resume`")
    assert is_healthy
    assert after.token.state is TokenState.VALID
    assert [alert.ended_at is None for alert in listener.of(EventType.ALERT)] == [True, False]
    told = [line["event"] for line in logs if line["event"].startswith("alert.")]
    assert [word for word in told if word != "alert.delivered"] == ["alert.begun", "alert.ended"]


@in_virtual_time
async def test_a_database_that_is_away_never_stops_the_status() -> None:
    """Status and health tell it; what lies in the database is refused; its return ends the alert."""
    async with on_board() as (world, backend):
        world.archive.is_away = True
        await world.clock.sleep(10)
        away = await ask(backend, STATUS), await ask(backend, HEALTH), world.is_healthy()
        with pytest.raises(StoreUnavailable):
            await ask(backend, JOBS, JobQuery())
        coverage = await ask(backend, COVERAGE, CoverageQuery())
        world.archive.is_away = False
        await world.clock.sleep(10)
        (status, health, is_healthy) = away
        after = await ask(backend, STATUS)

    assert not status.database.reachable
    assert status.database.version == "18.6"
    assert [alert.event for alert in status.alerts] == ["database.away"]
    assert not health.ok
    assert is_healthy
    assert len(coverage.items) == len(Timeframe)
    assert after.database.reachable
    assert [alert.ended_at is not None for alert in after.alerts] == [True]


@in_virtual_time
async def test_due_data_that_nobody_commits_starves_the_watchdog() -> None:
    """A daemon whose loop turns while its work stands still is not healthy, and says so."""
    world = BackendWorld(MORNING)
    async with world.on_board(without=["scheduler"]) as backend:
        await world.clock.sleep(250)
        early = world.is_healthy()
        await world.clock.sleep(120)
        late, health, status = world.is_healthy(), await ask(backend, HEALTH), await ask(backend, STATUS)

    assert (early, late) == (True, False)
    assert [check.part for check in health.checks if not check.ok] == ["data"]
    assert [alert.event for alert in status.alerts] == ["data.stalled"]


@in_virtual_time
async def test_a_missed_freshness_target_is_told_and_decides_what_is_fresh() -> None:
    """A person's target, in trading time, raises the alert; a timeframe without a target raises none."""
    world = BackendWorld(MORNING, freshness_targets_s={Timeframe.M5: 200.0, Timeframe.D1: 3_600.0})
    async with world.on_board() as backend:
        await world.clock.sleep(60)
        await ask(backend, PAUSE, PauseRequest())
        early = await ask(backend, STATUS)
        await world.clock.sleep(700)
        late = await ask(backend, STATUS)
    of = {one.timeframe: one for one in late.freshness}

    assert "freshness.missed" not in [alert.event for alert in early.alerts]
    [alert] = [alert for alert in late.alerts if alert.event == "freshness.missed"]
    assert "5m by" in alert.message
    assert "target 200 s, 005930" in alert.message
    assert [of[timeframe].target_s for timeframe in (Timeframe.M5, Timeframe.M30)] == [200.0, None]
    assert not of[Timeframe.M5].is_fresh


@in_virtual_time
async def test_what_the_broker_was_asked_for_and_did_not_give_is_late() -> None:
    """Charts that stand still are read again and again: a reading alone makes nothing fresh."""
    async with on_board() as (world, backend):
        world.broker.halted.add("005930")
        await world.clock.sleep(1_500)
        status = await ask(backend, STATUS)
    of = {one.timeframe: one for one in status.freshness}

    assert (of[Timeframe.M5].late, of[Timeframe.M5].late_symbols) == (1, ("005930",))
    assert 1_000 < (of[Timeframe.M5].worst_age_s or 0.0) <= 1_500
    assert status.verdict.state != "well"


@in_virtual_time
async def test_a_database_that_comes_back_is_given_its_time() -> None:
    """What waited for it for an hour is not late in the moment of its return: one alert, not two."""
    async with on_board() as (world, backend):
        world.archive.is_away = True
        world.store.errors = [StoreUnavailable("away") for _ in range(115)]
        await world.clock.sleep(3600)
        world.archive.is_away = False
        healthy = []
        for _ in range(30):
            await world.clock.sleep(1)
            healthy.append(world.is_healthy())
        await world.clock.sleep(600)
        status = await ask(backend, STATUS)

    assert all(healthy)
    assert [(alert.event, alert.ended_at is None) for alert in status.alerts] == [("database.away", False)]


@in_virtual_time
async def test_a_silent_night_is_healthy() -> None:
    """Where nothing is due, a long time without a commit proves nothing bad."""
    world = BackendWorld(datetime(2026, 9, 15, 21, 0, tzinfo=KST))
    async with world.on_board() as backend:
        await world.clock.sleep(2000)
        silent_s, is_healthy, ok = (
            world.monitor.commits.age_s,
            world.is_healthy(),
            (await ask(backend, HEALTH)).ok,
        )

    assert silent_s > 1800
    assert is_healthy
    assert ok


@in_virtual_time
async def test_a_look_that_is_too_old_proves_nothing() -> None:
    """When the pulse itself stands still, the watchdog is not fed."""
    world = BackendWorld(MORNING)
    async with world.on_board(without=["monitor"]):
        await world.clock.sleep(120)
        assert world.is_healthy() is False


@in_virtual_time
async def test_a_broker_that_is_away_is_one_alert() -> None:
    """However many series fail, the outage is one alert, and its end another."""
    world = BackendWorld(MORNING)
    world.broker.errors = [SourceUnavailable("down") for _ in range(8)]
    async with world.on_board() as backend:
        await world.clock.sleep(10)
        during = await ask(backend, STATUS)
        await world.clock.sleep(900)
        after = await ask(backend, STATUS)

    assert [(alert.event, alert.ended_at) for alert in during.alerts] == [("fetch.failing", None)]
    assert [(alert.event, alert.ended_at is None) for alert in after.alerts] == [("fetch.failing", False)]


@in_virtual_time
async def test_readers_are_told_what_happens_and_nobody_else_is_worked_for() -> None:
    """Status, candles, coverage, jobs and symbols come; without readers, ends of jobs and begins alone."""
    async with on_board() as (world, backend):
        silent = {entry.type for entry in world.hub.since(0)}
        listener = Listener(world.hub)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(listener.listen())
            await ask(backend, BACKFILL, OLD)
            await world.clock.sleep(180)
            await ask(backend, TRACK, SymbolsRequest(symbols=("000660",)))
            await world.clock.sleep(10)
            task.cancel()

    assert silent == {EventType.JOB}
    assert len(listener.of(EventType.STATUS)) in range(180, 200)
    backfills = [job for job in listener.of(EventType.JOB) if job.kind == "backfill"]
    assert [job.state for job in backfills][-1] is JobState.DONE
    newest = listener.of(EventType.CANDLE)
    assert {(change.symbol, change.timeframe) for change in newest} >= {("005930", Timeframe.M5)}
    assert {row.symbol for row in listener.of(EventType.COVERAGE)} == {"005930", "000660"}
    assert listener.of(EventType.SYMBOLS)[-1].symbols == ("000660",)


@in_virtual_time
async def test_reload_says_what_it_took_over() -> None:
    """Nothing new is no change; what needs a restart is named; a mistake is raised."""
    async with on_board() as (world, backend):
        same = await ask(backend, RELOAD)
        world.reloaded = Reloaded(changed=True, needs_restart=("kiwoom.timeout_s",))
        taken = await ask(backend, RELOAD)
        world.reloaded = ConfigurationError("no such setting")
        with pytest.raises(ConfigurationError):
            await ask(backend, RELOAD)

    assert same.state is OutcomeState.ALREADY_CURRENT
    assert (taken.state, taken.detail) == (OutcomeState.RELOADED, "Needs a restart: kiwoom.timeout_s.")


@in_virtual_time
async def test_candles_as_of_a_moment_end_before_it() -> None:
    """A limit keeps the newest of those that were over then; whether there are older ones is said."""
    async with on_board() as (_, backend):
        as_of = MORNING - timedelta(minutes=19)
        found = await ask(
            backend, CANDLES, CandleQuery(symbol="005930", timeframe=Timeframe.M5, as_of=as_of, limit=3)
        )

    assert [row.ts.astimezone(KST).minute for row in found.items] == [25, 30, 35]
    assert found.has_older
    assert found.as_of == MORNING - timedelta(minutes=19)


@in_virtual_time
async def test_candles_come_with_the_forming_one() -> None:
    """The newest ones of a series, and whether there are older ones."""
    async with on_board() as (_, backend):
        query = CandleQuery(symbol="005930", timeframe=Timeframe.M5, limit=3)
        first = await ask(backend, CANDLES, query)
        start = query.model_copy(update={"from_ts": first.items[-1].ts})
        with pytest.raises(UnknownThing):
            await ask(backend, CANDLES, query.model_copy(update={"symbol": "999999"}))
        newest = first
        since = await ask(backend, CANDLES, start)

    assert [row.final for row in newest.items] == [True, True, False]
    assert newest.name == "삼성전자"
    assert newest.has_older
    assert since.items == newest.items[-1:]
    assert since.has_older
