"""What is fetched: expected ranges minus covered ranges, cut into as few pages as possible, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.expected import expected
from chartinsightd.domain.grid import grid_of_years, last_shown_day
from chartinsightd.domain.horizon import Horizon, Unit, horizon_start
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import RefreshRule, last_refresh, next_refresh
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import kiwoom

PAGE_ROWS: Mapping[Timeframe, int] = {
    Timeframe.M5: kiwoom.MINUTE_PAGE_ROWS,
    Timeframe.M30: kiwoom.MINUTE_PAGE_ROWS,
    Timeframe.H1: kiwoom.MINUTE_PAGE_ROWS,
    Timeframe.D1: kiwoom.DAY_PAGE_ROWS,
    Timeframe.W1: kiwoom.WEEK_PAGE_ROWS,
}
"""Candles in a page of each chart."""

Reason = Literal["live", "catch_up", "backfill"]
_RANK: Mapping[Reason, int] = {"live": 0, "catch_up": 1, "backfill": 2}
_NEVER = datetime.min.replace(tzinfo=UTC)
_EVERYTHING = Horizon(unit=Unit.EVERYTHING)

Turn = tuple[int, int, datetime, datetime, int]
"""Tier, reason, deadline, last read, and how old the candles are; lower goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """What a plan follows, besides the time and what is there."""

    calendar: Calendar
    horizons: Mapping[Timeframe, Horizon]
    """For every timeframe that is planned."""
    refresh: RefreshRule
    page_rows: Mapping[Timeframe, int] = field(default_factory=lambda: PAGE_ROWS)
    universe: frozenset[str] = frozenset()
    """The symbols that are collected beside the targets."""
    universe_horizons: Mapping[Timeframe, Horizon] = field(default_factory=dict)
    """Theirs, where they differ from the targets'."""

    def tier(self, symbol: str) -> Tier:
        """Return how a symbol is collected; one that is not collected at all would be a target."""
        return Tier.UNIVERSE if symbol in self.universe else Tier.TARGET

    def horizon(self, timeframe: Timeframe, tier: Tier) -> Horizon:
        """Return how far back a timeframe is kept complete."""
        if tier is Tier.UNIVERSE and timeframe in self.universe_horizons:
            return self.universe_horizons[timeframe]
        return self.horizons[timeframe]

    def refresh_of(self, tier: Tier) -> RefreshRule:
        """Return when a read brings news."""
        return replace(self.refresh, is_nightly=True) if tier is Tier.UNIVERSE else self.refresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A read of one series, backwards from its newest rows or from the end of a day."""

    series: Series
    start: int
    """Page back until a row at or before this instant; seconds since the epoch, like `end`."""
    end: int
    """Up to here (excluded) the read proves what exists; with `base_day` None: up to when it is asked."""
    base_day: date | None
    """The KST day whose end the first page starts from; None for now."""
    reason: Reason
    """`live`: the newest page. `catch_up`: after the oldest that is covered. `backfill`: older than that."""
    missing: RangeSet
    """What it is sent for; empty when only the forming candle is to be read again."""
    pages: int
    """How many pages it takes if every candle of the grid exists; no more than that."""
    tier: Tier = Tier.TARGET
    turn: Turn = field(default=(0, 0, _NEVER, _NEVER, 0), compare=False)
    """Who goes first: targets before the universe; live before catch-up before backfill, newest first.

    Of live fetches the one whose next candle closes first: what a poll missed must not wait for a longer
    timeframe. Of targets then the one that was read longest ago; of the universe the earlier one in the plan.
    """

    @property
    def max_pages(self) -> int | None:
        """Most pages to read, even if `start` is not reached; None for no bound."""
        return 1 if self.reason == "live" else None


def plan(now: datetime, states: Mapping[Series, SeriesState], rules: PlanRules) -> list[Fetch]:
    """Return the fetches due at now (aware), who goes first at the front: see `Fetch.turn`.

    A series whose newest page is due gets it as a separate fetch, so that a long load never delays it. All
    together cost at most one page a series more than the fewest possible. A series that appears in none of
    them is complete.
    """
    views: dict[tuple[Timeframe, Tier], _View] = {}
    due: list[Fetch] = []
    for series, state in states.items():
        key = series.timeframe, rules.tier(series.symbol)
        view = views.get(key)
        if view is None:
            view = views[key] = _view(now, *key, rules)
        if not view.is_complete(state):
            due += _fetches(series, state, view)
    return sorted(due, key=lambda fetch: fetch.turn)


def next_due(
    now: datetime, timeframes: Iterable[Timeframe], rules: PlanRules, tier: Tier = Tier.TARGET
) -> datetime:
    """Return the first instant after now (aware) at which something is due, given that nothing is now."""
    refresh = rules.refresh_of(tier)
    return min(next_refresh(now, timeframe, rules.calendar, refresh) for timeframe in timeframes)


_Places = tuple[int, int]
"""The oldest and the newest of some neighbouring candles, by their places in the grid."""


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What is the same for every series of a timeframe at one moment."""

    timeframe: Timeframe
    tier: Tier
    calendar: Calendar
    refreshed_at: datetime
    """The last moment at which a read brought news."""
    refresh: RefreshRule
    refreshed_before: datetime
    """The moment before that one at which a read did."""
    refreshes_at: datetime
    """The next moment at which a read will."""
    expected: RangeSet
    """What a read at that moment makes final; each range starts with a candle."""
    ts: Ints
    """The grid up to now, the forming candle included."""
    page_rows: int
    served_from: int
    """Nothing older is served, whatever is to be read once more."""
    known: dict[tuple[RangeSet, RangeSet, bool], _Needs] = field(default_factory=dict)
    """What was worked out for one series holds for all that have the same: before a first load, for each."""

    @property
    def newest(self) -> int:
        """The place of the newest candle."""
        return len(self.ts) - 1

    def is_stale(self, state: SeriesState) -> bool:
        """Whether the newest rows are to be read again."""
        return state.read_at is None or state.read_at < self.refreshed_at

    def deadline(self, read_at: datetime | None) -> datetime:
        """Return when the news that a series waits for are overtaken by the next ones."""
        if read_at is None:
            return _NEVER
        if read_at >= self.refreshed_before:
            return self.refreshes_at
        missed = next_refresh(read_at, self.timeframe, self.calendar, self.refresh)
        return next_refresh(missed, self.timeframe, self.calendar, self.refresh)

    def turn(self, reason: Reason, end: int, read_at: datetime | None) -> Turn:
        """Return who goes first; see `Fetch.turn`."""
        is_universe = self.tier is Tier.UNIVERSE
        if reason != "live":
            return is_universe, _RANK[reason], _NEVER, _NEVER, -end
        stalest = _NEVER if is_universe else read_at or _NEVER
        return is_universe, _RANK[reason], self.deadline(read_at), stalest, -end

    def is_complete(self, state: SeriesState) -> bool:
        """Whether nothing at all is due."""
        return not self.is_stale(state) and not state.recheck and state.covered.covers(self.expected)

    def wanted(self, covered: RangeSet, recheck: RangeSet) -> Iterator[tuple[tuple[int, int], _Places]]:
        """Yield what is to be read, from its first candle on, with places, newest first.

        That is what is expected and not covered, and what is to be read once more, also beyond the horizon.
        """
        served = recheck.clip(self.served_from, int(self.refreshed_at.timestamp()))
        spans = (_from_candles(served, self.ts) | (self.expected - covered)).spans
        places = np.searchsorted(self.ts, np.array(spans, dtype=np.int64).reshape(-1, 2)).tolist()
        for (_, until), (oldest, end) in zip(reversed(spans), reversed(places), strict=True):
            if oldest < end:
                yield (int(self.ts[oldest]), until), (oldest, end - 1)

    def end_of(self, place: int) -> int:
        """The instant up to which nothing follows the candle at a place."""
        if place < self.newest:
            return int(self.ts[place + 1])
        return max(int(self.refreshed_at.timestamp()), int(self.ts[place]) + 1)

    def base_day(self, place: int) -> date:
        """The day a chart must be asked as of to show the candle at a place as it is now."""
        return last_shown_day(self.calendar, self.timeframe, int(self.ts[place]))

    def first_shown(self, place: int) -> int:
        """The place of the newest candle that comes along when the base day of a place is asked for."""
        end = midnight(self.base_day(place) + timedelta(days=1))
        return int(np.searchsorted(self.ts, int(end.timestamp()))) - 1


