"""What each kind of strike does to the cluster. A strike mends what it broke before it ends."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import asyncpg

from chartinsightd.control.client import ControlClient, ControlError
from chartinsightd.control.operations import BACKFILL, CANCEL, PAUSE, RELOAD, RESUME, SYNC, TRACK, UNTRACK
from chartinsightd.control.protocol.jobs import BackfillRequest, JobPath, PauseRequest, SymbolsRequest
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.simulator.admin_client import AdminClient
from tests.campaign.cluster import Cluster, send
from tests.campaign.schedule import Kind, Strike
from tests.support.harness import KEYS

_CALENDAR = Calendar()
_KEY = KEYS["CHARTINSIGHT_KIWOOM__APP_KEY"]
_ORDERLY_WITHIN_S = 15.0
"""The daemon promises 10 s; two cores are shared with the rest of the cluster."""

_ASKED_AT_LEAST = 12
_ASKS_WITHIN_S = 2.0
"""So many requests, or so many real seconds more, make wrong answers count on a busy machine too."""

Blow = Callable[[Cluster, Strike], Awaitable[None]]


# The broker.


async def _faults(cluster: Cluster, blow: Strike) -> None:
    mix, seed = blow.detail["mix"], blow.detail["dice"]
    # Wrong answers to a daemon that is still starting would hurt nobody, however long they lasted.
    await cluster.daemon_answers()
    await cluster.switch_faults(seed, mix)
    await asyncio.sleep(blow.lasts_s)
    await cluster.sees_requests(_ASKED_AT_LEAST, _ASKS_WITHIN_S)
    await cluster.switch_faults(seed, [])


async def _broker_killed(cluster: Cluster, blow: Strike) -> None:
    async with cluster.broker_lock:
        cluster.mixes.clear()
        await cluster.close_count()
        clock = await cluster.clock_arguments()
        cluster.broker.kill()
        await asyncio.sleep(blow.lasts_s)
        await cluster.broker.start(clock)


async def _broker_stopped(cluster: Cluster, blow: Strike) -> None:
    # What a daemon killed meanwhile had asked for would be counted with what its next life asks.
    async with cluster.daemon_lock, cluster.broker_lock:
        send([cluster.broker.process.pid], signal.SIGSTOP)
        await asyncio.sleep(blow.lasts_s)
        send([cluster.broker.process.pid], signal.SIGCONT)


async def _broker_cut(cluster: Cluster, blow: Strike) -> None:
    await cluster.broker_link.cut(blow.lasts_s)


async def _broker_swallowed(cluster: Cluster, blow: Strike) -> None:
    await cluster.broker_link.swallow(blow.lasts_s)


async def _broker_delayed(cluster: Cluster, blow: Strike) -> None:
    await cluster.broker_link.delay(blow.lasts_s, blow.detail["delay_s"])


async def _tokens_ended(cluster: Cluster, _blow: Strike) -> None:
    await cluster.ask(lambda admin: admin.invalidate_tokens())


async def _address_blocked(cluster: Cluster, blow: Strike) -> None:
    # Other strikes may kill and start the daemon meanwhile. Only a very first start is ended by a refusal.
    if not cluster.has_collected():
        cluster.tally.skipped["address blocked: nothing was collected yet"] += 1
        return
    await cluster.ask(lambda admin: admin.allow_addresses([]))
    await cluster.ask(lambda admin: admin.invalidate_tokens())
    await asyncio.sleep(blow.lasts_s)
    await cluster.ask(lambda admin: admin.allow_addresses(None))


async def _login_refused(cluster: Cluster, blow: Strike) -> None:
    if not cluster.has_collected():
        cluster.tally.skipped["login refused: nothing was collected yet"] += 1
        return
    await cluster.ask(lambda admin: admin.block_keys([_KEY]))
    await cluster.ask(lambda admin: admin.invalidate_tokens())
    await asyncio.sleep(blow.lasts_s)
    await cluster.ask(lambda admin: admin.block_keys([]))


async def _corrected(cluster: Cluster, blow: Strike) -> None:
    dice = random.Random(blow.detail["dice"])
    now = await cluster.ask(lambda admin: admin.now())
    days = _CALENDAR.sessions(day_of(now) - timedelta(days=7), day_of(now) - timedelta(days=1))
    for _ in range(dice.randint(1, 4)):
        symbol, day = dice.choice(cluster.draw.symbols), dice.choice(days[-4:]).day.isoformat()
        label = dice.choice((None, dice.randrange(9 * 60, 15 * 60 + 20)))
        factor = dice.choice((0.5, 1.1, 3.0))
        await cluster.ask(partial(AdminClient.correct, symbol=symbol, day=day, label=label, factor=factor))


# The daemon.


async def _daemon_killed(cluster: Cluster, blow: Strike) -> None:
    async with cluster.daemon_lock:
        cluster.kill_daemon()
        await asyncio.sleep(blow.lasts_s / 2)
        cluster.start_daemon()


async def _daemon_stopped(cluster: Cluster, blow: Strike) -> None:
    async with cluster.daemon_lock:
        send([cluster.daemon.process.pid], signal.SIGSTOP)
        await asyncio.sleep(blow.lasts_s)
        send([cluster.daemon.process.pid], signal.SIGCONT)


async def _daemon_restarted(cluster: Cluster, _blow: Strike) -> None:
    async with cluster.daemon_lock:
        if cluster.daemon.process.poll() is None:
            begun = time.monotonic()
            cluster.expect_end(await cluster.daemon.stop(), "a restart")
            if (took_s := time.monotonic() - begun) > _ORDERLY_WITHIN_S:
                cluster.tally.findings.append(f"the daemon took {took_s:.0f} s to leave")
        cluster.start_daemon()


async def _checkpoint_damaged(cluster: Cluster, blow: Strike) -> None:
    async with cluster.daemon_lock:
        await damaged_while_down(cluster, random.Random(blow.detail["dice"]), "checkpoint.sqlite")


async def _spool_damaged(cluster: Cluster, blow: Strike) -> None:
    """Damage what waits on disk: for that the database is cut off first."""
    async with cluster.daemon_lock, asyncio.TaskGroup() as group:
        if cluster.database_link is not None:
            group.create_task(cluster.database_link.cut(blow.lasts_s * 2))
        await asyncio.sleep(blow.lasts_s)
        await damaged_while_down(cluster, random.Random(blow.detail["dice"]), "spool.sqlite")


async def damaged_while_down(cluster: Cluster, dice: random.Random, name: str) -> None:
    """Damage a state file of that name between two lives of the daemon."""
    if cluster.daemon.process.poll() is None and dice.random() < 0.5:
        cluster.expect_end(await cluster.daemon.stop(), "a restart")
    cluster.kill_daemon()
    files = sorted((cluster.daemon.folder / "simulation").glob(f"{name}*"))
    files = [file for file in files if "damaged" not in file.name]
    if files:
        cluster.note(f"damaging {damage(dice.choice(files), dice)}")
    cluster.start_daemon()


def damage(file: Path, dice: random.Random) -> str:
    """Damage a file in one of the ways files get damaged; say how."""
    content = bytearray(file.read_bytes())
    how = dice.choice(("deleted", "emptied", "cut short", "one byte changed", "bytes changed", "garbage"))
    if how == "deleted":
        file.unlink()
        return f"{file.name}: {how}"
    match how:
        case "emptied":
            content.clear()
        case "cut short":
            del content[dice.randrange(len(content) + 1) :]
        case "one byte changed" | "bytes changed" if content:
            for _ in range(1 if how.startswith("one") else 40):
                content[dice.randrange(len(content))] = dice.randrange(256)
        case "garbage":
            content[:] = dice.randbytes(dice.randint(1, 20_000))
    try:
        file.write_bytes(content)
    except OSError:
        how += ", and cut short by a full disk"
    return f"{file.name}: {how}"


# The database.


async def _database_killed(cluster: Cluster, _blow: Strike) -> None:
    async with cluster.database_lock:
        send(cluster.database_processes()[:1], signal.SIGKILL)


async def _database_stopped(cluster: Cluster, blow: Strike) -> None:
    async with cluster.database_lock:
        pids = cluster.database_processes()
        send(pids, signal.SIGSTOP)
        try:
            await asyncio.sleep(blow.lasts_s)
        finally:
            send(list(reversed(pids)), signal.SIGCONT)


async def _database_cut(cluster: Cluster, blow: Strike) -> None:
    assert cluster.database_link is not None  # drawn for these stands only
    await cluster.database_link.cut(blow.lasts_s)


async def _database_swallowed(cluster: Cluster, blow: Strike) -> None:
    assert cluster.database_link is not None  # drawn for these stands only
    await cluster.database_link.swallow(blow.lasts_s)


async def _database_delayed(cluster: Cluster, blow: Strike) -> None:
    assert cluster.database_link is not None  # drawn for these stands only
    await cluster.database_link.delay(blow.lasts_s, blow.detail["delay_s"] / 3)


async def _database_read_only(cluster: Cluster, blow: Strike) -> None:
    for value in ("on", "off"):
        await by_hand(
            cluster, f"alter system set default_transaction_read_only = {value}", "select pg_reload_conf()"
        )
        if value == "on":
            await asyncio.sleep(blow.lasts_s)


async def _sessions_ended(cluster: Cluster, _blow: Strike) -> None:
    ending = "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid()"
    await by_hand(cluster, f"{ending} and backend_type = 'client backend'")


async def by_hand(cluster: Cluster, *statements: str) -> None:
    """Run statements past the way that is being disturbed; again when the server is just away."""
    for _ in range(100):
        try:
            dsn = cluster.server.dsn if cluster.server is not None else cluster.daemon.database_url
            connection = await asyncpg.connect(dsn, timeout=5)
        except (OSError, ValueError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
            continue
        try:
            for statement in statements:
                await connection.execute(statement)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await asyncio.sleep(0.1)
        else:
            return
        finally:
            connection.terminate()


# The disk.


async def _disk_full(cluster: Cluster, blow: Strike) -> None:
    if cluster.disk is None:
        cluster.tally.skipped["disk full: no small file system can be mounted here"] += 1
        return
    ballast = cluster.disk / f"ballast-{blow.detail['dice']}"
    _fill(ballast, shutil.disk_usage(cluster.disk).free)
    cluster.note(f"filled with {ballast.stat().st_size:,} bytes")
    await asyncio.sleep(blow.lasts_s)
    ballast.unlink(missing_ok=True)


def _fill(file: Path, size: int) -> None:
    try:
        with file.open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, max(1, size))
            ballast.seek(0, os.SEEK_END)
            while True:
                ballast.write(b"x" * 4096)
                ballast.flush()
    except OSError:
        return  # full: what was wanted


# The clock.


async def _clock_stepped(cluster: Cluster, blow: Strike) -> None:
    async def step(admin: AdminClient) -> None:
        now = await admin.now()
        await admin.set_clock(to=now + timedelta(seconds=blow.detail["step_s"]))

    await cluster.ask(step)


async def clock_wrong(cluster: Cluster, blow: Strike) -> None:
    """Give the daemon a clock that is ahead of everybody's or behind, and after a while the right one."""
    for ahead_s in (blow.detail["ahead_s"], 0):
        async with cluster.daemon_lock:
            cluster.kill_daemon()
            await cluster.tell_clock(timedelta(seconds=ahead_s))
            cluster.start_daemon()
        if ahead_s:
            await cluster.daemon_answers()
            await asyncio.sleep(blow.lasts_s)


