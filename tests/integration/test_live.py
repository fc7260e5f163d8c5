"""The live stream on real processes: candles form, a loss is told and heals, the truth stands at night."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import msgspec

from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import ALERTS, STATUS
from chartinsightd.control.protocol.status import Alert, LiveState, LiveStatus
from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    Simulator,
    Truth,
    collecting,
    moment,
    open_simulator,
    running,
)

SYMBOLS = ("005930", "000660", "035720")
SPEED = 60.0
RUNNING = """
select count(*) from candles where timeframe = '5m' and not final and symbol = $1
and ts > to_timestamp($2) - interval '5 minutes' and ts <= to_timestamp($2)
"""


async def live(folder: Path) -> LiveStatus:
    """Return the stream's state as the daemon shows it."""
    async with ControlClient(folder / "control.sock") as client:
        found = (await client.ask(STATUS)).live
    assert found is not None
    return found


async def alert(folder: Path) -> Alert | None:
    """Return the alert of the stream; None where there was none."""
    async with ControlClient(folder / "control.sock") as client:
        found = [one for one in (await client.ask(ALERTS)).items if one.event == "live.lost"]
    assert len(found) <= 1, found
    return found[0] if found else None


async def log_in_elsewhere(simulator: Simulator) -> None:
    """Open another session of the same key, as a second program does, and leave."""
    url = simulator.url.replace("http", "ws") + "/api/dostk/websocket"
    tokens = await simulator.admin.tokens()
    async with (
        aiohttp.ClientSession(headers={"User-Agent": "curl/8.5.0"}) as http,
        http.ws_connect(url) as socket,
    ):
        await socket.send_str(msgspec.json.encode({"trnm": "LOGIN", "token": tokens[-1]}).decode())
        await socket.receive(timeout=60)


async def test_a_morning_with_the_stream(folder: Path, database: str) -> None:
    """The running candle is in the table, closes equal the charts', a takeover is one alert, polls go on.

    At night the store equals the truth: nothing that trades formed is left in it.
    """
    arguments = ("--start", moment("2026-11-20", 9, 50).isoformat(), "--speed", str(SPEED))
    settings = collecting(SYMBOLS, SHORT) | FOLLOWED
    async with open_simulator(folder, *arguments, "--option", "print_won=20000000") as simulator:
        url = simulator.url.replace("http", "ws") + "/api/dostk/websocket"
        settings |= {"CHARTINSIGHT_KIWOOM__WEBSOCKET_URL": url}
        async with running(folder, simulator, settings, database) as daemon:
            await candles_form(folder, simulator, daemon)
            await a_takeover_is_told_and_healed(folder, simulator, daemon)
            await simulator.skip_to(moment("2026-11-20", 31, 31), 600.0)
            truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
            await truth.is_reached(moment("2026-11-20", 24))
            await truth.is_clean()


async def candles_form(folder: Path, simulator: Simulator, daemon: Daemon) -> None:
    """Wait until the running candle is stored and closes were compared."""

    async def is_open() -> bool:
        return (await live(folder)).state is LiveState.OPEN

    async def is_running() -> bool:
        now = (await simulator.admin.now()).timestamp()
        return bool(await daemon.value(RUNNING, SYMBOLS[0], now))

    async def is_compared() -> bool:
        return (await live(folder)).closes.compared >= 9

    await daemon.says("stocks.synced")
    await daemon.comes_to("the stream is open", is_open)
    await daemon.comes_to("the running candle is stored", is_running)
    await daemon.comes_to("closes are compared", is_compared)
    closes = (await live(folder)).closes
    assert (closes.wrong, closes.unseen) == (0, 0)
    assert closes.compared - closes.differing >= 3  # all but those that began before the stream did
    covered = "select count(*) from candles c join coverage v using (symbol, timeframe) where not c.final"
    assert await daemon.value(covered + " and c.ts >= v.from_ts and c.ts < v.to_ts") == 0


async def a_takeover_is_told_and_healed(folder: Path, simulator: Simulator, daemon: Daemon) -> None:
    """One alert when another program takes the stream, its end when it is back; meanwhile polls go on."""
    await log_in_elsewhere(simulator)

    async def is_told() -> bool:
        found = await alert(folder)
        return found is not None and "another key" in found.remedy

    async def is_over() -> bool:
        found = await alert(folder)
        return found is not None and found.ended_at is not None

    await daemon.comes_to("the takeover is told", is_told)
    stored = "select count(*) from candles where final"
    before = await daemon.value(stored)
    await daemon.comes_to("the stream is back", is_over)
    assert await daemon.value(stored) > before
    assert (await live(folder)).state is LiveState.OPEN