def _view(now: datetime, timeframe: Timeframe, tier: Tier, rules: PlanRules) -> _View:
    refresh = rules.refresh_of(tier)
    should = expected(
        now,
        timeframe,
        horizon=rules.horizon(timeframe, tier),
        calendar=rules.calendar,
        refresh=refresh,
    )
    first_day = day_of(datetime.fromtimestamp(should.start, UTC))
    # the years around the horizon too, so that there always is a newest candle
    grid = grid_of_years(rules.calendar, timeframe, first_day.year - 1, day_of(now).year)
    ts = grid.ts[: int(np.searchsorted(grid.ts, int(now.timestamp()), side="right"))]
    before = should.refreshed_at - timedelta(microseconds=1)
    return _View(
        timeframe,
        tier,
        rules.calendar,
        should.refreshed_at,
        refresh,
        last_refresh(before, timeframe, rules.calendar, refresh),
        next_refresh(now, timeframe, rules.calendar, refresh),
        _from_candles(should.ranges, ts),
        ts,
        rules.page_rows[timeframe],
        int(horizon_start(_EVERYTHING, timeframe, now, rules.calendar).timestamp()),
    )


def _from_candles(ranges: RangeSet, ts: Ints) -> RangeSet:
    """Let each range start with its first candle; drop those without one."""
    starts = ((int(np.searchsorted(ts, start)), end) for start, end in ranges.spans)
    return RangeSet.of(*((int(ts[place]), end) for place, end in starts if place < len(ts)))


