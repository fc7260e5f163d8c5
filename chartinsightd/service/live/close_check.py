"""Compares what trades gave with what the broker's chart says of the same candle: a figure, no judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import structlog

from chartinsightd.domain.candle import Candle
from chartinsightd.domain.forming import Forming
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.service.live.forming_candles import FormingCandles

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFigures:
    """What became of a symbol's 5m candles of one day."""

    compared: int = 0
    differing: int = 0
    """Another price or volume than the chart's."""
    wrong: int = 0
    """Differing although every share was explained: the stream and the chart contradict each other."""
    unseen: int = 0
    """In the chart, and no trade of it was seen while the symbol was registered."""
    shares_missing: int = 0
    """Shares of the chart less those of the trades, over the differing ones."""


class CloseCheck:
    """Hears what is committed, and keeps the figures of the day.

    Args:
        forming: what the trades gave.
        registered_since: since when trades of a symbol came without a break, in seconds since the epoch; None
            where they do not come.
    """

    def __init__(self, forming: FormingCandles, registered_since: Mapping[str, int]) -> None:
        self._forming = forming
        self._registered_since = registered_since
        self._day: date | None = None
        self._figures: dict[str, CloseFigures] = {}
        self._compared_until: dict[str, int] = {}
        self._unseen_running: set[str] = set()

    @property
    def day(self) -> date | None:
        """The session the figures are of."""
        return self._day

    @property
    def figures(self) -> Mapping[str, CloseFigures]:
        """By symbol."""
        return self._figures

    @property
    def total(self) -> CloseFigures:
        """Over all symbols."""
        names = CloseFigures.__dataclass_fields__
        return CloseFigures(
            **{name: sum(getattr(one, name) for one in self._figures.values()) for name in names}
        )

    @property
    def deaf(self) -> frozenset[str]:
        """Registered symbols whose newest closed candle traded without a trade seen."""
        return frozenset(self._unseen_running)

    def forget_deaf(self) -> None:
        """Begin to look for them again."""
        self._unseen_running.clear()

    def note(self, writes: Sequence[Write]) -> None:
        """Compare the final 5m candles of today among what was committed; called for every commit."""
        for write in writes:
            is_read = write.asked_at is not None and write.series.timeframe is Timeframe.M5
            if is_read and write.series.symbol in self._registered_since:
                self._compare(write)

    def _compare(self, write: Write) -> None:
        session, symbol = self._forming.session, write.series.symbol
        if session is None:
            return
        if self._day != session.day:
            self._day, self._figures, self._compared_until = session.day, {}, {}
        candles = write.candles
        first = max(int(session.open_at.timestamp()), self._compared_until.get(symbol, 0) + 1)
        today = candles.where(candles.final & (candles.ts >= first))
        for read in today:
            if day_of(read.ts) == session.day:
                self._count(read, self._forming.candle(symbol, Timeframe.M5, int(read.ts.timestamp())))
                self._compared_until[symbol] = int(read.ts.timestamp())

    def _count(self, read: Candle, seen: Forming | None) -> None:
        symbol, since = read.symbol, self._registered_since[read.symbol]
        if seen is None:
            if since <= read.ts.timestamp():
                self._add(symbol, unseen=1)
                self._unseen_running.add(symbol)
            return
        self._unseen_running.discard(symbol)
        differs = _figures(seen.candle) != _figures(read)
        is_wrong = differs and seen.unexplained_since is None
        missing = read.volume - seen.candle.volume if differs else 0
        self._add(symbol, compared=1, differing=differs, wrong=is_wrong, shares_missing=missing)
        if is_wrong:
            log.info("live.close_differs", symbol=symbol, ts=read.ts, shares_missing=missing)

    def _add(self, symbol: str, **more: int) -> None:
        before = self._figures.get(symbol, CloseFigures())
        counts = {name: getattr(before, name) + int(count) for name, count in more.items()}
        self._figures[symbol] = replace(before, **counts)


def _figures(candle: Candle) -> tuple[int, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume
