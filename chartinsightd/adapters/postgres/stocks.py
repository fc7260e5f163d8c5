"""The list of stocks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection, to_text
from chartinsightd.adapters.postgres.odd_rows import OddRows
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.stock_list import KnownStocks
from chartinsightd.domain.write import Written
from chartinsightd.ports.broker import ListedStock

_SMALLEST_SHARE = 0.9
"""Of the known stocks; a shorter list is a broken answer, not a market that shrank overnight."""


class PostgresStocks:
    """Implements `ports.StockStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def save_stocks(
        self,
        stocks: Sequence[ListedStock],
        tracked: frozenset[str],
        at: datetime,
        unreadable: frozenset[str] = frozenset(),
    ) -> Written:
        """Replace the list: new ones are added, changed ones updated, missing ones get `delisted_on`.

        Args:
            stocks: the whole list; of a symbol that comes twice the last one counts.
            tracked: the symbols whose candles are collected.
            at: when the list was read, aware; its KST day becomes `delisted_on`.
            unreadable: symbols that are listed and whose rows could not be read; they stay as they are.

        Returns:
            What became of `stocks`; those that left the list are not counted.

        Raises:
            StoreRefused: the list has less than nine tenths of the known stocks; nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        new = {stock.symbol: _row(stock, stock.symbol in tracked) for stock in stocks}
        async with self._link.use() as connection, connection.transaction():
            old = {row["symbol"]: tuple(row) for row in await connection.fetch(_SELECT)}
            _check_length(
                len(new.keys() | unreadable), sum(row[_DELISTED_ON] is None for row in old.values())
            )
            changes = [row for symbol, row in new.items() if old.get(symbol) != row]
            if changes:
                await connection.executemany(_UPSERT, [(*row, at) for row in changes])
            await _mark_missing(connection, old.values(), new.keys() | unreadable, tracked, at)
        inserted = len(new.keys() - old.keys())
        changed = len(changes) - inserted
        return Written(inserted=inserted, changed=changed, unchanged=len(stocks) - len(changes))

    async def known_stocks(self) -> KnownStocks:
        """Return what the last list said."""
        async with self._link.use() as connection:
            rows = self._odd.readable("stocks", await connection.fetch(_KNOWN), lambda row: row)
        listed = [row for row in rows if row["delisted_on"] is None]
        return KnownStocks(
            listed=frozenset(row["symbol"] for row in listed),
            priced=frozenset(row["symbol"] for row in listed if row["last_price"] > 0),
            delisted={row["symbol"]: row["delisted_on"] for row in rows if row["delisted_on"] is not None},
        )


_COLUMNS = (
    "symbol",
    "name",
    "market",
    "listed_shares",
    "last_price",
    "market_cap",
    "state",
    "order_warning",
    "nxt_enabled",
    "listed_on",
    "delisted_on",
    "tracked",
)
_DELISTED_ON, _TRACKED = _COLUMNS.index("delisted_on"), _COLUMNS.index("tracked")
_SELECT = f"select {', '.join(_COLUMNS)} from stocks"
_UPSERT = (
    f"insert into stocks ({', '.join(_COLUMNS)}, updated_at) "
    f"values ({', '.join(f'${i}' for i in range(1, len(_COLUMNS) + 2))}) "
    "on conflict (symbol) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS[1:], "updated_at"))
    # Only rows that differ are sent; the condition keeps the promise true for later callers.
    + f" where (stocks.{', stocks.'.join(_COLUMNS)})"
    + f" is distinct from (excluded.{', excluded.'.join(_COLUMNS)})"
)
_KNOWN = "select symbol, last_price, delisted_on from stocks"
_MARK = "update stocks set delisted_on = $2, tracked = $3, updated_at = $4 where symbol = $1"


def _row(stock: ListedStock, is_tracked: bool) -> tuple[Any, ...]:
    return (
        stock.symbol,
        to_text(stock.name),
        stock.market,
        stock.listed_shares,
        stock.last_price,
        stock.market_cap,
        to_text(stock.state),
        to_text(stock.order_warning),
        stock.nxt_enabled,
        stock.listed_on,
        stock.delisted_on,
        is_tracked,
    )


def _check_length(new: int, known: int) -> None:
    if new < known * _SMALLEST_SHARE:
        raise StoreRefused(
            f"The new list has {new} stocks, {known} are known: "
            "it is taken for incomplete and was not stored.",
            remedy="Nothing is lost; the next list is tried as usual. If the market really shrank, "
            "set delisted_on of the missing ones by hand.",
        )


async def _mark_missing(
    connection: Connection,
    old: Iterable[tuple[Any, ...]],
    listed: Iterable[str],
    tracked: frozenset[str],
    at: datetime,
) -> None:
    today, listed = day_of(at), frozenset(listed)
    marks = [
        (row[0], row[_DELISTED_ON] or today, row[0] in tracked, at)
        for row in old
        if row[0] not in listed and (row[_DELISTED_ON] is None or row[_TRACKED] != (row[0] in tracked))
    ]
    if marks:
        await connection.executemany(_MARK, marks)
