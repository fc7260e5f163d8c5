"""Rows that are deleted, changed or swallowed behind the daemon's back come back, on real processes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from tests.integration.test_seals import command
from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    Truth,
    collecting,
    moment,
    open_simulator,
    running,
)

SYMBOLS = ("005930", "000660")
DAY = date(2026, 11, 18)


async def test_rows_gone_behind_its_back_are_back_by_the_next_morning(folder: Path, database: str) -> None:
    """History is emptied and changed by SQL; after the night it is told, and equal to the truth again."""
    arguments = ("--start", moment(DAY, 20, 30).isoformat(), "--speed", "100")
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, collecting(SYMBOLS, SHORT) | FOLLOWED, database) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await truth.is_reached()
        async with daemon.database() as connection:
            await connection.execute("truncate candles_1d")
            await connection.execute("delete from candles_5m where symbol = '005930' and ts < now()")
            await connection.execute("update candles_1h set close = low where symbol = '000660'")
        await simulator.skip_to(moment(DAY, 29, 25), 600.0)
        await daemon.says("rows.differ")
        await truth.is_reached()

        verify = ("verify", "005930", "--local", "--wait")
        async with daemon.database() as connection:
            gone = await connection.execute("delete from candles_1d where symbol = '005930'")
        status, words = await command(daemon, *verify, "--json")
        found = json.loads(words)["progress"]
        assert (status, found["missing"]) == (1, int(gone.split()[1]))
        await truth.is_reached()
        assert (await command(daemon, *verify))[0] == 0
        await _no_job_of_a_backup_runs(daemon)


async def _no_job_of_a_backup_runs(daemon: Daemon) -> None:
    """Make the database as a restored backup is, older and with a job that ran: its row is ended."""
    async with daemon.database() as connection:
        job = await connection.fetchval(_RUNNING_JOB)
        await connection.execute("update store set sessions = sessions - 1")
        await connection.execute("select pg_terminate_backend(writer_pid) from store")

    async def is_ended() -> bool:
        state = await daemon.value("select state from jobs where id = $1", job)
        return bool(state == "interrupted")

    await daemon.comes_to("the job of the backup is ended", is_ended)


_RUNNING_JOB = """
insert into jobs (kind, state, requested_by, created_at) values ('backfill', 'running', 'a person', now())
returning id
"""
