"""The newest committed candles, for readers of the event stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from chartinsightd.control.events import EventHub
from chartinsightd.control.protocol.events import CandleChange
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.series import Series
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.state.feed import CommitFeed

_LOOKED_AT = 3
"""Newest candles of a page: the one that forms, and those that became final since the read before."""


class CommittedCandles:
    """Remembers what changed since the last call, while the hub has readers.

    Args:
        hub: the event stream.
        commits: what the writer committed.
    """

    def __init__(self, hub: EventHub, commits: CommitFeed) -> None:
        self._hub = hub
        self._newest: dict[Series, Candles] = {}
        self._told: dict[Series, int] = {}
        """Start of the last final candle of each series that was returned."""
        self._touched: set[Series] = set()
        commits.subscribe(self._on_commit)

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        if self._hub.has_readers:
            for write, result in zip(writes, written, strict=True):
                self._remember(write, result)

    def take_changes(self) -> list[CandleChange]:
        """Return what is new since the last call: of each series the final candles, and the forming one."""
        newest, self._newest = self._newest, {}
        return [change for series, candles in newest.items() for change in self._news(series, candles)]

    def _news(self, series: Series, candles: Candles) -> Iterator[CandleChange]:
        """Yield the final candles after the last one told, and the newest candle in any case."""
        newest = int(candles.ts[-1])
        for place, ts in enumerate(candles.ts.tolist()):
            is_news = bool(candles.final[place]) and ts > self._told.get(series, newest - 1)
            if is_news:
                self._told[series] = ts
            if is_news or ts == newest:
                yield _change(series, candles, place)

    def take_touched(self) -> list[Series]:
        """Return the series with a commit since the last call."""
        touched, self._touched = self._touched, set()
        return list(touched)

    def _remember(self, write: Write, result: Written) -> None:
        self._touched.add(write.series)
        is_newest = write.is_newest or write.asked_at is None  # what is folded is as new as its page
        if is_newest and len(write.candles) and (result.inserted or result.changed):
            self._newest[write.series] = write.candles.where(slice(-_LOOKED_AT, None))


def _change(series: Series, candles: Candles, place: int) -> CandleChange:
    row = CandleRow(
        ts=datetime.fromtimestamp(int(candles.ts[place]), UTC),
        open=int(candles.open[place]),
        high=int(candles.high[place]),
        low=int(candles.low[place]),
        close=int(candles.close[place]),
        volume=int(candles.volume[place]),
        value=None if candles.value is None else int(candles.value[place]),
        final=bool(candles.final[place]),
    )
    return CandleChange(symbol=series.symbol, timeframe=series.timeframe, candle=row)
