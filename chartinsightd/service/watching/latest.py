"""The latest price of any stock: its quote, or what its newest stored days say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from chartinsightd.clock import Clock
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.quote import Quote, QuoteSource
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.live import DayCandles
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.quote_board import QuoteBoard

_AT_ONCE = 200
"""Stocks of one read: a whole market in one piece would hold everything else up."""
_FRESH_S = 600.0
_DAYS_BACK = timedelta(days=20)
"""Two sessions lie within it, the longest holidays included."""


class LatestPrices:
    """Fills in from the store what no quote says, as on a closed day or for a stock that is not asked for.

    Args:
        board: the quotes.
        store: the daily candles.
        current_rules: the calendar in force.
        clock: what time it is.
    """

    def __init__(
        self, *, board: QuoteBoard, store: DayCandles, current_rules: CurrentRules, clock: Clock
    ) -> None:
        self._board = board
        self._store = store
        self._current_rules = current_rules
        self._clock = clock
        self._stored: dict[str, Quote | None] = {}
        self._read: tuple[date, float] | None = None

    async def of(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the latest of each; a stock without quote and candle is left out.

        Raises:
            StoreUnavailable: candles are needed, and the database is away.
        """
        self._board.look()
        found = self._board.quotes(symbols)
        lacking = [symbol for symbol in symbols if symbol not in found]
        await self._read_days(lacking)
        stored = {symbol: self._stored[symbol] for symbol in lacking}
        return found | {symbol: quote for symbol, quote in stored.items() if quote is not None}

    async def _read_days(self, symbols: Sequence[str]) -> None:
        day, now_s = day_of(self._clock.now()), self._clock.monotonic()
        if self._read is None or self._read[0] != day or now_s - self._read[1] > _FRESH_S:
            self._stored, self._read = {}, (day, now_s)
        new = [symbol for symbol in symbols if symbol not in self._stored]
        first, last = int(midnight(day - _DAYS_BACK).timestamp()), int(midnight(day).timestamp())
        for start in range(0, len(new), _AT_ONCE):
            spans = [(symbol, first, last) for symbol in new[start : start + _AT_ONCE]]
            found = await self._store.candles_of(Timeframe.D1, spans)
            self._stored |= {days.symbol: self._quote(days) for days in found}

    def _quote(self, days: Candles) -> Quote | None:
        if not len(days):
            return None
        ends_at = candle_end(self._current_rules.calendar, Timeframe.D1, int(days.ts[-1]))
        return Quote(
            symbol=days.symbol,
            price=int(days.close[-1]),
            base=int(days.close[-2]) if len(days) > 1 else None,
            open=int(days.open[-1]),
            high=int(days.high[-1]),
            low=int(days.low[-1]),
            volume=int(days.volume[-1]),
            value=None if days.value is None else int(days.value[-1]),
            read_at=datetime.fromtimestamp(ends_at, UTC),
            source=QuoteSource.CANDLES,
        )
