"""What a plan promises, against a broker that serves the whole grid in pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.expected import expected
from chartinsightd.domain.finality import final_ranges
from chartinsightd.domain.grid import candle_end, grid_of_years
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.planning import Fetch, PlanRules, next_due, plan
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.refresh import RefreshRule, last_refresh
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()
REFRESH = RefreshRule(settle=timedelta(seconds=2), poll_delay=timedelta(seconds=3))
HORIZONS = {
    Timeframe.M5: Horizon.parse("12d"),
    Timeframe.M30: Horizon.parse("2m"),
    Timeframe.H1: Horizon.parse("3m"),
    Timeframe.D1: Horizon.parse("1y"),
    Timeframe.W1: Horizon.parse("3y"),
}
RULES = PlanRules(calendar=CALENDAR, horizons=HORIZONS, refresh=REFRESH)
FRIDAY = datetime(2026, 11, 20, 10, 7, tzinfo=KST).astimezone(UTC)


def kst(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=KST)


def series(timeframe: Timeframe = Timeframe.M5, symbol: str = "005930") -> Series:
    return Series(symbol=symbol, timeframe=timeframe)


def missing(now: datetime, timeframe: Timeframe, covered: RangeSet, rules: PlanRules) -> RangeSet:
    """Return what should be covered and is not, each range from its first candle on: by the definition."""
    should = expected(
        now,
        timeframe,
        horizon=rules.horizons[timeframe],
        calendar=rules.calendar,
        refresh=rules.refresh,
    )
    grid = grid_of_years(rules.calendar, timeframe, now.year - 100, now.year + 1).ts
    first = {end: grid[(grid >= start) & (grid < end)][:1] for start, end in (should.ranges - covered).spans}
    return RangeSet.of(*((int(candles[0]), end) for end, candles in first.items() if len(candles)))


@dataclass(frozen=True)
class Broker:
    """Serves every candle of the grid, newest first, and credits a page with what it proves."""

    now: datetime
    rules: PlanRules

    def labels(self, timeframe: Timeframe) -> Ints:
        years = grid_of_years(CALENDAR, timeframe, self.now.year - 4, self.now.year + 1)
        return years.ts[years.ts <= self.now.timestamp()]

    def pages(self, fetch: Fetch) -> Iterator[RangeSet]:
        """Yield what each page of a fetch makes covered."""
        timeframe, labels = fetch.series.timeframe, self.labels(fetch.series.timeframe)
        upper = int(self.now.timestamp())
        if fetch.base_day is not None:
            labels = self._as_of(fetch.base_day, timeframe, labels)
            upper = min(upper, fetch.end)
        rows, pages = self.rules.page_rows[timeframe], 0
        most = 10**9 if fetch.max_pages is None else fetch.max_pages
        while len(labels) and labels[-1] >= fetch.start and pages < most:
            oldest = int(labels[-rows:][0])
            yield final_ranges(timeframe, oldest, upper, self.now, CALENDAR, REFRESH.settle)
            labels, upper, pages = labels[:-rows], oldest, pages + 1

    def _as_of(self, day: date, timeframe: Timeframe, labels: Ints) -> Ints:
        """Drop what is newer than a day; a candle that the day cuts through would come unfinished."""
        end = midnight(day + timedelta(days=1)).timestamp()
        shown = labels[labels < end]
        assert candle_end(CALENDAR, timeframe, int(shown[-1])) <= end or shown[-1] == labels[-1]
        return shown

    def execute(
        self, fetches: list[Fetch], states: dict[Series, SeriesState], most_pages: int = 10**9
    ) -> int:
        """Carry out fetches, up to a number of pages; return how many were read."""
        used = 0
        for fetch in fetches:
            for covered in self.pages(fetch):
                if used == most_pages:
                    return used
                used += 1
                state = states[fetch.series]
                read_at = self.now if fetch.base_day is None else state.read_at
                states[fetch.series] = SeriesState(covered=state.covered | covered, read_at=read_at)
        return used

    def fewest_pages(self, name: Series, state: SeriesState) -> int:
        """Count pages when each page may start at the end of any day or go on from the one before."""
        labels, rows = self.labels(name.timeframe), self.rules.page_rows[name.timeframe]
        due = last_refresh(self.now, name.timeframe, CALENDAR, REFRESH)
        gaps = missing(self.now, name.timeframe, state.covered, self.rules)
        spans = np.searchsorted(labels, np.array(gaps.spans, dtype=np.int64).reshape(-1, 2)).tolist()
        wanted = np.concatenate([np.arange(*span) for span in [(0, 0), *spans]])
        is_stale = state.read_at is None or state.read_at < due
        pages, reached = (1, len(labels) - rows) if is_stale else (0, len(labels) + rows)
        while older := int(np.searchsorted(wanted, reached)):
            day = self._base_day(name.timeframe, int(labels[wanted[older - 1]]))
            start = int(np.searchsorted(labels, midnight(day + timedelta(days=1)).timestamp())) - 1
            reached = min(start - rows + 1, reached - rows if pages else len(labels))
            pages += 1
        return pages

    def _base_day(self, timeframe: Timeframe, ts: int) -> date:
        return day_of(datetime.fromtimestamp(candle_end(CALENDAR, timeframe, ts) - 1, UTC))


moments = st.integers(
    int(datetime(2026, 1, 3, tzinfo=UTC).timestamp()), int(datetime(2026, 12, 20, tzinfo=UTC).timestamp())
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Broker, dict[Series, SeriesState]]:
    """A moment, a page size, and a series that is covered here and there up to when it was last read."""
    now = draw(moments)
    timeframe = draw(st.sampled_from(Timeframe))
    rows = draw(st.sampled_from([5, 40, 150, 900]))
    rules = replace(RULES, page_rows=dict.fromkeys(Timeframe, rows))
    hours = draw(st.lists(st.tuples(st.integers(0, 24 * 100), st.integers(1, 24 * 20)), max_size=6))
    read_at = draw(st.none() | st.integers(0, 24 * 12).map(lambda n: now - timedelta(hours=n)))
    spans = ((now - timedelta(hours=ago), now - timedelta(hours=ago - long)) for ago, long in hours)
    covered = RangeSet.of(*((int(start.timestamp()), int(end.timestamp())) for start, end in spans))
    known_at = read_at or now - timedelta(days=3)
    final = final_ranges(timeframe, 0, 2**32, known_at, CALENDAR, REFRESH.settle)
    return Broker(now, rules), {series(timeframe): SeriesState(covered=covered & final, read_at=read_at)}


@settings(deadline=None, max_examples=150)
@given(situation=situations())
def test_after_the_plan_nothing_is_due(situation: tuple[Broker, dict[Series, SeriesState]]) -> None:
    """Executing a plan leaves nothing due, at most one page dearer than the fewest possible."""
    broker, states = situation
    [(name, state)] = states.items()
    fewest = broker.fewest_pages(name, state)

    fetches = plan(broker.now, states, broker.rules)
    used = broker.execute(fetches, states)

    assert plan(broker.now, states, broker.rules) == []
    assert not missing(broker.now, name.timeframe, states[name].covered, broker.rules)
    assert used == sum(fetch.pages for fetch in fetches)
    assert fewest <= used <= fewest + 1


@settings(deadline=None, max_examples=100)
@given(situation=situations(), lives=st.lists(st.integers(1, 4), min_size=60, max_size=60))
def test_killed_anywhere_it_converges(
    situation: tuple[Broker, dict[Series, SeriesState]], lives: list[int]
) -> None:
    """A daemon killed after any page plans from what is covered and completes the load."""
    broker, states = situation
    broker = replace(broker, rules=replace(broker.rules, page_rows=dict.fromkeys(Timeframe, 150)))
    for pages in lives:
        broker.execute(plan(broker.now, states, broker.rules), states, pages)

    assert plan(broker.now, states, broker.rules) == []


@settings(deadline=None, max_examples=100)
@given(situation=situations())
def test_fetches_of_a_plan_are_in_order(situation: tuple[Broker, dict[Series, SeriesState]]) -> None:
    """Live before catch-up before backfill, newest first; no two overlap; together they name all gaps."""
    broker, states = situation
    fetches = plan(broker.now, states, broker.rules)
    ranks = [["live", "catch_up", "backfill"].index(fetch.reason) for fetch in fetches]

    assert ranks == sorted(ranks)
    assert all(later.end <= earlier.start for earlier, later in pairwise(fetches))
    [(name, state)] = states.items()
    gaps = missing(broker.now, name.timeframe, state.covered, broker.rules)
    assert RangeSet.of(*(span for fetch in fetches for span in fetch.missing.spans)) == gaps


def complete(timeframe: Timeframe, at: datetime) -> SeriesState:
    """A series that was read in full at a moment."""
    covered = final_ranges(timeframe, 0, 2**32, at, CALENDAR, REFRESH.settle)
    return SeriesState(covered=covered, read_at=at)


def test_a_poll_is_one_live_page() -> None:
    """A series that is up to date to the last candle costs one page from now, and nothing after it."""
    states = {series(): complete(Timeframe.M5, kst(11, 20, 10, 1))}

    [fetch] = plan(FRIDAY, states, RULES)

    assert (fetch.reason, fetch.base_day, fetch.pages, fetch.max_pages) == ("live", None, 1, 1)
    assert fetch.missing.spans == ((_s(kst(11, 20, 10)), _s(kst(11, 20, 10, 5))),)
    assert plan(FRIDAY, {series(): complete(Timeframe.M5, FRIDAY)}, RULES) == []


def test_a_forming_day_is_polled_though_nothing_is_missing() -> None:
    """After the close the day is read again: nothing of it can be covered yet, the row is worth having."""
    states = {series(Timeframe.D1): complete(Timeframe.D1, kst(11, 20, 9))}

    [fetch] = plan(kst(11, 20, 15, 32), states, RULES)

    assert (fetch.reason, fetch.missing) == ("live", EMPTY)


def test_a_day_that_has_just_begun_is_read_too() -> None:
    """After midnight the evening's news are still to be read: the read holds the new day's first second."""
    states = {series(Timeframe.D1): complete(Timeframe.D1, kst(11, 19, 10))}

    [fetch] = plan(kst(11, 20), states, RULES)

    assert (fetch.reason, fetch.missing, fetch.start) == ("live", EMPTY, _s(kst(11, 20)))
    assert fetch.end > fetch.start


def test_a_new_series_gets_its_newest_page_first() -> None:
    """The newest page is live, the history before it a backfill from the end of a day."""
    rules = replace(RULES, horizons={**HORIZONS, Timeframe.M5: Horizon.parse("30d")})

    newest, older = plan(FRIDAY, {series(): SeriesState(covered=EMPTY)}, rules)

    assert (newest.reason, newest.base_day, newest.pages) == ("live", None, 1)
    assert (older.reason, older.max_pages) == ("backfill", None)
    assert older.base_day == day_of(datetime.fromtimestamp(older.end - 1, UTC))
    assert older.end == newest.start


def test_an_outage_is_caught_up() -> None:
    """What lies after the coverage is catch-up, what lies before its beginning is backfill."""
    horizons = {**HORIZONS, Timeframe.M5: Horizon.parse("60d")}
    rules = replace(RULES, horizons=horizons)
    covered = RangeSet.of((_s(kst(10, 20)), _s(kst(11, 3))))
    states = {series(): SeriesState(covered=covered, read_at=kst(11, 3))}

    fetches = plan(FRIDAY, states, rules)

    assert [(fetch.reason, fetch.base_day) for fetch in fetches] == [
        ("live", None),
        ("catch_up", date(2026, 11, 10)),
        ("backfill", date(2026, 10, 19)),
    ]


def test_a_past_week_is_asked_for_as_of_its_end() -> None:
    """Asked for as of its first day, a past week would come unfinished and look whole."""
    state = complete(Timeframe.W1, FRIDAY)
    hole = RangeSet.of((_s(kst(3, 3)), _s(kst(3, 4))))  # the week that begins on a Tuesday
    state = SeriesState(covered=state.covered - hole, read_at=state.read_at)

    [fetch] = plan(FRIDAY, {series(Timeframe.W1): state}, replace(RULES, page_rows={Timeframe.W1: 10}))

    assert fetch.base_day == date(2026, 3, 6)
    assert fetch.start == _s(kst(3, 3))


def test_a_gap_within_a_page_that_is_read_anyway_is_free() -> None:
    """A hole of yesterday comes with today's poll."""
    state = complete(Timeframe.M5, kst(11, 20, 10, 1))
    hole = RangeSet.of((_s(kst(11, 18, 11)), _s(kst(11, 18, 12))))
    states = {series(): SeriesState(covered=state.covered - hole, read_at=state.read_at)}

    [fetch] = plan(FRIDAY, states, RULES)

    assert (fetch.start, fetch.pages, fetch.reason) == (_s(kst(11, 18, 11)), 1, "live")


