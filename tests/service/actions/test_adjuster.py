"""The ledger of corporate actions is kept complete, with as few requests as can be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from structlog.testing import capture_logs

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority
from chartinsightd.service.actions.action_finder import CorporateActionFinder, Findings
from chartinsightd.service.actions.adjuster import Adjuster
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import Jobs
from tests.domain.made_up_charts import adjusted, split, walk, weekly
from tests.support.fakes import PAGE_ROWS, FakeActions, FakeCheckpoint, FakeStore
from tests.support.guards import FakeBlocks
from tests.support.virtual import LoopClock, cancelled_after, run_virtually

CALENDAR = Calendar()
TODAY = date(2026, 11, 18)
"""A Wednesday."""
FIRST_DAY = date(2005, 1, 3)
DAYS = [session.day for session in CALENDAR.sessions(FIRST_DAY, date(2027, 3, 31))]
SYMBOLS = ("005930", "000660", "035720")
HALF, FIFTH = Fraction(1, 2), Fraction(1, 5)


@dataclass
class Market:
    """Raw paths and actions; serves charts, base prices and what is stored of them."""

    clock: LoopClock
    actions: dict[str, list[CorporateAction]]
    hidden_until: datetime | None = None
    """Adjusted charts do not know today's action before this moment."""
    slips: dict[str, Fraction] = field(default_factory=dict)
    """By symbol, by how much the adjusted charts overdo today's action."""
    slips_until: datetime = datetime(2000, 1, 1, tzinfo=KST)
    odd_prices: dict[date, dict[str, int]] = field(default_factory=dict)
    """Base prices that no action explains."""
    is_stored: bool = True
    kept_from: date = FIRST_DAY
    """What is stored, and covered, begins here."""
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    short: Counter[str] = field(default_factory=Counter)
    """So many adjusted weekly charts of a symbol end with their first page."""
    requests: list[tuple[datetime, str, ChartRequest | None]] = field(default_factory=list)
    _raw: dict[str, Candles] = field(default_factory=dict)

    def raw(self, symbol: str) -> Candles:
        """Days as traded, the future too: an action moves the path to its new level."""
        if symbol not in self._raw:
            inverse = [
                replace(one, price_factor=1 / one.price_factor, volume_factor=1 / one.volume_factor)
                for one in self.actions.get(symbol, ())
            ]
            path = walk(int(symbol), DAYS, 40_000)
            self._raw[symbol] = adjusted(path, inverse, DAYS[-1])
        return self._raw[symbol]

    def chart(self, request: ChartRequest) -> Candles:
        """All rows of a chart as served now."""
        now = self.clock.now()
        base_day = min(request.base_day or day_of(now), day_of(now))
        opened = now.astimezone(KST).hour >= 9
        last = base_day if base_day < day_of(now) or opened else base_day - timedelta(days=1)
        days = self.raw(request.symbol)
        days = days.where(days.ts <= midnight(last).timestamp())
        if request.adjusted:
            actions = self.actions.get(request.symbol, [])
            if self.hidden_until is not None and now < self.hidden_until:
                actions = [one for one in actions if one.ex_date < day_of(now)]
            if request.symbol in self.slips and now < self.slips_until:
                slip = self.slips[request.symbol]
                actions = [replace(one, price_factor=one.price_factor * slip) for one in actions]
            days = adjusted(days, actions, base_day)
        return weekly(days) if request.timeframe is Timeframe.W1 else days

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Serve pages as Kiwoom would."""
        del priority
        rows, size = self.chart(request), PAGE_ROWS[request.timeframe]
        end = len(rows)
        while True:
            await self._answer(request.symbol, request)
            part = rows.where(slice(max(0, end - size), end))
            end -= len(part)
            if request.adjusted and request.timeframe is Timeframe.W1 and self.short[request.symbol]:
                self.short[request.symbol] -= 1
                end = 0
            yield ChartPage(candles=part, rows=len(part), asked_at=self.clock.now(), is_last=not end)
            if not end or part.ts[0] <= request.until.timestamp():
                return

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return yesterday's closes in today's measure."""
        del priority
        await self._answer("ka10095", None)
        today = day_of(self.clock.now())
        found = {}
        for symbol in symbols:
            days = self.raw(symbol)
            factor = [one.price_factor for one in self.actions.get(symbol, ()) if one.ex_date == today]
            close = int(days.close[days.ts < midnight(today).timestamp()][-1])
            found[symbol] = int(close * (factor[0] if factor else 1))
        return found | self.odd_prices.get(today, {})

    async def _answer(self, key: str, request: ChartRequest | None) -> None:
        await self.clock.sleep(0.2)
        self.requests.append((self.clock.now().astimezone(KST), key, request))
        if self.errors.get(key):
            raise self.errors[key].pop(0)

    async def candles(self, symbol: str, timeframe: Timeframe, from_ts: datetime, to_ts: datetime) -> Candles:
        """Return what is stored: everything that was served raw."""
        stored = self.chart(ChartRequest(symbol=symbol, timeframe=timeframe, until=from_ts))
        keep = (stored.ts >= from_ts.timestamp()) & (stored.ts < to_ts.timestamp())
        keep &= stored.ts >= midnight(self.kept_from).timestamp()
        return stored.where(keep & self.is_stored)


