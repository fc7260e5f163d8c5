"""The valve before the broker: while it is shut, nothing new is asked for, whoever wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from chartinsightd.ports.broker import (
    ChartPage,
    ChartRequest,
    ChartSource,
    ListedStock,
    Priority,
    QuoteSource,
    StockListSource,
)


class PauseSwitch:
    """Open or shut; it begins open."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._opened.set()

    @property
    def is_shut(self) -> bool:
        """Whether nothing passes."""
        return not self._opened.is_set()

    def shut(self) -> None:
        """Let nothing more pass; what is on its way arrives."""
        self._opened.clear()

    def open(self) -> None:
        """Let those that wait pass."""
        self._opened.set()

    async def passed(self) -> None:
        """Wait until it is open."""
        await self._opened.wait()


class PausableCharts:
    """Implements `ports.ChartSource`: each page waits for the valve."""

    def __init__(self, source: ChartSource, pause_switch: PauseSwitch) -> None:
        self._source = source
        self._pause_switch = pause_switch

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield the source's pages; between two of them a fetch may have to wait."""
        await self._pause_switch.passed()
        async with aclosing(self._source.pages(request, priority)) as pages:  # type: ignore[type-var]
            async for page in pages:
                yield page
                await self._pause_switch.passed()


class PausableQuotes:
    """Implements `ports.QuoteSource`: a question waits for the valve."""

    def __init__(self, source: QuoteSource, pause_switch: PauseSwitch) -> None:
        self._source = source
        self._pause_switch = pause_switch

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return the source's prices."""
        await self._pause_switch.passed()
        return await self._source.base_prices(symbols, priority)


class PausableLists:
    """Implements `ports.StockListSource`: the list waits for the valve."""

    def __init__(self, source: StockListSource, pause_switch: PauseSwitch) -> None:
        self._source = source
        self._pause_switch = pause_switch

    async def listed_stocks(self, priority: Priority) -> list[ListedStock]:
        """Return the source's list."""
        await self._pause_switch.passed()
        return await self._source.listed_stocks(priority)
