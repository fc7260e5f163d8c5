"""SIGTERM, SIGHUP: leaving within ten seconds from wherever it is, and new settings while running."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.support.harness import Daemon, free_port, moment, open_daemon, open_simulator, running

LEAVES_WITHIN_S = 10.0
START = moment("2026-11-18", 8).isoformat()


def track(daemon: Daemon, *symbols: str) -> None:
    """Name the symbols in the settings file."""
    daemon.config.write_text(f"[collect]\nsymbols = {json.dumps(symbols)}\n", encoding="utf-8")


async def test_reload_and_leave_while_loading(folder: Path, database: str) -> None:
    """SIGHUP adds a symbol and refuses wrong settings without an exit; SIGTERM ends a long load at once."""
    async with open_simulator(folder, "--start", START, "--speed", "1") as simulator:
        (folder / "config.toml").write_text('[collect]\nsymbols = ["005930"]\n', encoding="utf-8")
        settings = {"CHARTINSIGHT_CLOCK__FOLLOW": "true"}
        async with running(folder, simulator, settings, database) as daemon:

            async def has(symbol: str) -> bool:
                return bool(
                    await daemon.value("select exists (select from candles where symbol = $1)", symbol)
                )

            await daemon.comes_to("candles of the first symbol", lambda: has("005930"))
            daemon.config.write_text("[collect]\nsymbols = 5\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.says("settings.reload_failed")
            track(daemon, "000660", "035720")
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.comes_to("candles of the new symbol", lambda: has("000660"))
            tracked = await daemon.value("select array_agg(symbol order by symbol) from stocks where tracked")
            assert tracked == ["000660", "035720"]
            assert await daemon.value("select count(*) from jobs where state = 'running'") > 0
            assert await daemon.stop(LEAVES_WITHIN_S) == 0


async def test_leave_while_the_broker_is_silent(folder: Path, database: str) -> None:
    """A request without an answer does not keep a daemon from leaving."""
    async with open_simulator(folder, "--start", START, "--speed", "5") as simulator:
        hang = {"fault": "hang", "seconds": 60, "api_ids": ["ka10080", "ka10081", "ka10082"]}
        await simulator.admin.switch_faults([hang])
        settings = {"CHARTINSIGHT_CLOCK__FOLLOW": "true"}
        async with running(folder, simulator, settings, database) as daemon:

            async def is_asking() -> bool:
                return any(entry["fault"] == "hang" for entry in await simulator.admin.requests())

            await daemon.comes_to("a request hangs", is_asking)
            assert await daemon.stop(LEAVES_WITHIN_S) == 0


async def test_leave_while_waiting_for_the_database(folder: Path) -> None:
    """A database that is away is waited for, and the wait can be ended."""
    settings = {
        "CHARTINSIGHT_KIWOOM__BASE_URL": "http://127.0.0.1:1",
        "CHARTINSIGHT_DATABASE__CONNECT_TIMEOUT_S": "600",
    }
    async with open_daemon(folder, settings, f"postgresql://me@127.0.0.1:{free_port()}/candles") as daemon:
        await daemon.says("database.unreachable")
        assert await daemon.stop(LEAVES_WITHIN_S) == 0
