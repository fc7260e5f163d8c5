"""The WebSocket: login, keep-alive, registrations, trades (kiwoom.md#websocket)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.simulator.server_client import UNLIMITED, Broker, running

FAST = replace(UNLIMITED, ws_trade_period_s=0.01)
REG = {"trnm": "REG", "grp_no": "1", "refresh": "1", "data": [{"item": ["005930"], "type": ["0B"]}]}
SECOND_LOGIN = {
    "trnm": "SYSTEM",
    "code": "R10001",
    "message": "동일한 App key로 접속이 되었습니다. 기존 세션은 종료가 됩니다",
}


class Socket:
    """A client's socket, frame by frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def ask(self, frame: Any) -> Any:
        """Send a frame and return the next one."""
        await self._socket.send_str(msgspec.json.encode(frame).decode())
        return await self.next()

    async def tell(self, frame: Any) -> None:
        """Send a frame."""
        await self._socket.send_str(msgspec.json.encode(frame).decode())

    async def next(self, within_s: float = 5) -> Any:
        """Return the next frame; None when the socket was closed."""
        message = await self._socket.receive(timeout=within_s)
        return msgspec.json.decode(message.data) if message.type is aiohttp.WSMsgType.TEXT else None

    async def next_text(self) -> str:
        """Return the next frame as it came."""
        return await self._socket.receive_str(timeout=60)

    async def log_in(self, broker: Broker) -> Any:
        """Log in with the broker's token."""
        return await self.ask({"trnm": "LOGIN", "token": broker.token})


@asynccontextmanager
async def socket_of(broker: Broker) -> AsyncIterator[Socket]:
    """Open a socket."""
    async with broker.http.ws_connect(broker.address.websocket_url) as socket:
        yield Socket(socket)


async def test_login() -> None:
    """The first frame is LOGIN, its answer an integer code."""
    async with running() as broker, socket_of(broker) as socket:
        assert await socket.log_in(broker) == {
            "trnm": "LOGIN",
            "return_code": 0,
            "return_msg": "",
            "sor_yn": "Y",
        }
        assert (await broker.admin("GET", "stats"))["websocket_sessions"] == 1


async def test_a_bad_token_ends_the_session() -> None:
    """805004 with the inner code, on the real host SYSTEM R10004, then the socket closes."""
    async with running() as broker, socket_of(broker) as socket:
        answer = await socket.ask({"trnm": "LOGIN", "token": "broken"})
        system, end = await socket.next(), await socket.next()

    assert answer["return_code"] == 805004
    assert answer["return_msg"].endswith("[CODE=8005, MESSAGE=Token이 유효하지 않습니다]")
    assert (system["trnm"], system["code"]) == ("SYSTEM", "R10004")
    assert end is None


async def test_a_second_login_closes_the_first() -> None:
    """The older session gets R10001 and is closed; by switch both stay."""
    async with running() as broker, socket_of(broker) as old, socket_of(broker) as new:
        await old.log_in(broker)
        await new.log_in(broker)
        assert await old.next() == SECOND_LOGIN
        assert await old.next() is None
        assert (await new.ask(REG))["return_code"] == 0
    tolerant = replace(UNLIMITED, ws_second_login="allow")
    async with running(tolerant) as broker, socket_of(broker) as old, socket_of(broker) as new:
        await old.log_in(broker)
        await new.log_in(broker)
        assert (await old.ask(REG))["return_code"] == 0


async def test_registration_needs_login_and_arrays() -> None:
    """REG before LOGIN gets 100013; item or type that is no array 105111."""
    wrong = REG | {"data": [{"item": "005930", "type": ["0B"]}]}
    async with running() as broker, socket_of(broker) as socket:
        early = await socket.ask(REG)
        await socket.log_in(broker)
        failed = await socket.ask(wrong)

    assert early == {"trnm": "REG", "return_code": 100013, "return_msg": ""}
    assert failed == {
        "trnm": "REG",
        "return_code": 105111,
        "return_msg": "실시간 항목 등록에 실패했습니다",
    }


async def test_a_group_holds_so_many_codes() -> None:
    """Beyond the capacity a registration fails and the earlier one stays."""
    async with running(replace(FAST, ws_codes_per_group=1)) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        assert (await socket.ask(REG))["return_code"] == 0
        more = REG | {"data": [{"item": ["0126Z0"], "type": ["0B"]}]}
        assert (await socket.ask(more))["return_code"] == 105111
        assert (await socket.ask(more | {"refresh": "0"}))["return_code"] == 0


async def test_a_silent_client_is_closed() -> None:
    """After the PINGs it did not answer comes R10002, then the end; one that answers stays."""
    strict = replace(UNLIMITED, ws_ping_period_s=0.02, ws_missed_pings=2)
    async with running(strict) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        for _ in range(5):
            assert await socket.next() == {"trnm": "PING"}
            await socket.tell({"trnm": "PING"})
        frames = []
        while (frame := await socket.next()) is not None:
            frames.append(frame)

    assert frames[-1]["code"] == "R10002"
    assert {frame["trnm"] for frame in frames[:-1]} <= {"PING"}