@dataclass(slots=True)
class _Run:
    """Candles read by one fetch, by their places in the grid."""

    view: _View
    top: int
    """The newest candle on the first page."""
    newest: int
    """The newest candle it is sent for."""
    is_live: bool = False
    oldest: int = field(init=False)

    def __post_init__(self) -> None:
        self.oldest = self.newest

    @property
    def pages(self) -> int:
        return -(-(self.top - self.oldest + 1) // self.view.page_rows)

    @property
    def reach(self) -> int:
        """The oldest candle that comes with the pages already needed."""
        return self.top - self.pages * self.view.page_rows + 1

    def should_take(self, place: int) -> bool:
        """Whether a candle older than all so far is better read here than by a separate fetch."""
        if self.is_live:
            return place >= self.reach  # it comes along for nothing; one more page would delay the poll
        # A separate fetch would begin at `first_shown`. If that is no older than the row after our last page,
        # reading on gets at least as far with each page, and saves the rows in between.
        return self.view.first_shown(place) >= self.reach - 1

    def take(self, oldest: int) -> int:
        """Read on to this candle, as far as allowed; return the oldest candle then read."""
        self.oldest = max(oldest, self.reach) if self.is_live else oldest
        return self.oldest


@dataclass(frozen=True, slots=True, eq=False)
class _Needs:
    """What is due for series that have the same coverage."""

    runs: Sequence[_Run]
    missing_ranges: RangeSet
    begun_at: int | None


def _fetches(series: Series, state: SeriesState, view: _View) -> list[Fetch]:
    key = state.covered, state.recheck, view.is_stale(state)
    needs = view.known.get(key)
    if needs is None:
        needs = view.known[key] = _needs(view, *key)
    return [_fetch(series, run, needs.missing_ranges, needs.begun_at, state.read_at) for run in needs.runs]


def _needs(view: _View, covered: RangeSet, recheck: RangeSet, is_stale: bool) -> _Needs:
    wanted = list(view.wanted(covered, recheck))
    return _Needs(
        runs=_runs(view, [places for _, places in wanted], is_stale=is_stale),
        missing_ranges=RangeSet.of(*(span for span, _ in wanted)),
        begun_at=_first_covered(covered, view),
    )


def _first_covered(covered: RangeSet, view: _View) -> int | None:
    """Return the first covered instant within the horizon."""
    if not view.expected:
        return None
    within = covered.clip(view.expected.spans[0][0], view.expected.spans[-1][1])
    return within.spans[0][0] if within else None


def _runs(view: _View, wanted: Sequence[_Places], *, is_stale: bool) -> list[_Run]:
    """Cut wanted candles, newest first, into runs: each page starts as late, so reaches as far, as it can."""
    runs: list[_Run] = [_Run(view, view.newest, view.newest, is_live=True)] if is_stale else []
    for oldest, newest in wanted:
        while newest >= oldest:
            if not runs or not runs[-1].should_take(newest):
                runs.append(_Run(view, view.first_shown(newest), newest))
            newest = runs[-1].take(oldest) - 1
    return runs


def _fetch(
    series: Series, run: _Run, missing_ranges: RangeSet, begun_at: int | None, read_at: datetime | None
) -> Fetch:
    view, start = run.view, int(run.view.ts[run.oldest])
    is_newest = run.top == view.newest
    end = view.end_of(run.newest)
    reason = _reason(run, start, begun_at, is_newest=is_newest)
    return Fetch(
        series=series,
        start=start,
        end=end,
        base_day=None if is_newest else view.base_day(run.newest),
        reason=reason,
        missing=missing_ranges.clip(start, end),
        pages=run.pages,
        tier=view.tier,
        turn=view.turn(reason, end, read_at),
    )


def _reason(run: _Run, start: int, begun_at: int | None, *, is_newest: bool) -> Reason:
    if run.is_live or (is_newest and run.pages == 1):
        return "live"
    return "catch_up" if begun_at is not None and start > begun_at else "backfill"
