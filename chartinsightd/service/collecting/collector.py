"""Carries out one fetch: pages from the broker, through the checks, to the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, overload

import numpy as np
import structlog

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.chain import Chain, Counted, chains_of
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.finality import final_mask, final_ranges, possible_coverage
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.planning import Fetch
from chartinsightd.domain.quality import Asked, RejectedRow, check, is_untraded
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.weeks import aligned_weeks
from chartinsightd.domain.write import Cause, Write, Written
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.ports.broker import ChartPage, ChartRequest, ChartSource, Priority
from chartinsightd.ports.candles import StoredCandles
from chartinsightd.service.collecting.folding import folded_writes
from chartinsightd.service.collecting.page_evidence import NEXT_CANDLE_WITHIN, PageEvidence
from chartinsightd.service.collecting.row_accounting import check_page
from chartinsightd.service.collecting.second_look import SecondLook
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Job

log = structlog.get_logger(__name__)

Inspect = Callable[[Write], Awaitable[None]]
"""Shown what is about to be committed, while the store still holds what was there before."""

_BEGINNING = 0
"""Where a series that has no older row is complete from."""
_IN_FLIGHT = 4
"""Pages of one fetch that may wait for the store while the next is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRules:
    """What a fetch needs to know of the settings."""

    settle: timedelta
    fold: tuple[Timeframe, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOutcome:
    """What a fetch brought."""

    pages: int
    rows: int
    covered: RangeSet
    """What it proved complete, all pages together."""
    refused: RangeSet
    """Where rows were no candles."""
    oldest: int
    """The oldest row that was seen; 0 where none had a time."""
    is_cut: bool
    """It was to stop, so that nothing older than the oldest row was looked at."""
    is_blank: bool
    """The broker said that it has no data."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A page after the checks."""

    sound: Candles
    rejected: tuple[RejectedRow, ...]


class Collector:
    """Turns fetches into committed candles and coverage."""

    def __init__(
        self,
        *,
        source: ChartSource,
        writer: Writer,
        current_rules: CurrentRules,
        rules: CollectRules,
        listing: Callable[[str], Listing | None] = lambda _: None,
        stored: StoredCandles | None = None,
    ) -> None:
        self._source = source
        self._writer = writer
        self._current_rules = current_rules
        self._rules = rules
        self._second_look = SecondLook(source, current_rules)
        self._evidence = PageEvidence(listing)
        self._stored = stored

    async def fetch(
        self,
        fetch: Fetch,
        priority: Priority,
        job: Job,
        max_pages: int | None = None,
        stop: asyncio.Event | None = None,
        cause: Cause = "reread",
        inspect: Inspect | None = None,
    ) -> FetchOutcome:
        """Carry out a fetch; what was committed before a failure stays.

        Args:
            fetch: what to read.
            priority: its place at the gate.
            job: the job that counts the pages.
            max_pages: stop after this many, complete or not.
            stop: stop after the page at hand once it is set.
            cause: why; kept with the revisions it leaves.
            inspect: shown each page's write before it is committed.

        Raises:
            SourceError: the broker did not give what was asked for.
        """
        request = ChartRequest(
            symbol=fetch.series.symbol,
            timeframe=fetch.series.timeframe,
            until=datetime.fromtimestamp(fetch.start, UTC),
            base_day=fetch.base_day,
        )
        reading = _Reading(
            current_rules=self._current_rules,
            rules=self._rules,
            evidence=self._evidence,
            fetch=fetch,
            cause=cause,
        )
        waiting: deque[asyncio.Future[Written]] = deque()
        urgent = priority is Priority.LIVE
        await self._writer.ready(urgent=urgent)
        async with aclosing(self._source.pages(request, priority)) as pages:  # type: ignore[type-var]
            async for page in pages:
                checked = await self._checked(page, fetch, priority)
                await self._recall(checked.sound)
                next_price = reading.edge or self._evidence.next_price(checked.sound)
                await self._second_look.at_edge(checked.sound, next_price, page.asked_at, priority)
                self._evidence.take(checked.sound, page.asked_at)
                for write in reading.writes(page, checked):
                    if inspect is not None:
                        await inspect(write)
                    waiting.append(await self._writer.submit(write, urgent=urgent))
                await _settle(waiting, _IN_FLIGHT, job)
                if (stop is not None and stop.is_set()) or reading.pages == max_pages:
                    reading.is_cut = True
                    break
                await self._writer.ready(urgent=urgent)
        await _settle(waiting, 0, job)
        return reading.outcome()

    async def _recall(self, candles: Candles) -> None:
        """Recall the stored candles around the first page of a series since the start.

        While the store is away pages go without: nothing may hold up a poll.
        """
        series = Series(symbol=candles.symbol, timeframe=candles.timeframe)
        if self._stored is None or not len(candles) or self._evidence.knows(series):
            return
        if self._writer.spooled.pages:
            return
        first, last = (datetime.fromtimestamp(int(candles.ts[place]), UTC) for place in (0, -1))
        with contextlib.suppress(StoreUnavailable):
            around = await self._stored.candles(
                series.symbol, series.timeframe, first, last + NEXT_CANDLE_WITHIN
            )
            self._evidence.recall(around)

    async def prove_empty(
        self, series: Series, ranges: RangeSet, now: datetime, job: Job, *, is_newest: bool
    ) -> None:
        """Commit that a range holds no candle, as after the delisting of a stock.

        Args:
            series: whose.
            ranges: in seconds since the epoch; what can still form at now is left out.
            now: aware.
            job: the job that counts it.
            is_newest: whether the newest rows need not be read again either.
        """
        calendar, settle = self._current_rules.calendar, self._rules.settle
        covered = possible_coverage(series.timeframe, ranges, now, calendar, settle)
        candles = Candles.of(series.symbol, series.timeframe, [])
        write = Write(candles=candles, covered=covered, asked_at=now, is_newest=is_newest)
        await job.add_page(await (await self._writer.submit(write, urgent=False)))

    async def _checked(self, page: ChartPage, fetch: Fetch, priority: Priority) -> _Checked:
        """Part the candles of a page from its rows that are none."""
        check_page(page)
        asked, calendar = Asked(at=page.asked_at, base_day=fetch.base_day), self._current_rules.calendar
        traded = ~is_untraded(page.candles)
        candles, raw_rows = page.candles, page.raw_rows
        if not traded.all():
            candles = candles.where(traded)
            raw_rows = _Chosen(raw_rows, np.flatnonzero(traded)) if raw_rows else ()
        if fetch.series.timeframe is Timeframe.W1:
            candles = aligned_weeks(candles, calendar)
        sound, refused = check(candles, calendar=calendar, asked=asked, raw_rows=raw_rows)
        doubted = await self._second_look.doubted(sound, priority)
        if doubted:
            doubted = {reason: np.isin(candles.ts, sound.ts[flags]) for reason, flags in doubted.items()}
            sound, refused = check(
                candles, calendar=calendar, asked=asked, doubted=doubted, raw_rows=raw_rows
            )
        return _Checked(sound, (*page.rejected, *refused))


class _Chosen(Sequence[Mapping[str, Any]]):
    """Some rows of a page, each read when it is asked for: most pages are never looked at again."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], places: Ints) -> None:
        self._rows = rows
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return _Chosen(self._rows, self._places[place])
        return self._rows[int(self._places[place])]


async def _settle(waiting: deque[asyncio.Future[Written]], leave: int, job: Job) -> None:
    while len(waiting) > leave:
        await job.add_page(await waiting.popleft())


class _Reading:
    """What is known while the pages of one fetch come in, newest first."""

    def __init__(
        self,
        *,
        current_rules: CurrentRules,
        rules: CollectRules,
        evidence: PageEvidence,
        fetch: Fetch,
        cause: Cause,
    ) -> None:
        self._evidence = evidence
        self._current_rules = current_rules
        self._rules = rules
        self._fetch = fetch
        self._cause = cause
        self._cut: Counted | None = None
        """The newer part of the session that the last page ended in."""
        self._upper: int | None = None
        self._oldest: int | None = None
        self._rows = 0
        self._covered = EMPTY
        self._holes = EMPTY
        self.pages = 0
        self.edge: int | None = None
        """Where the oldest candle of the page before opens, in won."""
        self.is_cut = False
        """Whether it was ended before the broker had no more to give."""

    @property
    def _calendar(self) -> Calendar:
        """The one in force when a page is here: a fetch may take long, and a day be learned on the way."""
        return self._current_rules.calendar

    def outcome(self) -> FetchOutcome:
        return FetchOutcome(
            pages=self.pages,
            rows=self._rows,
            covered=self._covered,
            refused=self._holes,
            oldest=self._oldest or 0,
            is_cut=self.is_cut,
            is_blank=self.pages > 0 and self._rows == 0,
        )

    def writes(self, page: ChartPage, checked: _Checked) -> Sequence[Write]:
        """Turn a page into what is to be committed: its own rows and, while folding, those built of them."""
        self.pages += 1
        self._rows += page.rows
        write = self._write(page, checked)
        self._covered |= write.covered
        first_of_newest = self.pages == 1 and self._fetch.base_day is None
        if first_of_newest and self._rules.fold and self._fetch.series.timeframe is Timeframe.M5:
            return [write, *folded_writes(write, self._rules.fold, self._calendar, self._rules.settle)]
        return [write]

    def _write(self, page: ChartPage, checked: _Checked) -> Write:
        series, sound, rejected = self._fetch.series, checked.sound, checked.rejected
        final = final_mask(series.timeframe, sound.ts, page.asked_at, self._calendar, self._rules.settle)
        if rejected:
            reasons = dict(Counter(row.reason for row in rejected))
            log.warning("row.quarantined", series=str(series), rows=len(rejected), reasons=reasons)
        return Write(
            candles=sound.marked(final),
            covered=self._proved(page, sound, rejected),
            rejected=rejected,
            api_id=CHART_API_IDS[series.timeframe],
            asked_at=page.asked_at,
            is_newest=self.pages == 1 and self._fetch.base_day is None and page.rows > 0,
            chains=self._chains(page),
            cause=self._cause,
        )

    def _chains(self, page: ChartPage) -> tuple[Chain, ...]:
        """Say what the running volumes of a 5m page prove, rows that the checks refuse included."""
        if self._fetch.series.timeframe is not Timeframe.M5:
            return ()
        rows = Counted(page.candles.ts, page.candles.volume, page.running_volume)
        if self._cut is not None:
            rows = rows.before(self._cut)
        chains, self._cut = chains_of(rows, page.asked_at, is_last=page.is_last)
        return chains

    def _proved(self, page: ChartPage, candles: Candles, rejected: Sequence[RejectedRow]) -> RangeSet:
        """Say which range this page shows in full: from its oldest row to where the page before began.

        Rows that were refused leave a hole, whatever a later page says of that range, and their times prove
        nothing; one without a readable time makes the whole page prove nothing.
        """
        sound, times = candles.ts, [row.ts for row in rejected if row.ts is not None]
        self._holes |= RangeSet.of(*map(self._span, times))
        self._saw(sound, times)
        if not len(sound):
            self._upper = None
            return self._nothing_older(page)
        upper = self._top(page.asked_at, candles) if self._upper is None else self._upper
        is_end = self._evidence.ends(page, int(sound[0]), page.asked_at)
        lower = _BEGINNING if is_end else int(sound[0])
        self._upper, self.edge = int(sound[0]), int(candles.open[0])
        if len(times) < len(rejected):
            self._holes |= RangeSet.of((lower, upper))
        timeframe = self._fetch.series.timeframe
        shown = final_ranges(timeframe, lower, upper, page.asked_at, self._calendar, self._rules.settle)
        return shown - self._holes

    def _nothing_older(self, page: ChartPage) -> RangeSet:
        """Say what an answer without candles shows: nothing, unless it confirms where the history begins."""
        series, end = self._fetch.series, self._fetch.end
        is_first_and_empty = self.pages == 1 and not page.rows and self._fetch.base_day is not None
        if not is_first_and_empty or not self._evidence.is_end_confirmed(series, end, page.asked_at):
            return EMPTY
        return final_ranges(
            series.timeframe, _BEGINNING, end, page.asked_at, self._calendar, self._rules.settle
        )

    def _saw(self, sound: Ints, others: Sequence[datetime]) -> None:
        """Remember the oldest row, whether it is a candle or not."""
        seen = [*sound[:1].tolist(), *(int(ts.timestamp()) for ts in others)]
        seen += [] if self._oldest is None else [self._oldest]
        self._oldest = min(seen, default=None)

    def _top(self, asked_at: datetime, candles: Candles) -> int:
        """Say up to when the first page shows everything: when it was asked for, or its base day's end.

        A newest page that may be an old one shows nothing after its newest row.
        """
        newest = int(candles.ts[-1])
        if self._fetch.base_day is None:
            if self._evidence.silence.is_doubtful(candles, asked_at, self._calendar):
                log.warning("page.silent", series=str(self._fetch.series), newest=newest)
                return candle_end(self._calendar, candles.timeframe, newest)
            return int(asked_at.timestamp())
        return max(newest + 1, min(self._fetch.end, int(asked_at.timestamp())))

    def _span(self, ts: datetime) -> tuple[int, int]:
        start = int(ts.timestamp())
        return start, candle_end(self._calendar, self._fetch.series.timeframe, start)
