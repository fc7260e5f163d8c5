"""Coverage in PostgreSQL: which ranges of which series are complete and final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe

log = structlog.get_logger(__name__)


async def read(connection: Connection) -> dict[Series, RangeSet]:
    """Return the coverage of every series; a row that cannot be one of ours covers nothing."""
    rows = await connection.fetch(_READ, _TIMEFRAMES)
    odd = await connection.fetchval(f"select count(*) from coverage where not ({_IS_OURS})", _TIMEFRAMES)
    if odd:
        log.warning("coverage.odd_rows_ignored", rows=odd)
    return {
        Series(symbol=row["symbol"], timeframe=Timeframe(row["timeframe"])): RangeSet.of(
            *zip(row["starts"], row["ends"], strict=True)
        )
        for row in rows
    }


async def replace(connection: Connection, changes: Mapping[Series, tuple[RangeSet, RangeSet]]) -> None:
    """Turn the stored coverage of some series from (old) into (new); unchanged ranges are not touched."""
    gone, grown, come = [], [], []
    for series, (old, new) in changes.items():
        name = (series.symbol, str(series.timeframe))
        before, after = dict(old.spans), dict(new.spans)
        gone += [(*name, _time(start)) for start in before.keys() - after.keys()]
        for start, end in after.items():
            if start not in before:
                come.append((*name, _time(start), _time(end)))
            elif before[start] != end:
                grown.append((*name, _time(start), _time(end)))
    # An update of a row known to be there logs half of what "on conflict" does; this runs with every new
    # candle.
    if grown:
        await connection.execute(_UPDATE, *_columns(grown, 4))
    if gone or come:
        await connection.execute(_REPLACE, *_columns(gone, 3), *_columns(come, 4))


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[i] for row in rows] for i in range(width)]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_TIMEFRAMES = [str(timeframe) for timeframe in Timeframe]
_IS_OURS = "timeframe = any($1) and isfinite(from_ts) and isfinite(to_ts)"

_READ = f"""
select symbol, timeframe, array_agg(extract(epoch from from_ts)::bigint order by from_ts) as starts,
    array_agg(extract(epoch from to_ts)::bigint order by from_ts) as ends
from coverage where {_IS_OURS} group by symbol, timeframe
"""

_UPDATE = """
update coverage c set to_ts = u.to_ts
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    as u(symbol, timeframe, from_ts, to_ts)
where c.symbol = u.symbol and c.timeframe = u.timeframe and c.from_ts = u.from_ts
"""

_REPLACE = """
with gone as (
    delete from coverage c
    using unnest($1::text[], $2::text[], $3::timestamptz[]) as u(symbol, timeframe, from_ts)
    where c.symbol = u.symbol and c.timeframe = u.timeframe and c.from_ts = u.from_ts
)
insert into coverage (symbol, timeframe, from_ts, to_ts)
select * from unnest($4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
"""
"""No range is both: one that begins where an old one did is grown."""