@dataclass
class ActionsOf(FakeActions):
    """The ledger in memory; last closes are those of a market."""

    market: Market = field(kw_only=True)

    async def last_closes(
        self, symbols: Sequence[str], before: datetime, auction_at: datetime
    ) -> dict[str, frozenset[int]]:
        """Return the closes before a moment."""
        del auction_at
        found = {}
        for symbol in symbols:
            days = self.market.raw(symbol)
            found[symbol] = frozenset({int(days.close[days.ts < before.timestamp()][-1])})
        return found


class CountingLedger(CoverageLedger):
    """Counts how often it is asked."""

    asked = 0

    def states(self, wanted: Iterable[Series]) -> dict[Series, SeriesState]:
        """Return what is committed."""
        self.asked += 1
        return super().states(wanted)


class NothingFound(CorporateActionFinder):
    """Finds no corporate action, and asks for no chart."""

    async def find(self, *_: Any) -> Findings:
        """Return nothing."""
        await asyncio.sleep(0.1)
        return Findings(actions=())


class World:
    """An adjuster with everything it needs, in memory; it can be started several times."""

    def __init__(self, start: datetime, **actions: list[CorporateAction]) -> None:
        self.start = start
        self.clock = LoopClock(start)
        self.market = Market(self.clock, {name.removeprefix("s"): found for name, found in actions.items()})
        self.actions = ActionsOf(market=self.market)
        self.store = FakeStore()
        self.blanks = 0
        """So often the broker said already that there is nothing before what is covered."""
        self.finder = CorporateActionFinder
        self.asked = 0
        """How often the coverage was looked at in the last play."""

    def play(
        self, hours: float, *, symbols: Sequence[str] = SYMBOLS, known_after_s: float = 0.0
    ) -> list[dict[str, object]]:
        """Let the adjuster work for some hours; the next play goes on where this one ended."""
        collected = CollectedStocks()
        rules = PlanRules(
            calendar=CALENDAR,
            horizons=dict.fromkeys(Timeframe, Horizon.parse("max")),
            refresh=RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5)),
        )
        current_rules, store = CurrentRules(rules), self.store
        ledger = CountingLedger(store, FakeCheckpoint())
        begins = int(midnight(self.market.kept_from).timestamp()) if self.market.kept_from > FIRST_DAY else 0
        complete = SeriesState(covered=RangeSet.of((begins, 2**40)), read_at=self.start)
        ledger._states = {
            Series(symbol=symbol, timeframe=timeframe): complete
            for symbol in symbols
            for timeframe in Timeframe
        }
        retries = RetryTracker(self.clock, Circuit(self.clock, FakeBlocks()))
        for series in [*ledger._states] * self.blanks:
            retries.found_nothing((series, False))
        adjuster = Adjuster(
            quotes=self.market,
            finder=self.finder(
                charts=self.market, stored=self.market, current_rules=current_rules, clock=self.clock
            ),
            store=self.actions,
            ledger=ledger,
            job_groups=JobGroups(Jobs(store, self.clock)),
            retries=retries,
            clock=self.clock,
            current_rules=current_rules,
            collected=collected,
            timeframes=tuple(Timeframe),
        )

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                if known_after_s:
                    group.create_task(adjuster.run())
                    await self.clock.sleep(known_after_s)
                    collected.replace(symbols)
                else:
                    collected.replace(symbols)
                    group.create_task(adjuster.run())

        with capture_logs() as logs:
            run_virtually(cancelled_after(work(), hours * 3600))
        self.clock.start += timedelta(hours=hours)
        self.asked = ledger.asked
        return [dict(line) for line in logs]

    def play_on(self, day: date) -> list[dict[str, object]]:
        """Let the adjuster, started at ten, work for an hour of a day."""
        self.clock.start = at(10, day=day)
        return self.play(1)

    @property
    def ledger(self) -> dict[tuple[str, str], Fraction]:
        """Price factors by symbol and day."""
        return {(symbol, str(day)): one.price_factor for (symbol, day), one in self.actions.ledger.items()}

    def requests(self, since: int = 0) -> Counter[str]:
        """Count what was asked of the broker."""
        return Counter(
            key if request is None else f"{request.timeframe} {'adjusted' if request.adjusted else 'raw'}"
            for _, key, request in self.market.requests[since:]
        )


