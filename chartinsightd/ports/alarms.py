"""Where alarms that people set are kept, with what each remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chartinsightd.domain.alarm import AlarmRule, AlarmState


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm as it is kept. Instants are aware, UTC."""

    id: int
    rule: AlarmRule
    created_at: datetime
    created_by: str
    state: AlarmState = field(default_factory=AlarmState)
    fired_at: datetime | None = None
    """When it fired last."""
    fired_words: str = ""
    told_at: datetime | None = None
    """When people were last told."""

    @property
    def is_untold(self) -> bool:
        """Whether it fired and people were not told, as after a kill in between."""
        return self.fired_at is not None and (self.told_at is None or self.told_at < self.fired_at)


class AlarmStore(Protocol):
    """Keeps alarms. Every method raises StoreUnavailable."""

    async def alarms(self) -> list[Alarm]:
        """Return all, the oldest first."""

    async def add_alarm(self, rule: AlarmRule, at: datetime, by: str) -> Alarm:
        """Keep a new one, and return it with its number."""

    async def remove_alarms(self, ids: Sequence[int]) -> None:
        """Forget alarms; those that are not there are no error."""

    async def save_alarms(self, alarms: Sequence[Alarm]) -> None:
        """Keep what alarms remember, all or none; one that was removed meanwhile stays removed."""
