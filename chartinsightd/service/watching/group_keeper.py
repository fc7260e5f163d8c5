"""Keeps the groups of the watchlist: one copy for the dashboard, the page and the command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.watch_groups import MOST_STOCKS, WatchGroup, WatchGroups, watched
from chartinsightd.ports.watching import WatchGroupStore
from chartinsightd.service.state.collected_stocks import CollectedStocks

Change = Callable[[WatchGroups], WatchGroups]


class GroupKeeper:
    """The groups, as a person made them; before that one group with the targets.

    Args:
        store: where they are kept; this is its only writer.
        collected: the targets.
        clock: says when they were changed.
    """

    def __init__(self, store: WatchGroupStore, collected: CollectedStocks, clock: Clock) -> None:
        self._store = store
        self._collected = collected
        self._clock = clock
        self._made: WatchGroups | None = None
        self._is_read = False
        self._changing = asyncio.Lock()
        """Two people who change the groups at once must both find their change."""

    async def groups(self) -> WatchGroups:
        """Return the groups; at least one.

        Raises:
            StoreUnavailable: they were not read yet, and cannot be now.
        """
        async with self._changing:
            return await self._groups()

    async def watched(self) -> Sequence[str]:
        """Return the stocks of all groups, each once; none while the groups cannot be read."""
        try:
            return watched(await self.groups())
        except StoreError:
            return ()

    async def wanted_live(self) -> Sequence[str]:
        """Return whose trades the live stream should bring: what people watch, then the targets.

        Kiwoom registers a limited number, and the last ones are left out. Stocks that are not listed any more
        have no trades.
        """
        wanted = dict.fromkeys((*await self.watched(), *self._collected.symbols))
        return [symbol for symbol in wanted if self._collected.ended_on(symbol) is None]

    async def change(self, change: Change) -> WatchGroups:
        """Make other groups of those there are, keep them, and return them.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        async with self._changing:
            before = await self._groups()
            after = change(before)
            if after != before:
                await self._store.replace(after, self._clock.now())
                self._made = after
            return after

    async def _groups(self) -> WatchGroups:
        if not self._is_read:
            self._made = await self._store.groups()
            self._is_read = True
        return self._made or (WatchGroup("", self._collected.symbols[:MOST_STOCKS]),)
