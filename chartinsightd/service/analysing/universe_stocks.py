"""Which stocks are screened and counted: the members of the universe on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chartinsightd.ports.analysis import UniverseStore
from chartinsightd.ports.archive import Archive, KnownStock, StockFilter

_MAX_STOCKS = 10_000


class UniverseStocks:
    """Reads who belonged to the universe, with what is known of each stock.

    Args:
        members: what was recorded by day.
        archive: the list of stocks.
    """

    def __init__(self, members: UniverseStore, archive: Archive) -> None:
        self._members = members
        self._archive = archive

    async def on(self, day: date) -> Sequence[KnownStock]:
        """Return the members of a Korean day, the largest stock first.

        Of days before the first record the one of the first record counts; without any, the targets.

        Raises:
            StoreUnavailable: the store does not answer now.
        """
        first = await self._members.first_universe_day()
        if first is None:
            return (await self._archive.stocks(StockFilter(tracked=True), _MAX_STOCKS)).rows
        memberships = await self._members.universe_on(max(day, first))
        symbols = [one.symbol for one in memberships.values() if one.member]
        if not symbols:
            return ()
        wanted = StockFilter(symbols=symbols, with_delisted=True)
        return (await self._archive.stocks(wanted, _MAX_STOCKS)).rows

    async def newest(self) -> Sequence[KnownStock]:
        """Return the members by the newest record; otherwise as `on`."""
        return await self.on(date.max)
