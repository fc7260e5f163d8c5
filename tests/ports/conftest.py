"""The stores in memory, as the tests of services have them, and the same in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.clock import SystemClock
from chartinsightd.ports.archive import Archive
from chartinsightd.ports.candles import CandleStore
from chartinsightd.ports.stores import (
    ActionStore,
    GapStore,
    JobStore,
    LearnedDayStore,
    SealStore,
    StockStore,
    TrackingStore,
)
from tests.support.archive import FakeArchive
from tests.support.fakes import FakeActions, FakeLearnedDays
from tests.support.postgres import connected
from tests.support.sealing_store import SealingStore

Values = tuple[int | None, ...]
"""Open, high, low, close, volume, value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Every store of one implementation."""

    candles: CandleStore
    gaps: GapStore
    jobs: JobStore
    stocks: StockStore
    tracking: TrackingStore
    actions: ActionStore
    learned_days: LearnedDayStore
    seals: SealStore
    archive: Archive
    restart: Callable[[], None]
    """Forget what is remembered of what is stored."""
    revisions: Callable[[], Awaitable[list[tuple[str, Values, Values]]]]
    """Symbol, old and new values of each change of a final candle, in any order."""


@pytest.fixture(params=["memory", "postgres"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the stores are: the URL of an empty database, or nothing for those in memory."""
    return str(request.getfixturevalue("database")) if request.param == "postgres" else ""


@pytest.fixture
async def stores(place: str) -> AsyncIterator[Stores]:
    """Empty stores of each implementation."""
    async with open_stores(place) as opened:
        yield opened


@asynccontextmanager
async def open_stores(place: str) -> AsyncIterator[Stores]:
    """Open the stores of a place; see there."""
    if not place:
        yield _in_memory()
        return
    async with (
        open_store(place, "simulation", SystemClock()) as store,
        open_archive(place, "simulation") as archive,
    ):
        yield Stores(
            candles=store.candles,
            gaps=store.gaps,
            jobs=store.jobs,
            stocks=store.stocks,
            tracking=store.tracking,
            actions=store.actions,
            learned_days=store.learned_days,
            seals=store.seals,
            archive=archive,
            restart=store.candles.forget_everything,
            revisions=lambda: _revisions(place),
        )


def _in_memory() -> Stores:
    now = SystemClock().now
    store = SealingStore(now=now)
    archive = FakeArchive(store)

    async def revisions() -> list[tuple[str, Values, Values]]:
        return [
            (
                old.symbol,
                (old.open, old.high, old.low, old.close, old.volume, old.value),
                (new.open, new.high, new.low, new.close, new.volume, new.value),
            )
            for old, new in store.revisions
        ]

    return Stores(
        candles=store,
        gaps=store,
        jobs=store,
        stocks=store,
        tracking=archive,
        actions=FakeActions(),
        learned_days=FakeLearnedDays(),
        seals=store,
        archive=archive,
        restart=lambda: None,
        revisions=revisions,
    )


async def _revisions(dsn: str) -> list[tuple[str, Values, Values]]:
    async with connected(dsn) as connection:
        found = await connection.fetch(
            "select symbol, old_open, old_high, old_low, old_close, old_volume, old_value, "
            "new_open, new_high, new_low, new_close, new_volume, new_value from revisions"
        )
    return [(row[0], tuple(row)[1:7], tuple(row)[7:]) for row in found]
