"""The watchlist and the quotes in virtual time: who is asked for, what is shown, what a failure costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.errors import SourceUnavailable, StoreUnavailable
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.quote import Quote, QuoteSource
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import DayFigures, Trade
from chartinsightd.domain.watch_groups import WatchGroup, WatchGroups, with_stocks
from chartinsightd.ports.broker import Priority
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.live.forming_candles import FormingCandles
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.group_keeper import GroupKeeper
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard
from chartinsightd.service.watching.sweeps import Sweeps
from chartinsightd.service.watching.trends import Trends
from tests.service.live.made_up_stream import NoDays
from tests.support.harness import moment
from tests.support.virtual import LoopClock, cancelled_after, run_virtually

LIVE, SWEPT, STARRED, GONE = "005930", "000660", "035720", "068270"
MORNING, NIGHT = moment("2026-11-20", 10, 0), moment("2026-11-20", 21, 0)
EVERY_S = 15.0


class FakeGroups:
    """Implements `WatchGroupStore`."""

    def __init__(self) -> None:
        self.kept: WatchGroups | None = None
        self.errors: list[Exception] = []

    async def groups(self) -> WatchGroups | None:
        if self.errors:
            raise self.errors.pop(0)
        return self.kept

    async def replace(self, groups: WatchGroups, at: datetime) -> None:
        del at
        if self.errors:
            raise self.errors.pop(0)
        self.kept = groups


class FakeSweeps:
    """Implements `SweepSource`: each round one won more."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.rounds: list[tuple[float, tuple[str, ...]]] = []
        self.errors: list[Exception] = []

    async def quotes(self, symbols: Sequence[str], priority: Priority) -> list[Quote]:
        assert priority is max(Priority)  # behind all candle work
        self.rounds.append((self._clock.monotonic(), tuple(symbols)))
        if self.errors:
            raise self.errors.pop(0)
        now, count = self._clock.now(), len(self.rounds)
        return [quote_at(symbol, now, 10_000 + count, volume=count) for symbol in symbols]


def quote_at(symbol: str, at: datetime, price: int, volume: int) -> Quote:
    """Return what a round says."""
    return Quote(
        symbol=symbol,
        price=price,
        base=9_000,
        volume=volume,
        traded_at=at,
        read_at=at,
        source=QuoteSource.SWEEP,
    )