def test_live_fetches_take_the_stalest_first() -> None:
    """Who was read longest ago goes first; who was never read goes before all."""
    read = {"000001": kst(11, 20, 10, 0), "000002": kst(11, 20, 9, 50), "000003": None}
    states: Mapping[Series, SeriesState] = {
        series(symbol=symbol): replace(complete(Timeframe.M5, kst(11, 20, 10, 1)), read_at=at)
        for symbol, at in read.items()
    }

    assert [fetch.series.symbol for fetch in plan(FRIDAY, states, RULES)] == ["000003", "000002", "000001"]


@pytest.mark.parametrize(("timeframe", "polls"), [(Timeframe.M5, 126), (Timeframe.H1, 12), (Timeframe.D1, 3)])
def test_a_day_costs_one_page_a_refresh(timeframe: Timeframe, polls: int) -> None:
    """From one morning to the next a series costs exactly one page for each refresh, and ends complete."""
    now, end = kst(11, 20, 8).astimezone(UTC), kst(11, 21, 8)
    states = {series(timeframe): complete(timeframe, now)}
    used = 0
    while (now := next_due(now, [timeframe], RULES)) < end:
        used += Broker(now, RULES).execute(plan(now, states, RULES), states)

    assert used == polls
    assert states[series(timeframe)].covered.covers(RangeSet.of((_s(kst(11, 17)), _s(kst(11, 21)))))


