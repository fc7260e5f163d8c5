"""Where recorded moments are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chartinsightd.domain.moment import Mark, Moment


class MomentStore(Protocol):
    """Keeps moments over restarts. It may lose some at any time: what is not there is not known."""

    async def append(self, moments: Sequence[Moment]) -> None:
        """Keep moments, oldest first; one of the same instant replaces the former.

        Raises:
            StoreUnavailable: the disk did not take them; none of them is kept.
        """

    async def at(self, instant: datetime) -> Moment | None:
        """Return the moment that speaks for an instant; None where none does, or it cannot be read.

        Raises:
            StoreUnavailable: the file cannot be used now.
        """

    async def marks(self, since: datetime, until: datetime) -> list[Mark]:
        """Return the marks that may speak for a time, oldest first: the last one before it is among them.

        Raises:
            StoreUnavailable: the file cannot be used now.
        """

    async def neighbours(self, instant: datetime) -> tuple[datetime | None, datetime | None]:
        """Return when the last moment before an instant ends to speak, and the first one after it begins.

        Raises:
            StoreUnavailable: the file cannot be used now.
        """

    async def forget(self, before: datetime, most_bytes: int) -> int:
        """Drop moments before an instant, and the oldest ones beyond a size; return how many are gone.

        Raises:
            StoreUnavailable: the file cannot be used now.
        """
