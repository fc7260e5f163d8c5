"""What administrators, providers, cleaners and caches do around the daemon (`around.py` draws it)."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from chartinsightd.control.operations import SYNC
from tests.campaign.cluster import Cluster, send
from tests.campaign.faults import Blow, clock_wrong, order
from tests.campaign.schedule import Kind, Strike

_REFUSED = (
    OSError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_LOCK_WITHIN = "set lock_timeout = '1s'"
_PARTITIONS = {
    "rest_{table}": "default",
    "mine_{table}": "for values from ('2025-09-01Z') to ('2026-03-15Z')",
    "old_{table}": "for values from (minvalue) to ('2019-02-03Z')",
    "coming_{table}": "for values from ('2027-02-01Z') to (maxvalue)",
}
_SOME = "select tableoid, ctid from simulation.{table} where final and symbol = $1 order by ts desc limit $2"
_DELETE = f"delete from simulation.{{table}} where (tableoid, ctid) in ({_SOME})"
_CHANGE = f"update simulation.{{table}} set volume = volume + 1 where (tableoid, ctid) in ({_SOME})"


# The broker's answers.


async def _pages_spoilt(cluster: Cluster, blow: Strike) -> None:
    await cluster.daemon_answers()
    await cluster.switch_faults(blow.detail["dice"], blow.detail["mix"])
    await asyncio.sleep(blow.lasts_s)
    await cluster.switch_faults(blow.detail["dice"], [])


async def _list_cut_short(cluster: Cluster, blow: Strike) -> None:
    await cluster.switch_faults(blow.detail["dice"], blow.detail["mix"])
    await cluster.daemon_answers()
    await order(cluster, lambda client: client.ask(SYNC))
    await asyncio.sleep(blow.lasts_s)
    await cluster.switch_faults(blow.detail["dice"], [])


# The database.


async def _database_set_back(cluster: Cluster, blow: Strike) -> None:
    """Bring back, while the daemon lives, what the database was some moments before."""
    assert cluster.server is not None  # drawn for these stands only
    data = cluster.server.data_folder
    copy, lost = data.with_name("copy"), data.with_name("lost")
    async with cluster.database_lock:
        await _copied(cluster, data, copy)
        await asyncio.sleep(blow.lasts_s)
        _stop(cluster)
        data.rename(lost)
        copy.rename(data)
        (data / "postgresql.auto.conf").write_text("")  # a copy of a read-only moment would stay so for good
        send(cluster.database_processes(lost), signal.SIGKILL)
        await asyncio.to_thread(shutil.rmtree, lost)


def _stop(cluster: Cluster) -> list[int]:
    """Hold PostgreSQL still, the process first that makes the others."""
    send(cluster.database_processes()[:1], signal.SIGSTOP)
    pids = cluster.database_processes()
    send(pids, signal.SIGSTOP)
    return pids


async def _copied(cluster: Cluster, data: Path, copy: Path) -> None:
    """Copy what a crash at this moment would leave."""
    pids = _stop(cluster)
    try:
        await asyncio.to_thread(subprocess.run, ["cp", "-a", str(data), str(copy)], check=True)
    finally:
        send(list(reversed(pids)), signal.SIGCONT)
    (copy / "postmaster.pid").unlink(missing_ok=True)


async def _database_locked(cluster: Cluster, blow: Strike) -> None:
    table, seconds = blow.detail["table"], blow.lasts_s
    await _once(cluster, f"begin; lock table simulation.{table}; select pg_sleep({seconds}); rollback")


async def _session_left(cluster: Cluster, blow: Strike) -> None:
    """End the daemon as a power cut of its machine does: PostgreSQL hears nothing of it."""
    assert cluster.database_link is not None  # drawn for these stands only
    async with cluster.daemon_lock:
        with cluster.database_link.leaving_sessions():
            cluster.kill_daemon()
            await asyncio.sleep(blow.lasts_s / 2)
        cluster.start_daemon()


async def _partition_made(cluster: Cluster, blow: Strike) -> None:
    name = random.Random(blow.detail["dice"]).choice(sorted(_PARTITIONS))
    made = f"create table simulation.{name} partition of simulation.{{table}} {_PARTITIONS[name]}"
    await _once(cluster, made.format(table=blow.detail["table"]))


async def _rows_deleted(cluster: Cluster, blow: Strike) -> None:
    dice = random.Random(blow.detail["dice"])
    harm = _CHANGE if blow.detail["changes"] else _DELETE
    symbol, count = dice.choice(cluster.draw.symbols), dice.choice((1, 30, 500, 100_000))
    await _once(cluster, harm.format(table=blow.detail["table"]), symbol, count)


async def _once(cluster: Cluster, statement: str, *arguments: object) -> None:
    """Run a statement that the server may refuse, as an administrator would."""
    try:
        dsn = cluster.server.dsn if cluster.server is not None else cluster.daemon.database_url
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            await connection.execute(_LOCK_WITHIN)
            cluster.note(await connection.execute(statement, *arguments))
        finally:
            connection.terminate()
    except _REFUSED as error:
        cluster.tally.skipped["an administrator's statement: the server refused"] += 1
        cluster.note(f"refused: {error!r}")


# The machine.


async def _folder_removed(cluster: Cluster, blow: Strike) -> None:
    """Clean up below a living daemon; later the machine restarts."""
    folder = cluster.daemon.folder / "simulation"
    shutil.rmtree(folder, ignore_errors=True)
    if random.Random(blow.detail["dice"]).random() < 0.5:
        (cluster.daemon.folder / "control.sock").unlink(missing_ok=True)
    await asyncio.sleep(blow.lasts_s)
    async with cluster.daemon_lock:
        cluster.kill_daemon()
        cluster.start_daemon()


async def _file_byte(cluster: Cluster, blow: Strike) -> None:
    """Change one byte of any state file while the daemon is down."""
    dice = random.Random(blow.detail["dice"])
    async with cluster.daemon_lock:
        cluster.kill_daemon()
        files = [file for file in (cluster.daemon.folder / "simulation").rglob("*") if file.is_file()]
        files = sorted(file for file in files if file.stat().st_size)
        if files:
            cluster.note(f"one byte of {_changed(dice.choice(files), dice)}")
        cluster.start_daemon()


def _changed(file: Path, dice: random.Random) -> str:
    place = dice.randrange(file.stat().st_size)
    with file.open("r+b") as content:
        content.seek(place)
        was = content.read(1)[0]
        content.seek(place)
        content.write(bytes([was ^ (1 << dice.randrange(8))]))
    return f"{file.name} at {place}"


async def _log_stalled(cluster: Cluster, blow: Strike) -> None:
    assert cluster.log_pipe is not None  # drawn for these stands only
    with cluster.log_pipe.stalled():
        await asyncio.sleep(blow.lasts_s)


BLOWS: Mapping[Kind, Blow] = {
    Kind.PAGES_SPOILT: _pages_spoilt,
    Kind.LIST_CUT_SHORT: _list_cut_short,
    Kind.CLOCK_DAYS_OFF: clock_wrong,
    Kind.DATABASE_SET_BACK: _database_set_back,
    Kind.DATABASE_LOCKED: _database_locked,
    Kind.SESSION_LEFT: _session_left,
    Kind.PARTITION_MADE: _partition_made,
    Kind.ROWS_DELETED: _rows_deleted,
    Kind.FOLDER_REMOVED: _folder_removed,
    Kind.FILE_BYTE: _file_byte,
    Kind.LOG_STALLED: _log_stalled,
}