def test_folded_timeframes_are_read_next_morning() -> None:
    """With folding nothing is due for 1h during the day; in the morning the whole day is read."""
    refresh = replace(REFRESH, folded=frozenset({Timeframe.H1}))
    rules = replace(RULES, refresh=refresh)
    states = {series(Timeframe.H1): complete(Timeframe.H1, kst(11, 20, 8))}

    assert plan(kst(11, 20, 19), states, rules) == []
    [fetch] = plan(kst(11, 21, 8), states, rules)
    assert (fetch.reason, fetch.start) == ("live", _s(kst(11, 20, 9)))


def test_thousands_of_idle_series_are_planned_at_once() -> None:
    """13,500 series with nothing due take well under a second (8 ms where this was written)."""
    states = {
        series(timeframe, f"{number:06}"): complete(timeframe, FRIDAY)
        for timeframe in Timeframe
        for number in range(2_700)
    }
    began_at = time.process_time()

    assert plan(FRIDAY, states, RULES) == []
    assert time.process_time() - began_at < 0.5


def _s(instant: datetime) -> int:
    return int(instant.timestamp())


@pytest.mark.parametrize(("ago_s", "is_due"), [(0, False), (1, True)])
def test_a_read_at_the_moment_of_the_news_has_it(ago_s: int, is_due: bool) -> None:
    """One second earlier it would not."""
    refreshed_at = last_refresh(FRIDAY, Timeframe.M5, CALENDAR, REFRESH)
    state = complete(Timeframe.M5, FRIDAY)
    state = SeriesState(covered=state.covered, read_at=refreshed_at - timedelta(seconds=ago_s))

    assert bool(plan(FRIDAY, {series(): state}, RULES)) is is_due