class World:
    """Everything that watches, and nothing else."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.clock, self.store, self.days = LoopClock(at), FakeGroups(), NoDays()
        refresh = RefreshRule(
            settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5), folded=frozenset()
        )
        self.rules = rules = CurrentRules(PlanRules(calendar=Calendar(), refresh=refresh, horizons={}))
        self.registered: frozenset[str] = frozenset()
        self.forming = FormingCandles(rules, tuple(Timeframe))
        self.collected, self.switch = CollectedStocks(), PauseSwitch()
        self.collected.replace((LIVE, SWEPT))
        self.alarmed: tuple[str, ...] = ()
        self.trends = Trends(self.days, self.clock)
        self.board = QuoteBoard(
            forming=self.forming, registered=lambda: self.registered, note=self.trends.note
        )
        self.keeper = GroupKeeper(self.store, self.collected, self.clock)
        self.source = FakeSweeps(self.clock)
        self.latest = LatestPrices(board=self.board, store=self.days, current_rules=rules, clock=self.clock)
        self.sweeps = Sweeps(
            source=self.source,
            board=self.board,
            groups=self.keeper,
            collected=self.collected,
            also=lambda: self.alarmed,
            pause_switch=self.switch,
            every_s=EVERY_S,
            current_rules=rules,
            clock=self.clock,
        )

    def trade(self, price: int, running: int) -> None:
        """Let the live stream give a trade of now."""
        self.forming.take(
            Trade(
                symbol=LIVE,
                at=int(self.clock.now().timestamp()),
                price=price,
                volume=10,
                running_volume=running,
                running_value=running * price,
                day=DayFigures(open=price, high=price, low=price),
            )
        )

    def run(self, seconds: float) -> None:
        """Let the rounds run."""
        run_virtually(cancelled_after(self.sweeps.run(), seconds))


def test_rounds_ask_for_what_is_collected_or_watched() -> None:
    """What people watch first; a stock whose trades come is left out once its base price is known."""
    world = World()
    world.store.kept = (WatchGroup("", (STARRED,)),)
    world.registered = frozenset({LIVE})

    world.run(EVERY_S * 2 + 1)

    assert [at for at, _ in world.source.rounds] == [0.0, EVERY_S, EVERY_S * 2]
    assert [asked for _, asked in world.source.rounds] == [
        (STARRED, LIVE, SWEPT),
        (STARRED, SWEPT),
        (STARRED, SWEPT),
    ]


@pytest.mark.parametrize("at", [NIGHT, moment("2026-11-21", 10, 0), moment("2026-11-20", 8, 30)])
def test_rounds_are_made_in_trading_hours_only(at: datetime) -> None:
    """At night, on a Saturday and before the opening nothing is asked."""
    world = World(at)

    world.run(EVERY_S * 4)

    assert not world.source.rounds


def test_the_close_is_asked_for_once_more() -> None:
    """A round after the last trade shows the close; then it is quiet."""
    world = World(moment("2026-11-20", 19, 59))

    world.run(600)

    assert 120 - EVERY_S < world.source.rounds[-1][0] <= 120


def test_nothing_is_asked_while_paused() -> None:
    """The switch holds rounds back as it holds candles back."""
    world = World()
    world.switch.shut()

    world.run(100)

    assert not world.source.rounds


def test_failing_rounds_wait_longer_each_time() -> None:
    """A broker that refuses is left alone; the first answer brings the usual pace back."""
    world = World()
    world.source.errors = [SourceUnavailable("busy")] * 2

    world.run(EVERY_S * 7 + 1)

    assert [at / EVERY_S for at, _ in world.source.rounds] == [0, 2, 6, 7]


def test_a_database_that_is_away_costs_the_rounds_nothing() -> None:
    """What is collected is known without it."""
    world = World()
    world.store.errors = [StoreUnavailable("away")] * 9

    world.run(1)

    assert world.source.rounds[0][1] == (LIVE, SWEPT)


def test_the_live_stream_wins_while_it_comes() -> None:
    """Its quote is live and keeps the base of the round; when the stream is lost it is one of the past."""
    world = World()
    world.registered = frozenset({LIVE})
    world.board.take([quote_at(LIVE, MORNING, 10_000, volume=100)])
    world.trade(10_500, 200)
    world.board.look()

    shown = world.board.quotes([LIVE])[LIVE]
    assert (shown.price, shown.base, shown.source) == (10_500, 9_000, QuoteSource.STREAM)
    assert world.board.live == {LIVE}

    number, world.registered = world.board.number, frozenset()
    world.board.look()
    assert not world.board.live
    assert world.board.changed_after(number) == [LIVE]
    assert world.board.needs_round(LIVE, MORNING)


def test_a_live_stock_that_is_quiet_is_asked_for() -> None:
    """A minute without a trade may be a stream that fell silent: then the round tells the price."""
    world = World()
    world.registered = frozenset({LIVE})
    world.board.take([quote_at(LIVE, MORNING, 10_000, volume=100)])
    world.board.look()

    assert not world.board.needs_round(LIVE, MORNING + timedelta(seconds=59))
    assert world.board.needs_round(LIVE, MORNING + timedelta(seconds=61))


def test_a_reader_gets_what_is_new_to_it() -> None:
    """Each stock once, with its newest change."""
    world = World()
    world.board.take([quote_at(symbol, MORNING, 10_000, 1) for symbol in (LIVE, SWEPT, STARRED)])
    number = world.board.number
    world.board.take([quote_at(SWEPT, MORNING, 10_100, 2), quote_at(SWEPT, MORNING, 10_200, 3)])

    assert world.board.changed_after(number) == [SWEPT]
    assert world.board.changed_after(world.board.number) == []
    assert set(world.board.changed_after(0)) == {LIVE, SWEPT, STARRED}


def day(symbol: str, of: str, close: int) -> Candle:
    """Return a daily candle."""
    at = moment(of, 0, 0)
    return Candle(
        symbol=symbol,
        timeframe=Timeframe.D1,
        ts=at,
        open=1,
        high=close,
        low=1,
        close=close,
        volume=7,
        value=8,
    )


def test_without_a_quote_the_stored_days_speak() -> None:
    """The newest close, its change from the close before, and how old that is."""
    world = World(moment("2026-11-21", 12, 0))
    world.days.days[SWEPT] = [day(SWEPT, "2026-11-19", 9_000), day(SWEPT, "2026-11-20", 9_900)]

    found = run_virtually(world.latest.of([SWEPT, STARRED]))

    assert set(found) == {SWEPT}
    quote = found[SWEPT]
    assert (quote.price, quote.base, quote.source) == (9_900, 9_000, QuoteSource.CANDLES)
    assert quote.read_at == moment("2026-11-20", 20, 0)


def test_the_way_of_the_price_is_what_was_stored_and_heard() -> None:
    """Stored five minutes first; of the newest ones what was heard last."""
    world = World()
    five = moment("2026-11-20", 9, 55)
    world.days.days[SWEPT] = [
        Candle(symbol=SWEPT, timeframe=Timeframe.M5, ts=five, open=1, high=9, low=1, close=7, volume=1)
    ]
    world.board.take([quote_at(SWEPT, MORNING, 9, 1), quote_at(STARRED, NIGHT - timedelta(days=1), 5, 1)])

    assert run_virtually(world.trends.of([SWEPT, STARRED])) == {SWEPT: [7, 9], STARRED: []}


def test_before_anybody_chose_the_targets_are_watched() -> None:
    """The first change is one of that list, and is kept; a refused one changes nothing."""
    world = World()

    async def scene() -> None:
        assert await world.keeper.groups() == (WatchGroup("", (LIVE, SWEPT)),)
        world.store.errors = [StoreUnavailable("away")]
        with pytest.raises(StoreUnavailable):
            await world.keeper.change(lambda groups: with_stocks(groups, [STARRED]))
        assert await world.keeper.groups() == (WatchGroup("", (LIVE, SWEPT)),)
        await world.keeper.change(lambda groups: with_stocks(groups, [STARRED]))

    run_virtually(scene())

    assert world.store.kept == (WatchGroup("", (LIVE, SWEPT, STARRED)),)


def test_the_watchlist_goes_before_the_targets_in_the_live_stream() -> None:
    """Group by group, then the targets; each stock once, none that is not listed any more.

    While the groups cannot be read, the targets alone.
    """
    world = World()
    world.store.kept = (WatchGroup("a", (STARRED, SWEPT)), WatchGroup("b", (STARRED, GONE)))
    world.collected.replace((LIVE, SWEPT, GONE), ended={GONE: MORNING.date()})
    world.store.errors = [StoreUnavailable("away")]

    assert run_virtually(world.keeper.wanted_live()) == [LIVE, SWEPT]
    assert run_virtually(world.keeper.wanted_live()) == [STARRED, SWEPT, LIVE]
