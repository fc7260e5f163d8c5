"""Recorded moments in memory, on a disk that can be full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.moment import Mark, Moment


class FakeMoments:
    """Implements `ports.MomentStore`."""

    def __init__(self) -> None:
        self.kept: dict[datetime, Moment] = {}
        self.is_full = False
        self.sizes: list[int] = []
        """How many moments came together."""

    async def append(self, moments: Sequence[Moment]) -> None:
        """Keep them, where the disk is not full."""
        if self.is_full:
            raise StoreUnavailable("The disk is full.", remedy="Free some space.")
        self.sizes.append(len(moments))
        self.kept |= {moment.mark.at: moment for moment in moments}

    async def at(self, instant: datetime) -> Moment | None:
        """Return the last one at or before an instant, as long as it speaks."""
        before = [at for at in self.kept if at <= instant]
        if not before or (found := self.kept[max(before)]).mark.until <= instant:
            return None
        return found

    async def marks(self, since: datetime, until: datetime) -> list[Mark]:
        """Return all marks."""
        return [
            self.kept[at].mark for at in sorted(self.kept) if at < until and self.kept[at].mark.until > since
        ]

    async def neighbours(self, instant: datetime) -> tuple[datetime | None, datetime | None]:
        """Return what is known around an instant."""
        before = [moment.mark.until for at, moment in self.kept.items() if at <= instant]
        return max(before, default=None), min((at for at in self.kept if at > instant), default=None)

    async def forget(self, before: datetime, most_bytes: int) -> int:
        """Drop what is older."""
        del most_bytes
        old = [at for at in self.kept if at < before]
        for at in old:
            del self.kept[at]
        return len(old)
