"""The simulator's clock at the start: a lost connection is tried again, what is no simulator is named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chartinsightd.adapters.simulator_clock import read_clock
from chartinsightd.domain.errors import ConfigurationError

CLOCK = {"start": "2026-11-20T10:00:00+09:00", "speed": 20.0, "anchor": 1_790_000_000.0}


def serving(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> TestServer:
    app = web.Application()
    app.router.add_get("/admin/clock", answer)
    return TestServer(app)


async def test_a_connection_that_ends_is_tried_again() -> None:
    """A simulator that is just being started, or a link that was cut for a moment, ends no daemon."""
    tries = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal tries
        tries += 1
        if tries < 3 and request.transport is not None:
            request.transport.abort()
        return web.json_response(CLOCK)

    async with serving(answer) as server:
        clock = await read_clock(str(server.make_url("")).rstrip("/"))
    assert (clock.speed, tries) == (20.0, 3)


@pytest.mark.parametrize("body", [{}, [], {**CLOCK, "speed": 0}, {**CLOCK, "start": "today"}])
async def test_what_is_no_simulator_is_named(body: object) -> None:
    """Another program on that port is not waited for."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    async with serving(answer) as server:
        with pytest.raises(ConfigurationError, match="is no simulator, or its clock stands still"):
            await read_clock(str(server.make_url("")).rstrip("/"))


async def test_nobody_listening_is_told_at_once() -> None:
    """The system's own words, and what to start first."""
    with pytest.raises(ConfigurationError, match=r"no connection to 127\.0\.0\.1:9") as caught:
        await read_clock("http://127.0.0.1:9")
    assert "Start chartinsight-simulator first" in caught.value.remedy
