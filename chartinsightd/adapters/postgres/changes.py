"""The log of changes of candles in PostgreSQL: written in the transaction that changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.domain.changes import Change, ChangeKind
from chartinsightd.domain.timeframe import Timeframe

ALWAYS = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
"""The span of a change that concerns a whole history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChange:
    """A change that is about to be committed."""

    kind: ChangeKind
    symbol: str | None
    timeframe: Timeframe | None
    from_ts: datetime
    to_ts: datetime


async def note(connection: Connection, changes: Sequence[NewChange], at: datetime) -> None:
    """Number changes and write them down; the caller's transaction holds what they describe.

    The row of the counter stays locked until that transaction ends. So a reader that has seen a number has
    seen all smaller ones, whichever connection wrote them.
    """
    if not changes:
        return
    last = await connection.fetchval(_COUNT, len(changes))
    await connection.execute(
        _INSERT,
        at,
        list(range(last - len(changes) + 1, last + 1)),
        [str(change.kind) for change in changes],
        [change.symbol for change in changes],
        [None if change.timeframe is None else str(change.timeframe) for change in changes],
        [change.from_ts for change in changes],
        [change.to_ts for change in changes],
    )


class PostgresChangeLog:
    """Implements `ports.candles.ChangeLog`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection

    async def last_number(self) -> int:
        """Return the number of the newest change, 0 before the first."""
        async with self._connection.use() as connection:
            return int(await connection.fetchval("select last from change_counter"))

    async def changes_since(self, number: int, limit: int) -> list[Change]:
        """Return at most `limit` changes with larger numbers, in their order."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_SINCE, number, limit)
        return [_change(row) for row in rows]


def _change(row: Mapping[str, Any]) -> Change:
    timeframe = row["timeframe"]
    return Change(
        number=row["number"],
        at=row["at"],
        kind=ChangeKind(row["kind"]),
        symbol=row["symbol"],
        timeframe=None if timeframe is None else Timeframe(timeframe),
        from_ts=row["from_ts"],
        to_ts=row["to_ts"],
    )


_COUNT = """
insert into change_counter (last) select coalesce(max(number), 0) + $1::bigint from candle_changes
on conflict (only_row) do update set last = greatest(change_counter.last + $1, excluded.last) returning last
"""
"""Whatever somebody did to the counter: a number that is taken would stop every write."""
_INSERT = """
insert into candle_changes (at, number, kind, symbol, timeframe, from_ts, to_ts)
select $1::timestamptz, u.*
from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[]) as u
"""
_SINCE = """
select number, at, kind, symbol, timeframe, from_ts, to_ts from candle_changes
where number > $1 order by number limit $2
"""
