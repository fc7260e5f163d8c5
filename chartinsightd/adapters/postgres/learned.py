"""What the market showed of single days, in PostgreSQL."""

from __future__ import annotations

from datetime import date

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.domain.silence import LearnedDay


class PostgresLearnedDays:
    """Implements `ports.LearnedDayStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link

    async def learned_days(self) -> list[LearnedDay]:
        """Return all, oldest day first."""
        async with self._link.use() as connection:
            rows = await connection.fetch(
                "select day, kind = 'open' as is_open, evidence, learned_at, confirmed_at"
                " from learned_days order by day"
            )
        return [LearnedDay(**row) for row in rows]

    async def save_learned_day(self, learned: LearnedDay) -> None:
        """Keep a day, in the place of what was kept of it."""
        async with self._link.use() as connection:
            await connection.execute(
                _UPSERT,
                learned.day,
                "open" if learned.is_open else "closed",
                learned.evidence,
                learned.learned_at,
                learned.confirmed_at,
            )

    async def forget_learned_day(self, day: date) -> None:
        """Keep nothing of a day any more."""
        async with self._link.use() as connection:
            await connection.execute("delete from learned_days where day = $1", day)


_UPSERT = """
insert into learned_days (day, kind, evidence, learned_at, confirmed_at) values ($1, $2, $3, $4, $5)
on conflict (day) do update set kind = excluded.kind, evidence = excluded.evidence,
    learned_at = excluded.learned_at, confirmed_at = excluded.confirmed_at
"""
