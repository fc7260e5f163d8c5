"""Starts the bounded process for each task, waits for its answer, and ends it whatever it does."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from chartinsightd.adapters.strategies.tasks import (
    Answered,
    Budget,
    Calling,
    Invalid,
    Message,
    PlanTask,
    ProveTask,
    Refused,
    ReportTask,
    ScreenTask,
    Task,
)
from chartinsightd.adapters.strategies.worker import LENGTH_BYTES
from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.host.refusal import StrategyRefused
from chartinsightd.analysis.screens.evaluation import Screened, Stock
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.statistics import Report
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.strategies import ScreenPlan, StrategyEnded, StrategyFacts, StrategySource

T = TypeVar("T")

PROOF = Budget(wall_s=60.0, cpu_s=30)
ANSWER = Budget(wall_s=20.0, cpu_s=15)
"""Somebody waits for an answer: the strategy must be ended before the control API ends the question."""
_MAX_ANSWER_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**18
"""Handed over between two looks at the event loop."""
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""The whole environment: no key of the daemon, and no threads that a bounded process may not have."""
_REMEDY = "Change the strategy; it is tried again when its file changes."
_DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


class ProcessSandbox:
    """Implements `ports.strategies.StrategySandbox` with a process for each call.

    Args:
        proof: what a proof may use.
        answer: what a plan, a screen or a report may use.
    """

    def __init__(self, proof: Budget = PROOF, answer: Budget = ANSWER) -> None:
        self._proof = proof
        self._answer = answer

    async def prove(self, source: StrategySource) -> StrategyFacts:
        """Return what a strategy is, after everything that must hold of it was proved."""
        return await self._run(ProveTask(source=source), StrategyFacts, [source], self._proof)

    async def plan(
        self, asked: object, sources: Sequence[StrategySource], timeframe: Timeframe
    ) -> ScreenPlan:
        """Return what an expression needs."""
        task = PlanTask(asked=asked, sources=sources, timeframe=timeframe)
        return await self._run(task, ScreenPlan, sources, self._answer)

    async def screen(
        self,
        asked: object,
        sources: Sequence[StrategySource],
        timeframe: Timeframe,
        universe: Sequence[Stock],
        session_ts: int,
    ) -> Screened:
        """Evaluate an expression for every stock."""
        task = ScreenTask(
            asked=asked, sources=sources, timeframe=timeframe, universe=universe, session_ts=session_ts
        )
        return await self._run(task, Screened, sources, self._answer)

    async def report(
        self, source: StrategySource, series: Sequence[Candles], split_ts: int, cost: float
    ) -> Report:
        """Return what followed the hits of a strategy."""
        task = ReportTask(source=source, series=series, split_ts=split_ts, cost=cost)
        return await self._run(task, Report, [source], self._answer)

    async def _run(self, task: Task, answer: type[T], sources: Sequence[StrategySource], budget: Budget) -> T:
        given = await asyncio.to_thread(pickle.dumps, (budget, task), pickle.HIGHEST_PROTOCOL)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-m", "chartinsightd.adapters.strategies.worker"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ONE_THREAD,
            cwd="/",
            start_new_session=True,
        )
        alone = sources[0].name if len(sources) == 1 else ""
        conversation = _Conversation(process, budget, alone)
        try:
            async with asyncio.timeout(budget.wall_s):
                await conversation.hand_over(given)
                value = await conversation.answer()
        except TimeoutError:
            raise conversation.ended(f"took longer than {budget.wall_s:g} s") from None
        finally:
            await _end(process)
        return await asyncio.to_thread(_decoded, value, answer, conversation)


class _Conversation:
    """What is said between the daemon and one process.

    Args:
        process: just started.
        budget: of its task.
        called: the strategy to blame before the process names one.
    """

    def __init__(self, process: Process, budget: Budget, called: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._budget = budget
        self._called = called

    async def hand_over(self, given: bytes) -> None:
        """Write the task, piece by piece."""
        with suppress(ConnectionError):  # a process that is gone says why by how it ended
            for begin in range(0, len(given), _CHUNK_BYTES):
                self._stdin.write(given[begin : begin + _CHUNK_BYTES])
                await self._stdin.drain()
            self._stdin.close()

    async def answer(self) -> msgspec.Raw:
        """Return the answer of the task.

        Raises:
            StrategyEnded, StrategyRefused, ScreenInvalid: there is none.
        """
        while True:
            message = await self._message()
            if isinstance(message, Calling):
                self._called = message.strategy
            elif isinstance(message, Refused):
                raise StrategyRefused(message.check, message.message, remedy=message.remedy)
            elif isinstance(message, Invalid):
                raise ScreenInvalid(message.message, remedy=message.remedy)
            elif isinstance(message, Answered):
                return message.value

    async def _message(self) -> Message:
        try:
            length = int.from_bytes(await self._stdout.readexactly(LENGTH_BYTES), "big")
            if length > _MAX_ANSWER_BYTES:
                raise self.ended("gave an answer that is too large")
            return _DECODER.decode(await self._stdout.readexactly(length))
        except asyncio.IncompleteReadError:
            raise self.ended(self._last_words(await self._process.wait())) from None
        except msgspec.MsgspecError as error:
            raise self.ended(f"gave an answer that cannot be read ({error})") from error

    def _last_words(self, status: int) -> str:
        if status == -signal.SIGXCPU:
            return f"used more than {self._budget.cpu_s} s of processor time"
        if status < 0:
            return f"was ended by the system ({signal.Signals(-status).name})"
        return f"ended its process with status {status}"

    def ended(self, what: str) -> StrategyEnded:
        """Return the error that names the strategy called last."""
        who = self._called or "The process of strategies"
        return StrategyEnded(self._called, f"{who} {what}.", remedy=_REMEDY)


def _decoded(value: msgspec.Raw, answer: type[T], conversation: _Conversation) -> T:
    try:
        return msgspec.msgpack.decode(value, type=answer)
    except msgspec.MsgspecError as error:
        raise conversation.ended(f"gave an answer that cannot be read ({error})") from error


async def _end(process: Process) -> None:
    """End a process and all that it may have started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