def at(hour: int, minute: int = 0, day: date = TODAY) -> datetime:
    """A Korean wall time."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=KST)


LONG_AGO, LATELY = split(date(2008, 3, 12), FIFTH), split(date(2025, 6, 2), HALF)


def test_the_first_look_reads_weeks_and_a_page_of_days_for_each_action() -> None:
    """Twenty-two years are four pages of weeks; nothing raw is asked for, and nothing is done twice."""
    world = World(at(19), s005930=[LONG_AGO, LATELY], s000660=[split(date(2026, 11, 2), HALF)])

    world.play(1)

    assert world.ledger == {
        ("005930", "2008-03-12"): FIFTH,
        ("005930", "2025-06-02"): HALF,
        ("000660", "2026-11-02"): HALF,
    }
    assert world.requests() == {"1w adjusted": 3 * 4, "1d adjusted": 3, "ka10095": 1}
    done = len(world.market.requests)
    world.play(1)
    assert world.requests(done) == {"ka10095": 1}


def test_what_is_not_stored_is_asked_for() -> None:
    """Where no days and weeks are kept there are minutes of a year: one page, and the raw one beside it."""
    world = World(at(19), s005930=[LATELY])
    world.market.is_stored = False

    world.play(1, symbols=SYMBOLS[:1])

    assert world.ledger == {("005930", "2025-06-02"): HALF}
    assert world.requests() == {"1d adjusted": 1, "1d raw": 1, "ka10095": 1}


def test_an_action_is_in_the_ledger_before_the_opening() -> None:
    """One question for all base prices, and a page of days for the one that differs from the close."""
    world = World(at(19, day=TODAY - timedelta(days=1)), s005930=[split(TODAY, FIFTH)])
    world.play(1)
    done = len(world.market.requests)

    logs = world.play(13.75)

    assert world.market.requests[-1][0] < at(8, 21)
    assert world.ledger == {("005930", str(TODAY)): FIFTH}
    assert world.requests(done) == {"ka10095": 2, "1d adjusted": 1}
    assert [line["symbol"] for line in logs if line["event"] == "adjustments.found"] == ["005930"]
    assert {check.complete_to for check in world.actions.known.values()} == {TODAY}
    assert [check.suspicion for check in world.actions.known.values()] == [None] * 3


def test_what_the_chart_does_not_confirm_is_looked_at_again() -> None:
    """A base price alone writes nothing; the ledger follows as soon as the adjusted chart does."""
    world = World(at(19, day=TODAY - timedelta(days=1)), s005930=[split(TODAY, FIFTH)])
    world.market.hidden_until = at(15, 30)
    world.play(1)
    done = len(world.market.requests)

    world.play(18)
    assert world.ledger == {}
    assert (world.actions.known["005930"].suspicion or {})["day"] == str(TODAY)
    world.play(4)

    looks = [when for when, _, request in world.market.requests[done:] if request is not None]
    assert [(when.hour, when.minute) for when in looks] == [(8, 20), (8, 50), (9, 5), (15, 45)]
    assert world.ledger == {("005930", str(TODAY)): FIFTH}
    assert world.actions.known["005930"].suspicion is None


@pytest.mark.parametrize("restarted", [False, True])
def test_a_factor_that_was_read_wrong_once_is_corrected_the_same_day(restarted: bool) -> None:
    """A new factor is read again in the afternoon and the next morning, and not after that."""
    world = World(at(19, day=TODAY - timedelta(days=1)), s005930=[split(TODAY, HALF)])
    world.market.slips, world.market.slips_until = {"005930": FIFTH}, at(11)
    world.play(14)
    assert world.ledger == {("005930", str(TODAY)): HALF * FIFTH}
    done = len(world.market.requests)

    for hours in (1, 100) if restarted else (101,):
        world.play(hours)

    assert world.ledger == {("005930", str(TODAY)): HALF}
    looks = {when for when, _, request in world.market.requests[done:] if request is not None}
    assert sorted((when.day, when.hour, when.minute) for when in looks if when > at(11)) == [
        (18, 15, 45),
        (19, 8, 20),
    ]


def test_a_suspicion_ends() -> None:
    """A base price that no chart ever explains is looked at for a week and then dropped, with a warning."""
    world = World(at(19, day=TODAY - timedelta(days=1)))
    world.market.odd_prices[TODAY] = {"005930": 12_345}
    world.play(1)
    for days in range(5):
        world.play_on(TODAY + timedelta(days=days))
    assert (world.actions.known["005930"].suspicion or {})["closes"]

    logs = world.play_on(TODAY + timedelta(days=7))

    assert [line["event"] for line in logs].count("adjustments.suspicion_dropped") == 1
    assert world.actions.known["005930"].suspicion is None


def test_missed_mornings_are_made_up_for() -> None:
    """After days without the daemon, base prices tell nothing of them: each symbol costs one page."""
    world = World(at(19, day=date(2026, 11, 5)), s005930=[split(date(2026, 11, 11), HALF)])
    world.play(1)
    done = len(world.market.requests)

    world.play_on(TODAY)

    assert world.ledger == {("005930", "2026-11-11"): HALF}
    assert world.requests(done) == {"ka10095": 1, "1d adjusted": 3}


def test_a_ledger_that_somebody_changed_is_right_before_the_opening() -> None:
    """Deleted, changed and made up behind the daemon's back: the morning compares every chart again."""
    world = World(at(19, day=TODAY - timedelta(days=1)), s005930=[LONG_AGO, LATELY])
    world.play(1)
    right, (first, last) = world.ledger, sorted(world.actions.ledger)
    old = world.actions.ledger.pop(first)
    world.actions.ledger[last] = replace(old, ex_date=last[1])
    world.actions.ledger["000660", LATELY.ex_date] = LATELY
    world.actions.found_at["000660", LATELY.ex_date] = world.clock.now()

    world.clock.start = at(8, 30)
    world.play(0.4)

    assert {key: factor for key, factor in world.ledger.items() if factor != 1} == right


