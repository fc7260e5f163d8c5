"""Two accounts with real processes: twice the pace, and one that is refused costs no candle."""

from __future__ import annotations

import json
from pathlib import Path

from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import ALERTS, STATUS
from tests.support.harness import FOLLOWED, Truth, collecting, moment, open_simulator, running

SYMBOLS = ("005930", "005380")
"""One of each account's share."""
SECOND = [{"name": "second", "app_key": "second-app-key", "secret_key": "second-secret-key"}]
SETTINGS = {"CHARTINSIGHT_KIWOOM__ACCOUNTS": json.dumps(SECOND)}


async def test_a_refused_account_costs_no_candle(folder: Path, database: str) -> None:
    """Both load the history within their limits; when one key is refused the other one collects its symbols,
    an alert names it, and the store ends equal to the truth.
    """
    start = moment("2026-11-18", 10)
    account = f"{SECOND[0]['app_key']}:{SECOND[0]['secret_key']}"
    arguments = ("--start", start.isoformat(), "--speed", "60", "--account", account)
    settings = collecting(SYMBOLS, "5d") | FOLLOWED | SETTINGS
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, settings, database) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await daemon.says("stocks.synced")

        async def both_are_asked() -> bool:
            asked: dict[str, object] = (await simulator.admin.stats())["api_ids"]
            return {"ka10080", "ka10080/2"} <= asked.keys()

        await daemon.comes_to("both accounts are asked", both_are_asked)
        await simulator.admin.block_keys(["second-app-key"])
        await simulator.admin.invalidate_tokens()
        async with ControlClient(folder / "control.sock") as client:

            async def is_told() -> bool:
                found = [one for one in (await client.ask(ALERTS)).items if not one.ended_at]
                return any(one.event == "broker.account_refused" and "second" in one.message for one in found)

            await simulator.skip_to(moment("2026-11-18", 10, 30), 60)
            await daemon.comes_to("the refused account is told", is_told)
            lanes = {lane.api_id: lane for lane in (await client.ask(STATUS)).gate}
            assert lanes["ka10080"].ceiling == 10
        await simulator.skip_to(moment("2026-11-18", 20, 5), 60)
        await truth.is_reached(by_evening=True)
        assert (await simulator.admin.stats())["violations"] == 0
        assert "second-secret-key" not in daemon.words()
        assert await daemon.stop() == 0
