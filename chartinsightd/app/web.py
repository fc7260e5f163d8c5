"""The listener for browsers, as the settings want it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import structlog

from chartinsightd.clock import SystemClock, real_s
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.openapi import JSON
from chartinsightd.control.protocol.radar import RadarQuery, StockFindQuery
from chartinsightd.control.radar_operations import FIND_STOCKS, RADAR
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.settings.model import Settings, state_file
from chartinsightd.web.access import Access
from chartinsightd.web.sessions import Sessions

log = structlog.get_logger(__name__)

_FIRST_PAGE_S = 2.0
_ITSELF = Caller(name="chartinsightd", may_write=False)


async def open_web(stack: AsyncExitStack, settings: Settings, handlers: Handlers, hub: EventHub) -> None:
    """Listen for browsers where a setting says so; offer the orders about sessions in any case.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    # By the machine's clock, also in simulation: a cookie lives for days of the person who has it.
    path = state_file(settings, "web-sessions.json")
    sessions = Sessions(path, now=SystemClock().now, monotonic_s=real_s)
    access = Access(sessions)
    access.register(handlers)
    if settings.web.listen:
        from chartinsightd.web.server import Offer, serve_web

        offer = Offer(handlers=handlers, hub=hub, sessions=sessions)
        access.listening = await stack.enter_async_context(serve_web(settings.web.listen, offer))
        await _make_first_page(handlers)


async def _make_first_page(handlers: Handlers) -> None:
    """Make a page of the largest stock, so that the first one of a person is as fast as the next.

    With it come three sessions with the database, their statements, and how messages are written.
    """
    from chartinsightd.web.answers import body_of

    try:
        async with asyncio.timeout(_FIRST_PAGE_S):
            largest = await handlers.answer(FIND_STOCKS, StockFindQuery(limit=1), _ITSELF)
            for stock in largest.items:
                query = RadarQuery(symbol=stock.symbol, timeframe=Timeframe.D1)
                page = await handlers.answer(RADAR, query, _ITSELF)
                body_of(page, RADAR, JSON)
    except (ChartInsightError, TimeoutError) as error:
        log.debug("web.first_page_not_made", error=str(error))
