"""Verbs that make the daemon work, and waiting for what it does."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chartinsightd.cli.waiting import followed, status_of
from chartinsightd.control.client import ControlClient, ControlProblem, DaemonAway
from chartinsightd.control.handlers import Caller
from chartinsightd.control.operations import OPERATIONS, VERIFY
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    Job,
    JobProgress,
    JobState,
    Outcome,
    OutcomeState,
    VerifyRequest,
)
from chartinsightd.facts.krx import KST
from tests.cli.conftest import Run
from tests.cli.live_daemon import LiveDaemon
from tests.support.fake_backend import CALLER, NOW, FakeBackend, serving

DAILY = ("005930", "삼성SDI", "-t", "1d", "--from", "2020-01-01")


def test_a_backfill_is_a_job_of_the_daemon(run: Run, daemon: LiveDaemon) -> None:
    """It is started and named with what shows and ends it; asked again it is the same job."""
    first, again = run("backfill", *DAILY), run("backfill", *DAILY)

    assert [first.exit_code, again.exit_code] == [0, 0]
    assert first.stdout == again.stdout == ""
    assert first.stderr == (
        "Job 8 is started: `chartinsightctl job 8 --wait` shows it, `chartinsightctl cancel 8` ends it.\n"
    )
    assert "Job 8 does this already" in again.stderr
    job = daemon.do(lambda: daemon.backend._jobs[8])
    assert job.params["symbols"] == ["005930", "006400"]
    assert (job.params["timeframes"], job.params["from_day"]) == (["1d"], "2020-01-01")


def test_a_job_without_a_number_is_not_called_complete(run: Run, daemon: LiveDaemon) -> None:
    """While the history of jobs cannot be written, an order is started all the same: that is said."""

    async def start(_: VerifyRequest, __: Caller) -> Outcome:
        return Outcome(changed=True, state=OutcomeState.STARTED)

    daemon.do(lambda: daemon.backend.handlers.add(VERIFY, start))

    assert run("verify", "005930").stderr.startswith("It is started. It has no number")


def test_an_order_is_about_krx_unless_it_names_a_venue(run: Run, daemon: LiveDaemon) -> None:
    """`--venue` in any case; a word that names none is a usage error with the three."""
    run("backfill", "005930")
    run("backfill", "005930", "--venue", "NXT")
    run("verify", "005930", "--venue", "unified")
    jobs = daemon.do(lambda: [daemon.backend._jobs[number].params["venue"] for number in (8, 9, 10)])
    assert jobs == ["KRX", "NXT", "UNIFIED"]
    wrong = run("backfill", "005930", "--venue", "nyse")
    assert (wrong.exit_code, "none of krx, nxt, unified" in wrong.stderr) == (2, True)


def test_days_are_those_of_the_daemons_clock(run: Run, daemon: LiveDaemon) -> None:
    """`-30d` and `yesterday` count from the daemon's today, which a simulation has for itself."""
    run("backfill", "005930", "--from", "-30d", "--to", "yesterday")

    params = daemon.do(lambda: daemon.backend._jobs[8]).params
    assert (params["from_day"], params["to_day"]) == ("2026-09-14", "2026-10-13")


def test_a_dry_run_says_the_cost_and_starts_nothing(run: Run, daemon: LiveDaemon) -> None:
    """Requests and time at the gate, for each api-id and together."""
    result = run("backfill", "005930", "-t", "1d,5m", "--dry-run")

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()[1:3]] == ["ka10081", "ka10080"]
    assert "at the gate" in result.stdout
    assert daemon.do(lambda: daemon.backend.asked) == []


def test_waiting_shows_progress_and_ends_well(run: Run, daemon: LiveDaemon) -> None:
    """With `--wait` the progress is on standard error, the job as it ended is the data, and the status 0."""
    daemon.keep_working()

    result = run("backfill", *DAILY, "--wait", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["state"] == "done"
    assert "6/6 pages" in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "Job 8 done: 6 pages, rows: 5,400 new, 0 changed, 0 unchanged, 0 quarantined."
    )


def test_waiting_for_a_job_that_failed_is_status_1(run: Run) -> None:
    """Work that failed ends the command with 1 and says why; to look at it is no failure."""
    waited, shown = run("job", "4", "--wait"), run("job", "4")

    assert (waited.exit_code, shown.exit_code) == (1, 0)
    assert "Job 4 failed" in waited.stderr
    assert "1901" in waited.stderr
    assert waited.stdout == shown.stdout


def test_a_job_that_was_waited_for_is_shown_whole(run: Run) -> None:
    """`job ID --wait --json` writes what `job ID --json` does, its log too; fields may be chosen."""
    assert run("job", "4", "--wait", "--json").stdout == run("job", "4", "--json").stdout
    assert json.loads(run("job", "4", "--wait", "--json=state,kind").stdout)["state"] == "failed"


def test_waiting_may_time_out(run: Run, daemon: LiveDaemon) -> None:
    """After `--timeout` the status is 4; the job goes on."""
    result = run("job", "7", "--wait", "--timeout", "0.2")

    assert result.exit_code == 4
    assert "Timed out waiting. Job 7 continues" in result.stderr
    assert daemon.do(lambda: daemon.backend._jobs[7]).state == "running"


def test_cancelling_ends_jobs(run: Run) -> None:
    """Several at once; one that is over already is no failure."""
    result = run("cancel", "7", "4")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "Job 7 is cancelled.\nJob 4 was over already.\n"


