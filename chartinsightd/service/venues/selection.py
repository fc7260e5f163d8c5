"""Which stocks are collected at a venue: those of KRX that are wanted and traded there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import time

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.kst import next_time
from chartinsightd.domain.venue import Venue
from chartinsightd.service.state.collected_stocks import CollectedStocks

_LOOKS_AT = time(8, 20)
"""KST: the stock list, which says who is on NXT, is read at 08:10."""


class VenueSelection:
    """Keeps what is collected at a venue; it follows what is collected at KRX.

    Args:
        venue: which.
        symbols: the targets that are wanted; empty: all.
        with_universe: whether the universe is collected too.
        krx: what is collected at KRX.
        listing: what the stock list says of a symbol.
        collected: what the venue's line collects; it is replaced here alone.
        clock: a stock may join NXT on any morning.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        symbols: Collection[str],
        with_universe: bool,
        krx: CollectedStocks,
        listing: Callable[[str], Listing | None],
        collected: CollectedStocks,
        clock: Clock,
    ) -> None:
        self._venue = venue
        self._symbols = frozenset(symbols)
        self._with_universe = with_universe
        self._krx = krx
        self._listing = listing
        self._collected = collected
        self._clock = clock
        self._wake = asyncio.Event()
        krx.on_change(self._wake.set)

    def look_again(self) -> None:
        """Have `run` choose now: the stock list was read, which alone says who is on NXT."""
        self._wake.set()

    async def run(self) -> None:
        """Choose again whenever KRX's list changes or is read, and each morning; until cancelled."""
        while True:
            self.choose()
            await wait_until(self._clock, next_time(self._clock.now(), _LOOKS_AT), self._wake)
            self._wake.clear()

    def choose(self) -> None:
        """Follow what KRX's list and the stock list say now; before they say anything, nothing."""
        if not self._krx.is_known:
            return
        targets = [symbol for symbol in self._krx.symbols if self._is_wanted(symbol) and self.trades(symbol)]
        ended = {symbol: day for symbol in targets if (day := self._krx.ended_on(symbol)) is not None}
        universe = [symbol for symbol in self._krx.universe if self.trades(symbol)]
        self._collected.replace(targets, ended, universe if self._with_universe else ())

    def listing(self, symbol: str) -> Listing | None:
        """Return what the stock list says of a symbol; no chart here begins before the venue did."""
        found, opened = self._listing(symbol), self._venue.first_day
        if found is None or opened is None:
            return found
        return replace(found, listed_on=max(found.listed_on or opened, opened))

    def trades(self, symbol: str) -> bool:
        """Whether a symbol is traded here, by the stock list; before that is read, at NXT nothing is."""
        listing = self._listing(symbol)
        return self._venue is not Venue.NXT or (listing is not None and listing.is_on_nxt)

    def _is_wanted(self, symbol: str) -> bool:
        return not self._symbols or symbol in self._symbols
