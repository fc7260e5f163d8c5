"""What the market showed of single days, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from chartinsightd.adapters.postgres.changes import NewChange, note
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.odd_rows import OddRows, named_values
from chartinsightd.domain.changes import ChangeKind
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.facts.krx import KST


class PostgresLearnedDays:
    """Implements `ports.LearnedDayStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def learned_days(self) -> list[LearnedDay]:
        """Return all, oldest day first."""
        async with self._link.use() as connection:
            rows = await connection.fetch(
                "select day, kind = 'open' as is_open, evidence, learned_at, confirmed_at"
                " from learned_days order by day"
            )
        return self._odd.readable("learned_days", rows, _learned)

    async def save_learned_day(self, learned: LearnedDay) -> None:
        """Keep a day, in the place of what was kept of it."""
        kind = "open" if learned.is_open else "closed"
        async with self._link.use() as connection, connection.transaction():
            before = await connection.fetchval("select kind from learned_days where day = $1", learned.day)
            await connection.execute(
                _UPSERT, learned.day, kind, learned.evidence, learned.learned_at, learned.confirmed_at
            )
            if before != kind:
                await note(connection, [_change(learned.day)], learned.learned_at)

    async def forget_learned_day(self, day: date, at: datetime) -> None:
        """Keep nothing of a day any more."""
        async with self._link.use() as connection, connection.transaction():
            if await connection.fetchval("delete from learned_days where day = $1 returning true", day):
                await note(connection, [_change(day)], at)


def _learned(row: Mapping[str, Any]) -> LearnedDay:
    return LearnedDay(**{**row, "evidence": named_values(row["evidence"])})


def _change(day: date) -> NewChange:
    """Return what the log of changes says: results over this day of any stock rest on another calendar."""
    start = datetime.combine(day, time(), KST).astimezone(UTC)
    return NewChange(
        kind=ChangeKind.LEARNED_DAY,
        symbol=None,
        timeframe=None,
        from_ts=start,
        to_ts=start + timedelta(days=1),
    )


_UPSERT = """
insert into learned_days (day, kind, evidence, learned_at, confirmed_at) values ($1, $2, $3, $4, $5)
on conflict (day) do update set kind = excluded.kind, evidence = excluded.evidence,
    learned_at = excluded.learned_at, confirmed_at = excluded.confirmed_at
"""
