"""The store is maintained at night."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.facts.krx import KST
from chartinsightd.service.stocks.maintenance import Maintenance
from tests.support.virtual import LoopClock, cancelled_after, run_virtually


class FakeUpkeep:
    """Notes when it is maintained; away the first time."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock = clock
        self.at: list[datetime] = []

    async def maintain(self) -> list[str]:
        """Put nothing in order."""
        self.at.append(self.clock.now().astimezone(KST))
        if len(self.at) == 1:
            raise StoreUnavailable("away")
        return ["candles_5m_2026_08"]


def test_it_works_every_night_at_five() -> None:
    """Once a night; a night without database is let go."""
    clock = LoopClock(datetime(2026, 9, 15, 8, 30, tzinfo=KST))
    store = FakeUpkeep(clock)

    run_virtually(cancelled_after(Maintenance(store, clock).run(), 3 * 86_400))

    assert [(at.day, at.hour, at.minute) for at in store.at] == [(16, 5, 0), (17, 5, 0), (18, 5, 0)]
