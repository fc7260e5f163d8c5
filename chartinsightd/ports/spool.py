"""The queue on disk for pages that the store cannot take now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chartinsightd.domain.write import Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A write that waits on disk."""

    number: int
    """Its place in the queue; they rise, and none is given twice."""
    write: Write


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolState:
    """How much waits on disk."""

    pages: int = 0
    bytes: int = 0
    oldest_at: datetime | None = None
    """Since when the oldest waits; aware, UTC."""


class Spool(Protocol):
    """A queue on disk for what the store cannot take now."""

    @property
    def state(self) -> SpoolState:
        """How much waits; no I/O."""

    async def append(self, writes: Sequence[Write]) -> None:
        """Put writes at the end, all or none; durable when it returns.

        Raises:
            StoreUnavailable: the disk did not take them; nothing was changed.
        """

    async def oldest(self, count: int, after: int = 0) -> list[Spooled]:
        """Return the oldest writes with a number above `after`, in the order in which they came.

        One that was damaged on disk is dropped: what it held is not covered and will be fetched again.

        Raises:
            StoreUnavailable: the disk did not give them.
        """

    async def drop(self, until: int) -> None:
        """Forget everything up to and including a number: it is committed.

        Raises:
            StoreUnavailable: the disk did not take it; nothing was changed.
        """