def test_equal_turns_need_no_order() -> None:
    """Two series that were never read are planned, though nothing tells which of them goes first."""
    states = {series(symbol=symbol): SeriesState(covered=EMPTY) for symbol in ("000001", "000002")}

    assert {fetch.series.symbol for fetch in plan(FRIDAY, states, RULES)} == {"000001", "000002"}


def test_an_old_series_begins_where_its_coverage_does() -> None:
    """From its first covered candle on it is catch-up; a page whose oldest candle is that one, backfill."""
    rules = replace(
        RULES, horizons={**HORIZONS, Timeframe.D1: Horizon.parse("1y")}, page_rows={Timeframe.D1: 5}
    )
    covered = RangeSet.of((_s(kst(6, 1)), _s(kst(6, 6))), (_s(kst(7, 1)), _s(kst(11, 20))))
    states = {series(Timeframe.D1): SeriesState(covered=covered, read_at=FRIDAY)}

    reasons = {(fetch.base_day, fetch.reason) for fetch in plan(FRIDAY, states, rules)}

    assert (date(2026, 6, 30), "catch_up") in reasons
    assert (date(2026, 5, 29), "backfill") in reasons


DAYS = [_s(one.starts_at) for one in CALENDAR.sessions(date(2026, 1, 2), date(2026, 11, 20))]
"""Where the days of the year begin, up to the one that forms on FRIDAY."""


