"""The plan of the collector as it is told."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.control.operations import CATCH_UP_PLAN
from chartinsightd.control.protocol.planning import CatchUpQuery
from chartinsightd.facts.krx import KST
from tests.backend.conftest import BackendWorld, ask
from tests.support.virtual import in_virtual_time


@in_virtual_time
async def test_the_plan_says_what_waits_in_its_order() -> None:
    """At the start every series waits: its turn in its lane, what is missing, and the cost of all."""
    world = BackendWorld(datetime(2026, 9, 15, 10, 2, tzinfo=KST))
    async with world.on_board() as backend:
        world.pause_switch.shut()
        world.scheduler.replan()
        await world.clock.sleep(1)
        plan = await ask(backend, CATCH_UP_PLAN, CatchUpQuery(limit=3))
        assert plan.paused
        assert len(plan.items) == min(3, plan.total)
        assert plan.requests >= plan.total > 0
        assert plan.items[0].place == 1
        assert all(one.name for one in plan.items)
