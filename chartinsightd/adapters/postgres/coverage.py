"""Coverage in PostgreSQL: which ranges of which series are complete and final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe

log = structlog.get_logger(__name__)


class CoverageDiffers(StoreUnavailable):
    """The stored coverage is not what was written: the database was set back, or somebody changed it."""

    def __init__(self) -> None:
        super().__init__(
            "The coverage in the database is not what was written to it: it was set back or changed.",
            remedy="It is believed as it is, and what it lacks is read again. Was a backup restored?",
        )


async def read(connection: Connection) -> dict[Series, RangeSet]:
    """Return the coverage of every series; a row that cannot be one of ours covers nothing."""
    rows = await connection.fetch(_READ, _TIMEFRAMES)
    odd = await connection.fetchval(f"select count(*) from coverage where not ({_IS_OURS})", _TIMEFRAMES)
    if odd:
        log.warning("coverage.odd_rows_ignored", rows=odd)
    found: dict[Series, RangeSet] = {}
    for row in rows:
        series = Series(symbol=row["symbol"], timeframe=Timeframe(row["timeframe"]))
        spans = list(zip(row["starts"], row["ends"], strict=True))
        found[series] = RangeSet.of(*spans)
        if list(found[series].spans) != spans or not row["in_seconds"]:
            await _write_plainly(connection, series, found[series])
    return found


async def replace(connection: Connection, changes: Mapping[Series, tuple[RangeSet, RangeSet]]) -> None:
    """Turn the stored coverage of some series from (old) into (new); unchanged ranges are not touched.

    Raises:
        CoverageDiffers: a range that changes is not stored as (old) has it. The transaction must end.
    """
    gone, grown, come = [], [], []
    for series, (old, new) in changes.items():
        name = (series.symbol, str(series.timeframe))
        before, after = dict(old.spans), dict(new.spans)
        gone += [(*name, _time(start), _time(before[start])) for start in before.keys() - after.keys()]
        for start, end in after.items():
            if start not in before:
                come.append((*name, _time(start), _time(end)))
            elif before[start] != end:
                grown.append((*name, _time(start), _time(before[start]), _time(end)))
    # An update of a row known to be there logs half of what "on conflict" does; this runs with every new
    # candle.
    if grown:
        _check_tag(await connection.execute(_UPDATE, *_columns(grown, 5)), grown)
    if gone:
        _check_tag(await connection.execute(_DELETE, *_columns(gone, 4)), gone)
    if come:
        await connection.execute(_INSERT, *_columns(come, 4))


async def _write_plainly(connection: Connection, series: Series, covered: RangeSet) -> None:
    """Write what a series' rows mean as rows of ours: they touch, overlap or hold parts of a second."""
    name = (series.symbol, str(series.timeframe))
    rows = [(*name, _time(start), _time(end)) for start, end in covered.spans]
    async with connection.transaction():
        await connection.execute(_DELETE_SERIES, _TIMEFRAMES, *name)
        await connection.execute(_INSERT, *_columns(rows, 4))


def _check_tag(tag: str, sent: Sequence[object]) -> None:
    """Compare the server's count of rows with how many were meant.

    Raises:
        CoverageDiffers: some were not there as they were remembered.
    """
    if int(tag.split()[-1]) != len(sent):
        raise CoverageDiffers


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[i] for row in rows] for i in range(width)]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_TIMEFRAMES = [str(timeframe) for timeframe in Timeframe]
_IS_OURS = "timeframe = any($1) and isfinite(from_ts) and isfinite(to_ts)"

_READ = f"""
select symbol, timeframe, array_agg(extract(epoch from from_ts)::bigint order by from_ts) as starts,
    array_agg(extract(epoch from to_ts)::bigint order by from_ts) as ends,
    bool_and(from_ts = date_trunc('second', from_ts) and to_ts = date_trunc('second', to_ts)) as in_seconds
from coverage where {_IS_OURS} group by symbol, timeframe
"""

_UPDATE = """
update coverage c set to_ts = u.to_ts
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
    as u(symbol, timeframe, from_ts, old_to_ts, to_ts)
where c.symbol = u.symbol and c.timeframe = u.timeframe and c.from_ts = u.from_ts and c.to_ts = u.old_to_ts
"""

_DELETE = """
delete from coverage c
using unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    as u(symbol, timeframe, from_ts, to_ts)
where c.symbol = u.symbol and c.timeframe = u.timeframe and c.from_ts = u.from_ts and c.to_ts = u.to_ts
"""

_DELETE_SERIES = f"delete from coverage where symbol = $2 and timeframe = $3 and {_IS_OURS}"

_INSERT = """
insert into coverage (symbol, timeframe, from_ts, to_ts)
select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
"""
"""No range comes that is there: one that begins where an old one did is grown."""
