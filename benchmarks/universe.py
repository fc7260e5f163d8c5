"""What planning costs with a whole market in two tiers: CPU in all, and the longest stretch without a pause.

    python -m benchmarks.universe [--members 1300 2700]

Thirty targets in five timeframes, the others in days and weeks. CPU time of the thread is measured: the
machine may be busy with other work. The parts are what the daemon runs: plans in slices, the queue, the gaps.
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
from chartinsightd.facts.krx import KST
from chartinsightd.facts.targets import TARGETS
from chartinsightd.service.collecting.fetch_queue import FetchQueue
from chartinsightd.service.collecting.scheduler import SLICE
from tests.support.world import World

EVENING = datetime(2026, 9, 15, 20, 30, tzinfo=KST)
MORNING = datetime(2026, 9, 16, 7, 31, tzinfo=KST)
LONGEST_MS = 20.0
A_FETCH_MS = 1.0
ROUNDS = 3


async def world_of(members: int, *, is_loaded: bool) -> World:
    """Return a market on the morning after: never read, or complete since the evening."""
    world = World(MORNING, horizon="1y")
    universe = [f"{number:06}" for number in range(100_000, 100_000 + members)]
    world.collected.replace(TARGETS, universe=universe)
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


def measure(table: Table, members: int, *, is_loaded: bool) -> None:
    """Note the figures of one market; the best of some rounds, since others share the machine."""
    world = asyncio.run(world_of(members, is_loaded=is_loaded))
    list(slices(world))  # what is worked out of the calendar is worked out once
    rounds = [list(slices(world)) for _ in range(ROUNDS)]
    planned = min(rounds, key=lambda one: sum(ms for _, ms in one))
    fetches = [fetch for some, _ in planned for fetch in some]
    gaps = min((stretches(world.gap_list().gaps()) for _ in range(ROUNDS)), key=sum)
    what = f"{members + len(TARGETS):,} symbols, {'morning round' if is_loaded else 'first load'}"
    table.note(f"{what}: series, fetches", f"{len(world.scheduler.series):,}, {len(fetches):,}")
    table.note(f"{what}: plan in all", f"{sum(ms for _, ms in planned):.1f} ms")
    table.at_most(f"{what}: longest slice of the plan", max(ms for _, ms in planned), LONGEST_MS, " ms")
    table.at_most(
        f"{what}: queue, a fetch", min(queueing_ms(fetches) for _ in range(ROUNDS)), A_FETCH_MS, " ms"
    )
    table.at_most(f"{what}: longest stretch of the gap list", max(gaps), LONGEST_MS, " ms")


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[1300, 2700])
    table = Table("Universe: planning in two tiers")
    for members in parser.parse_args().members:
        for is_loaded in (False, True):
            measure(table, members, is_loaded=is_loaded)
    table.show()


if __name__ == "__main__":
    main()