# Whoever sits at the control socket.


async def order(cluster: Cluster, work: Callable[[ControlClient], Awaitable[object]]) -> bool:
    """Give an order; a daemon that is down or has no database may refuse it."""
    try:
        async with cluster.control() as client:
            await work(client)
    except ControlError as error:
        cluster.tally.refused_orders += 1
        cluster.note(f"refused: {error}")
        return False
    return True


async def _symbol_added(cluster: Cluster, blow: Strike) -> None:
    symbol = random.Random(blow.detail["dice"]).choice(cluster.draw.spare)
    await order(cluster, lambda client: client.ask(TRACK, SymbolsRequest(symbols=(symbol,))))


async def _symbol_removed(cluster: Cluster, blow: Strike) -> None:
    symbol = random.Random(blow.detail["dice"]).choice((*cluster.draw.symbols, *cluster.draw.spare))
    await order(cluster, lambda client: client.ask(UNTRACK, SymbolsRequest(symbols=(symbol,))))


async def _backfill(cluster: Cluster, blow: Strike) -> None:
    request = _backfill_request(cluster, random.Random(blow.detail["dice"]), await _today(cluster))
    await order(cluster, lambda client: client.ask(BACKFILL, request))


async def _backfill_cancelled(cluster: Cluster, blow: Strike) -> None:
    request = _backfill_request(cluster, random.Random(blow.detail["dice"]), await _today(cluster))

    async def begin_and_cancel(client: ControlClient) -> None:
        outcome = await client.ask(BACKFILL, request)
        await asyncio.sleep(blow.lasts_s / 10)
        if outcome.job_id:
            await client.ask(CANCEL, JobPath(job_id=outcome.job_id))

    await order(cluster, begin_and_cancel)


