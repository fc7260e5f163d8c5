"""The listener keeps to its own description: a fuzzer over its OpenAPI document, on a real store."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.clock import SystemClock
from tests.control.json_schema import Schemas
from tests.web.chart_world import chart_world
from tests.web.test_labels import label

JUNK = st.one_of(
    st.text(max_size=30), st.integers(), st.floats(), st.none(), st.lists(st.text(max_size=5), max_size=3)
)
FORMS = ("application/json", "application/x-ndjson", "text/csv", "*/*", "x")
_RIGHT = (
    ("radar", "/v1/radar/005930?timeframe=1d", None),
    ("candles_of", "/v1/candles/005930?timeframe=1d", None),
    ("find_stocks", "/v1/stocks?q=005930&recent=5", None),
    ("add_label", "/v1/labels", json.dumps(label()).encode()),
    ("labels", "/v1/labels?symbol=005930", None),
)
"""Requests that are answered, with the operation that each is for."""
LEFT_OUT = {"events", "begin_session"}
"""A stream has no end, and a token is tried elsewhere."""


@dataclass
class Served:
    """A listener in a thread of its own, and the cookie of a session."""

    port: int = 0
    cookie: str = ""

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        """Return status, media type and body; the client is the standard library's."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body, {"Cookie": self.cookie, **(headers or {})})
            response = connection.getresponse()
            media = (response.getheader("Content-Type") or "").partition(";")[0]
            return response.status, media, response.read()
        finally:
            connection.close()


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    """Three stocks behind the listener."""
    found, ready, stop = Served(), threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        async with (
            open_store(database, "simulation", SystemClock()) as store,
            chart_world(store, database, tmp_path) as world,
            world.door.open() as listening,
        ):
            begun = world.door.sessions.begin(world.door.sessions.issue("me"))
            assert begun is not None
            found.port = listening.ports[0]
            found.cookie = f"chartinsight-{found.port}={begun[0]}"
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(30)
    yield found
    loops[0].call_soon_threadsafe(stop.set)
    thread.join()


@st.composite
def requests(
    draw: st.DrawFn, schemas: Schemas, path: str, operation: dict[str, Any]
) -> tuple[str, bytes | None, dict[str, str]]:
    """Draw a request: about half as described, half with something wrong."""
    spoilt = draw(st.booleans())
    query: list[tuple[str, Any]] = []
    for parameter in operation["parameters"]:
        if not parameter["required"] and draw(st.integers(0, 2)):
            continue
        value = draw(JUNK if spoilt and draw(st.booleans()) else schemas.values(parameter["schema"]))
        text = quote(json.dumps(value) if isinstance(value, bool) else str(value), safe="") or "%20"
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", text)
        elif parameter["in"] == "query":
            values = value if isinstance(value, list) else [value]
            query += [(parameter["name"], str(v).lower() if isinstance(v, bool) else v) for v in values]
    headers = {"Accept": draw(st.sampled_from(FORMS))} if draw(st.booleans()) else {}
    if "requestBody" not in operation:
        return f"{path}?{urlencode(query)}", None, headers
    value = draw(schemas.values(operation["requestBody"]["content"]["application/json"]["schema"]))
    if spoilt:
        value[draw(st.sampled_from([*value, "unknown"]))] = draw(JUNK)
    return path, json.dumps(value).encode(), headers | {"Content-Type": "application/json"}


def test_every_answer_is_documented(served: Served) -> None:
    """Whatever is asked of whichever operation, status and body are as described; never a 500."""
    document = json.loads(served.ask("GET", "/v1/openapi.json")[2])
    schemas = Schemas(document)
    operations = {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] not in LEFT_OUT
    }

    def ask(name: str, target: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """Ask, compare the answer with its description, and return it with its status."""
        method, _, operation = operations[name]
        status, media, answer = served.ask(method, target, body, headers)
        described = operation["responses"][str(status)]["content"][media]["schema"]
        if media.endswith(("/json", "+json")):
            assert list(schemas.mistakes(described, json.loads(answer))) == []
        return status, answer

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def check(name: str, data: st.DataObject) -> None:
        _, path, operation = operations[name]
        ask(name, *data.draw(requests(schemas, path, operation)))

    for name in sorted(operations):  # each its share, however many there are
        check(name)
    for name, target, body in _RIGHT:  # no draw is bound to be one that is answered
        headers = {} if body is None else {"Content-Type": "application/json"}
        status, answer = ask(name, target, body, headers)
        assert status == 200, answer


def test_the_document_describes_this_door_alone(served: Served) -> None:
    """Times are in both forms, and nothing of the control socket is named."""
    document = json.loads(served.ask("GET", "/v1/openapi.json")[2])

    assert "/metrics" not in document["paths"]
    assert not any(word in path for path in document["paths"] for word in ("jobs", "logs", "pause", "config"))
    point = document["components"]["schemas"]["ChartPoint"]["properties"]
    assert point["confirmed_at"] == {"anyOf": [{"type": "integer"}]}
    assert point["confirmed_at_kst"]["anyOf"][0]["format"] == "date-time"
