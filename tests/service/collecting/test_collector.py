"""Rows that cannot be candles: each costs itself alone, and nothing is refused that the broker means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import MalformedAnswer, SourceUnavailable, StoreUnavailable
from chartinsightd.domain.planning import Fetch
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority
from chartinsightd.ports.candles import StoredCandles
from chartinsightd.service.collecting.collector import Collector, CollectRules, FetchOutcome
from chartinsightd.service.collecting.row_accounting import RowsUnaccounted, check_page
from tests.support.fakes import FakeBroker, FakeStore, grid_between
from tests.support.virtual import in_virtual_time
from tests.support.world import CALENDAR, SETTLE, World

NOW = datetime(2026, 9, 9, 18, 0, tzinfo=KST)
NOON = int(datetime(2026, 9, 9, 12, 0, tzinfo=KST).timestamp())
EVENING = int(datetime(2026, 9, 9, 15, 0, tzinfo=KST).timestamp())
SERIES = Series(symbol="005930", timeframe=Timeframe.M5)
Change = Callable[[Candles], Candles]


@dataclass
class SlippingBroker(FakeBroker):
    """Changes what it serves, answer by answer."""

    changes: list[Change | Exception | None] = field(default_factory=list)
    """What happens to the next answers, one each; None and nothing: they are true."""

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages as Kiwoom would, changed."""
        async for page in super().pages(request, priority):
            change = self.changes.pop(0) if self.changes else None
            if isinstance(change, Exception):
                raise change
            candles = page.candles if change is None else change(page.candles)
            raw_rows = [{"as": "sent", "ts": str(ts)} for ts in candles.ts]
            yield replace(page, candles=candles, raw_rows=raw_rows, rows=len(candles))


def dearer(ts: int, times: float = 10) -> Change:
    """Let one candle cost so many times as much."""

    def change(candles: Candles) -> Candles:
        factor = np.where(candles.ts == ts, times, 1)
        names = ("open", "high", "low", "close")
        prices = {name: (getattr(candles, name) * factor).astype(np.int64) for name in names}
        return replace(candles, **prices)

    return change


def at(ts: int, **values: int) -> Change:
    """Give one candle other values."""

    def change(candles: Candles) -> Candles:
        changed: dict[str, Any] = {
            name: np.where(candles.ts == ts, value, getattr(candles, name)) for name, value in values.items()
        }
        return replace(candles, **changed)

    return change


def fetch(start: int, **changes: Any) -> Fetch:
    """Return a read of today's candles, newest first."""
    values: dict[str, Any] = {
        "series": SERIES,
        "start": start,
        "end": int(NOW.timestamp()),
        "base_day": None,
        "reason": "catch_up",
        "missing": EMPTY,
        "pages": 1,
    }
    return Fetch(**values | changes)


@in_virtual_time
async def collected(
    changes: Sequence[Change | Exception | None], *fetches: Fetch, stored: StoredCandles | None = None
) -> tuple[World, SlippingBroker, list[FetchOutcome]]:
    """Carry out fetches with a broker that slips."""
    world = World(NOW)
    broker = SlippingBroker(world.clock, world.calendar, NOW - timedelta(days=60), changes=list(changes))
    collector = Collector(
        source=broker,
        writer=world.writer,
        current_rules=world.current_rules,
        rules=CollectRules(settle=SETTLE),
        stored=stored,
    )
    await world.ledger.open()
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(world.writer.run())
        job = await world.jobs.begin("catch_up", "test", {})
        outcomes = [await collector.fetch(one, Priority.CATCH_UP, job) for one in fetches]
        writer.cancel()
    return world, broker, outcomes


def test_a_slip_of_the_broker_costs_one_row_and_leaves_a_hole() -> None:
    """A price ten times too high, not repeated: quarantined as it came; what is around it is stored."""
    world, broker, [outcome] = collected([dearer(NOON)], fetch(NOON))
    [row] = world.store.quarantined

    assert (row.reason, row.payload) == ("beyond_price_limit", {"as": "sent", "ts": str(NOON)})
    assert NOON not in outcome.covered
    assert NOON - 300 in outcome.covered
    assert (SERIES, NOON) not in world.store.candles
    assert (SERIES, NOON + 300) in world.store.candles
    assert len(broker.requests) == 2


def test_what_was_refused_is_stored_by_the_next_read() -> None:
    """The hole is read again; the true candle takes its place."""
    world, _, [_, outcome] = collected([dearer(NOON)], fetch(NOON), fetch(NOON))

    assert NOON in outcome.covered
    assert world.store.candles[SERIES, NOON].high < 20_000


