"""What the guards of the daemon ask, in memory: a disk, a channel, and what outlives a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chartinsightd.domain.alert_policy import Sent
from chartinsightd.domain.alert_record import AlertRecord
from chartinsightd.domain.errors import AlertUndelivered
from chartinsightd.ports.guards import DiskSpace, KnownBlock, Notice


@dataclass
class FakeDisk:
    """A disk as full as a test wants it."""

    free_bytes: int = 50 * 1024**3
    total_bytes: int = 100 * 1024**3
    name: str = "/state"

    async def space(self) -> DiskSpace:
        """Return what was set."""
        return DiskSpace(total_bytes=self.total_bytes, free_bytes=self.free_bytes)


class FakeChannel:
    """A way to a person that keeps what it got, or fails."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.got: list[Notice] = []
        self.failure: AlertUndelivered | None = None
        self.tries = 0

    async def send(self, notice: Notice) -> None:
        """Keep it."""
        self.tries += 1
        if self.failure is not None:
            raise self.failure
        self.got.append(notice)


class FakeRecord:
    """A memory that outlives the notifier."""

    def __init__(self) -> None:
        self.told: dict[str, Sent] = {}

    def load(self) -> dict[str, Sent]:
        """Return it."""
        return dict(self.told)

    async def save(self, told: Mapping[str, Sent]) -> None:
        """Replace it."""
        self.told = dict(told)


class FakeDiary:
    """A diary that outlives the alerts."""

    def __init__(self) -> None:
        self.record = AlertRecord()

    def load(self) -> AlertRecord:
        """Return it."""
        return self.record

    async def save(self, record: AlertRecord) -> None:
        """Replace it."""
        self.record = record


class FakeBlocks:
    """A memory of blocks that outlives the circuit."""

    def __init__(self) -> None:
        self.known: KnownBlock | None = None

    def load(self) -> KnownBlock | None:
        """Return it."""
        return self.known

    def save(self, known: KnownBlock | None) -> None:
        """Replace it."""
        self.known = known
