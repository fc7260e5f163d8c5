"""Who belongs to the universe, as the last stock list decided, recorded by day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.stock_list import leave_at_once
from chartinsightd.domain.universe import Membership, changes
from chartinsightd.ports.analysis import UniverseStore
from chartinsightd.ports.broker import StockListing

log = structlog.get_logger(__name__)

_SHRANK_TOLD_S = 86_400.0


class Universe:
    """The memberships in force. A list by which too many would leave at once must be confirmed by a second.

    Args:
        store: where each change is recorded.
        clock: the daemon's.
    """

    def __init__(self, store: UniverseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._recorded: dict[str, Membership] | None = None
        self._members: tuple[str, ...] = ()
        self._doubted: list[str] | None = None
        """The members by a list of which too many would leave."""
        self._shrank: tuple[float, str] | None = None
        """Until when it is told that the universe shrank, by the clock's monotonic seconds; and the words."""

    @property
    def members(self) -> tuple[str, ...]:
        """Every member, the largest first; after a restart by symbol until a list is read."""
        return self._members

    @property
    def shrank(self) -> str:
        """What a person should know of a universe that shrank in the last day; empty otherwise."""
        is_told = self._shrank is not None and self._clock.monotonic() < self._shrank[0]
        return self._shrank[1] if is_told and self._shrank is not None else ""

    async def remember(self) -> None:
        """Take up, once, what was recorded before.

        Raises:
            StoreUnavailable: it cannot be told now.
        """
        if self._recorded is None:
            recorded = await self._record()
            self._members = tuple(one.symbol for one in recorded.values() if one.member)

    def confirm(
        self, judged: Sequence[Membership], unreadable: Collection[str], *, is_rule_new: bool
    ) -> list[str]:
        """Return the members by a new list; unreadable rows stay what they were.

        By another rule than before any number may leave.

        Raises:
            MalformedAnswer: too many would leave at once, and no list said so before.
        """
        members = [one.symbol for one in judged if one.member]
        members += [symbol for symbol in self._members if symbol in unreadable and symbol not in members]
        doubted, self._doubted = self._doubted, None
        if is_rule_new or not leave_at_once(self._members, members):
            return members
        leaving = len(set(self._members).difference(members))
        if doubted is None or leave_at_once(members, doubted) or leave_at_once(doubted, members):
            self._doubted = members
            raise MalformedAnswer(
                f"{leaving} of {len(self._members)} symbols would leave at once:"
                " the list is read again first."
            )
        words = (
            f"The universe shrank from {len(self._members)} to {len(members)} symbols;"
            " two lists say the same."
        )
        self._shrank = self._clock.monotonic() + _SHRANK_TOLD_S, words
        log.warning("stocks.universe_shrank", before=len(self._members), after=len(members))
        return members

    def follow(self, members: Sequence[str]) -> None:
        """Let these be the members from now on."""
        self._members = tuple(members)

    async def record(self, judged: Sequence[Membership], listing: StockListing) -> None:
        """Record what a list changed.

        Raises:
            StoreUnavailable: the next list records it.
        """
        recorded = await self._record()
        changed = changes(
            recorded,
            judged,
            listed=frozenset(stock.symbol for stock in listing.stocks),
            unreadable=listing.unreadable,
        )
        if not changed:
            return
        now = self._clock.now()
        await self._store.save_universe(day_of(now), changed, now)
        recorded |= {one.symbol: one for one in changed}
        _tell(changed, recorded)

    async def _record(self) -> dict[str, Membership]:
        if self._recorded is None:
            self._recorded = await self._store.universe_on(day_of(self._clock.now()))
        return self._recorded


def _tell(changed: Sequence[Membership], recorded: Mapping[str, Membership]) -> None:
    """Log how many came and left; which ones is in `universe_days`."""
    log.info(
        "universe.changed",
        members=sum(one.member for one in recorded.values()),
        entered=sum(one.member for one in changed),
        left_out=sum(not one.member for one in changed),
    )
