"""Lives through one seed: `python -m tests.campaign.seed 17` prints what became of it as one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from chartinsightd.domain.kst import day_of
from tests.campaign.around import whole
from tests.campaign.blows import strike
from tests.campaign.checker import Settled, ahead, look_back, settle
from tests.campaign.cluster import Cluster, open_cluster, send
from tests.campaign.schedule import Draw, Window
from tests.support.folders import new_folder
from tests.support.harness import Hanging, moment

_CALM = 600.0
"""The pace of the morning after."""
_FIRST = 0
"""Names the mix that is in force from the start."""
_TIME_LIMIT_S = 240.0


@dataclass(slots=True, kw_only=True)
class Result:
    """What became of a seed."""

    seed: int
    findings: list[str] = field(default_factory=list)
    """Empty: it passed."""
    simulated_days: float = 0.0
    """Lived through or jumped over, from the start to the end."""
    lived_s: float = 0.0
    """Virtual seconds of the windows, which are lived through."""
    strikes: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    refused_orders: int = 0
    requests: int = 0
    rows_served: int = 0
    rows_compared: int = 0
    seals: dict[str, int] = field(default_factory=dict)
    """Sessions by what the morning after said of them."""
    actions: int = 0
    """Corporate actions in the ledger, all equal to the truth."""
    recovery_s: float = 0.0
    recovery_virtual_s: float = 0.0
    violations: int = 0
    real_s: float = 0.0


def as_json(result: Result) -> dict[str, Any]:
    """Return a result as JSON takes it."""
    return asdict(result)


async def live(drawn: Draw, folder: Path) -> Result:
    """Live through a seed."""
    begun, result = time.monotonic(), Result(seed=drawn.seed)
    async with open_cluster(drawn, folder) as cluster:
        try:
            async with asyncio.timeout(_TIME_LIMIT_S):
                await _play(cluster, result)
        except* (Hanging, AssertionError, TimeoutError) as group:
            cluster.tally.findings += [f"{type(error).__name__}: {error}" for error in _leaves(group)]
        finally:
            keep(cluster, result)
    result.real_s = round(time.monotonic() - begun, 2)
    return result


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _play(cluster: Cluster, result: Result) -> None:
    await cluster.switch_faults(_FIRST, cluster.draw.first_mix)
    await cluster.daemon.says("stocks.synced")
    cluster.note("the stock list is in")
    for window in cluster.draw.windows:
        await endure(cluster, window)
        await cluster.switch_faults(_FIRST, [])
        result.lived_s += window.real_s * cluster.draw.speed
    morning = morning_after(await cluster.ask(lambda admin: admin.now()), cluster.draw.last_day)
    cluster.note(f"the storm is over; on to {morning}")
    await cluster.go_to(morning, _CALM)
    settled = await settle(cluster, moment(day_of(morning), 0))
    cluster.note(f"settled after {settled.took_s:.1f} s")
    await close(cluster, result, settled)


async def endure(cluster: Cluster, window: Window) -> None:
    """Live through a window and all its strikes; the clock may have been stepped beyond its beginning."""
    late = await cluster.ask(lambda admin: admin.now()) >= window.begins_at
    await cluster.go_to(None if late else window.begins_at, cluster.draw.speed)
    cluster.note(f"window of {window.begins_at}")
    async with asyncio.TaskGroup() as group:
        for blow in window.strikes:
            group.create_task(_strike_later(cluster, blow, window.real_s))
        group.create_task(asyncio.sleep(window.real_s))


async def _strike_later(cluster: Cluster, blow: Any, real_s: float) -> None:
    await asyncio.sleep(blow.at * real_s)
    await strike(cluster, blow)


def morning_after(now: datetime, last_day: date) -> datetime:
    """Return the first morning at which the overnight corrections of every day so far are in."""
    morning = max(day_of(now), last_day + timedelta(days=1))
    at = moment(morning, 7, 31)
    return at if at > now else moment(morning + timedelta(days=1), 7, 31)


async def close(cluster: Cluster, result: Result, settled: Settled) -> None:
    """Count, ask the daemon to leave, and look at what is left."""
    result.rows_compared, result.recovery_s = settled.compared, round(settled.took_s, 2)
    result.recovery_virtual_s = round(settled.took_virtual_s)
    result.seals, result.actions = settled.seals, settled.actions
    async with cluster.daemon_lock, cluster.broker_lock:
        if cluster.draw.is_embedded:
            await _look_at_checkpoint_of_the_living(cluster)
        if cluster.daemon.process.poll() is None:
            cluster.expect_end(await cluster.daemon.stop(), "the end")
        if not cluster.draw.is_embedded:
            cluster.tally.findings += await ahead(cluster)
        await cluster.close_count()
        look_back(cluster)
        now = await cluster.admin.now()
    result.simulated_days = round((now - cluster.draw.starts_at) / timedelta(days=1), 2)


async def _look_at_checkpoint_of_the_living(cluster: Cluster) -> None:
    """Look while the daemon is held still: a PostgreSQL of its own leaves with it."""
    pid = cluster.daemon.process.pid
    send([pid], signal.SIGSTOP)
    try:
        cluster.tally.findings += await ahead(cluster)
    finally:
        send([pid], signal.SIGCONT)


def keep(cluster: Cluster, result: Result) -> None:
    tally = cluster.tally
    result.findings = [*tally.findings]
    result.strikes, result.faults = dict(tally.strikes), dict(tally.faults)
    result.restarts, result.skipped = dict(tally.restarts), dict(tally.skipped)
    result.refused_orders, result.requests = tally.refused_orders, tally.requests
    result.rows_served, result.violations = tally.rows_served, tally.violations
    (cluster.folder / "events.log").write_text("\n".join(cluster.events) + "\n", encoding="utf-8")


def run(seed: int, keep: Path | None = None, windows: int | None = None) -> Result:
    """Live through a seed in a folder of its own.

    Args:
        seed: which.
        keep: where to put the logs; None throws them away.
        windows: see `whole`.
    """
    folder = new_folder(f"chartinsight-seed-{seed}-")
    try:
        result = asyncio.run(live(whole(seed, windows), folder))
    finally:
        if keep is not None:
            _save_logs(folder, keep)
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _save_logs(folder: Path, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    for log in (*folder.glob("*.log"), *folder.glob("state/*.log"), *folder.glob("*/postgres-*/server.log")):
        shutil.copy(log, keep / log.name)


def main() -> None:
    """Run one seed; the exit status is 1 where it did not pass."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seed", type=int)
    parser.add_argument("--keep", type=Path, help="where to put the logs")
    asked = parser.parse_args()
    result = run(asked.seed, asked.keep)
    print(json.dumps(as_json(result)))
    sys.exit(1 if result.findings else 0)


if __name__ == "__main__":
    main()
