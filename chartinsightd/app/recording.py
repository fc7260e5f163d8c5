"""What records the moments of the daemon, as the settings want it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from chartinsightd.adapters.moments import MomentFile
from chartinsightd.clock import Clock
from chartinsightd.process.supervisor import Service
from chartinsightd.service.recording.recorder import Recorder, Taken
from chartinsightd.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The record, and what fills it."""

    store: MomentFile
    recorder: Recorder
    is_on: bool

    def services(self, take: Callable[[], Awaitable[Taken]]) -> dict[str, Service]:
        """Return what has to run, to record what there is to take."""
        return {"recorder": partial(self.recorder.run, take)} if self.is_on else {}


def new_recording(settings: Settings, store: MomentFile, clock: Clock) -> Recording:
    """Build what records; nothing runs yet."""
    days = settings.record.days
    return Recording(store=store, recorder=Recorder(store=store, clock=clock, days=days), is_on=days > 0)
