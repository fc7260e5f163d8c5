"""The API keeps to its own description, whatever is asked: a fuzzer over the OpenAPI document."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Never
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from chartinsightd.control import operations, protocol
from chartinsightd.control.alarm_operations import ALARMING
from chartinsightd.control.client import ControlClient
from chartinsightd.control.openapi import openapi_document
from chartinsightd.control.operations import HEALTH, STATUS
from chartinsightd.control.watch_operations import WATCHING
from tests.control.json_schema import Schemas
from tests.support.fake_backend import FakeBackend, Scene, serving

DOCUMENT = openapi_document((*operations.OPERATIONS, *WATCHING, *ALARMING))
SCHEMAS = Schemas(DOCUMENT)
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
JUNK = st.one_of(
    st.text(max_size=30), st.integers(), st.floats(), st.none(), st.lists(st.text(max_size=5), max_size=3)
)


def test_no_two_messages_have_the_same_name() -> None:
    """A description names schemas by their class alone: two of one name would leave references to none."""
    modules = [import_module(f"{protocol.__name__}.{one.name}") for one in iter_modules(protocol.__path__)]
    messages = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    }
    names = Counter(kind.__name__ for kind in messages)
    assert [name for name, count in names.items() if count > 1] == []


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, from the standard library: it shares nothing with the client under test."""

    def __init__(self, path: Path) -> None:
        super().__init__("daemon", timeout=60)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self._path))


@pytest.fixture(scope="module", params=[Scene.FULL, Scene.ERROR])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A daemon in a thread of its own, well or with its database away."""
    path = tmp_path_factory.mktemp("control") / "s"
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        async with serving(FakeBackend(request.param), path):
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(10)
    yield path
    loops[0].call_soon_threadsafe(stop.set)
    thread.join()


@st.composite
def requests(draw: st.DrawFn, name: str) -> tuple[str, bytes | None, dict[str, str]]:
    """Draw a request for an operation: about half as described, half with something wrong."""
    _, path, operation = OPERATIONS[name]
    spoilt = draw(st.booleans())
    query: list[tuple[str, Any]] = []
    for parameter in operation["parameters"]:
        if not parameter["required"] and draw(st.booleans()):
            continue
        junk = spoilt and draw(st.booleans())
        value = draw(JUNK if junk else SCHEMAS.values(parameter["schema"]))
        text = quote(json.dumps(value) if isinstance(value, bool) else str(value), safe="") or "%20"
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", text)
        elif parameter["in"] == "query":
            values = value if isinstance(value, list) else [value]
            query += [(parameter["name"], str(v).lower() if isinstance(v, bool) else v) for v in values]
    if spoilt and draw(st.booleans()):
        query.append((draw(st.text(max_size=10)), draw(st.text(max_size=10))))
    body, headers = draw(bodies(operation, spoilt))
    return f"{path}?{urlencode(query)}", body, headers


@st.composite
def bodies(draw: st.DrawFn, operation: dict[str, Any], spoilt: bool) -> tuple[bytes | None, dict[str, str]]:
    """Draw a body: as described, with a field spoilt, or any bytes."""
    if "requestBody" not in operation:
        return None, {}
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    value = draw(SCHEMAS.values(schema))
    if spoilt and draw(st.booleans()):
        return draw(st.binary(max_size=50)), {
            "Content-Type": draw(st.sampled_from(["application/json", "x/y"]))
        }
    if spoilt:
        value[draw(st.sampled_from([*value, "unknown"]))] = draw(JUNK)
    return json.dumps(value).encode(), {"Content-Type": "application/json"}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_answer_is_documented(served: Path, name: str) -> None:
    """Whatever is asked, the status is a documented one and the body fits its schema; never a 500."""
    method, _, operation = OPERATIONS[name]

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(name))
    def check(request: tuple[str, bytes | None, dict[str, str]]) -> None:
        target, body, headers = request
        connection = UnixConnection(served)
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            media = response.getheader("Content-Type", "").partition(";")[0]
            described = operation["responses"][str(response.status)]["content"][media]["schema"]
            if media.endswith("json"):
                assert list(SCHEMAS.mistakes(described, json.load(response))) == []
        finally:
            connection.close()

    check()


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/status", 404),
        ("DELETE", "/v1/status", 405),
        ("GET", "/v1/pause", 405),
        ("GET", "/v1/status?verbose=1", 422),
        ("GET", "/v1/candles?symbol=005930&symbol=000660&timeframe=1d", 422),
        ("GET", "/v1/candles?symbol=005930&timeframe=1d&from_ts=0001-01-01T00:00:00%2B14:00", 422),
        ("GET", "/v1/candles?symbol=005930&timeframe=1d&from_ts=1760000000", 422),
        ("GET", "/v1/jobs/9223372036854775808", 422),
    ],
)
async def test_what_does_not_exist_is_a_problem_too(
    socket_path: Path, method: str, target: str, status: int
) -> None:
    """Unknown paths, wrong verbs, unknown and repeated parameters: a problem with a title, never a page."""

    def ask() -> tuple[int, str | None, dict[str, Any]]:
        connection = UnixConnection(socket_path)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type"), json.load(response)
        finally:
            connection.close()

    answered, media, problem = await asyncio.to_thread(ask)

    assert (answered, media) == (status, "application/problem+json")
    assert problem["status"] == status
    assert problem["title"]


async def test_a_body_that_is_too_large_is_refused(client: ControlClient) -> None:
    """A request is at most 256 KiB."""
    connection_path = client._path

    def ask() -> int:
        connection = UnixConnection(connection_path)
        try:
            connection.request("POST", "/v1/backfill", b" " * 300_000, {"Content-Type": "application/json"})
            return connection.getresponse().status
        finally:
            connection.close()

    assert await asyncio.to_thread(ask) == 413


async def test_a_mistake_of_the_daemon_is_a_problem_without_its_insides(
    client: ControlClient, backend: FakeBackend
) -> None:
    """A bug answers 500, says nothing of the error's text, and the next request works."""

    async def broken() -> Never:
        raise KeyError("secret detail")

    backend.handlers.add(STATUS, broken)
    with pytest.raises(Exception, match="made a mistake") as caught:
        await client.ask(STATUS)

    assert "secret" not in str(caught.value)
    assert (await client.ask(HEALTH)).ok


async def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """The server answers in time, if only that it cannot."""
    from chartinsightd.control.server import serve

    backend = FakeBackend()

    async def hang() -> Never:
        while True:
            await asyncio.Event().wait()

    backend.handlers.add(STATUS, hang)
    async with (
        serve(tmp_path / "s", backend.handlers, backend.hub, backend.metrics, answer_timeout_s=0.02),
        ControlClient(tmp_path / "s") as client,
    ):
        with pytest.raises(Exception, match=r"within 0\.02 s"):
            await client.ask(STATUS)


async def test_the_document_is_served_and_says_what_fields_mean(client: ControlClient) -> None:
    """What `/v1/openapi.json` gives is made of the same table; fields carry their words."""
    document = await client.openapi()

    assert document == json.loads(json.dumps(DOCUMENT))
    described = document["components"]["schemas"]["GateLane"]["properties"]["limit"]["description"]
    assert described.startswith("Requests a second allowed now")


async def test_metrics_are_prometheus_text(client: ControlClient) -> None:
    """Each family has its help and type once, and its samples together."""
    lines = (await client.metrics()).splitlines()

    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert 'chartinsight_up{version="0.1.0",mode="simulation"} 1' in lines
    assert 'chartinsight_gate_queued{api_id="ka10080",priority="backfill"} 418' in lines
    assert "chartinsight_rows_inserted_total 123456" in lines
