"""The twelve wrong plug-ins: each is refused or contained, with the reason, and costs itself only."""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from chartinsightd.adapters.strategies.sandbox import PROOF, ProcessSandbox
from chartinsightd.adapters.strategies.tasks import Budget, ProveTask
from chartinsightd.analysis.host.proofs import prove
from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.host.source import load
from chartinsightd.analysis.screens.evaluation import Screened, Stock
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.strategies import StrategyEnded, StrategySource
from tests.analysis.made_up import candles, walk
from tests.analysis.test_host import HEAD, RIGHT

SMALL = Budget(cpu_s=1, wall_s=60, memory_bytes=200 * 2**20)
HITS = "\n    return Signals(hit=c.close > c.ind.sma(p.length))\n"
ENDLESS = "\n    while True:\n        pass\n"
REFUSED = {
    "look-ahead by one bar": (Check.LOOK_AHEAD, "\n    return Signals(hit=np.roll(c.close, -1) > c.close)\n"),
    "centred window": (
        Check.LOOK_AHEAD,
        "\n    return Signals(hit=c.close > np.convolve(c.close, np.ones(5) / 5, mode='same'))\n",
    ),
    "whole-series normalisation": (Check.LOOK_AHEAD, "\n    return Signals(hit=c.close > c.close.mean())\n"),
    "too short warm-up": (Check.WARM_UP, "\n    return Signals(hit=c.close > c.ind.sma(9 * p.length))\n"),
    "mutation": (Check.MUTATION, "\n    c.high[3] = 1\n" + HITS),
    "randomness": (Check.SOURCE, "\n    return Signals(hit=np.random.random(len(c)) > 0.5)\n"),
    "exception": (Check.FAILS, "\n    return Signals(hit=[][7])\n"),
    "price-bound threshold": (Check.SCALE, "\n    return Signals(hit=c.close > 40_000)\n"),
    "leaking params": (
        Check.DETERMINISM,
        "\n    SEEN.append(p.length)\n    return Signals(hit=c.close > 0, score=c.close * len(SEEN))\n",
    ),
    "wrong shape": (Check.SHAPE, "\n    return Signals(hit=np.array([True]))\n"),
    "input and output": (Check.SOURCE, "\n    open('/etc/passwd')\n" + HITS),
    "printing": (Check.SOURCE, "\n    print('found one')\n" + HITS),
}
CONTAINED = {
    "endless loop": (StrategyEnded, "1 s of processor time", ENDLESS),
    "hunger for memory": (StrategyRefused, "MemoryError", "\n    np.ones(10**9)\n" + HITS),
    "leaving": (StrategyRefused, "SystemExit", "\n    raise SystemExit(0)\n"),
}


def source(body: str, name: str = "mine") -> StrategySource:
    """A strategy of this name around a body."""
    return StrategySource(name=name, text=HEAD.replace('id="mine"', f'id="{name}"') + body)


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_strategy_is_refused_with_the_reason(name: str) -> None:
    """What can be seen in its source or in what it says is found before it is used."""
    check, body = REFUSED[name]
    with pytest.raises(StrategyRefused) as caught:
        prove(load(source(body).text, "mine"))
    assert caught.value.check is check, caught.value
    assert "mine" in caught.value.message


async def test_what_cannot_be_seen_is_contained() -> None:
    """A strategy that loops, eats memory or leaves ends its own process: it is named, the loop turns on."""
    sandbox = ProcessSandbox(SMALL)
    tried = [sandbox.prove(source(body)) for _, _, body in CONTAINED.values()]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.02)
            turns += 1

    async with asyncio.TaskGroup() as group:
        turning = group.create_task(turn())
        found = await asyncio.gather(*tried, return_exceptions=True)
        turning.cancel()
    for error, (kind, words, _) in zip(found, CONTAINED.values(), strict=True):
        assert type(error) is kind, error
        assert words in str(error)
        assert "mine" in str(error)
    assert turns > 10


async def test_a_strategy_knows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that a strategy runs in has nothing of the daemon's environment."""
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__SECRET_KEY", "canary")
    proving = asyncio.create_task(ProcessSandbox(PROOF).prove(source(ENDLESS)))
    found: list[tuple[bytes, bytes]] = []
    for _ in range(3_000):  # it is there within milliseconds on an idle machine
        found = [one for one in children() if b"adapters.strategies.worker" in one[0]]
        if found:
            break
        await asyncio.sleep(0.01)
    proving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await proving
    assert b"canary" not in found[0][1]
    assert b"OPENBLAS_NUM_THREADS" in found[0][1]


