"""A broker that only counts: requests travel there and back through a network of chosen unsteadiness."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from chartinsightd.adapters.kiwoom.gate import Gate
from chartinsightd.ports.broker import Priority

T = TypeVar("T")
Delay = Callable[[random.Random], float]

PROFILES: dict[str, Delay] = {
    "wide": lambda dice: dice.uniform(0.02, 0.2),
    "none": lambda _: 0.0002,
    "uniform": lambda dice: dice.uniform(0.005, 0.025),
    "lognormal": lambda dice: min(0.25, dice.lognormvariate(-5.0, 0.9)),
    "seconds": lambda dice: 0.01 if dice.random() < 0.97 else dice.uniform(0.5, 4.0),
}
"""One-way delays in seconds."""


@dataclass
class ModelBroker:
    """Counts a request when it arrives; its answer takes a way back, or never comes."""

    delay: Delay
    seed: int = 0
    lost_share: float = 0.0
    stalls: Sequence[tuple[float, float]] = ()
    """When it stands still, from and until; what arrives meanwhile is counted all at once at the end."""
    cuts: Sequence[float] = ()
    """When the way is cut: whoever waits for an answer hears so; what is on its way arrives all the same."""
    timeout_s: float = 1_000.0
    """How long an answer is waited for."""
    arrivals: list[float] = field(default_factory=list)
    round_trips: list[tuple[float, float]] = field(default_factory=list)
    """When each answered request left, and how long it took; seconds."""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    async def request(self, gate: Gate, api_id: str, priority: Priority) -> None:
        """Pass the gate and make one request.

        Raises:
            TimeoutError: its answer is lost, or takes too long.
            ConnectionResetError: the way was cut.
        """
        async with gate.slot(api_id, priority) as slot:
            loop = asyncio.get_running_loop()
            sent_at = loop.time()
            until_cut_s = min((at - sent_at for at in self.cuts if at > sent_at), default=math.inf)
            try:
                async with asyncio.timeout(min(self.timeout_s, until_cut_s)):
                    await asyncio.shield(asyncio.ensure_future(self._count()))
                    await asyncio.sleep(self.delay(self._dice))
            except TimeoutError:
                if until_cut_s > self.timeout_s:
                    raise
                slot.cut_off()
                raise ConnectionResetError from None
            if self._dice.random() < self.lost_share:
                await asyncio.sleep(1.0)
                raise TimeoutError
            self.round_trips.append((sent_at, loop.time() - sent_at))

    async def _count(self) -> None:
        """Count one request; it is on its way, whoever waits for it."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.delay(self._dice))
        ends = [until for since, until in self.stalls if since <= loop.time() < until]
        await asyncio.sleep(max(ends, default=loop.time()) - loop.time())
        self.arrivals.append(loop.time())

    def most_in_a_second(self) -> int:
        """Return the largest number of requests counted in any sliding second."""
        times = sorted(self.arrivals)
        most = first = 0
        for last, at in enumerate(times):
            while at - times[first] >= 1.0 - 1e-9:
                first += 1
            most = max(most, last - first + 1)
        return most

    def utilisation(self, limit: int) -> float:
        """Return requests served against what the limit allows, once warm and while there is work waiting."""
        times = self._steady(sorted(self.arrivals))
        return (len(times) - 1) / limit / (times[-1] - times[0])

    def bound(self) -> float:
        """Return the most a gate can use that knows its own sends and answers only.

        Source: measurements.md#limiters.
        """
        trips = [took_s for _, took_s in self._steady(sorted(self.round_trips))]
        return 1 / (1 + sum(trips) / len(trips) - min(trips))

    @staticmethod
    def _steady(values: list[T]) -> list[T]:
        return values[len(values) // 4 : -len(values) // 20]
