"""Who is let in: the right host, no foreign page, a session, and nothing that was not handed over."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import timedelta
from typing import Any

import pytest

from chartinsightd.control.operations import OPERATIONS
from chartinsightd.control.protocol.web import LinkRequest
from chartinsightd.control.radar_operations import LINK, OFFERED, ON_SOCKET_ALONE, REVOKE
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.web.server import MOST_CONNECTIONS, Listening, Offer, serve_web
from tests.support.fake_backend import CALLER
from tests.web.conftest import Browser, Door

EVIL = "http://evil.example"
SCREEN = {"expression": {"strategy": "trend_up"}}


async def raw(listening: Listening, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; return status, headers and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.ports[0])
    writer.write(request)
    async with asyncio.timeout(60):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        names = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
        body = await reader.readexactly(int(names.get("Content-Length", 0)))
    writer.close()
    return int(head.split()[1]), names, body


def cookie(browser: Browser) -> str:
    """Return the cookie header that the browser sends."""
    return "; ".join(f"{one.key}={one.value}" for one in browser.http.cookie_jar)


HOSTS = {
    "another name": "evil.example",
    "another port": "127.0.0.1:1",
    "no port": "127.0.0.1",
    "the port of a name that begins alike": "127.0.0.1.evil.example:{port}",
    "a user before it": "me@127.0.0.1:{port}",
    "another way to write it": "127.1:{port}",
    "capitals": "LOCALHOST:{port}",
    "a dot at the end": "localhost.:{port}",
    "empty": "",
}


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
async def test_a_host_that_is_not_one_of_ours_letter_by_letter_is_refused(
    listening: Listening, browser: Browser, host: str
) -> None:
    """A name that another page pointed at this machine gets 421, with a session too, page files included."""
    name = host.format(port=listening.ports[0])
    for path in ("/v1/strategies", "/radar/"):
        head = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nCookie: {cookie(browser)}\r\n\r\n"
        status, headers, _ = await raw(listening, head.encode())

        assert status == 421
        assert "Set-Cookie" not in headers


async def test_two_hosts_are_no_host(listening: Listening, browser: Browser) -> None:
    """Which of two Host headers counts is nobody's guess: the request is refused."""
    host = listening.origin.removeprefix("http://")
    head = f"GET /v1/strategies HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nCookie: {cookie(browser)}\r\n\r\n"

    status, _, _ = await raw(listening, head.encode())

    assert status in {400, 421}


@pytest.mark.parametrize(
    "path", ["/v1/strategies", "/v1/openapi.json", "/v1/events", "/v1/nothing", "/metrics"]
)
async def test_without_a_session_nothing_but_the_page_is_answered(stranger: Browser, path: str) -> None:
    """Every path, also one that does not exist, is 401 with the command that helps; files are open."""
    status, _, problem = await stranger.ask("GET", path)

    assert status == 401
    assert "chartinsightctl radar" in problem["remedy"]
    assert (await stranger.ask("GET", "/radar/"))[0] == 200
    assert (await stranger.ask("POST", "/v1/screener", json=SCREEN))[0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_another_pages_request_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    """What a browser says comes from elsewhere is 403: a write, a read, and an attempt to begin a session."""
    assert (await browser.ask("POST", "/v1/screener", headers=headers, json=SCREEN))[0] == 403
    assert (await browser.ask("GET", "/v1/strategies", headers=headers))[0] == 403
    assert (await browser.ask("POST", "/v1/session", headers=headers, json={"token": "x"}))[0] == 403


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        ("text/plain", json.dumps(SCREEN), 415),
        ("application/x-www-form-urlencoded", "expression=1", 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("application/json", '{"expression": 1}', 422),
        ("application/json", " " * 70_000, 413),
    ],
)
async def test_a_write_that_is_no_json_is_refused(
    browser: Browser, media: str, body: str, status: int
) -> None:
    """What a form of another page can send is not JSON: 415. What cannot be read is 400, too much 413."""
    found, _, problem = await browser.ask("POST", "/v1/screener", headers={"Content-Type": media}, data=body)

    assert found == problem["status"] == status


async def test_the_listener_has_nothing_that_was_not_handed_over(browser: Browser, door: Door) -> None:
    """No order to the daemon and nothing of its inner work can be reached, whatever is asked."""
    offered = {(one.method, one.path) for one in OFFERED}
    held_back = [one for one in (*OPERATIONS, *ON_SOCKET_ALONE) if (one.method, one.path) not in offered]

    for operation in held_back:
        path = operation.path.format(**dict.fromkeys(operation.path_fields, "1"))
        body: dict[str, Any] = {"json": {}} if operation.method == "POST" else {}
        assert (await browser.ask(operation.method, path, **body))[0] in {404, 405}, path
    assert len(held_back) > 20
    assert (await browser.ask("GET", "/metrics"))[0] == 404
    assert door.backend.asked == []


