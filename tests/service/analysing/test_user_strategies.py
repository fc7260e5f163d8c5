"""The user's strategies: proved when their files change, used when ready, and named when they are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.screens.evaluation import Screened, Stock
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.statistics import Report
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.strategies import (
    FolderFault,
    FolderLook,
    ScreenPlan,
    StrategyEnded,
    StrategyFacts,
    StrategySource,
)
from chartinsightd.service.analysing.evaluators import Evaluators
from chartinsightd.service.analysing.user_strategies import StrategyState, UserStrategies
from tests.support.fake_backend import FrozenClock

NOW = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


class Folder:
    """A folder in memory."""

    path = "/strategies"

    def __init__(self) -> None:
        self.holds = FolderLook()

    def put(self, **texts: str) -> None:
        """Let the folder hold these files."""
        self.holds = FolderLook(
            sources=[StrategySource(name=name, text=text) for name, text in texts.items()]
        )

    def read(self) -> FolderLook:
        """Return what it holds."""
        return self.holds


class Sandbox:
    """A sandbox that goes by the text: `right`, `wrong`, or `hangs` in a screen."""

    def __init__(self) -> None:
        self.proved: list[str] = []

    async def prove(self, source: StrategySource) -> StrategyFacts:
        """Refuse what is wrong."""
        self.proved.append(source.name)
        if "wrong" in source.text:
            raise StrategyRefused(Check.LOOK_AHEAD, f"{source.name} looks ahead.", remedy="Look back.")
        return StrategyFacts(
            id=source.name, version=1, title="", timeframes=[Timeframe.D1], warmup=5, parameters={}
        )

    async def plan(
        self, asked: object, sources: Sequence[StrategySource], timeframe: Timeframe
    ) -> ScreenPlan:
        """Want ten candles."""
        del asked, sources, timeframe
        return ScreenPlan(expression={}, wanted=10)

    async def screen(
        self,
        asked: object,
        sources: Sequence[StrategySource],
        timeframe: Timeframe,
        universe: Sequence[Stock],
        session_ts: int,
    ) -> Screened:
        """End what hangs."""
        del asked, timeframe
        if any("hangs" in source.text for source in sources):
            raise StrategyEnded(
                sources[0].name, f"{sources[0].name} took longer than 60 s.", remedy="Mend it."
            )
        return Screened(session_ts=session_ts, matches=(), exceptions=(), universe=len(universe))

    async def report(
        self, source: StrategySource, series: Sequence[Candles], split_ts: int, cost: float
    ) -> Report:
        """Report nothing."""
        del source, series
        return Report(split_ts=split_ts, cost=cost, in_sample=(), out_of_sample=())


@pytest.fixture
def folder() -> Folder:
    """An empty folder."""
    return Folder()


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox."""
    return Sandbox()


@pytest.fixture
def users(folder: Folder, sandbox: Sandbox) -> UserStrategies:
    """Strategies of the folder."""
    return UserStrategies(folder=folder, sandbox=sandbox, clock=FrozenClock(NOW))


async def test_each_file_stands_for_itself(users: UserStrategies, folder: Folder, sandbox: Sandbox) -> None:
    """A refused strategy keeps its reason and remedy; what is unchanged is not proved a second time."""
    folder.put(bad="wrong", good="right")
    await users.look()
    await users.look()

    assert sandbox.proved == ["bad", "good"]
    assert {name: one.state for name, one in users.known.items()} == {
        "bad": StrategyState.REFUSED,
        "good": StrategyState.READY,
    }
    assert users.known["bad"].reason == "bad looks ahead."
    assert users.known["bad"].remedy
    assert [one.name for one in users.sources({"bad", "good", "trend_up"})] == ["good"]


async def test_a_changed_file_is_proved_again(users: UserStrategies, folder: Folder) -> None:
    """A mended strategy becomes ready, a spoilt one is refused, a removed one is gone."""
    folder.put(one="wrong", other="right", third="right")
    await users.look()
    folder.put(one="right", other="wrong")
    await users.look()
    assert [users.known[name].state for name in ("one", "other")] == [
        StrategyState.READY,
        StrategyState.REFUSED,
    ]
    assert "third" not in users.known


async def test_a_folder_that_is_not_read_uses_nothing(users: UserStrategies, folder: Folder) -> None:
    """What was ready before others could write the folder is used no longer, and the fault is known."""
    folder.put(good="right")
    await users.look()
    folder.holds = FolderLook(fault=FolderFault(reason="writable by all", remedy="chmod"))
    await users.look()
    assert not users.sources({"good"})
    assert users.fault is not None


async def test_an_ended_strategy_costs_its_own_screens(users: UserStrategies, folder: Folder) -> None:
    """Every stock of its screen is an exception with the reason; other strategies still work."""
    folder.put(slow="hangs", good="right")
    await users.look()
    evaluators = Evaluators(shipped=SHIPPED, texts={}, users=users, sandbox=Sandbox())
    stocks = [Stock(symbol="005930", candles=None), Stock(symbol="000660", candles=None)]

    found = await evaluators.of({"strategy": "slow"}).screen({"strategy": "slow"}, Timeframe.D1, stocks, 0)

    assert found.counts == {"universe": 2, "evaluated": 0, "too_short": 0, "stale": 0, "failed": 2}
    assert "took longer" in found.exceptions[0].detail
    assert users.known["slow"].state is StrategyState.ENDED
    with pytest.raises(ScreenInvalid, match="slow is not ready"):
        evaluators.of({"any": [{"strategy": "trend_up"}, {"not": {"strategy": "slow"}}]})
    assert await evaluators.of({"strategy": "good"}).screen({}, Timeframe.D1, stocks, 0)
    assert "slow" not in evaluators.names()

    folder.put(slow="right", good="right")
    await users.look()
    assert [users.known["slow"].state] == [StrategyState.READY]
