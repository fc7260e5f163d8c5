"""The groups of the watchlist in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import ReconnectingConnection, to_text
from chartinsightd.adapters.postgres.odd_rows import OddRows
from chartinsightd.domain.watch_groups import WatchGroup, WatchGroups


class PostgresWatchGroups:
    """Implements `ports.watching.WatchGroupStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def groups(self) -> WatchGroups | None:
        """Return the groups in their order; None before a person makes the first one."""
        async with self._link.use() as connection:
            rows = await connection.fetch("select name, symbols from watch_groups order by place")
        return tuple(self._odd.readable("watch_groups", rows, _group)) or None

    async def replace(self, groups: WatchGroups, at: datetime) -> None:
        """Keep these groups and no others, whole or not at all."""
        rows = [(to_text(one.name), place, list(one.symbols), at) for place, one in enumerate(groups)]
        async with self._link.use() as connection, connection.transaction():
            await connection.execute("delete from watch_groups")
            await connection.executemany(
                "insert into watch_groups (name, place, symbols, changed_at) values ($1, $2, $3, $4)", rows
            )


def _group(row: Mapping[str, Any]) -> WatchGroup:
    if None in row["symbols"]:
        raise ValueError("a symbol is missing")
    return WatchGroup(row["name"], tuple(row["symbols"]))