def children() -> list[tuple[bytes, bytes]]:
    """Return command and environment of each child of this process."""
    found = []
    for listed in Path("/proc/self/task").glob("*/children"):
        for number in listed.read_text(encoding="ascii").split():
            with suppress(OSError):
                place = Path("/proc") / number
                found.append(((place / "cmdline").read_bytes(), (place / "environ").read_bytes()))
    return found


async def test_a_strategy_that_takes_too_long_is_ended() -> None:
    """Waiting costs no processor time and is bounded all the same."""
    begun = time.monotonic()
    with pytest.raises(StrategyEnded, match=r"took longer than 0\.2 s") as caught:
        await ProcessSandbox(Budget(wall_s=0.2, cpu_s=5)).prove(source(HITS))
    assert caught.value.strategy == "mine"
    assert time.monotonic() - begun < 30


async def test_a_strategy_does_not_outlive_a_killed_daemon() -> None:
    """Where no daemon is left to end a process that hangs, its own timer does."""
    worker = ("-I", "-m", "chartinsightd.adapters.strategies.worker")
    process = await asyncio.create_subprocess_exec(sys.executable, *worker, stdin=PIPE, stdout=DEVNULL)
    await process.communicate(pickle.dumps((Budget(wall_s=0.1, cpu_s=60), ProveTask(source=source(ENDLESS)))))
    assert process.returncode == -signal.SIGALRM


async def test_a_strategy_that_hangs_in_a_screen_is_named() -> None:
    """What passed every proof may still hang on the market's candles: then the screen ends, and names it."""
    body = "\n    while c.symbol != '000000':\n        pass\n" + HITS
    stocks = [Stock(symbol="005930", candles=candles(walk(1, 300)))]
    sandbox = ProcessSandbox(answer=SMALL)
    with pytest.raises(StrategyEnded, match="processor time") as caught:
        await sandbox.screen({"strategy": "mine"}, [source(body)], Timeframe.D1, stocks, _last(stocks[0]))
    assert caught.value.strategy == "mine"


def _last(stock: Stock) -> int:
    assert stock.candles is not None
    return int(stock.candles.ts[-1])


async def test_a_right_strategy_is_known_by_what_it_says() -> None:
    """The facts of a proved strategy come back; a name that is not its file's, or is taken, is refused."""
    sandbox = ProcessSandbox()
    facts, other, taken = await asyncio.gather(
        sandbox.prove(source(RIGHT)),
        sandbox.prove(StrategySource(name="theirs", text=source(RIGHT).text)),
        sandbox.prove(source(RIGHT, "trend_up")),
        return_exceptions=True,
    )
    assert not isinstance(facts, BaseException)
    assert (facts.id, facts.warmup, list(facts.timeframes)) == ("mine", 20, [Timeframe.D1])
    assert isinstance(other, StrategyRefused)
    assert isinstance(taken, StrategyRefused)
    assert "shipped" in str(taken)


async def test_a_screen_over_a_user_strategy_is_that_of_the_daemon() -> None:
    """The bounded process gives what the same function gives here; a wrong expression is named as here."""
    symbols = ("000001", "000002", "000003")
    stocks = [Stock(symbol=one, candles=candles(walk(int(one), 400), symbol=one)) for one in symbols]
    last = stocks[0].candles
    assert last is not None
    asked = {"all": [{"strategy": "mine", "within": 30}, {"strategy": "rsi_oversold", "within": 250}]}
    found, invalid = await asyncio.gather(
        ProcessSandbox().screen(asked, [source(RIGHT)], Timeframe.D1, stocks, int(last.ts[-1])),
        ProcessSandbox().plan({"strategy": "mine", "within": 0}, [source(RIGHT)], Timeframe.D1),
        return_exceptions=True,
    )
    assert isinstance(found, Screened)
    assert found.counts["evaluated"] == 3
    assert found.matches
    mean = found.matches[0].evidence["mine"]["mean"]
    assert mean.unit == "won"
    assert np.isfinite(mean.value)
    assert isinstance(invalid, ScreenInvalid)
