"""How much of the broker's limit the gate uses, and that it never passes it, against a model of the network.

    python -m benchmarks.gate [--requests 1001] [--seeds 5]

Virtual time: nothing is waited for. The bound is the most a gate can use that knows its own sends and
answers only (1 / (1 + mean - smallest round trip) of the limit); the naive peers show what the bound costs
and what it buys.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean
from typing import cast

from aiolimiter import AsyncLimiter

from benchmarks.table import Table
from chartinsightd.adapters.kiwoom.gate import Gate, Mode
from chartinsightd.ports.broker import Priority
from tests.adapters.kiwoom.model_broker import PROFILES, ModelBroker
from tests.adapters.kiwoom.virtual import run_virtually
from tests.support.virtual import LoopClock

LIMIT = 5
START = datetime(2026, 11, 18, tzinfo=UTC)


@dataclass(frozen=True)
class LimiterGate:
    """A bare limiter in the place of a gate."""

    limiter: AsyncLimiter

    @asynccontextmanager
    async def slot(self, api_id: str, priority: Priority) -> AsyncIterator[None]:  # noqa: ARG002
        await self.limiter.acquire()
        yield


@asynccontextmanager
async def limiter_gate(rate: float, period_s: float) -> AsyncIterator[LimiterGate]:
    yield LimiterGate(AsyncLimiter(rate, period_s))


def our_gate(mode: Mode) -> Gate:
    return Gate(LoopClock(START), LIMIT, mode)


OURS = "gate, proved"
GATES: dict[str, Callable[[], AbstractAsyncContextManager[Gate | LimiterGate]]] = {
    OURS: lambda: our_gate("proved"),
    "gate, measured": lambda: our_gate("measured"),
    "AsyncLimiter(1, 0.2)": lambda: limiter_gate(1, 0.2),
    "AsyncLimiter(5, 1)": lambda: limiter_gate(5, 1),
}


async def flood(
    broker: ModelBroker, requests: int, gate_of: Callable[[], AbstractAsyncContextManager[Gate | LimiterGate]]
) -> None:
    """Queue all requests at once and wait for the last answer."""
    async with gate_of() as gate, asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(broker.request(cast(Gate, gate), "ka10080", Priority.BACKFILL))


def measure(table: Table, profile: str, requests: int, seeds: int) -> None:
    """Add the lines of one network."""
    for name in GATES:
        brokers = [ModelBroker(PROFILES[profile], seed) for seed in range(seeds)]
        for broker in brokers:
            run_virtually(flood(broker, requests, GATES[name]))
        used = mean(broker.utilisation(LIMIT) for broker in brokers)
        bound = mean(broker.bound() for broker in brokers)
        most = max(broker.most_in_a_second() for broker in brokers)
        if name == OURS:
            table.at_most(f"{profile}: {name}, most in a second", most, LIMIT)
            table.at_least(f"{profile}: {name}, share of the bound {bound:.3f}", used / bound, 0.99)
        else:
            table.note(f"{profile}: {name}, most in a second, share of the limit", f"{most} {used:.3f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=1001)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    table = Table(f"Gate: {LIMIT} a second, {options.requests} requests waiting, {options.seeds} seeds")
    for profile in PROFILES:
        measure(table, profile, options.requests, options.seeds)
    table.show()


if __name__ == "__main__":
    main()
