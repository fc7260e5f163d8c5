"""The way of the price today: closes of five minutes, for the small line beside a quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.quote import Quote
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.live import DayCandles

_STEP_S = 300
_LONGEST = 24
"""Closes of one line: two hours."""
_FRESH_S = 240.0
"""Stored candles are read again after this long: later ones have closed by then."""
_DAY_S = 86_400


@dataclass(slots=True)
class _Line:
    """The closes of one stock and day, by the start of their five minutes in seconds since the epoch."""

    day: date
    seen: dict[int, int] = field(default_factory=dict)
    stored: dict[int, int] = field(default_factory=dict)
    read_s: float | None = None


class Trends:
    """Puts stored candles and the prices of quotes together.

    Args:
        store: where the candles of today are kept, the forming one included.
        clock: what time it is.
    """

    def __init__(self, store: DayCandles, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lines: dict[str, _Line] = {}

    def note(self, quote: Quote) -> None:
        """Remember the price of a quote."""
        if quote.traded_at is None:
            return
        start, day = int(quote.traded_at.timestamp()) // _STEP_S * _STEP_S, day_of(quote.traded_at)
        line = self._line(quote.symbol, day)
        if line.day == day:
            line.seen[start] = quote.price

    async def of(self, symbols: Sequence[str]) -> Mapping[str, list[int]]:
        """Return the newest closes of today, oldest first; the last one may still form."""
        today = day_of(self._clock.now())
        await self._read({symbol: self._line(symbol, today) for symbol in symbols}, today)
        return {symbol: _closes(self._lines[symbol], today) for symbol in symbols}

    def _line(self, symbol: str, day: date) -> _Line:
        line = self._lines.get(symbol)
        if line is None or line.day < day:
            line = self._lines[symbol] = _Line(day)
        return line

    async def _read(self, lines: Mapping[str, _Line], day: date) -> None:
        now_s, start = self._clock.monotonic(), int(midnight(day).timestamp())
        old = [one for one, line in lines.items() if line.read_s is None or now_s - line.read_s > _FRESH_S]
        try:
            found = await self._store.candles_of(
                Timeframe.M5, [(symbol, start, start + _DAY_S - 1) for symbol in old]
            )
        except StoreError:
            return
        for symbol, candles in zip(old, found, strict=True):
            lines[symbol].read_s = now_s
            lines[symbol].stored = dict(zip(candles.ts.tolist(), candles.close.tolist(), strict=True))


def _closes(line: _Line, today: date) -> list[int]:
    if line.day != today:
        return []
    closes = line.seen | line.stored
    if line.seen and (newest := max(line.seen)) == max(closes):
        closes[newest] = line.seen[newest]  # the stored one may be some seconds older
    return [closes[start] for start in sorted(closes)][-_LONGEST:]
