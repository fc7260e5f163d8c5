"""The watchlist on the home screen: name, price, change and the way of the price of its first stocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, big_won, clock_time, fit, number
from chartinsight_tui.quotes import Quote, change_words, percent_words, range_bar, trend_line, way_of
from chartinsight_tui.store import Part, Store
from chartinsight_tui.told import told
from chartinsight_tui.widgets.pane import Line, Piece, heading, wrapped
from chartinsightd.domain.kst import day_of

_OLD_S = 90.0
"""Older prices say in the heading since when: a round over all stocks may take a minute."""
_NAME = 16
_TREND_FROM, _TREND_MOST = 48, 24
"""Width from which the way of the price has room, and its most cells."""
_FIGURES_FROM = 96
"""Width from which volume, value and the day's range have room as well."""
_RANGE = 22


def watched(store: Store) -> list[str]:
    """Return the symbols of the watchlist in their owner's order, each once."""
    return list(dict.fromkeys(one.symbol for group in store.watch_groups for one in group.stocks))


def price_lines(context: Context, width: int, most: int) -> list[Line]:
    """Return a heading and a row a stock, together at most `most` lines."""
    store, palette = context.store, context.palette
    symbols = watched(store)[: max(0, most - 1)]
    head = heading(context.words["home.watch"], width, palette, _age(context, symbols))
    if not symbols:
        return [head, *_why_empty(context, width)][:most]
    return [head, *(_row(context, symbol, width) for symbol in symbols)]


def _why_empty(context: Context, width: int) -> Sequence[Line]:
    store, words = context.store, context.words
    failure = store.failures.get(Part.WATCH)
    known = "empty.watch" if Part.WATCH in store.loaded else "empty.loading"
    text = told(str(failure), words) if failure else words["home.not_recorded" if context.is_past else known]
    return [[(" ", context.palette.dim), *line] for line in wrapped(text, width - 2, context.palette.dim)]


def _age(context: Context, symbols: Sequence[str]) -> str:
    """Return the door to the whole list; where prices are old, since when, and how old they are."""
    known = [quote.read_at for one in symbols if (quote := context.store.quotes.get(one)) is not None]
    newest = max(known, default=None)
    words, status = context.words, context.store.status
    if newest is None or status is None:
        return words["home.all_watch"]
    read_at = datetime.fromtimestamp(newest, tz=status.clock.now.tzinfo)
    now = context.now()
    at = clock_time(read_at)[:5] if day_of(read_at) == day_of(now or status.clock.now) else f"{read_at:%m-%d}"
    if now is None:
        return words.put("home.prices_of", at=at)
    seconds = (now - read_at).total_seconds()
    if seconds < _OLD_S:
        return words["home.all_watch"]
    return words.put("home.prices_old", at=at, age=words.duration(seconds // 60 * 60 or seconds))


def _row(context: Context, symbol: str, width: int) -> Line:
    palette, store = context.palette, context.store
    name = store.name_of(symbol) or symbol
    quote = store.quotes.get(symbol)
    is_short = width < _TREND_FROM
    price = NOTHING if quote is None else number(quote.price)
    percent = NOTHING if quote is None else percent_words(quote.percent)
    figures = f"{price:>8} {percent:>7}" if is_short else f" {price:>9} {percent:>8}"
    room = width - cell_len(figures) - 1 if is_short else _NAME
    head: Piece = (f" {fit(name, room)}", palette.text)
    if quote is None:
        return [head, (figures, palette.faint)]
    return [head, (figures, palette.of(way_of(quote))), *([] if is_short else _rest(context, quote, width))]


def _rest(context: Context, quote: Quote, width: int) -> list[Piece]:
    """Return what a wide row has room for: volume, value, the day's range, the way of the price."""
    palette = context.palette
    room = width - _NAME - 23
    pieces: list[Piece] = []
    if width >= _FIGURES_FROM:
        figures = f" {change_words(quote):>8} {number(quote.volume):>12} {big_won(quote.value):>9}   "
        pieces = [(figures, palette.text), (range_bar(quote, _RANGE), palette.dim)]
        room -= len(figures) + _RANGE
    trend = trend_line(context.store.trends.get(quote.symbol, ()), min(_TREND_MOST, room))
    return [*pieces, (trend.rjust(room + 2), palette.of(way_of(quote)))]
