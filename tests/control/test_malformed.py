"""Requests that a client gets wrong below the level of the protocol: bytes, framing, encodings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

HEAD = b" HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
REQUESTS = {
    "a body that says gzip and is none": (
        b"POST /v1/backfill" + HEAD + JSON + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        422,
    ),
    "a body with a broken chunk": (
        b"POST /v1/backfill" + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
    ),
    "NUL in a list of words": (b"GET /v1/jobs?kind=%00" + HEAD + b"\r\n", 422),
    "NUL in a search": (b"GET /v1/symbols?search=%00" + HEAD + b"\r\n", 422),
    "an expectation that is unknown": (b"GET /v1/status" + HEAD + b"Expect: banana\r\n\r\n", 417),
    "a method that is unknown": (b"FOO /v1/status" + HEAD + b"\r\n", 400),
    "no host": (b"GET /v1/status HTTP/1.1\r\n\r\n", 400),
    "a length that is no number": (b"POST /v1/pause" + HEAD + b"Content-Length: abc\r\n\r\n", 400),
    "a line of 9 kB": (b"GET /v1/symbols?search=" + b"a" * 9_000 + HEAD + b"\r\n", 400),
}


async def answer_to(socket_path: Path, request: bytes) -> bytes:
    """Send bytes, return all that comes until the daemon closes."""
    reader, writer = await asyncio.open_unix_connection(socket_path)
    writer.write(request)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS)
async def test_what_is_not_understood_is_a_problem_in_our_words(
    socket_path: Path, request_: bytes, status: int
) -> None:
    """Every broken request is answered with a problem of status 4xx, and logged at most at level debug."""
    with capture_logs() as logs:
        head, _, body = (await answer_to(socket_path, request_)).partition(b"\r\n\r\n")

    assert int(head.split()[1]) == status
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status
    assert {line["log_level"] for line in logs} <= {"debug"}


async def test_a_client_that_waits_with_its_body_is_told_to_send_it(socket_path: Path) -> None:
    """`Expect: 100-continue` is kept to (RFC 9110, 10.1.1)."""
    body = b'{"symbols": ["005930"], "dry_run": true}'
    length = b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)

    answer = await answer_to(socket_path, b"POST /v1/backfill" + HEAD + JSON + length + body)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
