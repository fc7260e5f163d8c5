"""The partitions of the intraday tables: half-years of 5m, years of 30m and 1h.

Few and large: a read of a series' newest candles through the view `candles` looks at the key of every
partition (PostgreSQL merges what a union of partitioned tables gives), and each partition has fixed pages of
its own. A half-year of the whole market is 40 million candles, 4 GB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.rows import Rows
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe

_MONTHS = {Timeframe.M5: 6, Timeframe.M30: 12, Timeframe.H1: 12}
"""The length of a partition; days and weeks have none."""
_NAME = re.compile(r"candles_(?P<timeframe>5m|30m|1h)_(?P<year>\d{4})(?:h(?P<half>[12]))?")
_BOUND = re.compile(
    r"FOR VALUES FROM \((?:MINVALUE|'(?P<first>\d[^']*)')\) TO \((?:MAXVALUE|'(?P<last>\d[^']*)')\)"
)
"""Any other bound (DEFAULT) is taken to serve all: PostgreSQL refuses a second one beside it."""
_EARLIEST, _LATEST = -(2**62), 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A table that holds one period of a timeframe, of all symbols."""

    timeframe: Timeframe
    first_month: int
    """Months since January 1970."""

    @property
    def name(self) -> str:
        """Its table: `candles_5m_2026h2`, `candles_1h_2026`."""
        year, month = divmod(self.first_month, 12)
        suffix = f"h{month // 6 + 1}" if _MONTHS[self.timeframe] == 6 else ""
        return f"candles_{self.timeframe}_{1970 + year}{suffix}"

    @property
    def begins_at(self) -> datetime:
        """Its first instant, UTC."""
        return _month_begin(self.first_month)

    @property
    def ends_at(self) -> datetime:
        """The first instant after it, UTC."""
        return _month_begin(self.first_month + _MONTHS[self.timeframe])

    @classmethod
    def named(cls, name: str) -> Partition | None:
        """Return the partition of a table's name; None where the name is not one that we give."""
        parts = _NAME.fullmatch(name)
        if parts is None:
            return None
        timeframe, half = Timeframe(parts["timeframe"]), parts["half"]
        if (_MONTHS[timeframe] == 6) != (half is not None):
            return None
        first_month = (int(parts["year"]) - 1970) * 12 + (6 * int(half) - 6 if half else 0)
        return cls(timeframe=timeframe, first_month=first_month)

    @property
    def span(self) -> RangeSet:
        """What it holds, in seconds since 1970."""
        return RangeSet.of((int(self.begins_at.timestamp()), int(self.ends_at.timestamp())))


def _month_begin(months: int) -> datetime:
    return datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC)


def partitions_of(timeframe: Timeframe, parts: Iterable[Rows]) -> set[Partition]:
    """Return the partitions that rows fall into; none for days and weeks."""
    if timeframe not in _MONTHS:
        return set()
    span = _MONTHS[timeframe]
    found: set[int] = set()
    for rows in parts:
        ends = _periods(rows["ts"][[0, -1]], span)
        found.update((ends if ends[0] == ends[1] else np.unique(_periods(rows["ts"], span))).tolist())
    return {Partition(timeframe=timeframe, first_month=first) for first in found}


def _periods(ts: Ints, span: int) -> Ints:
    """Return the first month of each instant's period, in months since January 1970."""
    months: Ints = ts.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return months // span * span


async def existing_partitions(connection: Connection, schema: str) -> dict[Timeframe, RangeSet]:
    """Return the ranges for which each table has a partition, also one of an administrator's; a default
    one serves all."""
    found = dict.fromkeys(_MONTHS, RangeSet())
    for row in await connection.fetch(_PARTITIONS, schema):
        found[Timeframe(row["parent"].removeprefix("candles_"))] |= _range_of(row["bound"])
    return found


async def foreign_partitions(connection: Connection, schema: str) -> list[str]:
    """Return the names of partitions that somebody else made."""
    names = [row["name"] for row in await connection.fetch(_PARTITIONS, schema)]
    return sorted(name for name in names if Partition.named(name.partition("_from_")[0]) is None)


def stretches(timeframe: Timeframe, ranges: RangeSet, now: datetime) -> list[tuple[int, int]]:
    """Return the periods from 1990 to next year in which a table has partitions, in seconds."""
    months = range(20 * 12, (now.year + 2 - 1970) * 12, _MONTHS[timeframe])
    spans = (Partition(timeframe=timeframe, first_month=month).span for month in months)
    return [span.spans[0] for span in spans if span & ranges]


def _range_of(bound: str) -> RangeSet:
    """Return the range of a partition's bound as PostgreSQL writes it, times in UTC."""
    values = _BOUND.fullmatch(bound)
    if values is None:
        return RangeSet.of((_EARLIEST, _LATEST))
    first, last = values["first"], values["last"]
    return RangeSet.of(
        (_EARLIEST if first is None else _seconds(first), _LATEST if last is None else _seconds(last))
    )


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


async def make_partition(connection: Connection, partition: Partition, there: RangeSet) -> None:
    """Make a partition and attach it; of one that others serve in part, what they leave.

    Attaching lets readers of the other partitions go on, which `create table … partition of` does not.

    Args:
        connection: of the writer.
        partition: what is needed.
        there: the ranges for which the table has a partition.
    """
    for first, last in (partition.span - there).spans:
        is_whole = RangeSet.of((first, last)) == partition.span
        begin, end = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
        name = partition.name if is_whole else f"{partition.name}_from_{begin:%Y%m%d_%H%M%S}"
        parent = f"candles_{partition.timeframe}"
        # One command each: a distributed database prepares what it passes on, and that is a single command.
        await connection.execute(f"create table {name} (like {parent} including all)")
        await connection.execute(
            f"alter table {parent} attach partition {name}"
            f" for values from ('{begin.isoformat()}') to ('{end.isoformat()}')"
        )


_PARTITIONS = """
select p.relname as parent, c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound
from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
where p.relnamespace = to_regnamespace($1) and p.relname in ('candles_5m', 'candles_30m', 'candles_1h')
"""
