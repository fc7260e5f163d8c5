"""Trials of the channels."""

from __future__ import annotations

from datetime import datetime

import pytest

from chartinsightd.backend.alerting import Alerting
from chartinsightd.control.handlers import NotNow
from chartinsightd.facts.krx import KST
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from tests.backend.conftest import BoardWorld
from tests.control.fake_backend import CALLER
from tests.support.virtual import run_virtually


def test_trials_are_bounded_by_the_hour() -> None:
    """A script in a loop sends twenty messages, not three hundred; an hour later there is room again."""

    async def main() -> None:
        world = BoardWorld(datetime(2026, 9, 15, 10, 2, tzinfo=KST))
        alerting = Alerting(ActiveAlerts(world.clock), world.notifier)
        for _ in range(20):
            assert (await alerting.test(CALLER)).items[0].ok
        with pytest.raises(NotNow, match="20 times within an hour") as refused:
            await alerting.test(CALLER)
        assert refused.value.remedy == "Try again in 60 minutes."
        assert len(world.channel.got) == 20
        await world.clock.sleep(3_600)
        assert (await alerting.test(CALLER)).items[0].ok

    run_virtually(main())
