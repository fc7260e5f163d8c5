"""Stocks as people look for them, with what a row of a watchlist shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chartinsightd.backend.analysis import series_analysis
from chartinsightd.backend.chart_columns import numbers
from chartinsightd.backend.radar import ChartSources, stock_fields
from chartinsightd.backend.scope import unlisted
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.paging import cursor_after, place_of
from chartinsightd.control.protocol.radar import (
    FoundStock,
    FoundStockList,
    LastEvent,
    RecentColumns,
    StockDetail,
    StockFindQuery,
    StockSeries,
    SymbolPath,
)
from chartinsightd.control.radar_operations import FIND_STOCKS, STOCK
from chartinsightd.domain.adjusted import AdjustedCandles
from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.initials import matches
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.ports.analysis import Findings
from chartinsightd.ports.archive import KnownStock, StockFilter
from chartinsightd.ports.candles import CandleSpan

_MOST_WITH_CANDLES = 100
_ALL = 20_000
"""More stocks than both markets ever listed."""
_RECENT_OF_ONE = 60


class StockFinder:
    """Finds stocks by code, name or first consonants.

    Args:
        sources: where stocks and their candles are read: those of KRX.
        collected_at: where candles of a symbol are collected.
    """

    def __init__(self, sources: ChartSources, *, collected_at: Callable[[str], tuple[Venue, ...]]) -> None:
        self._sources = sources
        self._collected_at = collected_at

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of single stocks and of the search."""
        handlers.add(FIND_STOCKS, self.find)
        handlers.add(STOCK, self.stock)

    async def find(self, query: StockFindQuery) -> FoundStockList:
        """Return stocks, the best match first, then the largest.

        Raises:
            ConfigurationError: the cursor belongs to another question.
        """
        wanted = StockFilter(
            symbols=query.symbol, markets=query.market, tracked=query.tracked, with_delisted=query.delisted
        )
        start = place_of(query, query.cursor) or 0
        found = await self._sources.archive.stocks(wanted, _ALL)
        ranked = _ranked(found.rows, query.q.strip())
        limit = min(query.limit, _MOST_WITH_CANDLES) if query.recent else query.limit
        page = ranked[start : start + limit]
        rows = (
            await self._with_recent(page, query.recent) if query.recent else [self._row(one) for one in page]
        )
        end = start + len(page)
        return FoundStockList(
            items=tuple(rows),
            total=len(ranked),
            cursor=cursor_after(query, end) if end < len(ranked) else None,
        )

    async def stock(self, path: SymbolPath) -> StockDetail:
        """Return one stock, and how each of its timeframes stands.

        Raises:
            UnknownThing: the symbol is in no stock list.
        """
        wanted = StockFilter(symbols=[path.symbol], with_delisted=True)
        found = await self._sources.archive.stocks(wanted, 1)
        if not found.rows:
            raise unlisted(path.symbol)
        [row] = await self._with_recent(found.rows, _RECENT_OF_ONE)
        series = [await self._series(path.symbol, timeframe) for timeframe in Timeframe]
        same = {name: getattr(row, name) for name in type(row).model_fields}
        return StockDetail(**same, series=tuple(series))

    async def _series(self, symbol: str, timeframe: Timeframe) -> StockSeries:
        sources, series = self._sources, Series(symbol=symbol, timeframe=timeframe)
        versions = await sources.reader.versions([symbol], timeframe)
        state = await sources.results.state(sources.analyser, series)
        return StockSeries(
            timeframe=timeframe,
            data_id=data_id(series, versions[symbol]),
            analysis=series_analysis(state, sources.analyser),
        )

    def _row(self, stock: KnownStock) -> FoundStock:
        return FoundStock(**stock_fields(stock), venues=self._collected_at(stock.symbol))

    async def _with_recent(self, stocks: Sequence[KnownStock], newest: int) -> list[FoundStock]:
        symbols = [stock.symbol for stock in stocks]
        candles = await self._sources.reader.read_many(
            symbols, Timeframe.D1, CandleSpan(newest=newest), with_forming=True
        )
        return [await self._whole_row(stock, candles[stock.symbol]) for stock in stocks]

    async def _whole_row(self, stock: KnownStock, candles: AdjustedCandles) -> FoundStock:
        sources, series = self._sources, Series(symbol=stock.symbol, timeframe=Timeframe.D1)
        first = _moment(int(candles.raw.ts[0])) if len(candles) else None
        found = await sources.results.findings(sources.analyser, series, start=first)
        trend = found.trends[-1] if found.trends else found.trend_before
        return FoundStock(
            **stock_fields(stock),
            venues=self._collected_at(stock.symbol),
            recent=_recent(candles),
            trend=trend.trend if trend else None,
            trend_since=_moment(trend.from_ts) if trend else None,
            last_event=_last_event(found),
        )


def _ranked(stocks: Sequence[KnownStock], words: str) -> list[KnownStock]:
    """Return the stocks that match: code or whole name first, then names that begin so, then others."""
    if not words:
        return list(stocks)
    ranks = ((_rank(stock, words), stock) for stock in stocks)
    found = [(rank, stock) for rank, stock in ranks if rank is not None]
    return [stock for _, stock in sorted(found, key=lambda pair: pair[0])]


def _rank(stock: KnownStock, words: str) -> int | None:
    """Return how well a stock matches, 0 best; None where it does not."""
    name, wanted = stock.name.casefold(), words.casefold()
    if stock.symbol == words.upper() or name == wanted:
        return 0
    if stock.symbol.startswith(words.upper()) or matches(wanted, name[: len(wanted)]):
        return 1
    return 2 if matches(wanted, name) else None


def _recent(candles: AdjustedCandles) -> RecentColumns:
    raw = candles.raw
    columns = {name: numbers(getattr(candles, name)) for name in ("open", "high", "low", "close", "volume")}
    return RecentColumns(ts=raw.ts.tolist(), final=raw.final.tolist(), **columns)


def _last_event(found: Findings) -> LastEvent | None:
    """Return what became known last; of things known at one close the pattern before trend and point."""
    events: list[LastEvent] = []
    if found.points:
        point = max(found.points, key=lambda one: (one.confirmed_at, one.grade == "primary"))
        events.append(
            LastEvent(
                what="point",
                kind=point.kind,
                grade=point.grade,
                price=point.price,
                confirmed_at=_moment(point.confirmed_at),
            )
        )
    if found.trends:
        trend = found.trends[-1]
        events.append(LastEvent(what="trend", kind=trend.trend, confirmed_at=_moment(trend.confirmed_at)))
    if found.patterns:
        pattern = found.patterns[-1]
        events.append(
            LastEvent(
                what="pattern",
                kind=pattern.kind,
                state=pattern.state,
                confirmed_at=_moment(pattern.confirmed_at),
            )
        )
    return max(reversed(events), key=lambda event: event.confirmed_at, default=None)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