def test_what_the_broker_repeats_is_stored() -> None:
    """A first day of listing knows no limit: the second answer says the same, and there is no third."""
    true = dearer(NOON, 4)
    world, broker, outcomes = collected([true] * 3, fetch(NOON), fetch(NOON))

    assert world.store.quarantined == []
    assert (SERIES, NOON) in world.store.candles
    assert all(NOON in outcome.covered for outcome in outcomes)
    assert len(broker.requests) == 3


def test_a_forming_candle_may_go_on_growing() -> None:
    """Between the two answers the price rose further: still the same news."""
    world, _, _ = collected([at(EVENING, high=50_000), at(EVENING, high=60_000)], fetch(NOON))

    assert world.store.quarantined == []


def test_another_wild_price_is_asked_about_again() -> None:
    """That a first candle was right says nothing of a wilder one."""
    changes = [dearer(NOON, 4), dearer(NOON, 4), dearer(NOON, 40), None]
    world, broker, _ = collected(changes, fetch(NOON), fetch(NOON))

    assert [row.reason for row in world.store.quarantined] == ["beyond_price_limit"]
    assert len(broker.requests) == 4


def test_a_second_look_that_fails_fails_the_fetch() -> None:
    """Nothing is refused, nothing stored: it is fetched again later."""
    with pytest.raises(BaseExceptionGroup) as caught:
        collected([dearer(NOON), SourceUnavailable("away")], fetch(NOON))

    assert caught.group_contains(SourceUnavailable)


def test_rows_newer_than_the_base_day_prove_nothing() -> None:
    """Asked as of a day, the broker has no business with the next: refused, and that time is not covered."""
    day = fetch(NOON - 10 * 86400, base_day=date(2026, 9, 7), end=NOON - 86400)
    early = int(datetime(2026, 9, 7, 15, 0, tzinfo=KST).timestamp())

    def later(candles: Candles) -> Candles:
        newer = candles.where(slice(-1, None))
        shifted = replace(newer, ts=newer.ts + 86_400 - 1800)
        return Candles.of(candles.symbol, candles.timeframe, [*candles, *shifted])

    world, _, [outcome] = collected([later], day)

    assert [row.reason for row in world.store.quarantined] == ["newer_than_asked_for"]
    assert early in outcome.covered
    assert early + 86_400 not in outcome.covered


def test_a_refused_row_at_the_end_of_a_page_stays_a_hole() -> None:
    """The next page reaches over it, and shows nothing of it."""
    world = World(NOW)
    oldest: list[int] = []

    def spoil(candles: Candles) -> Candles:
        oldest.append(int(candles.ts[0]))
        return at(oldest[0], volume=-1)(candles)

    world, broker, [outcome] = collected([spoil], fetch(NOON - 30 * 86400))

    assert [row.reason for row in world.store.quarantined] == ["volume_negative"]
    assert len(broker.requests) > 1
    assert oldest[0] not in outcome.covered
    assert oldest[0] - 300 in outcome.covered
    assert oldest[0] + 300 in outcome.covered


def test_a_row_with_a_wrong_time_widens_nothing() -> None:
    """A row from another decade's night is refused, and coverage ends where the true rows do."""

    def misdate(candles: Candles) -> Candles:
        ts = candles.ts.copy()
        ts[0] -= 3650 * 86_400 + 43_200
        return replace(candles, ts=ts)

    world, _, [outcome] = collected([misdate], fetch(NOON))

    assert [row.reason for row in world.store.quarantined] == ["outside_trading_hours"]
    assert outcome.covered.spans[0][0] > NOON - 60 * 86_400


def test_a_row_with_a_wrong_year_widens_nothing() -> None:
    """Also at an hour of trading: far from its page, and not there when asked for, it is refused."""

    def misdate(candles: Candles) -> Candles:
        ts = candles.ts.copy()
        ts[0] -= 52 * 7 * 86_400
        return replace(candles, ts=ts)

    world, broker, [outcome] = collected([misdate], fetch(NOON))

    assert [row.reason for row in world.store.quarantined] == ["far_from_its_page"]
    assert outcome.covered.spans[0][0] > NOON - 60 * 86_400
    assert len(broker.requests) == 2


def test_a_row_before_a_long_halt_is_stored() -> None:
    """The second answer has it too, and the time between is known to hold nothing."""
    halted = int(datetime(2026, 9, 1, 12, 0, tzinfo=KST).timestamp())

    def halt(candles: Candles) -> Candles:
        return candles.where((candles.ts == candles.ts[0]) | (candles.ts > halted))

    daily = Series(symbol="005930", timeframe=Timeframe.D1)
    world, broker, [outcome] = collected([halt], fetch(NOON, series=daily))

    assert world.store.quarantined == []
    assert halted in outcome.covered
    assert len(broker.requests) == 2


