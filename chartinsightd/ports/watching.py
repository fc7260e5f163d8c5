"""What watching asks of the outside: where the watchlist is kept, and quotes of many stocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chartinsightd.domain.quote import Quote
from chartinsightd.domain.watch_groups import WatchGroups
from chartinsightd.ports.broker import Priority


class WatchGroupStore(Protocol):
    """Where the groups of the watchlist are kept. Every method raises StoreUnavailable."""

    async def groups(self) -> WatchGroups | None:
        """Return the groups in their order; None before a person makes the first one."""

    async def replace(self, groups: WatchGroups, at: datetime) -> None:
        """Keep these groups and no others, whole or not at all."""


class SweepSource(Protocol):
    """Who says the figures of many stocks in one answer."""

    async def quotes(self, symbols: Sequence[str], priority: Priority) -> list[Quote]:
        """Return the quotes of symbols; one that has no price, or cannot be read, is left out.

        Raises:
            SourceError: see `domain.errors`.
        """