def test_a_pause_with_an_end_says_when(run: Run, backend: FakeBackend) -> None:
    """`pause --for` tells its end in Korean time; a length that is none, or too long, is a usage error."""
    end = backend.clock.now() + timedelta(minutes=90)
    told = run("pause", "--for", "1h30m")
    assert told.exit_code == 0
    assert told.stderr.startswith(f"Paused until {end.astimezone(KST):%Y-%m-%d %H:%M}")
    assert [run("pause", "--for", length).exit_code for length in ("soon", "8d")] == [2, 2]


def test_the_daemon_is_paused_and_resumed(run: Run) -> None:
    """Each says what is now, and repeated that it was so already."""
    words = [
        run(verb).stderr.split(":")[0].strip() for verb in ("pause", "pause", "resume", "resume", "reload")
    ]

    assert words == [
        "Paused",
        "It was paused already.",
        "Resumed; what was missed is caught up.",
        "It was not paused.",
        "Nothing in the configuration had changed.",
    ]


def test_symbols_are_added_and_removed(run: Run, backend: FakeBackend) -> None:
    """By code or name; adding loads the history by a job, removing keeps the candles."""
    code, name = next((code, name) for code, name in backend._names.items() if code not in backend._tracked)

    added, again = run("symbols", "add", name), run("symbols", "add", code)
    listed = json.loads(run("symbols", "list", name, "--tracked", "--json").stdout)
    removed = run("symbols", "remove", name)

    assert added.stderr == f"Tracked from now on: {code}. Job 8 loads the history.\n"
    assert again.stderr == "They were tracked already.\n"
    assert [stock["symbol"] for stock in listed["items"]] == [code]
    assert removed.stderr == (
        f"Tracked no longer; the candles stay: {code}.\n"
        "`symbols add` takes this back; collect.symbols and a restart do not.\n"
    )


def test_sync_can_be_waited_for(run: Run, daemon: LiveDaemon) -> None:
    """It is a job: its state is the command's."""
    daemon.keep_working()

    assert run("symbols", "sync", "--wait").exit_code == 0


def test_a_verification_lists_what_differs(run: Run, daemon: LiveDaemon) -> None:
    """The differences are the data: which candle, what is served and what was stored; the status is 1."""
    daemon.keep_working()

    result = run("verify", "005930", "--wait")

    assert result.exit_code == 1
    assert "8,999 equal, 1 differing, 0 missing, 0 extra" in result.stderr
    assert "values" in result.stdout
    assert "volume 1,200" in result.stdout
    assert "volume 1,100" in result.stdout


@pytest.mark.parametrize(
    ("kind", "progress", "status"),
    [
        ("backfill", {"inserted": 5, "changed": 1}, 0),
        ("backfill", {"fetches": 2, "fetches_done": 1, "fetches_failed": 1}, 1),
        ("verify", {"unchanged": 900, "inserted": 1, "equal": 900}, 0),
        ("verify", {"equal": 900, "differing": 1}, 1),
        ("verify", {"missing": 1}, 1),
        ("verify", {"extra": 1}, 1),
        ("verify", {"quarantined": 1}, 1),
    ],
)
def test_success_is_what_was_asked_for(kind: str, progress: dict[str, Any], status: int) -> None:
    """A backfill succeeds when every series was fetched; a verification, when nothing differed."""
    job = Job(id=1, kind=kind, state=JobState.DONE, progress=JobProgress(**progress), created_at=NOW)

    assert status_of(job) == status


class Seen:
    """Progress as it was shown."""

    def __init__(self) -> None:
        self.pages: list[int] = []
        self.away = asyncio.Event()
        self.begun = asyncio.Event()

    def show(self, job: Job) -> None:
        """Remember how far it is."""
        self.pages.append(job.progress.pages)
        self.begun.set()

    def show_away(self, _error: object) -> None:
        """Remember that the daemon was away."""
        self.away.set()


async def test_waiting_survives_a_restart_of_the_daemon(tmp_path: Path) -> None:
    """The daemon goes and comes back while somebody waits: that is shown, and the job is seen to its end."""
    backend, path, seen = FakeBackend(), tmp_path / "s", Seen()
    job_id = (await backend.backfill(BackfillRequest(symbols=("005930",), timeframes=("1d",)), CALLER)).job_id

    async with ControlClient(path) as client, asyncio.TaskGroup() as group:
        async with serving(backend, path):
            assert job_id is not None
            waiting = group.create_task(followed(client, job_id, seen))
            await seen.begun.wait()
        await seen.away.wait()
        async with serving(backend, path):
            while not waiting.done():
                backend.work()
                await asyncio.sleep(0.01)

    assert waiting.result().state is JobState.DONE
    assert seen.pages == sorted(seen.pages)


async def test_a_daemon_that_stays_away_ends_the_waiting(tmp_path: Path) -> None:
    """After the limit the daemon counts as gone."""
    async with ControlClient(tmp_path / "none") as client:
        with pytest.raises(DaemonAway, match="no such socket"):
            await followed(client, 7, Seen(), away_limit_s=0.0)


async def test_waiting_for_no_job_is_refused(tmp_path: Path) -> None:
    """A job that does not exist is not waited for."""
    async with serving(FakeBackend(), tmp_path / "s") as path, ControlClient(path) as client:
        with pytest.raises(ControlProblem, match="no job 99"):
            await followed(client, 99, Seen())


def test_a_daemon_that_cannot_verify_says_so(run: Run, daemon: LiveDaemon) -> None:
    """A daemon may not offer a verb: the command says that, and fails."""
    daemon.stop()
    backend = daemon.backend
    backend.handlers = backend.handlers.only(one for one in OPERATIONS if one is not VERIFY)
    daemon.start()

    result = run("verify")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "chartinsightctl: This daemon does not offer that (POST /v1/verify). "
        "Are daemon and command of the same version?\n"
    )
