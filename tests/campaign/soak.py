"""A simulated year in half an hour: every session has its storm, and nothing may grow but the store.

python -m tests.campaign.soak [--sessions 245] [--window 1.5] [--report soak.json]

Between two storms the clock jumps over dead time; a symbol's whole year is compared at the end. The daemon is
killed and restarted in the first fifth of the year only, so that one life is long enough to measure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from chartinsightd.control.client import ControlError
from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.kst import day_of
from tests.campaign.checker import settle
from tests.campaign.cluster import Cluster, open_cluster
from tests.campaign.schedule import Draw, Kind, Window, draw, storm
from tests.campaign.seed import Result, close, endure, keep, morning_after
from tests.campaign.slopes import Slope, at_rest, slope
from tests.support.folders import new_folder
from tests.support.harness import moment

_FIRST_DAY = date(2026, 1, 2)
_SPEED = 3000.0
_CALM = 600.0
_STRIKES = (1, 3)
_WARM_UP = 0.25
"""The share of the year whose samples are not measured: caches fill, and the daemon is killed."""
_KILLS_UNTIL = 0.2
_SETTLES_EVERY = 40
"""Sessions after which the store is compared on the way, so that a fault is found where it was made."""
_ENDS_A_LIFE = (Kind.DAEMON_KILLED, Kind.DAEMON_RESTARTED, Kind.CHECKPOINT_DAMAGED, Kind.SPOOL_DAMAGED)
_BOUNDS = {
    "resident memory": ("KiB", 40.0),
    "file descriptors": ("", 0.02),
    "tasks": ("", 0.02),
    "threads": ("", 0.02),
}
"""What may not grow, and its noise over a year in units a day: 10 MiB, five descriptors, five tasks."""
_DATABASE_KIB_A_DAY = 1024.0
"""A session of four symbols is some 700 rows of 100 bytes, with revisions, jobs and dead rows beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the daemon holds after one session."""

    day: float
    """Simulated days since the start."""
    life: int
    """The process that was measured."""
    resident_kib: float
    descriptors: float
    threads: float
    tasks: float
    database_kib: float


async def _sample(cluster: Cluster, begun: date, today: date) -> Sample | None:
    """Measure; None while the daemon cannot be asked."""
    try:
        async with cluster.control() as client:
            metrics = _values(await client.metrics())
        return _measured(cluster.daemon.process.pid, (today - begun).days, metrics)
    except (ControlError, OSError):
        return None


def _measured(pid: int, day: float, metrics: Mapping[str, float]) -> Sample:
    process = Path(f"/proc/{pid}")
    lines = (line.split(":", 1) for line in (process / "status").read_text().splitlines())
    status = {name: value.split() for name, value in lines}
    return Sample(
        day=day,
        life=pid,
        resident_kib=float(status["VmRSS"][0]),
        descriptors=float(len(list((process / "fd").iterdir()))),
        threads=float(status["Threads"][0]),
        tasks=metrics["chartinsight_tasks"],
        database_kib=metrics["chartinsight_database_size_bytes"] / 1024,
    )


def _values(metrics: str) -> dict[str, float]:
    """Return the samples without labels, by name."""
    lines = (line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def _drawn(seed: int, sessions: Sequence[Session], window_s: float) -> Draw:
    base = draw(seed, 1)
    return replace(
        base,
        is_embedded=False,
        follows_clock=True,
        has_small_disk=False,
        options=(),
        first_mix=(),
        environment="real",
        horizons={"5m": "1y", "30m": "1y", "1h": "1y", "1d": "1y", "1w": "1y"},
        speed=_SPEED,
        starts_at=moment(sessions[0].day, 8),
        windows=tuple(_window(number, len(sessions), one, window_s) for number, one in enumerate(sessions)),
    )


def _window(number: int, count: int, session: Session, window_s: float) -> Window:
    # over a year removals would leave nothing to collect, and there is no small disk to fill
    without = {Kind.DISK_FULL, Kind.SYMBOL_REMOVED}
    if number > count * _KILLS_UNTIL:
        without |= {*_ENDS_A_LIFE}
    return storm(number, session.day, _SPEED, without=without, real_s=(window_s, window_s), strikes=_STRIKES)


async def _live(drawn: Draw, sessions: Sequence[Session], folder: Path) -> dict[str, Any]:
    result, samples, begun = Result(seed=drawn.seed), [], time.monotonic()
    async with open_cluster(drawn, folder) as cluster:
        try:
            await cluster.daemon.says("stocks.synced")
            for number, (session, window) in enumerate(zip(sessions, drawn.windows, strict=True)):
                await endure(cluster, window)
                result.lived_s += window.real_s * _SPEED
                if (sample := await _sample(cluster, sessions[0].day, session.day)) is not None:
                    samples.append(sample)
                if (number + 1) % _SETTLES_EVERY == 0:
                    await _settle(cluster, session)
                    print(f"{session.day}: {_told(samples[-1:])}", file=sys.stderr, flush=True)
            settled = await _settle(cluster, sessions[-1])
            await close(cluster, result, settled)
        finally:
            keep(cluster, result)
    result.real_s = round(time.monotonic() - begun, 1)
    slopes = _slopes(samples)
    return {
        "result": asdict(result),
        "slopes": [asdict(one) | {"holds": one.holds} for one in slopes],
        "samples": [asdict(one) for one in samples],
        "lines": [str(one) for one in slopes],
    }


async def _settle(cluster: Cluster, session: Session) -> Any:
    morning = morning_after(await cluster.ask(lambda admin: admin.now()), session.day)
    await cluster.go_to(morning, _CALM)
    return await settle(cluster, moment(day_of(morning), 0))


def _told(samples: Sequence[Sample]) -> str:
    return ", ".join(f"{name} {value:,.0f}" for one in samples for name, value in asdict(one).items())


def _slopes(samples: Sequence[Sample]) -> list[Slope]:
    """Return what grew in the daemon's last life, after the warm-up."""
    last = [one for one in samples if one.life == samples[-1].life]
    warm = [one for one in last if one.day >= samples[-1].day * _WARM_UP]
    days = [one.day for one in warm]
    columns = {
        "resident memory": [one.resident_kib for one in warm],
        "file descriptors": at_rest([one.descriptors for one in warm]),
        "tasks": at_rest([one.tasks for one in warm]),
        "threads": [one.threads for one in warm],
    }
    found = [
        slope(name, _BOUNDS[name][0], days, values, _BOUNDS[name][1]) for name, values in columns.items()
    ]
    return [
        *found,
        slope("database", "KiB", days, [one.database_kib for one in warm], _DATABASE_KIB_A_DAY),
    ]


