"""The names of stocks, read again after each synchronisation of the stock list."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from chartinsightd.domain.errors import StoreError
from chartinsightd.facts.targets import TARGETS
from chartinsightd.ports.archive import Archive
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.stocks.stock_list import StockList

log = structlog.get_logger(__name__)

_EVERY_REAL_S = 5.0


class NameReader:
    """Knows the name of every stock that is or was listed.

    Args:
        archive: the names.
        stock_list: after each of its synchronisations the names are read again.
        collected: what is collected has a name, also where no list names it.
        ledger: what was collected has one too.
    """

    def __init__(
        self, *, archive: Archive, stock_list: StockList, collected: CollectedStocks, ledger: CoverageLedger
    ) -> None:
        self._archive = archive
        self._stock_list = stock_list
        self._collected = collected
        self._ledger = ledger
        self._names: dict[str, str] = {}
        self._names_of = -1
        """The synchronisation after which the names were read."""

    async def run(self) -> None:
        """Read the names soon after each synchronisation, so that an outage finds them known."""
        while True:
            await self.open()
            await asyncio.sleep(_EVERY_REAL_S)

    async def open(self) -> None:
        """Read the names, if the database answers."""
        with contextlib.suppress(StoreError):
            await self._read()

    async def names(self) -> dict[str, str]:
        """Return the name of every stock that is or was listed, and of whatever is collected beside.

        What no list names has its own symbol for a name.

        Raises:
            StoreUnavailable: they were never read, and the database is away.
        """
        await self._read()
        known = self._collected.symbols, self._ledger.symbols
        unnamed = {symbol for symbols in known for symbol in symbols if symbol not in self._names}
        if not unnamed:
            return self._names
        return self._names | {symbol: TARGETS.get(symbol, symbol) for symbol in unnamed}

    async def _read(self) -> None:
        """Read the names, where there was a synchronisation since.

        Raises:
            StoreUnavailable: they were never read, and the database is away.
        """
        synced = self._stock_list.synced
        if self._names_of == synced:
            return
        try:
            self._names = await self._archive.names()
        except StoreError as error:
            if not self._names:
                raise
            log.info("stocks.names_kept", error=str(error))
        else:
            self._names_of = synced
