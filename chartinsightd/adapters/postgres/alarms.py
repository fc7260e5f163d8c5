"""Alarms that people set, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import ReconnectingConnection, to_text
from chartinsightd.adapters.postgres.odd_rows import OddRows
from chartinsightd.domain.alarm import AlarmKind, AlarmRule, AlarmState
from chartinsightd.ports.alarms import Alarm


class PostgresAlarms:
    """Implements `ports.alarms.AlarmStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def alarms(self) -> list[Alarm]:
        """Return all, the oldest first."""
        async with self._link.use() as connection:
            rows = await connection.fetch("select * from alarms order by id")
        return self._odd.readable("alarms", rows, _alarm)

    async def add_alarm(self, rule: AlarmRule, at: datetime, by: str) -> Alarm:
        """Keep a new one, and return it with its number."""
        values = (rule.kind, rule.symbol, rule.level, rule.is_multiple, to_text(rule.screen), rule.set_on)
        async with self._link.use() as connection:
            return _alarm(await connection.fetchrow(_ADD, *values, at, to_text(by)))

    async def remove_alarms(self, ids: Sequence[int]) -> None:
        """Forget alarms; those that are not there are no error."""
        async with self._link.use() as connection:
            await connection.execute("delete from alarms where id = any($1::bigint[])", list(ids))

    async def save_alarms(self, alarms: Sequence[Alarm]) -> None:
        """Keep what alarms remember, all or none; one that was removed meanwhile stays removed."""
        async with self._link.use() as connection, connection.transaction():
            await connection.executemany(_SAVE, [_remembered(alarm) for alarm in alarms])


def _remembered(alarm: Alarm) -> tuple[Any, ...]:
    state = alarm.state
    seen = (state.met, state.day, state.high, state.low, state.fired_on)
    return (alarm.id, *seen, alarm.fired_at, to_text(alarm.fired_words), alarm.told_at)


def _alarm(row: Mapping[str, Any]) -> Alarm:
    rule = AlarmRule(
        kind=AlarmKind(row["kind"]),
        symbol=row["symbol"],
        level=row["level"],
        is_multiple=row["is_multiple"],
        screen=row["screen"],
        set_on=row["set_on"],
    )
    state = AlarmState(
        met=row["met"],
        day=row["seen_day"],
        high=row["seen_high"],
        low=row["seen_low"],
        fired_on=row["fired_on"],
    )
    kept = {name: row[name] for name in ("id", "created_at", "created_by", "fired_at", "told_at")}
    return Alarm(rule=rule, state=state, fired_words=row["fired_words"], **kept)


_ADD = """
insert into alarms (kind, symbol, level, is_multiple, screen, set_on, created_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
"""
_SAVE = """
update alarms set met = $2, seen_day = $3, seen_high = $4, seen_low = $5, fired_on = $6, fired_at = $7,
    fired_words = $8, told_at = $9
where id = $1
"""
