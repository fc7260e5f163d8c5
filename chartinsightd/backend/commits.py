"""What the writer committed: counted for the day, remembered as proof that data flows, told to readers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from chartinsightd.backend.audience import Audience
from chartinsightd.backend.quarantine_probe import QuarantineProbe, Refusals
from chartinsightd.clock import Clock
from chartinsightd.control.protocol.events import CandleChange
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.series import Series
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.state.feed import CommitFeed


class Commits:
    """Counts every commit.

    Args:
        clock: whose day counts.
        audience: single candles are remembered only while it has readers.
        feed: the commits.
    """

    def __init__(self, clock: Clock, audience: Audience, feed: CommitFeed) -> None:
        self._clock = clock
        self._audience = audience
        self._day: date | None = None
        self._today = Written()
        self._total = Written()
        self._pages = 0
        self._last_s: float | None = None
        self._quarantine = QuarantineProbe(clock)
        self._newest: dict[Series, Candles] = {}
        self._touched: set[Series] = set()
        feed.subscribe(self._on_commit)

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        """Count a commit."""
        self._begin_day()
        rows = sum(written, start=Written())
        self._today += rows
        self._total += rows
        self._pages += len(writes)
        self._last_s = self._clock.monotonic()
        self._quarantine.add(writes, rows)
        if self._audience.is_listening:
            for write, result in zip(writes, written, strict=True):
                self._remember(write, result)

    @property
    def today(self) -> Written:
        """Rows since 00:00 KST, or since the daemon's start where that was later."""
        self._begin_day()
        return self._today

    @property
    def total(self) -> Written:
        """Rows since the daemon's start."""
        return self._total

    @property
    def pages(self) -> int:
        """Pages since the daemon's start."""
        return self._pages

    @property
    def age_s(self) -> float:
        """Seconds of the clock since the last commit; infinite before the first."""
        return float("inf") if self._last_s is None else self._clock.monotonic() - self._last_s

    def refused_lately(self) -> Refusals:
        """Return what was refused in the last ten minutes."""
        return self._quarantine.lately()

    def take_changes(self) -> list[CandleChange]:
        """Return the newest candle of each series that got news since the last call."""
        newest, self._newest = self._newest, {}
        return [_change(series, candles) for series, candles in newest.items()]

    def take_touched(self) -> list[Series]:
        """Return the series of which anything was committed since the last call."""
        touched, self._touched = self._touched, set()
        return list(touched)

    def _begin_day(self) -> None:
        today = day_of(self._clock.now())
        if today != self._day:
            self._day, self._today = today, Written()

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
