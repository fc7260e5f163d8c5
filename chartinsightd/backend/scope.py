"""Which symbols and timeframes a request means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from chartinsightd.control.handlers import UnknownThing
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.service.state.collected_stocks import CollectedStocks

StockNames = Callable[[], Awaitable[Mapping[str, str]]]
"""Returns the name of every stock that is or was listed, by symbol."""


class Scope:
    """Fills in what a request leaves out, and refuses symbols that no list holds.

    Args:
        names: of every stock.
        collected: what is collected now.
        timeframes: what is collected of each symbol.
        venue: whose trades are meant.
        trades: whether a symbol is traded there.
    """

    def __init__(
        self,
        *,
        names: StockNames,
        collected: CollectedStocks,
        timeframes: Sequence[Timeframe],
        venue: Venue = Venue.KRX,
        trades: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._names = names
        self._collected = collected
        self._timeframes = tuple(timeframes)
        self._venue = venue
        self._trades = trades

    @property
    def is_known(self) -> bool:
        """Whether the tracked symbols are known: not before a list of stocks was read, now or earlier."""
        return self._collected.is_known

    async def check(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """Return the symbols, each once.

        Raises:
            UnknownThing: one of them is in no stock list, or not traded at the venue.
        """
        named = tuple(dict.fromkeys(symbols))
        names = await self._names() if named else {}
        for symbol in named:
            if symbol not in names:
                raise unlisted(symbol)
            if not self._trades(symbol):
                raise _not_traded(symbol, self._venue)
        return named

    async def symbols_or_tracked(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """Return the symbols, or every tracked one where none is named.

        Raises:
            UnknownThing: one of them is in no stock list, or not traded at the venue.
        """
        return await self.check(symbols) or self._collected.symbols

    def timeframes(self, asked: Iterable[Timeframe]) -> tuple[Timeframe, ...]:
        """Return the timeframes, each once, or the collected ones where none is named."""
        return tuple(dict.fromkeys(asked)) or self._timeframes


def unlisted(symbol: str) -> UnknownThing:
    """Return the refusal of a symbol that no list holds."""
    return UnknownThing(
        f"{symbol} is in no stock list.",
        remedy="`chartinsightctl symbols list` shows all; `symbols sync` reads it again.",
    )


def _not_traded(symbol: str, venue: Venue) -> UnknownThing:
    return UnknownThing(
        f"{symbol} is not traded on {venue}, by the stock list.",
        remedy="`chartinsightctl symbols list --columns symbol,name,nxt_enabled` shows which stocks are.",
    )
