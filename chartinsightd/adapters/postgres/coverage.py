"""Coverage in PostgreSQL: which ranges of which series are complete and final."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from chartinsightd.adapters.postgres.link import Connection
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe


async def read(connection: Connection) -> dict[Series, RangeSet]:
    """Return the coverage of every series."""
    rows = await connection.fetch(
        "select symbol, timeframe, "
        "array_agg(extract(epoch from from_ts)::bigint order by from_ts) as starts, "
        "array_agg(extract(epoch from to_ts)::bigint order by from_ts) as ends "
        "from coverage group by symbol, timeframe"
    )
    return {
        Series(symbol=row["symbol"], timeframe=Timeframe(row["timeframe"])): RangeSet.of(
            *zip(row["starts"], row["ends"], strict=True)
        )
        for row in rows
    }


async def replace(connection: Connection, changes: Mapping[Series, tuple[RangeSet, RangeSet]]) -> None:
    """Turn the stored coverage of some series from (old) into (new); unchanged ranges are not touched."""
    gone = [
        (series.symbol, str(series.timeframe), _time(start))
        for series, (old, new) in changes.items()
        for start in {start for start, _ in old.spans} - {start for start, _ in new.spans}
    ]
    come = [
        (series.symbol, str(series.timeframe), _time(start), _time(end))
        for series, (old, new) in changes.items()
        for start, end in sorted(set(new.spans) - set(old.spans))
    ]
    if gone:
        await connection.execute(_DELETE, *map(list, zip(*gone, strict=True)))
    if come:
        await connection.execute(_UPSERT, *map(list, zip(*come, strict=True)))


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_DELETE = """
delete from coverage c using unnest($1::text[], $2::text[], $3::timestamptz[]) as u(symbol, timeframe, from_ts)
where c.symbol = u.symbol and c.timeframe = u.timeframe and c.from_ts = u.from_ts
"""

_UPSERT = """
insert into coverage (symbol, timeframe, from_ts, to_ts)
select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
on conflict (symbol, timeframe, from_ts) do update set to_ts = excluded.to_ts
"""