async def test_echoing_a_system_frame_ends_the_session() -> None:
    """Never answer a SYSTEM frame."""
    async with running() as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        assert await socket.ask(SECOND_LOGIN) is None


async def test_a_client_that_does_not_log_in_is_closed() -> None:
    """R10004 after the time allowed."""
    async with running(replace(UNLIMITED, ws_login_timeout_s=0.01)) as broker, socket_of(broker) as socket:
        assert (await socket.next())["code"] == "R10004"
        assert await socket.next() is None


async def test_broken_text_is_ignored() -> None:
    """What is not a known frame does not disturb."""
    async with running() as broker, socket_of(broker) as socket:
        await socket.tell("nonsense")
        await socket.tell({"trnm": "WHATEVER"})
        assert (await socket.log_in(broker))["return_code"] == 0


async def trades(socket: Socket, count: int) -> list[dict[str, Any]]:
    """Return that many entries."""
    entries: list[dict[str, Any]] = []
    while len(entries) < count:
        frame = await socket.next()
        assert frame["trnm"] == "REAL"
        entries += frame["data"]
    assert len(entries) == count
    return entries


async def test_trades_fold_into_the_chart() -> None:
    """The 0B trades of ten minutes are the chart's volume, highs and lows; 13 grows by |15|."""
    async with running(FAST) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await broker.step(timedelta(minutes=10))
        entries = await trades(socket, 10)
        rows = (await broker.minutes(tic_scope="1")).json["stk_min_pole_chart_qry"][:10]
        day = (await broker.days()).json["stk_dt_pole_chart_qry"][0]

    values = [entry["values"] for entry in entries]
    assert {(entry["type"], entry["name"], entry["item"]) for entry in entries} == {
        ("0B", "주식체결", "005930")
    }
    assert [value["15"].lstrip("+-") for value in values] == [row["trde_qty"] for row in reversed(rows)]
    assert [value["13"] for value in values] == [row["acc_trde_qty"] for row in reversed(rows)]
    assert [value["10"] for value in values] == [row["cur_prc"] for row in reversed(rows)]
    assert values[0]["20"] == "120110"
    last = [values[-1][field].lstrip("+-") for field in ("16", "17", "18")]
    assert last == [day["open_pric"], day["high_pric"], day["low_pric"]]
    assert values[-1]["14"] == day["trde_prica"]


async def test_entries_come_several_in_a_frame() -> None:
    """Frames hold many entries, in order of time over all codes."""
    both = REG | {"data": [{"item": ["005930", "0126Z0"], "type": ["0B"]}]}
    async with running(FAST) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(both)
        await broker.step(timedelta(minutes=5))
        frame = await socket.next()

    assert len(frame["data"]) == 10
    times = [entry["values"]["20"] for entry in frame["data"]]
    assert times == sorted(times)


@pytest.mark.parametrize(("jump", "hour"), [(timedelta(hours=-25), "11"), (timedelta(hours=73), "13")])
async def test_a_jump_of_the_clock_streams_nothing(jump: timedelta, hour: str) -> None:
    """After a jump back, or forward by more than the catch-up, trades start from the new time."""
    async with running(FAST) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await broker.step(jump)
        first = asyncio.ensure_future(socket.next())
        while not first.done():  # when the stream looks is its own affair; minutes pass until it did
            await broker.step(timedelta(minutes=1))
            await asyncio.wait([first], timeout=0.02)
        frame = first.result()

    assert frame["data"][0]["values"]["20"].startswith(hour)


async def test_removed_codes_are_silent() -> None:
    """After REMOVE only what is still registered comes."""
    both = REG | {"data": [{"item": ["005930", "0126Z0"], "type": ["0B"]}]}
    remove = {"trnm": "REMOVE", "grp_no": "1", "data": [{"item": ["005930"], "type": ["0B"]}]}
    async with running(FAST) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(both)
        assert await socket.ask(remove) == {"trnm": "REMOVE", "return_code": 0, "return_msg": ""}
        await broker.step(timedelta(minutes=2))
        assert {entry["item"] for entry in await trades(socket, 2)} == {"0126Z0"}


async def test_an_outage_closes_all_sockets() -> None:
    """The admin door drops every session without a word."""
    async with running() as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await broker.admin("POST", "websocket/close")
        assert await socket.next() is None


async def test_the_firewall_guards_the_websocket_too() -> None:
    """The default agent of aiohttp is refused at the handshake."""
    agent = {"User-Agent": "Python/3.11 aiohttp/3.14.5"}
    async with running() as broker:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
            await broker.http.ws_connect(broker.address.websocket_url, headers=agent)


async def strike(broker: Broker, fault: str, **more: Any) -> None:
    """Switch on one fault that strikes once."""
    await broker.admin("POST", "faults", {"mix": [{"fault": fault, "times": 1} | more]})


