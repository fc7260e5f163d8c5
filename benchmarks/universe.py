"""What planning costs with a whole market in two tiers: CPU in all, and the longest stretch without a pause.

    python -m benchmarks.universe [--members 1300 2700]

Thirty targets in five timeframes, the others in days and weeks; at last all of them as targets, and what the
record of each ten seconds costs then. CPU time of the thread is measured: the machine may be busy with other
work. The parts are what the daemon runs: plans in slices, the queue, the gaps, the record.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Coroutine, Iterator
from datetime import datetime
from typing import Any

from benchmarks.table import Table
from chartinsightd.domain.expected import expected
from chartinsightd.domain.planning import Fetch, PlanRules, plan
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.facts.targets import TARGETS
from chartinsightd.service.collecting.fetch_queue import FetchQueue
from chartinsightd.service.collecting.scheduler import SLICE
from tests.backend.conftest import BackendWorld
from tests.support.virtual import run_virtually
from tests.support.world import World

EVENING = datetime(2026, 9, 15, 20, 30, tzinfo=KST)
MORNING = datetime(2026, 9, 16, 7, 31, tzinfo=KST)
LONGEST_MS = 20.0
A_FETCH_MS = 1.0
RECORDED_EVERY_MS, MOST_RECORDING = 10_000, 2.0
ROUNDS = 3


async def world_of(members: int, *, is_loaded: bool, as_targets: bool = False) -> World:
    """Return a market on the morning after: never read, or complete since the evening."""
    world = World(MORNING, horizon="1y")
    others = [f"{number:06}" for number in range(100_000, 100_000 + members)]
    if as_targets:
        world.collected.replace([*TARGETS, *others])
    else:
        world.collected.replace(TARGETS, universe=others)
    if is_loaded:
        rules = world.current_rules.rules
        world.checkpoint.states = {one: _complete(one, rules) for one in world.scheduler.series}
        world.store.covered = {one: state.covered for one, state in world.checkpoint.states.items()}
    await world.ledger.open()
    return world


def _complete(series: Series, rules: PlanRules) -> SeriesState:
    tier = rules.tier(series.symbol)
    should = expected(
        EVENING,
        series.timeframe,
        horizon=rules.horizon(series.timeframe, tier),
        calendar=rules.calendar,
        refresh=rules.refresh_of(tier),
    )
    return SeriesState(covered=should.ranges or EMPTY, read_at=EVENING)


def slices(world: World) -> Iterator[tuple[list[Fetch], float]]:
    """Plan as the scheduler does; yield each slice's fetches and its CPU in milliseconds."""
    series, now = world.scheduler.series, MORNING
    for start in range(0, len(series), SLICE):
        begun = time.thread_time()
        fetches = plan(now, world.ledger.planned(series[start : start + SLICE]), world.current_rules.rules)
        yield fetches, (time.thread_time() - begun) * 1e3


def queueing_ms(fetches: list[Fetch]) -> float:
    """Let everything wait and start, one ending at a time; return the CPU of one fetch in milliseconds."""
    queue, begun = FetchQueue(), time.thread_time()
    for fetch in fetches:
        queue.put(fetch)
    underway = list(queue.start_ready())
    while underway:
        queue.end(underway.pop(0))
        underway += queue.start_ready()
    return (time.thread_time() - begun) * 1e3 / max(1, len(fetches))


def stretches(work: Coroutine[Any, Any, Any]) -> list[float]:
    """Drive a coroutine that only gives way; return the CPU of each stretch in milliseconds."""
    found: list[float] = []
    while True:
        begun = time.thread_time()
        try:
            work.send(None)
        except StopIteration:
            return [*found, (time.thread_time() - begun) * 1e3]
        found.append((time.thread_time() - begun) * 1e3)


def measure(table: Table, members: int, *, is_loaded: bool, as_targets: bool = False) -> None:
    """Note the figures of one market; the best of some rounds, since others share the machine."""
    world = asyncio.run(world_of(members, is_loaded=is_loaded, as_targets=as_targets))
    list(slices(world))  # what is worked out of the calendar is worked out once
    rounds = [list(slices(world)) for _ in range(ROUNDS)]
    planned = min(rounds, key=lambda one: sum(ms for _, ms in one))
    fetches = [fetch for some, _ in planned for fetch in some]
    gaps = min((stretches(world.gap_list().gaps()) for _ in range(ROUNDS)), key=sum)
    kind = "targets" if as_targets else "symbols"
    what = f"{members + len(TARGETS):,} {kind}, {'morning round' if is_loaded else 'first load'}"
    table.note(f"{what}: series, fetches", f"{len(world.scheduler.series):,}, {len(fetches):,}")
    table.note(f"{what}: plan in all", f"{sum(ms for _, ms in planned):.1f} ms")
    table.at_most(f"{what}: longest slice of the plan", max(ms for _, ms in planned), LONGEST_MS, " ms")
    table.at_most(
        f"{what}: queue, a fetch", min(queueing_ms(fetches) for _ in range(ROUNDS)), A_FETCH_MS, " ms"
    )
    table.at_most(f"{what}: longest stretch of the gap list", max(gaps), LONGEST_MS, " ms")


def measure_recorder(table: Table, targets: int) -> None:
    """Measure what it costs to record a moment with this number of targets, all complete."""
    world = BackendWorld(MORNING, horizon="1y")
    world.collected.replace([f"{number:06}" for number in range(100_000, 100_000 + targets)])
    rules = world.current_rules.rules
    complete = {
        timeframe: _complete(Series(symbol="100000", timeframe=timeframe), rules) for timeframe in Timeframe
    }
    world.checkpoint.states = {one: complete[one.timeframe] for one in world.scheduler.series}
    world.store.covered = {one: state.covered for one, state in world.checkpoint.states.items()}
    run_virtually(_record(table, world, f"{targets:,} targets: a moment"))


async def _record(table: Table, world: BackendWorld, what: str) -> None:
    await world.ledger.open()
    world.monitor = world.new_monitor()
    backend = world.new_backend()
    await backend.replay.take()  # what is worked out of the calendar is worked out once
    rounds = [stretches(backend.replay.take()) for _ in range(ROUNDS)]
    found = min(rounds, key=sum)
    table.at_most(
        f"{what} recorded, share of a core", sum(found) / RECORDED_EVERY_MS * 100, MOST_RECORDING, " %"
    )
    table.at_most(f"{what}: longest stretch", max(found), LONGEST_MS, " ms")
    table.note(f"{what}: bytes before compression", f"{len((await backend.replay.take()).body):,}")


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[1300, 2700])
    table = Table("Universe: planning in two tiers")
    for members in parser.parse_args().members:
        for is_loaded in (False, True):
            measure(table, members, is_loaded=is_loaded)
    for is_loaded in (False, True):
        measure(table, max(parser.parse_args().members), is_loaded=is_loaded, as_targets=True)
    measure_recorder(table, max(parser.parse_args().members))
    table.show()


if __name__ == "__main__":
    main()
