"""Who belongs to the universe, and who is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from chartinsightd.clock import Clock
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import UNIVERSE
from chartinsightd.control.protocol.rows import UniverseList, UniverseQuery, UniverseRow
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.universe import Membership
from chartinsightd.ports.analysis import UniverseStore
from chartinsightd.ports.archive import Archive, KnownStock, StockFilter


class UniverseBoard:
    """Answers from what was recorded by day."""

    def __init__(self, *, members: UniverseStore, archive: Archive, clock: Clock) -> None:
        self._members = members
        self._archive = archive
        self._clock = clock

    def register(self, handlers: Handlers) -> None:
        """Offer the operation."""
        handlers.add(UNIVERSE, self.universe)

    async def universe(self, query: UniverseQuery) -> UniverseList:
        """Return the members of a day, or who was left out."""
        day = query.day or day_of(self._clock.now())
        known = await self._members.universe_on(day)
        asked = {symbol: one for symbol, one in known.items() if one.member is not query.excluded}
        stocks = await self._stocks(asked.keys(), query.limit)
        return UniverseList(
            day=day,
            members=sum(one.member for one in known.values()),
            excluded=Counter(one.reason for one in known.values() if not one.member),
            items=tuple(_row(stock, asked[stock.symbol]) for stock in stocks),
            total=len(asked),
        )

    async def _stocks(self, symbols: Collection[str], limit: int) -> list[KnownStock]:
        if not symbols:
            return []
        wanted = StockFilter(symbols=list(symbols), with_delisted=True)
        return (await self._archive.stocks(wanted, limit)).rows


def _row(stock: KnownStock, membership: Membership) -> UniverseRow:
    return UniverseRow(
        symbol=stock.symbol,
        name=stock.name,
        market=stock.market,
        market_cap=stock.market_cap,
        member=membership.member,
        reason=membership.reason,
    )
