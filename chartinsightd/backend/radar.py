"""Charts with everything that belongs to them, and candles in columns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chartinsightd.backend.analysis import series_analysis
from chartinsightd.backend.chart_columns import (
    Chart,
    candle_columns,
    korean_times,
    leg_columns,
    line_through,
    patterns_of,
    point_columns,
    structure_of,
    trend_columns,
)
from chartinsightd.backend.labels import chart_labels
from chartinsightd.backend.scope import unlisted
from chartinsightd.backend.venues import ByVenue
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.paging import cursor_after, place_of
from chartinsightd.control.protocol.radar import (
    ChartAnalysis,
    ChartProof,
    ChartStock,
    MissingColumns,
    Radar,
    RadarQuery,
    RevisedColumns,
    SeriesCandles,
    SeriesCandlesQuery,
    SeriesQuery,
)
from chartinsightd.control.radar_operations import CANDLES_OF, RADAR
from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.grid import candle_ends, grid_between
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.series import Series
from chartinsightd.domain.venue import Venue
from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.ports.analysis import AnalysisState, AnalysisStore, Findings
from chartinsightd.ports.archive import Archive, KnownGap, KnownStock, Revision, StockFilter
from chartinsightd.ports.candles import CandleReader, CandleSpan
from chartinsightd.ports.labels import KnownLabel, LabelFilter, LabelStore
from chartinsightd.ports.radar import ChartStates
from chartinsightd.ports.stores import Seal
from chartinsightd.service.analysing.series_turn import MIN_CANDLES
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.task_group import together

_MOST_LABELS = 1_000
_MOST_PROOFS = 6_000
"""Gaps, revisions or seals that one chart looks at: more than its candles have sessions."""
_TAG_LENGTH = 20
_IN_NUMBERS = re.compile(r"(\d+) of (\d+) candles")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSources:
    """Where charts of one venue are read. None of the connections is shared with collecting."""

    reader: CandleReader
    results: AnalysisStore
    states: ChartStates
    labels: LabelStore
    archive: Archive
    current_rules: CurrentRules
    """The calendar."""
    analyser: str
    """Whose results; of a venue beside KRX there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read for one page of a chart."""

    stock: KnownStock
    data_id: str
    state: AnalysisState | None
    chart: Chart
    has_older: bool
    found: Findings
    labels: Sequence[KnownLabel]
    gaps: Sequence[KnownGap]
    revisions: Sequence[Revision]
    seals: Sequence[Seal]


class RadarBoard:
    """Answers charts.

    Args:
        venues: where they are read; the list of stocks is that of KRX.
        collected_at: where candles of a symbol are collected.
        now: the daemon's time.
    """

    def __init__(
        self,
        *,
        venues: ByVenue[ChartSources],
        collected_at: Callable[[str], tuple[Venue, ...]],
        now: Callable[[], datetime],
    ) -> None:
        self._venues = venues
        self._stocks = venues.of(Venue.KRX).archive
        self._collected_at = collected_at
        self._now = now

    def register(self, handlers: Handlers) -> None:
        """Offer charts and candles."""
        handlers.add(RADAR, self.radar)
        handlers.tag(RADAR, self.radar_tag)
        handlers.add(CANDLES_OF, self.candles)
        handlers.tag(CANDLES_OF, self.candles_tag)

    async def radar_tag(self, query: RadarQuery) -> str:
        """Return what a chart rests on; empty where a candle of it still forms."""
        series, sources = self._series(query), self._venues.of(query.venue)
        if not query.final and await sources.states.has_forming(series):
            return ""
        state = await sources.states.chart_state(sources.analyser, series, query.as_of)
        said = f"{series.symbol} {series.timeframe} {state}"
        if query.venue is not Venue.KRX:  # the state does not know of KRX's corporate actions, the id does
            said += f" {await self._data_id(series, query)}"
        return hashlib.sha256(said.encode()).hexdigest()[:_TAG_LENGTH]

    async def candles_tag(self, query: SeriesCandlesQuery) -> str:
        """Return the data id; empty where a candle still forms."""
        series = self._series(query)
        if not query.final and await self._venues.of(query.venue).states.has_forming(series):
            return ""
        return await self._data_id(series, query)

    async def candles(self, query: SeriesCandlesQuery) -> SeriesCandles:
        """Return candles of one series.

        Raises:
            UnknownThing: the symbol is in no stock list, or the venue is not collected.
            ConfigurationError: the cursor belongs to another question, or `as_of` lies in the future.
        """
        series, stock = self._series(query), await self._stock(query.symbol)
        named = await self._data_id(series, query)
        chart, has_older = await self._chart(query, query.from_ts, query.to_ts, query.limit)
        return SeriesCandles.model_construct(
            symbol=query.symbol,
            name=stock.name,
            timeframe=query.timeframe,
            venue=query.venue,
            adjusted=query.adjusted,
            as_of=query.as_of,
            data_id=named,
            candles=candle_columns(chart),
            cursor=cursor_after(query, int(chart.ts[0])) if has_older else None,
        )

    async def radar(self, query: RadarQuery) -> Radar:
        """Return a page of a chart.

        Raises:
            UnknownThing: the symbol is in no stock list, or the venue is not collected.
            ConfigurationError: the cursor belongs to another question, or `as_of` lies in the future.
        """
        series, sources = self._series(query), self._venues.of(query.venue)
        read = await self._read(series, query, sources)
        chart, found = read.chart, read.found
        labels, hidden = chart_labels(chart, read.labels, sources.current_rules.calendar, query.until)
        line = line_through(chart, found.points)
        is_newest = not query.cursor
        return Radar.model_construct(
            symbol=query.symbol,
            name=read.stock.name,
            timeframe=query.timeframe,
            venue=query.venue,
            venues=self._collected_at(query.symbol),
            adjusted=query.adjusted,
            until=query.until,
            as_of=query.as_of,
            data_id=read.data_id,
            code_id=sources.analyser,
            stock=chart_stock(read.stock),
            candles=candle_columns(chart),
            cursor=cursor_after(query, int(chart.ts[0])) if read.has_older else None,
            starts_here=not read.has_older,
            points=point_columns(chart, found.points),
            trends=trend_columns(found.trends),
            legs=leg_columns(line),
            structure=structure_of(chart, found.points, found.trends, line) if is_newest else None,
            patterns=patterns_of(chart, found.patterns),
            labels=labels,
            hidden_labels=hidden,
            proof=self._proof(series, query, read, sources),
            analysis=chart_analysis(read.state, sources.analyser),
        )

    async def _read(self, series: Series, query: RadarQuery, sources: ChartSources) -> _Read:
        """Read what a chart shows, over its three connections at once.

        The data id is asked for before the candles and the state before the findings: a change in between
        makes an answer newer than it says, never older.
        """
        results, archive = sources.results, sources.archive
        asked = [series.symbol], [series.timeframe], _MOST_PROOFS
        wanted = LabelFilter(symbols=[series.symbol], as_of=query.as_of)
        async with together() as group:
            stock = group.create_task(self._stock(series.symbol))
            state = group.create_task(results.state(sources.analyser, series))
            labels = group.create_task(sources.labels.find(wanted, _MOST_LABELS))
            gaps = group.create_task(archive.gaps(*asked))
            revisions = group.create_task(archive.revisions(*asked))
            named = await self._data_id(series, query, query.until)
            chart, has_older = await self._chart(query, None, query.until, query.limit, until=query.until)
            analysed = await state
            found = group.create_task(self._findings(series, chart, query))
            seals = group.create_task(self._seals(series, query, chart, archive))
        return _Read(
            stock=stock.result(),
            data_id=named,
            state=analysed,
            chart=chart,
            has_older=has_older,
            found=found.result(),
            labels=labels.result().rows,
            gaps=gaps.result().rows,
            revisions=revisions.result().rows,
            seals=seals.result(),
        )

    def _series(self, query: SeriesQuery) -> Series:
        if query.as_of is not None and query.as_of > self._now():
            raise ConfigurationError("as_of: nothing is known of the future.", remedy="Leave as_of out.")
        return Series(symbol=query.symbol, timeframe=query.timeframe)

    async def _stock(self, symbol: str) -> KnownStock:
        found = await self._stocks.stocks(StockFilter(symbols=[symbol], with_delisted=True), 1)
        if not found.rows:
            raise unlisted(symbol)
        return found.rows[0]

    async def _data_id(self, series: Series, query: SeriesQuery, until: datetime | None = None) -> str:
        reader = self._venues.of(query.venue).reader
        versions = await reader.versions([series.symbol], series.timeframe, query.as_of)
        return data_id(series, versions[series.symbol], until=until, venue=query.venue)

    async def _chart(
        self,
        query: SeriesQuery,
        start: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        until: datetime | None = None,
    ) -> tuple[Chart, bool]:
        """Return the newest candles before the cursor, and whether there are older ones."""
        if (place := place_of(query, query.cursor)) is not None:
            end = datetime.fromtimestamp(place, UTC)
        # One candle at the end may not be over by `until`, and one at the beginning tells of older ones.
        spare = 1 if until is None else 2
        sources = self._venues.of(query.venue)
        found = await sources.reader.read(
            query.symbol,
            query.timeframe,
            CandleSpan(start=start, end=end, newest=limit + spare),
            as_of=query.as_of,
            with_forming=not query.final,
        )
        closes_at = candle_ends(sources.current_rules.calendar, query.timeframe, found.raw.ts)
        over = len(found)
        if until is not None:
            over = int(np.searchsorted(closes_at, int(until.timestamp()), side="right"))
        chosen = slice(max(0, over - limit), over)
        chart = Chart(found.where(chosen), closes_at[chosen], is_adjusted=query.adjusted)
        return chart, over > limit

    async def _findings(self, series: Series, chart: Chart, query: RadarQuery) -> Findings:
        """Return what was found among these candles, and the trend in force where they begin."""
        if not len(chart):
            return Findings()
        sources = self._venues.of(query.venue)
        results, code = sources.results, sources.analyser
        first = datetime.fromtimestamp(int(chart.ts[0]), UTC)
        last = int(chart.ts[-1])
        found = await results.findings(code, series, start=first, until=query.until, as_of=query.as_of)
        before = found.trend_before
        trends = [one for one in found.trends if one.from_ts <= last]
        return Findings(
            points=[one for one in found.points if one.ts <= last],
            trends=trends if before is None else [before, *trends],
            patterns=[one for one in found.patterns if one.ts <= last],
        )

    def _shown_to(self, query: RadarQuery, chart: Chart) -> int:
        """Return where the stretch of a page ends: an older page with its candles, the newest with the moment
        it is of, so that what is late at the end shows as missing."""
        closes = [int(close) for close in chart.closes_at[-1:]]
        if not query.cursor:
            closes.append(int((query.until or query.as_of or self._now()).timestamp()))
        return max(closes, default=0)

    async def _seals(
        self, series: Series, query: RadarQuery, chart: Chart, archive: Archive
    ) -> Sequence[Seal]:
        """Return the seals of the days that a page shows."""
        if not len(chart):
            return ()
        first, end = int(chart.ts[0]), self._shown_to(query, chart)
        days = day_of(datetime.fromtimestamp(first, UTC)), day_of(datetime.fromtimestamp(end - 1, UTC))
        found = await archive.seals([series.symbol], [], *days, _MOST_PROOFS)
        return found.rows

    def _proof(self, series: Series, query: RadarQuery, read: _Read, sources: ChartSources) -> ChartProof:
        chart = read.chart
        if not len(chart):
            return ChartProof()
        first, end = int(chart.ts[0]), self._shown_to(query, chart)
        expected = grid_between(sources.current_rules.calendar, series.timeframe, first, end).ts
        missing = np.setdiff1d(expected, chart.ts, assume_unique=True).tolist() if read.gaps else []
        return proof_of(chart, read.seals, read.revisions, _missing(missing, read.gaps))


def proof_of(
    chart: Chart, seals: Sequence[Seal], revisions: Sequence[Revision], missing: MissingColumns
) -> ChartProof:
    """Return what is proved of the candles."""
    times: dict[int, int] = {}
    for revision in revisions:
        ts = int(revision.old.ts.timestamp())
        if chart.place_of(ts) is not None:
            times[ts] = times.get(ts, 0) + 1
    open_days = sorted(seal.day for seal in seals if seal.state != "sealed")
    return ChartProof(
        sessions=len(seals) if seals else None,
        proved=len(seals) - len(open_days) if seals else None,
        unproved=tuple(open_days),
        revised=RevisedColumns(ts=sorted(times), times=[times[ts] for ts in sorted(times)]),
        missing=missing,
    )


def _missing(starts: Sequence[int], gaps: Sequence[KnownGap]) -> MissingColumns:
    """Return which of the starts without a candle lie in a gap: elsewhere nothing was traded."""
    spans = [(one.gap.from_ts.timestamp(), one.gap.to_ts.timestamp(), one.gap) for one in gaps]
    found = [(ts, gap) for ts in starts for first, end, gap in spans if first <= ts < end]
    return MissingColumns(
        ts=[ts for ts, _ in found],
        ts_kst=korean_times([ts for ts, _ in found]),
        reason=[gap.reason for _, gap in found],
        words=[str(gap.evidence.get("told", "")) for _, gap in found],
    )


def chart_stock(stock: KnownStock) -> ChartStock:
    """Return a stock as charts and lists show it."""
    return ChartStock(**stock_fields(stock))


def stock_fields(stock: KnownStock) -> dict[str, object]:
    """Return a stock as the page shows it."""
    delisting = DELISTED.get(stock.symbol)
    names = ("symbol", "name", "market", "market_cap", "last_price", "state", "order_warning", "tracked")
    return {
        **{name: getattr(stock, name) for name in names},
        "listed_on": stock.listed_on,
        "delisted_on": stock.delisted_on or (delisting.day if delisting else None),
        "successor": delisting.successor if delisting else None,
        "successor_name": TARGETS.get(delisting.successor, "") if delisting else "",
    }


def chart_analysis(state: AnalysisState | None, code: str) -> ChartAnalysis:
    """Return how far the analysis is."""
    said = series_analysis(state, code)
    counted = _IN_NUMBERS.fullmatch(said.reason)
    needs = MIN_CANDLES - int(counted[1]) if counted else 0
    return ChartAnalysis(**said.model_dump(), needs=max(0, needs))