async def _today(cluster: Cluster) -> date:
    return day_of(await cluster.ask(lambda admin: admin.now()))


def _backfill_request(cluster: Cluster, dice: random.Random, today: date) -> BackfillRequest:
    first = today - timedelta(days=dice.randint(20, 300))
    return BackfillRequest(
        symbols=tuple(dice.sample(cluster.draw.symbols, dice.randint(1, 2))),
        timeframes=tuple(dice.sample(list(Timeframe), dice.randint(1, 3))),
        from_day=first,
        to_day=first + timedelta(days=dice.randint(0, 60)),
    )


async def _paused(cluster: Cluster, blow: Strike) -> None:
    if await order(cluster, lambda client: client.ask(PAUSE, PauseRequest())):
        await asyncio.sleep(blow.lasts_s)
        await order(cluster, lambda client: client.ask(RESUME))


async def _reloaded(cluster: Cluster, _blow: Strike) -> None:
    await order(cluster, lambda client: client.ask(RELOAD))


async def _synced(cluster: Cluster, _blow: Strike) -> None:
    await order(cluster, lambda client: client.ask(SYNC))


BLOWS: Mapping[Kind, Blow] = {
    Kind.FAULTS: _faults,
    Kind.BROKER_KILLED: _broker_killed,
    Kind.BROKER_STOPPED: _broker_stopped,
    Kind.BROKER_CUT: _broker_cut,
    Kind.BROKER_SWALLOWED: _broker_swallowed,
    Kind.BROKER_DELAYED: _broker_delayed,
    Kind.TOKENS_ENDED: _tokens_ended,
    Kind.ADDRESS_BLOCKED: _address_blocked,
    Kind.LOGIN_REFUSED: _login_refused,
    Kind.CORRECTED: _corrected,
    Kind.DAEMON_KILLED: _daemon_killed,
    Kind.DAEMON_STOPPED: _daemon_stopped,
    Kind.DAEMON_RESTARTED: _daemon_restarted,
    Kind.CHECKPOINT_DAMAGED: _checkpoint_damaged,
    Kind.SPOOL_DAMAGED: _spool_damaged,
    Kind.DATABASE_KILLED: _database_killed,
    Kind.DATABASE_STOPPED: _database_stopped,
    Kind.DATABASE_CUT: _database_cut,
    Kind.DATABASE_SWALLOWED: _database_swallowed,
    Kind.DATABASE_DELAYED: _database_delayed,
    Kind.DATABASE_READ_ONLY: _database_read_only,
    Kind.SESSIONS_ENDED: _sessions_ended,
    Kind.DISK_FULL: _disk_full,
    Kind.CLOCK_FORWARD: _clock_stepped,
    Kind.CLOCK_BACK: _clock_stepped,
    Kind.CLOCK_WRONG: clock_wrong,
    Kind.SYMBOL_ADDED: _symbol_added,
    Kind.SYMBOL_REMOVED: _symbol_removed,
    Kind.BACKFILL: _backfill,
    Kind.BACKFILL_CANCELLED: _backfill_cancelled,
    Kind.PAUSED: _paused,
    Kind.RELOADED: _reloaded,
    Kind.SYNCED: _synced,
}
