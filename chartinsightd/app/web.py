"""The listener for browsers, as the settings want it."""

from __future__ import annotations

from contextlib import AsyncExitStack

from chartinsightd.clock import SystemClock, real_s
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.settings.model import Settings, state_file
from chartinsightd.web.access import Access
from chartinsightd.web.sessions import Sessions


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
