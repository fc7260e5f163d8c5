"""The alert about a venue whose candles are late."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.venue import Venue
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.feed import CommitFeed

_PATIENCE = timedelta(minutes=30)
"""Its polls wait for those of KRX, and a first load takes the gate for hours: only a standstill is told."""
_REMEDY = "See `chartinsightctl coverage --venue {venue}` and the log; KRX is collected as before."


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueState:
    """How the collecting of one venue stands."""

    venue: Venue
    waiting_since: Callable[[], datetime | None]
    """Since when something waits and nothing was stored; aware. None: nothing waits."""
    refusal: Callable[[], str]
    """What keeps its store from taking rows; empty: nothing."""


class Standstill:
    """Since when fetches of a venue wait and nothing is committed.

    Args:
        scheduler: what waits.
        commits: of the venue.
        retries: while the broker is held off, another alert tells why nothing comes.
        pause_switch: likewise.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        commits: CommitFeed,
        retries: RetryTracker,
        pause_switch: PauseSwitch,
        clock: Clock,
    ) -> None:
        self._scheduler = scheduler
        self._retries = retries
        self._pause_switch = pause_switch
        self._clock = clock
        self._since: datetime | None = None
        commits.subscribe(self._on_commit)

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        del writes, written  # that something was committed is enough
        self._since = None

    def waiting_since(self) -> datetime | None:
        """Return since when; aware. None: nothing waits, or a moment ago something was committed."""
        is_held = self._pause_switch.is_shut or self._retries.held_until is not None
        if is_held or not any(self._scheduler.queued().values()):
            self._since = None
        elif self._since is None:
            self._since = self._clock.now()
        return self._since


class VenueProbe:
    """Implements `HealthProbe`: nothing of a venue was stored for long, though something was due."""

    part = "venues"

    def __init__(self, venues: Sequence[VenueState], clock: Clock) -> None:
        self._venues = venues
        self._clock = clock

    def look(self) -> Mapping[AlertKind, Condition]:
        """Tell of the first venue that stands still."""
        for one in self._venues:
            if message := self._trouble(one):
                remedy = _REMEDY.format(venue=one.venue.lower())
                condition = Condition(level="warning", message=message, remedy=remedy)
                return {AlertKind.VENUE_STALLED: condition}
        return {}

    def _trouble(self, one: VenueState) -> str:
        if refusal := one.refusal():
            return f"Candles of {one.venue} cannot be stored: {refusal}"
        since = one.waiting_since()
        if since is None or self._clock.now() - since < _PATIENCE:
            return ""
        return f"Candles of {one.venue} are due, and none was stored for {_PATIENCE.seconds // 60} minutes."
