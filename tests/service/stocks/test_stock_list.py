"""The list of stocks: read at start and every morning; tracked symbols follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from structlog.testing import capture_logs

from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ListedStock, Priority
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.state.watchlist import Watchlist
from chartinsightd.service.stocks.stock_list import StockList, at_least, targets
from tests.support.fakes import FakeStore, listed_stock
from tests.support.virtual import LoopClock, cancelled_after, run_virtually

START = datetime(2026, 9, 15, 7, 0, tzinfo=KST)


@dataclass
class FakeList:
    """A broker's list that can fail."""

    clock: LoopClock
    stocks: list[ListedStock]
    errors: list[Exception] = field(default_factory=list)
    asked_at: list[datetime] = field(default_factory=list)

    async def listed_stocks(self, priority: Priority) -> list[ListedStock]:
        """Return the list, or fail."""
        del priority
        self.asked_at.append(self.clock.now().astimezone(KST))
        if self.errors:
            raise self.errors.pop(0)
        return self.stocks


class FakeTracking:
    """Nobody adds or removes symbols by hand."""

    async def tracking(self) -> dict[str, bool]:
        """Return none."""
        return {}

    async def set_tracking(self, symbols: Sequence[str], tracked: bool, at: datetime, by: str) -> None:
        """Forget what a person wants."""


def played(source: FakeList, hours: float, choose: object = None) -> tuple[FakeStore, list[list[str]]]:
    """Let the list be kept for some hours; return the store and each change of the watchlist."""
    store, watchlist = FakeStore(), Watchlist()
    tracked: list[list[str]] = []
    watchlist.on_change(lambda: tracked.append([*watchlist.symbols]))

    stock_list = StockList(
        source=source,
        store=store,
        tracking=FakeTracking(),
        jobs=Jobs(store, source.clock),
        clock=source.clock,
        choose=choose or targets(("005930",)),  # type: ignore[arg-type]
        watchlist=watchlist,
    )
    run_virtually(cancelled_after(stock_list.run(), hours * 3600))
    return store, tracked


def test_the_list_is_read_at_start_and_every_morning() -> None:
    """Once now, then at ten past eight."""
    source = FakeList(LoopClock(START), [listed_stock()])

    store, tracked = played(source, 50)

    assert [(at.day, at.hour, at.minute) for at in source.asked_at] == [
        (15, 7, 0),
        (15, 8, 10),
        (16, 8, 10),
        (17, 8, 10),
    ]
    assert tracked == [["005930"]]
    assert [stock.symbol for stock in store.stocks] == ["005930"]


def test_a_failure_is_tried_again_in_five_minutes() -> None:
    """The broker may be away in the morning: the list is read later, and the job says failed."""
    source = FakeList(LoopClock(START), [listed_stock()], [SourceUnavailable("away")])

    with capture_logs():
        store, tracked = played(source, 0.5)

    assert [(at.hour, at.minute) for at in source.asked_at] == [(7, 0), (7, 5)]
    assert [job["state"] for job in store.jobs.values()] == ["failed", "done"]
    assert tracked == [["005930"]]


def test_the_largest_are_tracked_by_market_cap() -> None:
    """With a least market cap, every stock at least that large is tracked, largest first."""
    stocks = [
        listed_stock(symbol="000001", listed_shares=10, last_price=100),
        listed_stock(symbol="000002", listed_shares=30, last_price=100),
        listed_stock(symbol="000003", listed_shares=9, last_price=100),
    ]

    assert at_least(1_000)(stocks) == ["000002", "000001"]


def test_a_tracked_symbol_that_is_not_listed_is_told() -> None:
    """A misspelt or delisted symbol is one line in the log, not silence."""
    source = FakeList(LoopClock(START), [listed_stock()])

    with capture_logs() as logs:
        played(source, 0.5, targets(("005930", "999999")))

    assert [line["symbols"] for line in logs if line["event"] == "stocks.tracked_but_not_listed"] == [
        ["999999"]
    ]