@dataclass
class Stored:
    """What an earlier process stored: one candle of each day at a price."""

    price: int

    async def candles(self, symbol: str, timeframe: Timeframe, from_ts: datetime, to_ts: datetime) -> Candles:
        """Return a candle for each day of the grid."""
        days = grid_between(CALENDAR, timeframe, from_ts, to_ts)
        prices = np.full(len(days), self.price)
        return replace(
            Candles.empty(symbol, timeframe),
            ts=days,
            volume=prices,
            value=prices,
            final=prices > 0,
            open=prices,
            high=prices,
            low=prices,
            close=prices,
        )


def recent(candles: Candles) -> Candles:
    """Leave out what is older than fifty days."""
    return candles.where(candles.ts > NOON - 50 * 86_400)


def all_dearer(candles: Candles) -> Candles:
    """Let every candle of a page cost ten times as much."""
    return replace(candles, **{one: getattr(candles, one) * 10 for one in ("open", "high", "low", "close")})


@pytest.mark.parametrize(
    ("changes", "stored"), [([recent, all_dearer], None), ([all_dearer], Stored(10_500))]
)
def test_a_page_a_factor_from_its_neighbour_is_read_again(
    changes: list[Change | None], stored: Stored | None
) -> None:
    """The first page of a fetch too: the next candle is known from another fetch, or from the store."""
    daily = Series(symbol="005930", timeframe=Timeframe.D1)
    newest = fetch(NOON, series=daily)
    older = fetch(NOON - 50 * 86_400, series=daily, base_day=date(2026, 7, 15), end=NOON - 49 * 86_400)
    fetches = [older] if stored else [newest, older]

    with pytest.raises(BaseExceptionGroup) as caught:
        collected(changes, *fetches, stored=stored)

    assert caught.group_contains(MalformedAnswer, match="different prices")


@pytest.mark.parametrize("lost", [{"rows": 3}, {"rows": 1}, {"repeated": 1}])
def test_a_page_whose_rows_do_not_add_up_is_a_bug(lost: Mapping[str, int]) -> None:
    """Rows = candles + rejected + repeated, or the daemon ends."""
    candles = Candles.of("005930", Timeframe.M5, [])
    page = ChartPage(candles=candles, rows=0, asked_at=NOW, is_last=False)
    check_page(page)
    check_page(replace(page, rows=2, repeated=2))

    with pytest.raises(RowsUnaccounted, match="005930/5m"):
        check_page(replace(page, rows=lost.get("rows", 0), repeated=lost.get("repeated", 0)))


@dataclass
class LyingStore(FakeStore):
    """Says of its first commits what is not so."""

    lie: Callable[[list[Written]], list[Written]] = lambda truth: truth
    lies: int = 3

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit, and lie about it."""
        truth = await super().save(writes)
        self.lies -= 1
        return truth if self.lies < 0 else self.lie(truth)


@pytest.mark.parametrize("is_spooled", [False, True])
@pytest.mark.parametrize(
    "lie",
    [
        lambda truth: [Written(inserted=one.inserted - 1) for one in truth],
        lambda truth: [Written(inserted=one.inserted, unchanged=1) for one in truth],
        lambda truth: [Written(inserted=one.inserted, quarantined=1) for one in truth],
        lambda truth: truth[:-1],
        lambda truth: [*truth, Written()],
    ],
)
@in_virtual_time
async def test_a_store_that_lies_is_not_believed(
    lie: Callable[[list[Written]], list[Written]], is_spooled: bool
) -> None:
    """Rows in = inserted + changed + unchanged + quarantined, asserted at every commit.

    Where they are not, nothing moves on: the claims are withdrawn, it is told, and the pages are read again.
    """
    world = World(NOW, store=LyingStore(lie=lie, lies=10**6), timeframes=(Timeframe.M5,))
    store, refusals = world.store, []
    assert isinstance(store, LyingStore)
    store.errors = [StoreUnavailable("away")] if is_spooled else []
    async with world.running("005930"):
        await asyncio.sleep(200)
        refusals.append(world.writer.refusal)
        assert not world.ledger.state(SERIES).covered
        assert not store.covered[SERIES]
        assert not any(state.covered for state in world.checkpoint.states.values())
        store.lies = 0
        await asyncio.sleep(600)
        refusals.append(world.writer.refusal)

    told, over = refusals
    assert told is not None
    assert "miscounts" in told.message
    assert over is None
    assert NOON in world.ledger.state(SERIES).covered
    assert world.checkpoint.states[SERIES].covered == store.covered[SERIES]
