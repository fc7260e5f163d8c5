"""What is missing, and why, in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.ports.stores import Gap

_Key = tuple[str, str, datetime]
_Rest = tuple[datetime, str, dict[str, Any]]
_SLICE = 500
"""Gaps compared before others may run: some milliseconds. A first load of the whole market has thousands."""


class PostgresGaps:
    """Implements `ports.GapStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link

    async def replace_gaps(self, gaps: Sequence[Gap], at: datetime) -> None:
        """Make the list of gaps equal to this one; a gap that was there already keeps its `since`.

        A gap is the same one as long as its series and its beginning are; its end, its reason and its
        evidence may change. Of several with one beginning the last one counts.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        new: dict[_Key, _Rest] = {}
        for start in range(0, len(gaps), _SLICE):
            new |= {_key(gap): _rest(gap) for gap in gaps[start : start + _SLICE]}
            await asyncio.sleep(0)
        async with self._link.use() as connection, connection.transaction():
            gone: list[_Key] = []
            async for row in connection.cursor(_SELECT, prefetch=_SLICE):
                key, rest = tuple(row)[:3], tuple(row)[3:]
                if key not in new:
                    gone.append(key)
                elif new[key] == rest:
                    del new[key]
            come = [(*key, *rest, at) for key, rest in new.items()]
            if gone:
                await connection.executemany(_DELETE, gone)
            if come:
                await connection.executemany(_UPSERT, come)


def _key(gap: Gap) -> _Key:
    return gap.series.symbol, str(gap.series.timeframe), gap.from_ts


def _rest(gap: Gap) -> _Rest:
    return gap.to_ts, str(gap.reason), dict(gap.evidence)


_SELECT = "select symbol, timeframe, from_ts, to_ts, reason, evidence from gaps"
_DELETE = "delete from gaps where symbol = $1 and timeframe = $2 and from_ts = $3"
_UPSERT = """
insert into gaps (symbol, timeframe, from_ts, to_ts, reason, evidence, since)
values ($1, $2, $3, $4, $5, $6::jsonb, $7)
on conflict (symbol, timeframe, from_ts) do update
set to_ts = excluded.to_ts, reason = excluded.reason, evidence = excluded.evidence
"""