async def times_of(socket: Socket, frames: int) -> list[str]:
    """Return the trade times of some frames; `?` for text that is no JSON."""
    found = []
    for _ in range(frames):
        text = await socket.next_text()
        try:
            entries = msgspec.json.decode(text)["data"]
        except msgspec.DecodeError:
            found.append("?")
            continue
        found += [entry["values"]["20"] for entry in entries]
    return found


async def heard(socket: Socket, for_s: float) -> list[Any]:
    """Return the frames that come until none comes for a while."""
    frames = []
    try:
        while (frame := await socket.next(within_s=for_s)) is not None:
            frames.append(frame)
    except TimeoutError:
        return frames
    raise AssertionError("the socket was closed")


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("ws_duplicate", ["120110", "120110", "120210", "120310"]),
        ("ws_drop", ["120210", "120310"]),
        ("ws_late", ["120210", "120110", "120310"]),
        ("ws_garbled", ["?", "120210", "120310"]),
    ],
)
async def test_frames_are_spoiled(fault: str, seen: list[str]) -> None:
    """A frame comes twice, never, late or as a half; those after it are right."""
    single = replace(FAST, ws_entries_per_frame=1)
    async with running(single) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await strike(broker, fault, seconds=0.1)
        await broker.step(timedelta(minutes=2))
        early = await times_of(socket, len(seen) - 1)
        await broker.step(timedelta(minutes=1))
        assert early + await times_of(socket, 1) == seen


@pytest.mark.parametrize(
    ("fault", "code"), [("ws_taken_over", "R10001"), ("ws_unheard", "R10002"), ("ws_not_let_in", "R10004")]
)
async def test_a_session_ends_with_each_system_code(fault: str, code: str) -> None:
    """The SYSTEM frame says why, then the socket closes; the admin door can do the same at once."""
    async with running(FAST) as broker, socket_of(broker) as socket, socket_of(broker) as other:
        await socket.log_in(broker)
        await socket.ask(REG)
        await strike(broker, fault)
        await broker.step(timedelta(minutes=1))
        assert (await socket.next())["code"] == code
        assert await socket.next() is None

        await other.log_in(broker)
        await broker.admin("POST", "websocket/close", {"code": code})
        assert (await other.next())["code"] == code
        assert await other.next() is None


async def test_a_strange_system_frame_ends_nothing() -> None:
    """A code that no list has comes, and trades go on."""
    async with running(FAST) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await strike(broker, "ws_strange_system")
        await broker.step(timedelta(minutes=1))
        assert (await socket.next())["code"] == "R19999"
        assert len(await trades(socket, 1)) == 1


async def test_a_silent_line_and_a_torn_one() -> None:
    """A dead line stays open and says nothing, not even PING; a torn one is closed without a word."""
    noisy = replace(FAST, ws_ping_period_s=0.05, ws_missed_pings=1_000)
    async with running(noisy) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await strike(broker, "ws_silent")
        await broker.step(timedelta(minutes=1))
        before = {frame["trnm"] for frame in await heard(socket, for_s=0.5)}
        assert "REAL" not in before
        assert await heard(socket, for_s=0.3) == []
    async with running(FAST) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await strike(broker, "ws_reset")
        await broker.step(timedelta(minutes=1))
        assert await socket.next() is None


async def test_handshake_login_and_registration_can_be_refused() -> None:
    """503, 805004 and 105111; the next try passes."""
    async with running(FAST) as broker:
        await strike(broker, "ws_refused")
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await broker.http.ws_connect(broker.address.websocket_url)
        async with socket_of(broker) as socket:
            await strike(broker, "ws_login_refused")
            assert (await socket.log_in(broker))["return_code"] == 805004
        async with socket_of(broker) as socket:
            await strike(broker, "ws_reg_refused")
            assert (await socket.log_in(broker))["return_code"] == 0
            assert (await socket.ask(REG))["return_code"] == 105111
            assert (await socket.ask(REG))["return_code"] == 0


async def test_faults_of_requests_do_not_strike_the_socket() -> None:
    """A fault without api-ids is one of HTTP; one of the socket never strikes a request."""
    async with running(FAST) as broker, socket_of(broker) as socket:
        await broker.admin("POST", "faults", {"mix": [{"fault": "http_500"}, {"fault": "ws_drop"}]})
        assert (await socket.log_in(broker))["return_code"] == 0
        assert (await broker.days()).status == 500
        assert [rule["struck"] for rule in (await broker.admin("GET", "faults"))["mix"]] == [1, 0]


async def test_a_dead_token_leaves_the_session_alone() -> None:
    """Trades go on for who is logged in (kiwoom.md#websocket-session); a new session needs a new token."""
    async with running(FAST) as broker, socket_of(broker) as socket, socket_of(broker) as other:
        await socket.log_in(broker)
        await socket.ask(REG)
        await broker.admin("POST", "tokens/invalidate")
        await broker.step(timedelta(minutes=1))
        assert len(await trades(socket, 1)) == 1
        assert (await other.log_in(broker))["return_code"] == 805004
