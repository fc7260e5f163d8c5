"""A block survives the death of the daemon: the next one does not ask until its time, or until told to."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import ALERTS, STATUS
from tests.support.harness import FOLLOWED, collecting, moment, open_simulator, running

CHARTS = ("ka10080", "ka10081", "ka10082")


async def test_a_restart_within_a_block_asks_nothing(folder: Path, database: str) -> None:
    """8050 in the middle of the day, kill -9, a restart: not one request. `resume` asks, and all is well."""
    start = moment("2026-11-18", 10)
    async with open_simulator(folder, "--start", start.isoformat(), "--speed", "60") as simulator:
        settings = collecting(["005930"], "5d") | FOLLOWED
        async with running(folder, simulator, settings, database) as daemon:
            await daemon.says("stocks.synced")
            late = moment("2026-11-18", 10, 34) + timedelta(seconds=50)
            await simulator.skip_to(late, 10)

            async def has_followed() -> bool:
                async with ControlClient(folder / "control.sock") as client:
                    return (await client.ask(STATUS)).clock.now >= late

            await daemon.comes_to("it follows the jump", has_followed)
            await simulator.admin.allow_addresses(["192.0.2.1"])
            await simulator.admin.switch_faults(
                [{"fault": "token_8005", "probability": 1.0, "api_ids": list(CHARTS)}]
            )
            await daemon.says("broker.blocked")
            daemon.kill()
            await simulator.admin.switch_faults([])
            asked = (await simulator.admin.stats())["requests"]
            daemon.start()
            await daemon.says("broker.not_asked")

            async def is_started() -> bool:
                return daemon.words().count("daemon.started") == 2

            await daemon.comes_to("it runs again", is_started)
            async with ControlClient(folder / "control.sock") as client:

                async def is_told() -> bool:
                    alerts = (await client.ask(ALERTS)).items
                    return any("지정단말기" in one.message + one.remedy for one in alerts if not one.ended_at)

                await daemon.comes_to("the remedy is told again", is_told)
                assert (await simulator.admin.stats())["requests"] == asked
                await simulator.admin.allow_addresses(None)
                command = (sys.executable, "-m", "chartinsightd.cli", "resume")
                process = await asyncio.create_subprocess_exec(*command, env=daemon.environment)
                assert await process.wait() == 0

                async def is_over() -> bool:
                    alerts = (await client.ask(ALERTS)).items
                    return all(one.ended_at is not None for one in alerts if one.event == "broker.blocked")

                await daemon.comes_to("the block is over", is_over)
            assert await daemon.stop() == 0


async def test_a_start_that_is_refused_waits_where_it_has_collected_before(
    folder: Path, database: str
) -> None:
    """Refused first at a restart: nobody is there to start it again, so it runs, tells it, and comes back."""
    start = moment("2026-11-18", 10)
    async with open_simulator(folder, "--start", start.isoformat(), "--speed", "60") as simulator:
        settings = collecting(["005930"], "5d") | FOLLOWED
        async with running(folder, simulator, settings, database) as daemon:

            async def has_collected() -> bool:
                return bool(await daemon.value("select count(*) from coverage"))

            await daemon.comes_to("something is covered", has_collected)
            assert await daemon.stop() == 0
            await simulator.admin.allow_addresses(["192.0.2.1"])
            daemon.start()
            await daemon.says("broker.blocked")
            await daemon.says("broker.not_asked")

            async def is_started() -> bool:
                return daemon.words().count("daemon.started") == 2

            await daemon.comes_to("it runs again", is_started)
            async with ControlClient(folder / "control.sock") as client:

                async def is_told() -> bool:
                    alerts = (await client.ask(ALERTS)).items
                    return any(one.event == "broker.blocked" and not one.ended_at for one in alerts)

                await daemon.comes_to("the block is told", is_told)
                await simulator.admin.allow_addresses(None)
                # five minutes of the daemon's clock later it tries by itself
                await daemon.says("broker.unblocked")
            assert await daemon.stop() == 0
