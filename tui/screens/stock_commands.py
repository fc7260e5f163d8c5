"""The palette's answers about stocks: by code, by name, or by the first consonants of a name."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from chartinsight_tui.context import Context
from chartinsight_tui.messages import ShowChart
from chartinsight_tui.search import found
from chartinsightd.domain.foreign_text import printable

_MOST = 10
_TIMEFRAMES = {
    "5": "5m",
    "5m": "5m",
    "30": "30m",
    "30m": "30m",
    "1h": "1h",
    "일": "1d",
    "1d": "1d",
    "주": "1w",
    "1w": "1w",
}
"""The last word may name the timeframe: `삼성 5`, `ㅅㅅㅈㅈ 일`."""


class StockCommands(Provider):
    """Finds stocks; Enter shows the chart."""

    async def discover(self) -> Hits:
        """Offer nothing before something is typed."""
        return
        yield DiscoveryHit("", lambda: None)

    async def search(self, query: str) -> Hits:
        """Yield the stocks that a text finds, the exact ones first."""
        context: Context = self.app.context  # type: ignore[attr-defined]
        name, timeframe = _split(query)
        for place, stock in enumerate(found(name, context.store.stocks.values(), _MOST)):
            words = f"{printable(stock.name)}  {stock.symbol}"
            show = partial(self.app.post_message, ShowChart(stock.symbol, timeframe))
            yield Hit(
                1.0 - place / 100, words, show, text=words, help=context.words[f"timeframe.{timeframe}"]
            )


def _split(query: str) -> tuple[str, str]:
    """Return what names the stock, and the timeframe."""
    first, _, last = query.strip().rpartition(" ")
    if first and last in _TIMEFRAMES:
        return first, _TIMEFRAMES[last]
    return query.strip(), "1d"
