"""Alarms of a made-up daemon: the real service over a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chartinsightd.clock import Clock
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.alarm import AlarmRule
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.ports.alarms import Alarm
from chartinsightd.ports.screens import ScreenRun, StoredScreen
from chartinsightd.service.watching.alarms import Alarms
from chartinsightd.service.watching.day_readings import DayReadings
from tests.support.fake_watching import FakeWatching, NoCandles


class FakeAlarmStore:
    """Implements `AlarmStore`."""

    def __init__(self, need: Callable[[], None] = lambda: None) -> None:
        self.kept: dict[int, Alarm] = {}
        self.errors: list[Exception] = []
        self.saves = 0
        self._need = need

    async def alarms(self) -> list[Alarm]:
        self._reach()
        return [*self.kept.values()]

    async def add_alarm(self, rule: AlarmRule, at: datetime, by: str) -> Alarm:
        self._reach()
        alarm = Alarm(id=max(self.kept, default=0) + 1, rule=rule, created_at=at, created_by=by)
        self.kept[alarm.id] = alarm
        return alarm

    async def remove_alarms(self, ids: Sequence[int]) -> None:
        self._reach()
        for gone in ids:
            self.kept.pop(gone, None)

    async def save_alarms(self, alarms: Sequence[Alarm]) -> None:
        self._reach()
        self.saves += 1
        self.kept |= {alarm.id: replace(alarm) for alarm in alarms if alarm.id in self.kept}

    def _reach(self) -> None:
        self._need()
        if self.errors:
            raise self.errors.pop(0)


class FakeRuns:
    """Implements `ScreenRuns`."""

    def __init__(self) -> None:
        self.found: dict[str, list[ScreenRun]] = {}

    async def runs(self, name: str, limit: int) -> list[ScreenRun]:
        return self.found.get(name, [])[:limit]


class NoActions:
    """Implements `KnownActions`: nothing was split, unless a test says so."""

    def __init__(self) -> None:
        self.found: Mapping[str, list[CorporateAction]] = {}

    async def actions(self, symbol: str) -> list[CorporateAction]:
        return self.found.get(symbol, [])


async def stored_screens() -> list[StoredScreen]:
    """Return the one screen there is."""
    at = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
    return [StoredScreen(name="morning", version=1, expression={}, created_at=at)]


def fake_alarms(
    watching: FakeWatching, need: Callable[[], None], clock: Clock, told: list[Condition] | None = None
) -> Alarms:
    """Return alarms on the made-up quotes."""
    heard: list[Condition] = [] if told is None else told
    return Alarms(
        store=FakeAlarmStore(need),
        readings=DayReadings(
            live=lambda: watching.board.live,
            latest=watching.latest,
            store=NoCandles(),
            actions=NoActions(),
            current_rules=watching.rules,
            clock=clock,
        ),
        screens=FakeRuns(),
        names=watching.names,
        tell=heard.append,
        current_rules=watching.rules,
        clock=clock,
    )
