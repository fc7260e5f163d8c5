"""The watchlist for a person: prices with their change, the day's range, and how old that is."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, duration, number
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.watching import QuoteRow, Watch, WatchlistRows
from chartinsightd.domain.quote import QuoteSource
from chartinsightd.facts.krx import KST

_LEVELS = "▁▂▃▄▅▆▇█"
_TREND = 14
_OLD_S = 30.0
"""Older prices than this are marked."""
_MILLION = 1_000_000
_COLUMNS = (
    Column(title="symbol", rank=1),
    Column(title="name", cut=True),
    Column(title="price", right=True),
    Column(title="change", right=True),
    Column(title="%", right=True),
    Column(title="volume", right=True, rank=2),
    Column(title="value (M won)", right=True, rank=5),
    Column(title="low", right=True, rank=4),
    Column(title="high", right=True, rank=4),
    Column(title="5m trend", rank=3),
    Column(title="last trade", right=True),
    Column(title=""),
)


def render_watch(watch: Watch) -> RenderableType:
    """Return the groups with their prices."""
    rows: list[tuple[Cell, ...]] = []
    for group in watch.groups:
        if len(watch.groups) > 1 or group.name:
            rows.append(_heading(group.name or "watchlist", mean_change(group.quotes)))
        rows += [_row(quote, watch.at) for quote in group.quotes]
    if not rows:
        return Text("The watchlist is empty. `chartinsightctl watchlist add SYMBOL` puts a stock there.")
    return Group(FittedTable(_COLUMNS, rows), "", Text(f"{watch.at.astimezone(KST):%Y-%m-%d %H:%M:%S}"))


def render_watchlist(rows: WatchlistRows) -> RenderableType:
    """Return the groups and their stocks, each with its place."""
    columns = (
        Column(title="group", cut=True),
        Column(title="place", right=True),
        Column(title="symbol"),
        Column(title="name", cut=True),
    )
    cells = [
        (group.name or "watchlist", str(place), one.symbol, one.name)
        for group in rows.groups
        for place, one in enumerate(group.stocks, 1)
    ]
    empty = [group.name or "watchlist" for group in rows.groups if not group.stocks]
    words = f"empty: {', '.join(empty)}" if empty else ""
    return Group(FittedTable(columns, cells), "", Text(words)) if words else FittedTable(columns, cells)


def quote_line(quote: QuoteRow, at: datetime) -> str:
    """Return a quote as one line of a pipe, its columns parted by two blanks."""
    way = change_of(quote)
    return "  ".join(
        (
            f"{at.astimezone(KST):%H:%M:%S}",
            quote.symbol,
            quote.name,
            number(quote.price),
            NONE if way is None else f"{way[0]:+,}",
            NONE if way is None else f"{way[1]:+.2f}%",
            number(quote.volume),
            _origin(quote, at) or "live",
        )
    )


def change_of(quote: QuoteRow) -> tuple[int, float] | None:
    """Return the change of the day in won and in percent; None where it is not known."""
    if quote.price is None or not quote.base:
        return None
    change = quote.price - quote.base
    return change, 100 * change / quote.base


def mean_change(quotes: tuple[QuoteRow, ...]) -> float | None:
    """Return the mean of the changes in percent, of the stocks whose change is known."""
    known = [way[1] for one in quotes if (way := change_of(one)) is not None]
    return sum(known) / len(known) if known else None


def _heading(name: str, mean: float | None) -> tuple[Cell, ...]:
    told = "" if mean is None else f"{mean:+.2f}"
    return ("", Marked(name, "bold"), "", "", Marked(told, _style(mean)), *[""] * (len(_COLUMNS) - 5))


def _row(quote: QuoteRow, at: datetime) -> tuple[Cell, ...]:
    way = change_of(quote)
    style = _style(None if way is None else way[0])
    price = number(quote.price)
    traded = quote.traded_at
    return (
        quote.symbol,
        quote.name,
        Marked(price, style) if quote.live else Marked(price, "dim"),
        NONE if way is None else Marked(_arrow(way[0]), style),
        NONE if way is None else Marked(f"{way[1]:+.2f}", style),
        number(quote.volume),
        number(None if quote.value is None else quote.value // _MILLION),
        number(quote.low),
        number(quote.high),
        spark(quote.trend),
        NONE if traded is None else duration(max(0.0, (at - traded).total_seconds())),
        _age(quote, at),
    )


def spark(closes: tuple[int, ...]) -> str:
    """Return the newest closes as columns between the lowest and the highest of them."""
    shown = closes[-_TREND:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if low == high:
        return _LEVELS[3] * len(shown)
    return "".join(_LEVELS[(close - low) * 7 // (high - low)] for close in shown)


def _arrow(change: int) -> str:
    return f"{'▲' if change > 0 else '▼' if change < 0 else ' '}{abs(change):,}"


def _style(change: float | None) -> str:
    """Red rises, blue falls, as on Korean screens."""
    return "" if not change else "red" if change > 0 else "blue"


def _age(quote: QuoteRow, at: datetime) -> Cell:
    origin = _origin(quote, at)
    is_old = quote.read_at is not None and (at - quote.read_at).total_seconds() > _OLD_S
    return Marked(origin, "yellow" if is_old else "dim") if origin else ""


def _origin(quote: QuoteRow, at: datetime) -> str:
    """Return where a price that is not live is from, and how old it is; empty for a live one."""
    if quote.live:
        return ""
    if quote.read_at is None:
        return "not known"
    age = duration(max(0.0, (at - quote.read_at).total_seconds()))
    return "stored candles" if quote.source is QuoteSource.CANDLES else f"{age} old"
