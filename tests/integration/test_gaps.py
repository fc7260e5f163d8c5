"""What a running daemon lists as missing, for whoever reads the database or asks the socket."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import GAPS, PAUSE, RESUME
from chartinsightd.control.protocol.coverage import GapQuery
from chartinsightd.control.protocol.jobs import PauseRequest
from tests.support.harness import FOLLOWED, collecting, moment, open_simulator, running


async def test_every_gap_has_its_reason_while_it_lasts(folder: Path, database: str) -> None:
    """Paused, then the broker away: each is a row with reason and evidence, gone once it is caught up."""
    start = moment("2026-11-18", 10)
    async with open_simulator(folder, "--start", start.isoformat(), "--speed", "60") as simulator:
        settings = collecting(["005930"], "5d") | FOLLOWED
        async with running(folder, simulator, settings, database) as daemon:

            async def reasons() -> set[str]:
                async with daemon.database() as connection:
                    return {row[0] for row in await connection.fetch("select reason from gaps")}

            async def is_complete() -> bool:
                covered = await daemon.value("select count(*) from coverage")
                return bool(covered) and not await reasons()

            async def is_paused() -> bool:
                return await reasons() == {"paused"}

            async def is_away() -> bool:
                return await reasons() == {"outage"}

            await daemon.comes_to("all is fetched", is_complete)
            async with ControlClient(folder / "control.sock") as client:
                await client.ask(PAUSE, PauseRequest())
                await daemon.comes_to("what becomes due is listed", is_paused)
                await client.ask(RESUME)
                await daemon.comes_to("it is caught up", is_complete)
                await simulator.admin.switch_faults([{"fault": "html_notice", "probability": 1.0}])
                await daemon.comes_to("the outage is the reason", is_away)
                [gap, *_] = (await client.ask(GAPS, GapQuery(symbol=("005930",)))).items
                assert gap.reason == "outage"
                assert "notice" in gap.evidence["told"]
                assert gap.to_ts - gap.from_ts < timedelta(hours=8)
                await simulator.admin.switch_faults([])
                await daemon.comes_to("it is caught up again", is_complete)
            assert await daemon.stop() == 0
