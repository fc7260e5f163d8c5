"""Pausing: while the switch is shut, nothing new is asked of the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime

from chartinsightd.ports.broker import (
    ChartPage,
    ChartRequest,
    ChartSource,
    Priority,
    QuoteSource,
    StockListing,
    StockListSource,
)
from chartinsightd.service.state.feed import Feed, Subscription


class PauseSwitch:
    """Open or shut; it begins open. The control API operates it."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._opened.set()
        self._changes: Feed[[]] = Feed()
        self._until: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """When a shut switch opens again, aware, as the person asked; None: when a person opens it."""
        return self._until

    @property
    def is_shut(self) -> bool:
        """Whether requests have to wait."""
        return not self._opened.is_set()

    def shut(self, until: datetime | None = None) -> None:
        """Hold back new requests; answers to earlier ones are still taken.

        Args:
            until: when the pause should end, aware; None: not before a person ends it.
        """
        self._until = until
        self._opened.clear()
        self._changes.publish()

    def open(self) -> None:
        """Let the waiting requests go."""
        self._until = None
        self._opened.set()
        self._changes.publish()

    def on_change(self, listener: Callable[[], None]) -> Subscription:
        """Call a listener after each `shut` and `open`."""
        return self._changes.subscribe(listener)

    async def passed(self) -> None:
        """Wait until it is open."""
        await self._opened.wait()


class PausableCharts:
    """Implements `ports.ChartSource`: each page waits while the switch is shut."""

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
    """Implements `ports.QuoteSource`: a request waits while the switch is shut."""

    def __init__(self, source: QuoteSource, pause_switch: PauseSwitch) -> None:
        self._source = source
        self._pause_switch = pause_switch

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return the source's prices."""
        await self._pause_switch.passed()
        return await self._source.base_prices(symbols, priority)


class PausableLists:
    """Implements `ports.StockListSource`: the list waits while the switch is shut."""

    def __init__(self, source: StockListSource, pause_switch: PauseSwitch) -> None:
        self._source = source
        self._pause_switch = pause_switch

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return the source's list."""
        await self._pause_switch.passed()
        return await self._source.listed_stocks(priority)