async def test_an_address_begins_one_session_within_a_minute(door: Door, stranger: Browser) -> None:
    """A token is worth nothing after its use, after 60 s, or when it was made up."""
    used, late = door.sessions.issue("me"), door.sessions.issue("me")

    assert await stranger.begin(used) == 200
    assert await stranger.begin(used) == 401
    door.time.passed += timedelta(seconds=60)
    assert await stranger.begin(late) == 401
    assert await stranger.begin("made-up") == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(door: Door, stranger: Browser) -> None:
    """HttpOnly, SameSite=Strict, the whole path, thirty days; the body does not hold it."""
    _, headers, body = await stranger.ask("POST", "/v1/session", json={"token": door.sessions.issue("me")})

    given = headers["Set-Cookie"]
    secret = given.split(";")[0].partition("=")[2]
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"} <= {
        part.strip() for part in given.split(";")
    }
    assert "Domain" not in given
    assert secret not in json.dumps(body)
    assert body["mode"] == "simulation"
    assert body["now_kst"].endswith("+09:00")


async def test_a_session_survives_a_restart_and_its_file_opens_no_door(door: Door, stranger: Browser) -> None:
    """The file is the owner's alone and holds the hash; the cookie is accepted by the next process."""
    _, headers, _ = await stranger.ask("POST", "/v1/session", json={"token": door.sessions.issue("me")})
    secret = headers["Set-Cookie"].split(";")[0].partition("=")[2]

    assert stat.S_IMODE(door.file.stat().st_mode) == 0o600
    assert secret not in door.file.read_text()
    again = door.new_sessions()
    assert again.of(secret) is not None
    assert again.of(json.loads(door.file.read_text())[0]["hash"]) is None
    door.time.passed += timedelta(days=31)
    assert again.of(secret) is None


async def test_a_session_that_is_revoked_ends_at_once(door: Door, browser: Browser) -> None:
    """List and revoke: the next request is 401."""
    [session] = door.sessions.all()
    request = REVOKE.request(ids=(session.id,))

    outcome = await door.backend.handlers.answer(REVOKE, request, CALLER)

    assert outcome.changed
    assert (await browser.ask("GET", "/v1/session"))[0] == 401
    assert door.sessions.all() == []


async def test_every_answer_carries_the_policy_and_no_word_for_other_origins(
    listening: Listening, browser: Browser
) -> None:
    """The strict policy is on pages, answers, problems and broken requests; no CORS header is ever sent."""
    host = listening.origin.removeprefix("http://")
    broken = await raw(listening, f"FOO / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    others = [
        await browser.ask("GET", path, headers={"Origin": listening.origin})
        for path in ("/radar/", "/radar/none", "/v1/strategies", "/v1/none", "/")
    ]

    for _, headers, _ in [broken, *others]:
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] == "chartinsightd"
        assert not any(name.lower().startswith("access-control") for name in headers)


async def test_the_address_of_the_page_is_printed_with_its_stock(door: Door, listening: Listening) -> None:
    """The token stands behind `#`, which a browser sends to nobody."""
    link = await door.backend.handlers.answer(LINK, LinkRequest(symbol="000660"), CALLER)

    page, _, rest = link.url.partition("#")
    assert page == f"{listening.origin}/radar/"
    assert rest.startswith("token=")
    assert rest.endswith("&symbol=000660")


async def test_an_address_that_is_taken_stops_the_start_with_a_remedy(
    door: Door, listening: Listening
) -> None:
    """The message names the setting."""
    offer = Offer(handlers=door.backend.handlers, hub=door.backend.hub, sessions=door.sessions)
    with pytest.raises(ConfigurationError, match=r"web\.listen") as caught:
        async with serve_web(f"127.0.0.1:{listening.ports[0]}", offer):
            pytest.fail("two listeners on one port")

    assert "free port" in caught.value.remedy


async def test_connections_are_bounded(listening: Listening, browser: Browser) -> None:
    """More connections than the bound are closed at once, and who is in goes on."""
    taken = [
        await asyncio.open_connection("127.0.0.1", listening.ports[0]) for _ in range(MOST_CONNECTIONS + 8)
    ]
    async with asyncio.timeout(60):
        ends = await asyncio.gather(*(_end_of(reader) for reader, _ in taken[-8:]))
    status, _, _ = await browser.ask("GET", "/v1/session")
    for _, writer in taken:
        writer.close()

    assert ends == [b""] * 8
    assert status == 200


async def _end_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
