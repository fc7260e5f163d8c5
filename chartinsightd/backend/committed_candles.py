"""The newest committed candles, for readers of the event stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chartinsightd.control.events import EventHub
from chartinsightd.control.protocol.events import CandleChange
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.series import Series
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.state.feed import CommitFeed


class CommittedCandles:
    """Remembers what changed since the last call, while the hub has readers.

    Args:
        hub: the event stream.
        commits: what the writer committed.
    """

    def __init__(self, hub: EventHub, commits: CommitFeed) -> None:
        self._hub = hub
        self._newest: dict[Series, Candles] = {}
        self._touched: set[Series] = set()
        commits.subscribe(self._on_commit)

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        if self._hub.has_readers:
            for write, result in zip(writes, written, strict=True):
                self._remember(write, result)

    def take_changes(self) -> list[CandleChange]:
        """Return the newest candle of each series that got news since the last call."""
        newest, self._newest = self._newest, {}
        return [_change(series, candles) for series, candles in newest.items()]

    def take_touched(self) -> list[Series]:
        """Return the series of which anything was committed since the last call."""
        touched, self._touched = self._touched, set()
        return list(touched)

    def _remember(self, write: Write, result: Written) -> None:
        self._touched.add(write.series)
        is_newest = write.is_newest or write.asked_at is None  # what is folded is as new as its page
        if is_newest and len(write.candles) and (result.inserted or result.changed):
            self._newest[write.series] = write.candles.where(slice(-1, None))


def _change(series: Series, candles: Candles) -> CandleChange:
    row = CandleRow(
        ts=datetime.fromtimestamp(int(candles.ts[0]), UTC),
        open=int(candles.open[0]),
        high=int(candles.high[0]),
        low=int(candles.low[0]),
        close=int(candles.close[0]),
        volume=int(candles.volume[0]),
        value=None if candles.value is None else int(candles.value[0]),
        final=bool(candles.final[0]),
    )
    return CandleChange(symbol=series.symbol, timeframe=series.timeframe, candle=row)