def without_days(state: SeriesState, *places: int) -> SeriesState:
    """Make holes where DAYS are, by their places."""
    holes = RangeSet.of(*((DAYS[place], DAYS[place] + 86_400) for place in places))
    return SeriesState(covered=state.covered - holes, read_at=state.read_at)


@pytest.mark.parametrize(("older", "pages"), [(-5, [("live", 1)]), (-6, [("live", 1), ("catch_up", 1)])])
def test_the_newest_page_brings_its_oldest_candle(older: int, pages: list[tuple[str, int]]) -> None:
    """A hole at the last of its rows is free, one before it costs another page."""
    rules = replace(RULES, page_rows={Timeframe.D1: 5})
    state = without_days(complete(Timeframe.D1, kst(11, 20, 8)), older)

    fetches = plan(FRIDAY, {series(Timeframe.D1): replace(state, read_at=kst(11, 19))}, rules)

    assert [(fetch.reason, fetch.pages) for fetch in fetches] == pages


@pytest.mark.parametrize(("apart", "pages"), [(4, [1]), (5, [2]), (6, [1, 1]), (11, [1, 1])])
def test_holes_are_read_together_where_no_row_between_them_is_wasted(apart: int, pages: list[int]) -> None:
    """With five rows a page, the next page of a read begins five days before its first."""
    rules = replace(RULES, page_rows={Timeframe.D1: 5})
    state = without_days(complete(Timeframe.D1, FRIDAY), 100, 100 - apart)

    fetches = plan(FRIDAY, {series(Timeframe.D1): state}, rules)

    assert [fetch.pages for fetch in fetches] == pages
    assert fetches[-1].start == DAYS[100 - apart]


@pytest.mark.parametrize(
    ("holes", "expected"),
    [([10], ("live", 1)), ([9], ("catch_up", 3)), ([9, 10], ("catch_up", 3)), ([], None)],
)
def test_a_hole_of_today_is_read_from_now(holes: list[int], expected: tuple[str, int] | None) -> None:
    """With five rows a page, 10:00 is in the newest page at 10:07 and 9:00 is not: that is no live read."""
    rules = replace(RULES, page_rows={Timeframe.M5: 5})
    missed = RangeSet.of(*((_s(kst(11, 20, hour)), _s(kst(11, 20, hour, 5))) for hour in holes))
    state = complete(Timeframe.M5, FRIDAY)

    fetches = plan(FRIDAY, {series(): replace(state, covered=state.covered - missed)}, rules)

    assert [(fetch.reason, fetch.pages) for fetch in fetches] == ([] if expected is None else [expected])
    assert all(fetch.base_day is None and fetch.missing == missed for fetch in fetches)


def test_history_is_read_newest_first_whoever_waits_longest() -> None:
    """Who was read longest ago goes first with its newest page only."""
    whole = complete(Timeframe.D1, FRIDAY)
    states = {
        series(Timeframe.D1, "000001"): without_days(replace(whole, read_at=kst(11, 20, 8)), 90),
        series(Timeframe.D1, "000002"): without_days(whole, 100),
    }

    assert [fetch.series.symbol for fetch in plan(FRIDAY, states, RULES)] == ["000002", "000001"]
