"""Explains one candle: puts together what store, ledger, proofs and gaps say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chartinsightd.backend.records import Records
from chartinsightd.backend.scope import StockNames, unlisted
from chartinsightd.backend.venues import ByVenue, KeptVenue
from chartinsightd.clock import Clock
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import EXPLAIN
from chartinsightd.control.protocol.coverage import GapQuery, GapRow, SealQuery, SealRow
from chartinsightd.control.protocol.history import ExplainQuery, Explanation, Standing
from chartinsightd.control.protocol.rows import (
    AdjustmentQuery,
    AdjustmentRow,
    CandleQuery,
    CandleRow,
    RevisionQuery,
)
from chartinsightd.domain.grid import candle_at, candle_end
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe

_MOST = 10_000
"""Rows of gaps and adjustments of one stock that are looked through."""


class Explanations:
    """Answers what is known of one candle.

    Args:
        records: rows of the archive.
        names: of every stock.
        venues: what is covered and should be stored of each, by its calendar.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        records: Records,
        names: StockNames,
        venues: ByVenue[KeptVenue],
        clock: Clock,
    ) -> None:
        self._records = records
        self._names = names
        self._venues = venues
        self._clock = clock

    def register(self, handlers: Handlers) -> None:
        """Offer the explanation."""
        handlers.add(EXPLAIN, self.explain)

    async def explain(self, query: ExplainQuery) -> Explanation:
        """Return one candle with all that is known of it.

        Raises:
            UnknownThing: the symbol is in no stock list, or the venue is not collected.
        """
        names = await self._names()
        if query.symbol not in names:
            raise unlisted(query.symbol)
        kept = self._venues.of(query.venue)
        calendar = kept.current_rules.calendar
        start = candle_at(calendar, query.timeframe, int(query.at.timestamp()))
        if start is None:
            return Explanation(
                symbol=query.symbol,
                name=names[query.symbol],
                timeframe=query.timeframe,
                venue=query.venue,
                at=query.at,
                standing=Standing.NO_SESSION,
            )
        ts, ends_at = _utc(start), _utc(candle_end(calendar, query.timeframe, start))
        series = Series(symbol=query.symbol, timeframe=query.timeframe)
        state = kept.ledger.state(series)
        candle = await self._candle(query, ts)
        is_covered = start in state.covered
        return Explanation(
            symbol=query.symbol,
            name=names[query.symbol],
            timeframe=query.timeframe,
            venue=query.venue,
            at=query.at,
            ts=ts,
            ends_at=ends_at,
            standing=self._standing(candle, ts, ends_at, kept, series, is_covered=is_covered),
            candle=candle,
            covered=is_covered,
            read_at=state.read_at,
            revisions=(
                await self._records.revisions(
                    RevisionQuery(
                        symbol=(query.symbol,), timeframe=(query.timeframe,), ts=ts, venue=query.venue
                    )
                )
            ).items,
            gap=await self._gap(query, ts),
            seal=await self._seal(query, ts),
            adjustments=await self._adjustments(query, ts),
        )

    def _standing(
        self,
        candle: CandleRow | None,
        ts: datetime,
        ends_at: datetime,
        kept: KeptVenue,
        series: Series,
        *,
        is_covered: bool,
    ) -> Standing:
        now = self._clock.now()
        if candle is not None and candle.final:
            return Standing.FINAL
        if now < ts:
            return Standing.AHEAD
        if now < ends_at:
            return Standing.FORMING
        if candle is not None:
            return Standing.UNCONFIRMED
        if is_covered:
            return Standing.NO_TRADE
        expected = kept.expectations.of_series(series)
        is_expected = kept.scheduler.collects(series) and expected.start <= ts.timestamp() < expected.until
        return Standing.MISSING if is_expected else Standing.NOT_KEPT

    async def _candle(self, query: ExplainQuery, ts: datetime) -> CandleRow | None:
        found = await self._records.candles(
            CandleQuery(
                symbol=query.symbol,
                timeframe=query.timeframe,
                from_ts=ts,
                to_ts=ts + timedelta(seconds=1),
                limit=1,
                venue=query.venue,
            )
        )
        return next(iter(found.items), None)

    async def _gap(self, query: ExplainQuery, ts: datetime) -> GapRow | None:
        wanted = GapQuery(
            symbol=(query.symbol,), timeframe=(query.timeframe,), limit=_MOST, venue=query.venue
        )
        gaps = await self._records.gaps(wanted)
        return next((gap for gap in gaps.items if gap.from_ts <= ts < gap.to_ts), None)

    async def _seal(self, query: ExplainQuery, ts: datetime) -> SealRow | None:
        if query.timeframe is Timeframe.W1:
            return None
        day = day_of(ts)
        seals = await self._records.seals(
            SealQuery(symbol=(query.symbol,), from_day=day, to_day=day, limit=1, venue=query.venue)
        )
        return next(iter(seals.items), None)

    async def _adjustments(self, query: ExplainQuery, ts: datetime) -> tuple[AdjustmentRow, ...]:
        found = await self._records.adjustments(AdjustmentQuery(symbol=(query.symbol,), limit=_MOST))
        return tuple(one for one in found.items if one.ex_date > day_of(ts))


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
