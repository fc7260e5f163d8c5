"""Keeps forming candles in the table, marked as not final: many at once, and nothing that is known better."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.forming import Forming
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.write import Write
from chartinsightd.ports.candles import CandleStore
from chartinsightd.service.state.current_rules import CurrentRules

log = structlog.get_logger(__name__)


class ProvisionalRows:
    """Writes forming candles past the writer: what the store does not take now comes again with more trades.

    Args:
        store: the table; it never replaces a final candle by one that is not.
        current_rules: the calendar in force.
        is_collected: whether final candles of a series will follow; no others are kept.
    """

    def __init__(
        self, store: CandleStore, current_rules: CurrentRules, is_collected: Callable[[Series], bool]
    ) -> None:
        self._store = store
        self._current_rules = current_rules
        self._is_collected = is_collected
        self._read_until: dict[Series, int] = {}
        """The start of the newest closed candle that a chart showed, in seconds since the epoch."""

    def note(self, writes: Sequence[Write]) -> None:
        """Hear what was read from charts: it is better than what trades give. Called for every commit.

        A chart shows the running candle too; that one is only as old as the question.
        """
        for write in writes:
            if (newest := self._newest_closed(write)) is not None:
                self._read_until[write.series] = max(newest, self._read_until.get(write.series, newest))

    def _newest_closed(self, write: Write) -> int | None:
        asked_at = int(write.asked_at.timestamp()) if write.asked_at is not None else 0
        calendar, timeframe = self._current_rules.calendar, write.series.timeframe
        for ts, is_final in zip(write.candles.ts[::-1].tolist(), write.candles.final[::-1], strict=True):
            if is_final or candle_end(calendar, timeframe, ts) <= asked_at:
                return int(ts)
        return None

    async def save(self, forming: Iterable[Forming]) -> None:
        """Keep candles of collected series whose beginning was seen and whose chart has not been read yet."""
        by_series: dict[Series, list[Candle]] = {}
        for one in forming:
            series = Series(symbol=one.candle.symbol, timeframe=one.candle.timeframe)
            if self._is_worth_keeping(series, one):
                by_series.setdefault(series, []).append(one.candle)
        writes = [
            Write(candles=Candles.of(series.symbol, series.timeframe, candles), covered=EMPTY)
            for series, candles in by_series.items()
        ]
        if not writes:
            return
        try:
            await self._store.save(writes)
        except StoreError as error:
            log.debug("live.not_kept", error=str(error))

    def _is_worth_keeping(self, series: Series, one: Forming) -> bool:
        candle = one.candle
        begins = int(candle.ts.timestamp())
        knows_its_beginning = one.unexplained_since is None or one.unexplained_since > candle.ts
        is_news = knows_its_beginning and begins > self._read_until.get(series, begins - 1)
        return is_news and self._is_collected(series)
