"""What the client gets through a real socket, and what it says when nobody is there."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from chartinsightd.control import client as client_module
from chartinsightd.control.client import ControlClient, ControlProblem, DaemonAway
from chartinsightd.control.operations import (
    ADJUSTMENTS,
    BACKFILL,
    CANCEL,
    CANDLES,
    COVERAGE,
    GAPS,
    HEALTH,
    JOB,
    JOBS,
    LOGS,
    PAUSE,
    QUARANTINE,
    RELOAD,
    RESUME,
    REVISIONS,
    SEALS,
    SESSION_COVERAGE,
    STATUS,
    STOCKS,
    SYNC,
    TRACK,
    UNTRACK,
    VERIFY,
)
from chartinsightd.control.protocol.coverage import CoverageQuery, GapQuery, SealQuery, SessionCoverageQuery
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
from chartinsightd.control.protocol.problems import Problem
from chartinsightd.control.protocol.rows import (
    AdjustmentQuery,
    CandleQuery,
    LogLevel,
    LogQuery,
    QuarantineQuery,
    RevisionQuery,
    StockQuery,
)
from chartinsightd.domain.timeframe import Timeframe
from tests.support.fake_backend import FakeBackend, Scene

SAMSUNG = "005930"


async def test_what_is_read_arrives_as_it_was_said(client: ControlClient, backend: FakeBackend) -> None:
    """An answer is the same message on both sides of the socket."""
    candles = CandleQuery(symbol=SAMSUNG, timeframe=Timeframe.D1, limit=3)

    assert await client.ask(STATUS) == await backend.status()
    assert await client.ask(COVERAGE, CoverageQuery()) == await backend.coverage(CoverageQuery())
    assert await client.ask(GAPS, GapQuery()) == await backend.gaps(GapQuery())
    assert await client.ask(SEALS, SealQuery()) == await backend.seals(SealQuery())
    assert await client.ask(JOBS, JobQuery()) == await backend.jobs(JobQuery())
    assert await client.ask(JOB, JobPath(job_id=7)) == await backend.job(JobPath(job_id=7))
    assert await client.ask(STOCKS, StockQuery()) == await backend.stocks(StockQuery())
    assert await client.ask(CANDLES, candles) == await backend.candles(candles)
    assert await client.ask(REVISIONS, RevisionQuery()) == await backend.revisions(RevisionQuery())
    assert (await client.ask(QUARANTINE, QuarantineQuery())).total == 2
    assert [row.price_factor for row in (await client.ask(ADJUSTMENTS, AdjustmentQuery())).items] == [0.02]


async def test_a_query_with_every_kind_of_value_arrives_as_it_was_asked(client: ControlClient) -> None:
    """Lists, days, instants, flags and Korean words survive the way through the URL."""
    jobs = await client.ask(
        JOBS, JobQuery(state=(JobState.DONE, JobState.FAILED), kind=("backfill",), before=5)
    )
    stocks = await client.ask(STOCKS, StockQuery(search="삼성", tracked=True))
    days = await client.ask(
        SESSION_COVERAGE,
        SessionCoverageQuery(timeframe=Timeframe.D1, from_day="2026-10-12", to_day="2026-10-13"),
    )
    candles = await client.ask(
        CANDLES, CandleQuery(symbol=SAMSUNG, timeframe=Timeframe.M5, from_ts="2026-10-14T09:00:00+09:00")
    )

    assert [job.id for job in jobs.items] == [4]
    assert {stock.name for stock in stocks.items} == {"삼성전자", "삼성SDI", "삼성바이오로직스", "삼성물산"}
    assert [day.isoformat() for day in days.days] == ["2026-10-12", "2026-10-13"]
    assert len(candles.items) == 14
    assert [candle.final for candle in candles.items] == [True] * 13 + [False]


async def test_a_mutation_that_is_repeated_changes_nothing_and_says_so(client: ControlClient) -> None:
    """Pause, backfill, track and cancel may be asked twice."""
    request = BackfillRequest(symbols=(SAMSUNG,), timeframes=(Timeframe.D1,))
    new = SymbolsRequest(symbols=("900000",))

    states = [
        (await client.ask(PAUSE, PauseRequest())).state,
        (await client.ask(PAUSE, PauseRequest())).state,
        (await client.ask(RESUME)).state,
        (await client.ask(RESUME)).state,
        (await client.ask(TRACK, new)).state,
        (await client.ask(TRACK, new)).state,
        (await client.ask(UNTRACK, new)).state,
        (await client.ask(UNTRACK, new)).state,
    ]
    started, again = await client.ask(BACKFILL, request), await client.ask(BACKFILL, request)
    ended, over = (
        await client.ask(CANCEL, JobPath(job_id=started.job_id)),
        await client.ask(CANCEL, JobPath(job_id=started.job_id)),
    )

    assert [state.value for state in states] == [
        "paused",
        "already_paused",
        "resumed",
        "already_resumed",
        "tracked",
        "already_tracked",
        "untracked",
        "already_untracked",
    ]
    assert (started.changed, started.state) == (True, OutcomeState.STARTED)
    assert (again.changed, again.state, again.job_id) == (False, "already_running", started.job_id)
    assert [ended.state, over.state] == ["cancelled", "already_over"]


async def test_an_estimate_starts_nothing(client: ControlClient) -> None:
    """A dry run says what a backfill costs, for each api-id."""
    before = await client.ask(JOBS, JobQuery())

    estimate = await client.estimate(BackfillRequest(symbols=(SAMSUNG,), from_day="2020-01-01"))

    assert {lane.api_id for lane in estimate.lanes} == {"ka10080", "ka10081", "ka10082"}
    assert estimate.requests == sum(lane.requests for lane in estimate.lanes)
    assert await client.ask(JOBS, JobQuery()) == before


async def test_the_rest_of_the_verbs_reach_the_daemon_with_the_users_name(
    client: ControlClient, backend: FakeBackend
) -> None:
    """Verify, sync and reload arrive, and by whom they were asked."""
    await client.ask(VERIFY, VerifyRequest(symbols=(SAMSUNG,)))
    await client.ask(SYNC)
    await client.ask(RELOAD)

    names = [name for name, _ in backend.asked]
    assert names == ["verify", "sync", "reload"]
    assert len({by for _, by in backend.asked}) == 1
    assert backend.asked[0][1]


async def test_log_lines_are_found_by_level_part_symbol_and_job(client: ControlClient) -> None:
    """Only lines that match every filter come, the newest of them, oldest first."""
    errors = await client.ask(LOGS, LogQuery(level=LogLevel.ERROR, part=("backfill",), job=4, limit=2))
    about = await client.ask(LOGS, LogQuery(symbol=(SAMSUNG,)))

    assert [line.event for line in errors.items] == ["backfill.failed", "backfill.failed"]
    assert errors.items[0].at < errors.items[1].at
    assert {line.symbol for line in about.items} == {SAMSUNG}


async def test_bad_health_is_an_answer(client: ControlClient, backend: FakeBackend) -> None:
    """`health` tells what is not well instead of raising."""
    well = await client.ask(HEALTH)
    backend.scene = Scene.ERROR
    ill = await client.ask(HEALTH)

    assert well.ok
    assert not ill.ok
    assert [check.part for check in ill.checks if not check.ok] == ["database", "token"]


async def test_a_database_that_is_away_is_a_problem_with_its_remedy(
    client: ControlClient, backend: FakeBackend
) -> None:
    """What the daemon cannot answer without its database says so; the status can be read all the same."""
    backend.scene = Scene.ERROR

    with pytest.raises(ControlProblem) as caught:
        await client.ask(GAPS, GapQuery())

    assert caught.value.problem == Problem(
        type="urn:chartinsight:database-away",
        title="The daemon cannot answer now",
        status=503,
        detail="PostgreSQL is not reachable.",
        remedy="Is it running? See database.dsn.",
    )
    assert not (await client.ask(STATUS)).database.reachable


async def test_an_unknown_job_is_a_problem_of_its_own(client: ControlClient) -> None:
    """What does not exist is 404 and names itself."""
    with pytest.raises(ControlProblem, match="There is no job 99") as caught:
        await client.ask(JOB, JobPath(job_id=99))

    assert caught.value.problem.status == 404


async def test_the_whole_market_in_one_answer(tmp_path: Path) -> None:
    """2,700 symbols in five timeframes are one answer, not a failure."""
    from tests.support.fake_backend import serving

    async with (
        serving(FakeBackend(Scene.MARKET), tmp_path / "s") as path,
        ControlClient(path) as client,
    ):
        stocks, coverage = await client.ask(STOCKS, StockQuery()), await client.ask(COVERAGE, CoverageQuery())

    assert (stocks.total, len(coverage.items)) == (2_700, 13_500)


async def test_a_missing_socket_is_a_daemon_away(tmp_path: Path) -> None:
    """Where no socket is, the client says how to get one."""
    async with ControlClient(tmp_path / "none.sock") as client:
        with pytest.raises(DaemonAway, match="there is no such socket") as caught:
            await client.ask(STATUS)

    assert "Start chartinsightd" in caught.value.remedy


async def test_a_socket_without_a_listener_is_a_daemon_away(tmp_path: Path) -> None:
    """The socket of a daemon that was killed says that nobody listens."""
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async with ControlClient(path) as client:
        with pytest.raises(DaemonAway, match="no daemon listens there"):
            await client.ask(STATUS)


async def test_a_daemon_that_does_not_answer_is_away(tmp_path: Path) -> None:
    """A frozen daemon costs the client its timeout, not more."""
    path = tmp_path / "frozen.sock"
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(path))
        frozen.listen()
        async with ControlClient(path, timeout_s=0.05) as client:
            with pytest.raises(DaemonAway, match="does not answer"):
                await client.ask(STATUS)


async def test_a_long_wait_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen daemon is no silence: who waits hears of it, once until it answers."""
    monkeypatch.setattr(client_module, "_SILENT_WAIT_S", 0.01)
    path = tmp_path / "frozen.sock"
    told: list[int] = []
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(path))
        frozen.listen()
        async with ControlClient(path, timeout_s=0.05, on_wait=lambda: told.append(1)) as client:
            for _ in range(2):
                with pytest.raises(DaemonAway, match="does not answer"):
                    await client.ask(STATUS)

    assert told == [1]


async def test_a_quick_answer_is_no_wait(socket_path: Path) -> None:
    """A daemon that answers is asked without a word beside its answer."""
    told: list[int] = []
    async with ControlClient(socket_path, on_wait=lambda: told.append(1)) as client:
        await client.ask(STATUS)

    assert told == []


async def test_something_else_at_the_socket_is_not_taken_for_a_daemon(tmp_path: Path) -> None:
    """An answer that is not the protocol's is refused with a hint at the versions."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    path = tmp_path / "other.sock"
    async with await asyncio.start_unix_server(answer, path), ControlClient(path) as client:
        with pytest.raises(DaemonAway, match="not understood"):
            await client.ask(STATUS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_a_user_without_the_right_is_told_so(socket_path: Path) -> None:
    """A socket that may not be used says which group to join."""
    os.chmod(socket_path.parent.parent, 0o755)  # noqa: PTH101 - both in one line of sight
    ancestors = [folder for folder in socket_path.parents if folder.stat().st_mode & 0o005 != 0o005]
    assert ancestors
    async with ControlClient(socket_path) as client:
        os.seteuid(65534)
        try:
            with pytest.raises(DaemonAway, match="no right to use it"):
                await client.ask(STATUS)
        finally:
            os.seteuid(0)
