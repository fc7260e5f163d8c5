"""Several accounts against a simulator that counts each by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from chartinsightd.adapters.kiwoom.accounts import (
    Account,
    AccountPool,
    PooledCharts,
    PooledGate,
    PooledLists,
    log_in_all,
)
from chartinsightd.adapters.kiwoom.session import open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.clock import SimulatedClock
from chartinsightd.domain.errors import AccessBlocked
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartRequest, Priority
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.server import open_server
from chartinsightd.simulator.settings import Profile
from chartinsightd.simulator.simulation import Simulation
from tests.adapters.kiwoom.fake_broker import PlainSecret
from tests.simulator.plain_market import PlainMarket
from tests.simulator.server_client import NOON
from tests.support.guards import FakeBlocks

KEYS = {"key-one": "secret-one", "key-two": "secret-two"}
NAMES = dict(zip(("main", "second"), KEYS, strict=True))
SYMBOL = "005930"
SPEED = 30.0
"""A refusal holds for ten real seconds, longer than a test takes; a second login waits for a short moment."""


@dataclass(frozen=True)
class Stage:
    """A simulator with two accounts, and our sessions with it."""

    simulation: Simulation
    pool: AccountPool

    async def reads(self) -> int:
        """Read the days of a symbol; return how many candles there are."""
        request = ChartRequest(symbol=SYMBOL, timeframe=Timeframe.D1, until=datetime(2026, 11, 1, tzinfo=UTC))
        pages = [page async for page in PooledCharts(self.pool).pages(request, Priority.LIVE)]
        return sum(len(page.candles) for page in pages)

    def requests(self) -> dict[str, int]:
        """Count the day charts that arrived, by lane."""
        arrivals = self.simulation.monitor.arrivals
        return {lane: one.requests for lane, one in arrivals.items() if lane.startswith("ka10081")}

    def refuse(self, *names: str) -> None:
        """Refuse the keys of these accounts, and no others."""
        self.simulation.tokens.blocked_keys = frozenset(NAMES[name] for name in names)
        self.simulation.tokens.invalidate()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Open both sessions."""
    simulation = Simulation.of(Profile(), VirtualClock(start=NOON, speed=SPEED), PlainMarket(), KEYS)
    ours = SimulatedClock(NOON.astimezone(UTC), SPEED)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(open_server(simulation))
        accounts = []
        for name, app_key in NAMES.items():
            access = KiwoomAccess(
                base_url=address.url, app_key=PlainSecret(app_key), secret_key=PlainSecret(KEYS[app_key])
            )
            circuit = Circuit(ours, FakeBlocks())
            opened = open_kiwoom(access, ours, 5, "measured", circuit=circuit)
            kiwoom = await stack.enter_async_context(opened)
            accounts.append(Account(name=name, kiwoom=kiwoom, circuit=circuit))
        yield Stage(simulation, AccountPool(accounts, ours))


async def test_a_symbol_is_read_through_one_account() -> None:
    """Each reading of a symbol takes the same account, whose limit alone it counts against."""
    async with stage() as ours:
        assert [await ours.reads() for _ in range(3)] == [await ours.reads()] * 3
        assert [*ours.requests().values()] == [4]


async def test_the_symbols_of_a_refused_account_are_read_through_the_others() -> None:
    """A key that is refused costs no candle: the same reading gets its answer elsewhere."""
    async with stage() as ours:
        usual = ours.pool.of(SYMBOL).name
        assert await ours.reads() > 0
        ours.refuse(usual)
        assert await ours.reads() > 0
        assert ours.pool.working() == [name for name in NAMES if name != usual]
        assert await PooledLists(ours.pool).listed_stocks(Priority.LIVE)


async def test_when_every_account_is_refused_that_is_told() -> None:
    """Then nothing is asked any more, as with one account."""
    async with stage() as ours:
        ours.refuse(*NAMES)
        with pytest.raises(AccessBlocked):
            await ours.reads()
        arrived = ours.simulation.monitor.arrivals["au10001"].requests
        with pytest.raises(AccessBlocked):
            await ours.reads()
        assert ours.simulation.monitor.arrivals["au10001"].requests == arrived


async def test_an_account_that_fails_again_and_again_rests() -> None:
    """After five failures in a row its symbols move for a minute; when all rest, all are asked."""
    async with stage() as ours:
        usual = ours.pool.of(SYMBOL)
        for _ in range(5):
            ours.pool.failed(usual)
        other = ours.pool.of(SYMBOL)
        assert other is not usual
        for _ in range(5):
            ours.pool.failed(other)
        assert ours.pool.of(SYMBOL) is usual


async def test_the_login_names_the_account_that_is_refused() -> None:
    """A person who mistyped the second key reads which it was; both right give the earlier end."""
    async with stage() as ours:
        ours.refuse("second")
        with pytest.raises(AccessBlocked, match=r"^Account second: "):
            await log_in_all(ours.pool)
    async with stage() as ours:
        assert await log_in_all(ours.pool) > NOON + timedelta(hours=1)


async def test_the_lanes_of_all_accounts_are_added_up() -> None:
    """What a person sees, and what an estimate of time rests on, is what all of them may send together."""
    async with stage() as ours:
        assert await ours.reads() > 0
        for account in ours.pool.accounts.values():
            await account.kiwoom.lists.listed_stocks(Priority.LIVE)
        lanes = {lane.api_id: lane for lane in PooledGate(ours.pool).state()}
        assert (lanes["ka10081"].ceiling, lanes["ka10099"].ceiling) == (5, 10)
        each = [
            {lane.api_id: lane for lane in account.kiwoom.gate.state()}["ka10099"].sent_last_minute
            for account in ours.pool.accounts.values()
        ]
        assert lanes["ka10099"].sent_last_minute == sum(each) > max(each)