def main() -> None:
    """Live through the year; the exit status is 1 where something grew or differed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=245, help="trading days to live through [245]")
    parser.add_argument("--window", type=float, default=1.5, help="real seconds of each day's storm [1.5]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="write everything here, as JSON")
    asked = parser.parse_args()
    sessions = Calendar().sessions(_FIRST_DAY, _FIRST_DAY + timedelta(days=2 * asked.sessions))
    sessions = sessions[: asked.sessions]
    folder = new_folder("chartinsight-soak-")
    try:
        told = asyncio.run(_live(_drawn(asked.seed, sessions, asked.window), sessions, folder))
    finally:
        if asked.report:
            for log in folder.glob("*.log"):
                shutil.copy(log, asked.report.parent / f"soak-{log.name}")
        shutil.rmtree(folder, ignore_errors=True)
    if asked.report:
        asked.report.write_text(json.dumps(told, indent=1), encoding="utf-8")
    result = told["result"]
    print(f"{result['simulated_days']} simulated days in {result['real_s']} s, {result['strikes']}")
    print(f"{result['rows_compared']:,} rows equal, {result['requests']:,} requests")
    print(f"findings: {result['findings']}")
    print(*told["lines"], sep="\n")
    sys.exit(0 if not result["findings"] and all(one["holds"] for one in told["slopes"]) else 1)


if __name__ == "__main__":
    main()
