"""The list of stocks: read at start and every morning; tracked symbols follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pytest
from structlog.testing import capture_logs

from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.domain.issue_kind import IssueKind
from chartinsightd.domain.universe import Exclusion, Membership, UniverseRule
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ListedStock, Priority, StockListing
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.stocks.choice import Choice
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.service.stocks.universe import Universe
from tests.support.fakes import FakeStore, listed_stock
from tests.support.virtual import LoopClock, cancelled_after, in_virtual_time, run_virtually

START = datetime(2026, 9, 15, 7, 0, tzinfo=KST)


@dataclass
class FakeList:
    """A broker's list that can fail."""

    clock: LoopClock
    stocks: list[ListedStock]
    errors: list[Exception] = field(default_factory=list)
    asked_at: list[datetime] = field(default_factory=list)
    later: list[list[ListedStock]] = field(default_factory=list)
    """The lists of the next readings, one each; then the last of them."""
    unreadable: frozenset[str] = frozenset()

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return the list, or fail."""
        del priority
        self.asked_at.append(self.clock.now().astimezone(KST))
        if self.errors:
            raise self.errors.pop(0)
        if self.later:
            self.stocks = self.later.pop(0)
        return StockListing(stocks=self.stocks, unreadable=self.unreadable)


class FakeTracking:
    """What is added and removed by hand."""

    def __init__(self) -> None:
        self._by_hand: dict[str, bool] = {}

    async def tracking(self) -> dict[str, bool]:
        """Return all of it."""
        return dict(self._by_hand)

    async def set_tracking(self, symbols: Sequence[str], tracked: bool, at: datetime, by: str) -> None:
        """Remember what a person wants."""
        del at, by
        self._by_hand |= dict.fromkeys(symbols, tracked)


TARGET = Choice(targets=("005930",))


def played(
    source: FakeList, hours: float, choice: Choice = TARGET, store: FakeStore | None = None
) -> tuple[FakeStore, list[list[str]]]:
    """Let the list be kept for some hours; return the store and each change of what is collected."""
    store, collected = store or FakeStore(), CollectedStocks()
    tracked: list[list[str]] = []
    collected.on_change(lambda: tracked.append([*collected.all_symbols]))

    stock_list = StockList(
        source=source,
        store=store,
        tracking=FakeTracking(),
        jobs=Jobs(store, source.clock),
        clock=source.clock,
        choice=choice,
        universe=Universe(store, source.clock),
        collected=collected,
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


def test_a_tracked_symbol_that_is_not_listed_is_told() -> None:
    """A misspelt or delisted symbol is one line in the log, not silence."""
    source = FakeList(LoopClock(START), [listed_stock()])

    with capture_logs() as logs:
        played(source, 0.5, Choice(targets=("005930", "999999")))

    assert [line["symbols"] for line in logs if line["event"] == "stocks.tracked_but_not_listed"] == [
        ["999999"]
    ]


MARKET = [listed_stock(symbol=f"{number:06}", listed_shares=100, last_price=1_000) for number in range(40)]
ALL = [stock.symbol for stock in MARKET]
RULE = UniverseRule(min_market_cap=1, leaves_out=frozenset({Exclusion.FUND}))
WHOLE = Choice(targets=(), universe=RULE)


def changed(count: int, **changes: object) -> list[ListedStock]:
    """Return the market with the last so many stocks changed."""
    return [*MARKET[:-count], *(replace(stock, **changes) for stock in MARKET[-count:])]  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [MARKET[:6], changed(40, last_price=0), changed(10, last_price=0)])
def test_a_list_that_cannot_be_whole_changes_nothing(bad: list[ListedStock]) -> None:
    """Cut short, or without its prices: what is followed goes on, and nothing is stored."""
    source = FakeList(LoopClock(START), MARKET, later=[MARKET, bad])

    with capture_logs():
        store, tracked = played(source, 3, WHOLE)

    assert all(sorted(symbols) == ALL for symbols in tracked)
    assert len(store.stocks) == 40
    assert len(source.asked_at) > 10, "it is asked for again and again"


def test_a_universe_shrinks_by_a_second_list_alone() -> None:
    """A tenth and more leaving at once is believed when a second list says so, not before."""
    shrunk = changed(12, listed_shares=0)
    source = FakeList(LoopClock(START), MARKET, later=[MARKET, shrunk, MARKET, shrunk, shrunk])

    with capture_logs():
        _, tracked = played(source, 50, WHOLE)

    sizes = [len(symbols) for symbols in tracked]
    assert sizes == [40, 28]


@in_virtual_time
async def test_another_rule_may_shrink_it_at_once() -> None:
    """What a person asks for needs no second list."""
    clock = LoopClock(START)
    source, store, collected = FakeList(clock, MARKET), FakeStore(), CollectedStocks()
    tracked: list[int] = []
    collected.on_change(lambda: tracked.append(len(collected.all_symbols)))
    stock_list = StockList(
        source=source,
        store=store,
        tracking=FakeTracking(),
        jobs=Jobs(store, clock),
        clock=clock,
        choice=WHOLE,
        universe=Universe(store, clock),
        collected=collected,
    )
    await stock_list.sync()
    stock_list.choose_by(Choice(targets=("000001",)))
    await stock_list.sync()
    assert tracked == [40, 1]


def test_an_unreadable_row_costs_that_row() -> None:
    """A listed symbol whose row cannot be read is followed as before, and is not taken for delisted."""
    source = FakeList(LoopClock(START), MARKET, later=[MARKET, MARKET[1:]], unreadable=frozenset({"000000"}))

    store, tracked = played(source, 3, WHOLE)

    assert {tuple(sorted(symbols)) for symbols in tracked} == {tuple(ALL)}
    assert sorted(stock.symbol for stock in store.stocks) == ALL


@pytest.mark.parametrize(("choice", "expected"), [(TARGET, ["005930", "000660"]), (WHOLE, ["000660"])])
def test_nothing_waits_for_the_list(choice: Choice, expected: list[str]) -> None:
    """While the list is away, the targets are followed, and the universe of before the restart."""
    source = FakeList(LoopClock(START), MARKET, [SourceUnavailable("away")] * 1_000)
    member = Membership(symbol="000660", member=True)
    store = FakeStore(stocks=[listed_stock(symbol="000660")], memberships=[(date(2026, 9, 14), member)])

    with capture_logs():
        _, tracked = played(source, 1, choice, store)

    assert tracked == [expected]


def test_other_issues_are_listed_and_not_chosen() -> None:
    """ETFs, REITs and funds can be named; a market cap chooses shares alone."""
    etf = listed_stock(symbol="069500", kind=IssueKind.ETF, listed_shares=10**9, last_price=10**5)
    source = FakeList(LoopClock(START), [*MARKET, etf])

    store, tracked = played(source, 0.5, WHOLE)

    assert "069500" in {stock.symbol for stock in store.stocks}
    assert sorted(tracked[-1]) == ALL


def test_a_delisted_target_is_shown_with_its_successor() -> None:
    """It is kept among the stocks as delisted, and no line of the log complains."""
    source = FakeList(LoopClock(START), MARKET)

    with capture_logs() as logs:
        store, _ = played(source, 0.5, Choice(targets=("091990", "000001")))

    (shown,) = [stock for stock in store.stocks if stock.symbol == "091990"]
    assert (shown.delisted_on, "068270" in shown.state) == (date(2024, 1, 12), True)
    assert not [line for line in logs if line["log_level"] == "warning"]


def test_who_enters_and_who_leaves_is_recorded_by_day() -> None:
    """Each change is a row of its day; a morning without any writes nothing, and targets are members."""
    small = [replace(MARKET[3], last_price=1), *MARKET[4:]]
    later = [MARKET[:-1], MARKET, [*MARKET[:3], *small], MARKET[1:]]
    choice = replace(WHOLE, targets=("000001",), universe=replace(RULE, min_market_cap=1_000))
    source = FakeList(LoopClock(START), MARKET, later=later)

    with capture_logs():
        store, tracked = played(source, 24 * 3 - 12, choice)

    changed = [(day.day, one.symbol, one.member, one.reason) for day, one in store.memberships[39:]]
    assert changed == [
        (15, "000039", True, ""),
        (16, "000003", False, "too_small"),
        (17, "000003", True, ""),
        (17, "000000", False, "delisted"),
    ]
    assert [len(symbols) for symbols in tracked] == [1, 39, 40, 39, 39], "the target first, then by the lists"
    assert tracked[-1][0] == "000001"


@in_virtual_time
async def test_what_a_person_removes_is_left_out() -> None:
    """`symbols remove` holds for the universe too, at once; the next list records the reason."""
    clock = LoopClock(START)
    store, collected, tracking = FakeStore(), CollectedStocks(), FakeTracking()
    stock_list = StockList(
        source=FakeList(clock, MARKET),
        store=store,
        tracking=tracking,
        jobs=Jobs(store, clock),
        clock=clock,
        choice=WHOLE,
        universe=Universe(store, clock),
        collected=collected,
    )
    await stock_list.sync()
    assert await stock_list.remove(["000007", "999999"], "test") == ["000007"]
    assert "000007" not in collected.universe
    await stock_list.sync()
    assert store.memberships[-1][1] == Membership(symbol="000007", member=False, reason="removed")