def test_a_look_in_the_future_was_none() -> None:
    """What a clock that ran ahead noted does not hide the actions until that day comes."""
    world = World(at(19, day=TODAY - timedelta(days=1)), s005930=[split(TODAY, HALF)])
    world.play(1)
    month = timedelta(days=30)
    world.actions.known = {
        one: replace(check, complete_to=TODAY + month, checked_at=at(19) + month)
        for one, check in world.actions.known.items()
    }

    world.play_on(TODAY)

    assert world.ledger == {("005930", str(TODAY)): HALF}
    assert {check.complete_to for check in world.actions.known.values()} == {TODAY}
    assert all(check.checked_at < world.clock.now() for check in world.actions.known.values())


def test_old_prices_are_checked_now_and_then() -> None:
    """After four weeks each symbol's weeks are compared again, a few symbols a day.

    What the ledger said wrong is replaced, and kept as evidence.
    """
    world = World(at(19), s005930=[LATELY])
    world.play(1)
    world.actions.ledger["005930", LATELY.ex_date] = split(LATELY.ex_date, Fraction(1, 3))
    world.actions.ledger["000660", LATELY.ex_date] = split(LATELY.ex_date, HALF)
    world.actions.looked.clear()  # the looks themselves were wrong: nothing was changed after them

    world.actions.known = {
        symbol: replace(check, checked_at=check.checked_at - timedelta(days=28))
        for symbol, check in world.actions.known.items()
    }

    logs = [line for days in range(1, 4) for line in world.play_on(TODAY + timedelta(days=days))]

    corrected = world.actions.ledger["005930", LATELY.ex_date]
    assert corrected.price_factor == HALF
    assert corrected.evidence["replaced"][0]["price_factor"] == "1/3"
    withdrawn = world.actions.ledger["000660", LATELY.ex_date]
    assert (withdrawn.price_factor, withdrawn.volume_factor) == (Fraction(1), Fraction(1))
    assert withdrawn.evidence["replaced"][0]["price_factor"] == "1/2"
    assert [line["is_correction"] for line in logs if line["event"] == "adjustments.found"] == [True, True]
    checked = sorted(day_of(check.checked_at) for check in world.actions.known.values())
    assert len(set(checked)) == len(SYMBOLS)


