"""Which moment the screens show: now, or the one at which they were frozen."""

from __future__ import annotations

from datetime import datetime, timedelta

from chartinsight_tui.clock import Clock
from chartinsight_tui.store import Store


class Moment:
    """The daemon's time, and whether what is shown stands still.

    Args:
        live: what the connection changes.
        clock: this machine's time.
    """

    def __init__(self, live: Store, clock: Clock) -> None:
        self.live = live
        self.frozen_at: datetime | None = None
        """The daemon's time at which the screens were frozen; None while they are not."""
        self.missed = 0
        """Changes since then."""
        self._clock = clock

    @property
    def is_frozen(self) -> bool:
        """Whether the screens stand still."""
        return self.frozen_at is not None

    def freeze(self) -> Store:
        """Stand still from now on; return what is known at this moment."""
        self.frozen_at = self.daemon_time()
        self.missed = 0
        return self.live.frozen()

    def thaw(self) -> None:
        """Follow the daemon again."""
        self.frozen_at = None

    def daemon_time(self) -> datetime:
        """Return what the daemon's clock shows now, UTC, as far as is known."""
        status = self.live.status
        if status is None:
            return self._clock.now()
        passed = timedelta(seconds=self._clock.monotonic() - self.live.status_at)
        return status.clock.now + passed * status.clock.speed

    def live_now(self) -> datetime | None:
        """Return the daemon's time of now, whatever is shown; None while it is away."""
        return self.daemon_time() if self.live.is_online else None

    def shown_now(self, shown: Store) -> datetime | None:
        """Return the daemon's time of what is shown; None where it was away."""
        if not shown.is_online:
            return None
        return self.frozen_at or self.daemon_time()
