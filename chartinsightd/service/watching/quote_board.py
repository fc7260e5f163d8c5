"""The latest quote of every stock, from whoever heard of it last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from chartinsightd.domain.kst import day_of
from chartinsightd.domain.quote import Quote, QuoteSource, newer_quote
from chartinsightd.domain.trade import Trade
from chartinsightd.service.live.forming_candles import FormingCandles

_QUIET = timedelta(seconds=60)


class QuoteBoard:
    """Holds quotes; each change has a number, so that a reader asks for what is new to it alone.

    Trades are looked at when somebody asks, not when they come: a stream of thousands a second costs nothing
    while nobody watches.

    Args:
        forming: the trades of the live stream; None where it is off.
        registered: whose trades come now.
        note: told each quote that is taken.
    """

    def __init__(
        self,
        *,
        forming: FormingCandles | None,
        registered: Callable[[], frozenset[str]],
        note: Callable[[Quote], None],
    ) -> None:
        self._forming = forming
        self._registered = registered
        self._note = note
        self._quotes: dict[str, Quote] = {}
        self._numbers: dict[str, int] = {}
        """By symbol, the number of its last change; the newest last."""
        self._seen: dict[str, Trade] = {}
        self._live: frozenset[str] = frozenset()
        self._number = 0

    @property
    def number(self) -> int:
        """The number of the newest change; 0 before the first."""
        return self._number

    @property
    def live(self) -> frozenset[str]:
        """Symbols whose quote is that of the present: every trade of them comes."""
        return self._live

    def take(self, quotes: Iterable[Quote]) -> None:
        """Take what a round brought."""
        for quote in quotes:
            self._put(newer_quote(self._quotes.get(quote.symbol), quote))

    def look(self) -> None:
        """Take the newest trades of the live stream."""
        live = self._registered() if self._forming is not None else frozenset()
        for symbol in live ^ self._live:
            self._touch(symbol)
        self._live = live
        if self._forming is None:
            return
        for symbol in self._forming.symbols:
            trade = self._forming.newest_trade(symbol)
            if trade is not None and trade is not self._seen.get(symbol):
                self._seen[symbol] = trade
                self._put(newer_quote(self._quotes.get(symbol), _quote_of(trade)))

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Return what is known of symbols; those of which nothing is are left out."""
        return {symbol: self._quotes[symbol] for symbol in symbols if symbol in self._quotes}

    def changed_after(self, number: int) -> Sequence[str]:
        """Return the symbols whose quote changed after a number, the newest first."""
        found = []
        for symbol, changed in reversed(self._numbers.items()):
            if changed <= number:
                break
            found.append(symbol)
        return found

    def needs_round(self, symbol: str, now: datetime) -> bool:
        """Whether a round must ask for a stock: trades that come, and a base of today, are enough.

        A stock that has not traded for a while is asked for: a stream that fell silent looks the same.
        """
        known = self._quotes.get(symbol)
        if symbol not in self._live or known is None or known.base is None:
            return True
        return day_of(known.read_at) != day_of(now) or now - known.read_at > _QUIET

    def _put(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote
        self._note(quote)
        self._touch(quote.symbol)

    def _touch(self, symbol: str) -> None:
        self._number += 1
        self._numbers.pop(symbol, None)
        self._numbers[symbol] = self._number


def _quote_of(trade: Trade) -> Quote:
    at = datetime.fromtimestamp(trade.at, UTC)
    day = trade.day
    return Quote(
        symbol=trade.symbol,
        price=trade.price,
        base=None,
        open=day.open if day else None,
        high=day.high if day else None,
        low=day.low if day else None,
        volume=trade.running_volume,
        value=trade.running_value,
        traded_at=at,
        read_at=at,
        source=QuoteSource.STREAM,
    )