def test_a_failure_delays_one_symbol() -> None:
    """The others go on; the one that failed is tried again after growing waits."""
    world = World(at(19), s005930=[LATELY], s000660=[LATELY])
    world.market.errors["005930"] = [SourceUnavailable("away"), SourceUnavailable("away")]

    logs = world.play(1)

    assert set(world.ledger) == {("005930", "2025-06-02"), ("000660", "2025-06-02")}
    waits = [line["retry_in_s"] for line in logs if line["event"] == "adjustments.look_failed"]
    assert waits == [300.0, 600.0]


def test_a_chart_that_ends_too_early_is_asked_for_again() -> None:
    """What it shows is taken; the ledger is complete when the chart reaches as far as what is stored."""
    world = World(at(19), s005930=[LONG_AGO, LATELY])
    world.market.short["005930"] = 2

    logs = world.play(0.2, symbols=SYMBOLS[:1])
    assert world.ledger == {("005930", "2025-06-02"): HALF}
    assert world.actions.known == {}
    logs += world.play(1, symbols=SYMBOLS[:1])

    assert world.ledger == {("005930", "2025-06-02"): HALF, ("005930", "2008-03-12"): FIFTH}
    assert set(world.actions.known) == {"005930"}
    assert [line["event"] for line in logs].count("adjustments.chart_short") == 2


def test_a_chart_that_stays_short_is_taken_after_a_day() -> None:
    """It may be all that the broker adjusts: then it is said, and not asked for again for ever."""
    world = World(at(19), s005930=[LONG_AGO, LATELY])
    world.market.short["005930"] = 1000

    logs = world.play(48, symbols=SYMBOLS[:1])

    assert world.ledger == {("005930", "2025-06-02"): HALF}
    assert set(world.actions.known) == {"005930"}
    assert [line["event"] for line in logs].count("adjustments.chart_stays_short") == 1


def test_a_start_that_does_not_know_its_symbols_yet() -> None:
    """The stock list comes a little later than everything else: the first look does not wait for long."""
    world = World(at(19), s005930=[LATELY])

    world.play(0.1, known_after_s=30)

    assert world.ledger == {("005930", "2025-06-02"): HALF}


def test_history_that_comes_later_is_looked_at_too() -> None:
    """A longer horizon or a backfill brings candles from before the first look, and actions among them."""
    world = World(at(19), s005930=[LONG_AGO, LATELY])
    world.market.kept_from = date(2020, 1, 2)
    world.play(7, symbols=SYMBOLS[:1])
    assert world.ledger == {("005930", "2025-06-02"): HALF}

    world.market.kept_from = FIRST_DAY
    world.play(1, symbols=SYMBOLS[:1])
    assert world.ledger == {("005930", "2025-06-02"): HALF, ("005930", "2008-03-12"): FIFTH}

    done = len(world.market.requests)
    world.play(1, symbols=SYMBOLS[:1])
    assert set(world.requests(done)) <= {"ka10095"}


@pytest.mark.parametrize(("blanks", "is_looked_at"), [(2, False), (3, True)])
def test_history_that_the_broker_has_not_got_is_not_waited_for(blanks: int, is_looked_at: bool) -> None:
    """Some say where a chart ends with empty answers only: after three of them, what is here is looked at."""
    world = World(at(19), s005930=[LATELY])
    world.market.kept_from = date(2020, 1, 2)
    world.blanks = blanks

    world.play(1, symbols=SYMBOLS[:1])

    assert (("005930", "2025-06-02") in world.ledger) == is_looked_at


def test_a_burst_of_looks_is_one_job() -> None:
    """Whoever looks at the jobs sees one for the first looks of all symbols, with their pages."""
    world = World(at(19), s005930=[LATELY])

    world.play(1)

    jobs = [job for job in world.store.jobs.values() if job["kind"] == "adjust"]
    assert [job["state"] for job in jobs] == ["done"] * len(jobs)
    assert [job["progress"]["fetches_done"] for job in jobs] in ([1, 3], [4])
    assert sum(job["progress"]["pages"] for job in jobs) == len(world.market.requests)


def test_what_a_look_costs_does_not_grow_with_the_symbols() -> None:
    """In the first load of a market thousands are looked at, one by one, and each look is of one symbol."""
    world, symbols = World(at(6)), [f"{code:06}" for code in range(100_000, 100_300)]
    world.finder = NothingFound
    world.play(0.05, symbols=symbols)
    assert len(world.actions.known) == len(symbols)
    assert world.asked < 8 * len(symbols)
