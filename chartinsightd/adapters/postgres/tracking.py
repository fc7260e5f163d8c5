"""Symbols added and removed by hand, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chartinsightd.adapters.postgres.connection import ReconnectingConnection, to_text
from chartinsightd.adapters.postgres.odd_rows import OddRows


class PostgresTracking:
    """Implements `ports.TrackingStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def tracking(self) -> dict[str, bool]:
        """Return the symbols added (True) and removed (False) by hand."""
        async with self._link.use() as connection:
            rows = await connection.fetch("select symbol, tracked from tracking order by changed_at, symbol")
        return dict(self._odd.readable("tracking", rows, lambda row: (row["symbol"], row["tracked"])))

    async def set_tracking(self, symbols: Sequence[str], tracked: bool, at: datetime, by: str) -> None:
        """Remember what a person wants of these symbols, and mark them so in the list of stocks."""
        async with self._link.use() as connection, connection.transaction():
            await connection.execute(_UPSERT, list(symbols), tracked, at, to_text(by))
            await connection.execute(_MARK, list(symbols), tracked, at)


_UPSERT = """
insert into tracking (symbol, tracked, changed_at, changed_by) select unnest($1::text[]), $2, $3, $4
on conflict (symbol) do update
set tracked = excluded.tracked, changed_at = excluded.changed_at, changed_by = excluded.changed_by
"""
_MARK = """
update stocks set tracked = $2, updated_at = $3 where symbol = any($1::text[]) and tracked is distinct from $2
"""
