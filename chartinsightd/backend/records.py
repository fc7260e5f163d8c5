"""Queries of the archive: its rows as messages, with the names of their stocks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict

from chartinsightd.backend.scope import StockNames, unlisted
from chartinsightd.backend.venues import ByVenue
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import (
    ADJUSTMENTS,
    CANDLE_TEXT,
    CANDLES,
    GAPS,
    QUARANTINE,
    REVISIONS,
    SEALS,
    STOCKS,
)
from chartinsightd.control.protocol.coverage import GapList, GapQuery, GapRow, SealList, SealQuery, SealRow
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    AdjustmentRow,
    CandleList,
    CandleQuery,
    CandleRow,
    CandleText,
    CandleTextQuery,
    QuarantinedRow,
    QuarantineList,
    QuarantineQuery,
    RevisionList,
    RevisionQuery,
    RevisionRow,
    StockList,
    StockQuery,
    StockRow,
)
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.finality import known_at
from chartinsightd.domain.series import Series
from chartinsightd.domain.venue import Venue
from chartinsightd.ports.archive import Archive, KnownAction, KnownGap, Revision, StockFilter
from chartinsightd.service.state.current_rules import CurrentRules

_SLICE = 1_000
"""Candles turned into messages before others may run: some milliseconds."""


class Records:
    """Answers from the database.

    Args:
        archives: of each venue; what no venue has is asked of that of KRX.
        names: of every stock.
        rules: of each venue.
    """

    def __init__(
        self, *, archives: ByVenue[Archive], names: StockNames, rules: ByVenue[CurrentRules]
    ) -> None:
        self._archives = archives
        self._archive = archives.of(Venue.KRX)
        self._names = names
        self._rules = rules

    def register(self, handlers: Handlers) -> None:
        """Offer the operations that read the archive."""
        handlers.add(STOCKS, self.stocks)
        handlers.add(CANDLES, self.candles)
        handlers.add(CANDLE_TEXT, self.candle_text)
        handlers.add(GAPS, self.gaps)
        handlers.add(SEALS, self.seals)
        handlers.add(REVISIONS, self.revisions)
        handlers.add(ADJUSTMENTS, self.adjustments)
        handlers.add(QUARANTINE, self.quarantine)

    async def stocks(self, query: StockQuery) -> StockList:
        """Return the stock list."""
        wanted = StockFilter(
            symbols=query.symbol,
            search=query.search,
            markets=query.market,
            tracked=query.tracked,
            with_delisted=query.delisted,
        )
        found = await self._archive.stocks(wanted, query.limit)
        items: list[StockRow] = []
        for start in range(0, len(found.rows), _SLICE):
            items += [StockRow.model_construct(**asdict(row)) for row in found.rows[start : start + _SLICE]]
            await asyncio.sleep(0)
        return StockList.model_construct(items=tuple(items), total=found.total)

    async def candles(self, query: CandleQuery) -> CandleList:
        """Return candles of one series, the forming one included.

        Raises:
            UnknownThing: the symbol is in no stock list, or the venue is not collected.
        """
        names = await self._names()
        if query.symbol not in names:
            raise unlisted(query.symbol)
        series = Series(symbol=query.symbol, timeframe=query.timeframe)
        one_more = await self._one_more(series, query)
        candles = one_more[-query.limit :]
        rows: list[CandleRow] = []
        for start in range(0, len(candles), _SLICE):
            rows += [_candle_row(candle) for candle in candles[start : start + _SLICE]]
            await asyncio.sleep(0)
        return CandleList.model_construct(
            symbol=query.symbol,
            name=names[query.symbol],
            timeframe=query.timeframe,
            adjusted=query.adjusted,
            as_of=query.as_of,
            items=tuple(rows),
            has_older=len(one_more) > len(candles) or await self._has_before(series, query, rows),
        )

    async def candle_text(self, query: CandleTextQuery) -> CandleText:
        """Return candles of one series as lines of CSV.

        Raises:
            UnknownThing: the symbol is in no stock list, or the venue is not collected.
        """
        if query.symbol not in await self._names():
            raise unlisted(query.symbol)
        found = await self._archives.of(query.venue).candle_text(
            Series(symbol=query.symbol, timeframe=query.timeframe),
            query.from_ts,
            query.to_ts,
            query.limit,
            adjusted=query.adjusted,
            final_only=query.final,
        )
        return CandleText.model_construct(**asdict(found))

    async def _one_more(self, series: Series, query: CandleQuery) -> list[Candle]:
        """Return the candles asked for, and the one before them where there is one."""
        limit, archive = query.limit + 1, self._archives.of(query.venue)
        if query.as_of is None:
            return await archive.candles(series, query.from_ts, query.to_ts, limit, adjusted=query.adjusted)
        # one more, because the newest of them may not have been over
        end = min(query.to_ts or query.as_of, query.as_of)
        found = await archive.candles(
            series, query.from_ts, end, limit + 1, adjusted=False, as_of=query.as_of
        )
        rules = self._rules.of(query.venue).rules
        return known_at(found, query.as_of, rules.calendar, rules.refresh.settle)[-limit:]

    async def _has_before(self, series: Series, query: CandleQuery, rows: list[CandleRow]) -> bool:
        """Whether the store holds candles before a range that the answer fills."""
        before = rows[0].ts if rows else query.from_ts
        if query.from_ts is None or before is None:
            return False
        archive = self._archives.of(query.venue)
        return bool(await archive.candles(series, None, before, 1, adjusted=False))

    async def gaps(self, query: GapQuery) -> GapList:
        """Return what is missing, and why."""
        found = await self._archives.of(query.venue).gaps(query.symbol, query.timeframe, query.limit)
        names = await self._names()
        return GapList(items=tuple(_gap_row(row, names) for row in found.rows), total=found.total)

    async def seals(self, query: SealQuery) -> SealList:
        """Return what the mornings after proved."""
        found = await self._archives.of(query.venue).seals(
            query.symbol, query.state, query.from_day, query.to_day, query.limit
        )
        names = await self._names()
        items = tuple(SealRow(name=names.get(row.symbol, ""), **asdict(row)) for row in found.rows)
        return SealList(items=items, total=found.total)

    async def revisions(self, query: RevisionQuery) -> RevisionList:
        """Return changes of final candles."""
        archive = self._archives.of(query.venue)
        found = await archive.revisions(query.symbol, query.timeframe, query.limit, query.ts)
        names = await self._names()
        return RevisionList(items=tuple(_revision_row(row, names) for row in found.rows), total=found.total)

    async def adjustments(self, query: AdjustmentQuery) -> AdjustmentList:
        """Return the ledger of corporate actions."""
        found = await self._archive.adjustments(query.symbol, query.limit)
        names = await self._names()
        items = tuple(_adjustment_row(row, names) for row in found.rows)
        return AdjustmentList(items=items, total=found.total)

    async def quarantine(self, query: QuarantineQuery) -> QuarantineList:
        """Return rows that could not be candles."""
        found = await self._archives.of(query.venue).quarantine(query.symbol, query.limit)
        items = tuple(QuarantinedRow(**asdict(row)) for row in found.rows)
        return QuarantineList(items=items, total=found.total)


def _candle_row(candle: Candle) -> CandleRow:
    return CandleRow.model_construct(
        ts=candle.ts,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        value=candle.value,
        final=candle.final,
    )


def _adjustment_row(known: KnownAction, names: Mapping[str, str]) -> AdjustmentRow:
    return AdjustmentRow(
        symbol=known.symbol,
        name=names.get(known.symbol, ""),
        ex_date=known.action.ex_date,
        price_factor=float(known.action.price_factor),
        volume_factor=float(known.action.volume_factor),
        found_at=known.found_at,
        evidence=known.action.evidence,
    )


def _gap_row(known: KnownGap, names: Mapping[str, str]) -> GapRow:
    gap = known.gap
    return GapRow(
        symbol=gap.series.symbol,
        name=names.get(gap.series.symbol, ""),
        timeframe=gap.series.timeframe,
        from_ts=gap.from_ts,
        to_ts=gap.to_ts,
        reason=gap.reason,
        evidence=gap.evidence,
        since=known.since,
    )


def _revision_row(revision: Revision, names: Mapping[str, str]) -> RevisionRow:
    old = revision.old
    return RevisionRow(
        symbol=old.symbol,
        name=names.get(old.symbol, ""),
        timeframe=old.timeframe,
        ts=old.ts,
        changed_at=revision.changed_at,
        old=_candle_row(old),
        new=_candle_row(revision.new),
        cause=revision.cause,
    )
