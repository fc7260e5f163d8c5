"""The groups of the watchlist in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.adapters.postgres.connection import ReconnectingConnection, to_text
from chartinsightd.domain.watch_groups import WatchGroup, WatchGroups


class PostgresWatchGroups:
    """Implements `ports.watching.WatchGroupStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link

    async def groups(self) -> WatchGroups | None:
        """Return the groups in their order; None before a person makes the first one."""
        async with self._link.use() as connection:
            rows = await connection.fetch("select name, symbols from watch_groups order by place")
        return tuple(WatchGroup(row["name"], tuple(row["symbols"])) for row in rows) or None

    async def replace(self, groups: WatchGroups, at: datetime) -> None:
        """Keep these groups and no others, whole or not at all."""
        rows = [(to_text(one.name), place, list(one.symbols), at) for place, one in enumerate(groups)]
        async with self._link.use() as connection, connection.transaction():
            await connection.execute("delete from watch_groups")
            await connection.executemany(
                "insert into watch_groups (name, place, symbols, changed_at) values ($1, $2, $3, $4)", rows
            )
