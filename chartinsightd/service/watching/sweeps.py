"""Asks for the latest prices of many stocks at once, in trading hours, behind everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from chartinsightd.clock import Clock, wait_for
from chartinsightd.domain.errors import SourceError
from chartinsightd.domain.kst import day_of
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.watching import SweepSource
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.group_keeper import GroupKeeper
from chartinsightd.service.watching.quote_board import QuoteBoard

log = structlog.get_logger(__name__)

_LEAST_REAL_S = 1.0
_AFTER_CLOSE = timedelta(minutes=1)
"""The round after the last trade shows the close."""
_MOST_DOUBLINGS = 5
"""Failing rounds wait longer each time: at the usual interval eight minutes at last."""


class Sweeps:
    """Rounds over the stocks that the live stream does not give. Nothing of them is stored.

    Args:
        source: whom to ask.
        board: who keeps the answers.
        groups: the stocks that people watch.
        collected: the stocks that are collected.
        also: other stocks whose price somebody needs.
        pause_switch: while it is shut, nothing is asked.
        every_s: seconds from round to round.
        current_rules: the calendar in force.
        clock: what time it is.
    """

    def __init__(
        self,
        *,
        source: SweepSource,
        board: QuoteBoard,
        groups: GroupKeeper,
        collected: CollectedStocks,
        also: Callable[[], Sequence[str]],
        pause_switch: PauseSwitch,
        every_s: float,
        current_rules: CurrentRules,
        clock: Clock,
    ) -> None:
        self._source = source
        self._board = board
        self._groups = groups
        self._collected = collected
        self._also = also
        self._pause_switch = pause_switch
        self.every_s = every_s
        self._current_rules = current_rules
        self._clock = clock
        self._failures = 0
        self._is_new = asyncio.Event()
        """Other stocks are collected: a round must not wait for its turn."""
        collected.on_change(self._is_new.set)

    async def run(self) -> NoReturn:
        """Work until cancelled."""
        while True:
            await self._pause_switch.passed()
            self._is_new.clear()
            if self._is_due(self._clock.now()):
                await self._try_round()
            wait_s = self.every_s * 2 ** min(self._failures, _MOST_DOUBLINGS)
            await wait_for(self._clock, max(wait_s, self._clock.real(_LEAST_REAL_S)), self._is_new)

    def _is_due(self, now: datetime) -> bool:
        session = self._current_rules.calendar.session(day_of(now))
        return session is not None and session.open_at <= now <= session.ends_at + _AFTER_CLOSE

    async def _try_round(self) -> None:
        """Ask once; what fails is asked again later, and costs nobody anything."""
        try:
            symbols = await self._wanted()
            self._board.take(await self._source.quotes(symbols, Priority.QUOTES))
            self._failures = 0
        except SourceError as error:
            self._failures += 1
            if self._failures == 1:
                log.info("quotes.round_failed", error=str(error))

    async def _wanted(self) -> Sequence[str]:
        """Return whom to ask for, what people watch first."""
        chosen = await self._groups.watched()
        self._board.look()
        now = self._clock.now()
        all_stocks = dict.fromkeys((*chosen, *self._also(), *self._collected.all_symbols))
        return [symbol for symbol in all_stocks if self._board.needs_round(symbol, now)]
