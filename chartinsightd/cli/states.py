"""States of the daemon that a script waits for: sealed, fresh, idle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import SEALS, STATUS, STOCKS
from chartinsightd.control.protocol.coverage import SealQuery
from chartinsightd.control.protocol.rows import StockQuery
from chartinsightd.control.protocol.words import MAX_ROWS

_EVERY_REAL_S = 1.0


class StateWait:
    """Asks the daemon until it has come to a state.

    Args:
        state: a key of `STATES`.
        every_s: real seconds between two questions.
    """

    def __init__(self, state: str, every_s: float = _EVERY_REAL_S) -> None:
        self._look = STATES[state]
        self._every_s = every_s
        self.missing = "the daemon has not answered yet."
        """What the last look found missing."""

    async def over(self, client: ControlClient, timeout_s: float | None) -> str:
        """Return a sentence on the state, once it is reached.

        Raises:
            TimeoutError: it was not within these real seconds.
            DaemonAway: the daemon does not answer.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                is_reached, words = await self._look(client)
                if is_reached:
                    return words
                self.missing = words
                await asyncio.sleep(self._every_s)


async def _sealed(client: ControlClient) -> tuple[bool, str]:
    day = (await client.ask(STATUS)).session.previous_session
    if day is None:
        return False, "the daemon does not name the last session: is it of this version?"
    targets = {stock.symbol for stock in (await client.ask(STOCKS, StockQuery(tracked=True))).items}
    query = SealQuery(state=("sealed",), from_day=day, to_day=day, limit=MAX_ROWS)
    sealed = {seal.symbol for seal in (await client.ask(SEALS, query)).items}
    words = f"{day} is sealed for {len(targets & sealed):,} of {len(targets):,} targets."
    return bool(targets) and targets <= sealed, words


async def _fresh(client: ControlClient) -> tuple[bool, str]:
    status = await client.ask(STATUS)
    late = sum(one.late for one in status.freshness if not one.is_fresh)
    is_known = status.daemon.ready and status.tracked > 0 and len(status.freshness) > 0
    return is_known and not late, f"{late:,} of the series of {status.tracked:,} targets late."


async def _idle(client: ControlClient) -> tuple[bool, str]:
    status = await client.ask(STATUS)
    jobs, asked, pages = status.jobs_running, sum(status.queue.values()), status.spool.pages
    words = f"{jobs:,} jobs run, {asked:,} requests and {pages:,} pages wait."
    return status.daemon.ready and not (jobs or asked or pages), words


STATES: Mapping[str, Callable[[ControlClient], Awaitable[tuple[bool, str]]]] = {
    "sealed": _sealed,
    "fresh": _fresh,
    "idle": _idle,
}
"""By name: whether the state is reached, and a sentence on it."""
