"""The table of operations: what is declared once holds for handlers, clients and listeners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from mypy import api

from chartinsightd.control.handlers import Caller
from chartinsightd.control.operations import GAPS, OPERATIONS, PAUSE, TRACK, Query
from chartinsightd.control.server import application
from chartinsightd.control.stream import StreamPace
from tests.support.fake_backend import FakeBackend

WRONG_PAIRS = """
from chartinsightd.control.client import ControlClient
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.operations import GAPS, RESUME
from chartinsightd.control.protocol.coverage import GapList, GapQuery, SealList, SealQuery
from chartinsightd.control.protocol.jobs import Outcome

async def gaps(query: GapQuery) -> GapList: ...
async def resume(caller: Caller) -> Outcome: ...
async def other_request(query: SealQuery) -> GapList: ...
async def other_answer(query: GapQuery) -> SealList: ...
async def asks_for_a_caller(query: GapQuery, caller: Caller) -> GapList: ...

async def right(handlers: Handlers, client: ControlClient) -> GapList:
    handlers.add(GAPS, gaps)
    handlers.add(RESUME, resume)
    await client.ask(RESUME)
    return await client.ask(GAPS, GapQuery())

async def wrong(handlers: Handlers, client: ControlClient) -> None:
    handlers.add(GAPS, other_request)
    handlers.add(GAPS, other_answer)
    handlers.add(GAPS, asks_for_a_caller)
    handlers.add(RESUME, gaps)
    await client.ask(GAPS)
    await client.ask(GAPS, SealQuery())
"""


def test_a_handler_or_question_of_other_types_fails_the_type_check(tmp_path: Path) -> None:
    """mypy refuses every wrong pair of operation and handler, or operation and request, and no right one."""
    module = tmp_path / "pairs.py"
    module.write_text(WRONG_PAIRS)
    first_wrong = WRONG_PAIRS.splitlines().index(
        "async def wrong(handlers: Handlers, client: ControlClient) -> None:"
    )

    found, _, _ = api.run(["--strict", "--allow-empty-bodies", "--no-error-summary", str(module)])

    errors = [line for line in found.splitlines() if ": error:" in line]
    lines = {int(line.split(":")[1]) for line in errors}
    assert lines == set(range(first_wrong + 2, len(WRONG_PAIRS.splitlines()) + 1)), found


def test_no_two_operations_share_a_name_or_a_place() -> None:
    """Names are operation ids and paths are routes: each belongs to one operation."""
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)
    assert len({(one.method, one.path) for one in OPERATIONS}) == len(OPERATIONS)
    assert all(isinstance(one, Query) != one.writes for one in OPERATIONS)


def test_every_field_in_a_path_is_one_of_the_request() -> None:
    """A path can be filled from the request alone."""
    for operation in OPERATIONS:
        assert operation.path_fields <= operation.request.model_fields.keys()


@pytest.fixture
async def readers_url(backend: FakeBackend) -> AsyncIterator[str]:
    """A second listener, over TCP, that is handed the queries alone."""
    app = application(
        backend.handlers.only(one for one in OPERATIONS if not one.writes),
        backend.hub,
        backend.metrics,
        caller_of=lambda request: Caller(name=str(request.remote), may_write=False),
        pace=StreamPace(),
        answer_timeout_s=60.0,
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    [(host, port)] = runner.addresses
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_a_listener_for_readers_has_no_commands_to_offer(
    readers_url: str, backend: FakeBackend
) -> None:
    """Its queries answer; its commands do not exist, nor does its description name one."""
    async with aiohttp.ClientSession(readers_url) as session:
        async with session.get(GAPS.path) as gaps, session.get("/v1/openapi.json") as described:
            document = await described.json()
            assert gaps.status == 200
        async with session.post(PAUSE.path) as paused:
            assert paused.status == 404
    assert backend.asked == []
    offered = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert offered.isdisjoint(one.name for one in OPERATIONS if one.writes)


@asynccontextmanager
async def _offered(backend: FakeBackend, *, may_write: bool) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve queries and commands to a guest for the length of the block."""
    app = application(
        backend.handlers,
        backend.hub,
        backend.metrics,
        caller_of=lambda _: Caller(name="guest", may_write=may_write),
        pace=StreamPace(),
        answer_timeout_s=60.0,
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    [(host, port)] = runner.addresses
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        yield session
    await runner.cleanup()


async def test_a_caller_who_may_not_write_is_refused(backend: FakeBackend) -> None:
    """Where commands are offered, the transport's caller decides: 403, and nothing is changed."""
    async with _offered(backend, may_write=False) as session, session.post(PAUSE.path) as answer:
        assert (answer.status, (await answer.json())["detail"]) == (403, "guest may only read here.")
    assert backend.asked == []


async def test_an_empty_body_pauses_and_tracks_nothing(backend: FakeBackend) -> None:
    """A pause without a body has no end; an operation that must know more is refused without one."""
    async with _offered(backend, may_write=True) as session:
        async with session.post(PAUSE.path) as paused, session.post(TRACK.path) as tracked:
            assert ((await paused.json())["state"], (await paused.json())["until"]) == ("paused", None)
            assert tracked.status == 415
        async with session.post(PAUSE.path, json={"for_s": 60.0}) as ending:
            assert (await ending.json())["until"] is not None
        async with session.post(PAUSE.path, json={"for_s": 8 * 86_400.0}) as too_long:
            assert too_long.status == 422
    assert [asked for asked, *_ in backend.asked] == ["pause", "pause"]
