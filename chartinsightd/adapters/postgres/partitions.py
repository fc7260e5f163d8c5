"""The partitions of the intraday tables: half-years of 5m, years of 30m and 1h.

Few and large: a read of a series' newest candles through the view `candles` looks at the key of every
partition (PostgreSQL merges what a union of partitioned tables gives), and each partition has fixed pages of
its own. A half-year of the whole market is 40 million candles, 4 GB.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.rows import Rows
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.timeframe import Timeframe

_MONTHS = {Timeframe.M5: 6, Timeframe.M30: 12, Timeframe.H1: 12}
"""The length of a partition; days and weeks have none."""


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
    def named(cls, name: str) -> Partition:
        """Return the partition of a table's name."""
        _, timeframe, period = name.split("_")
        year, _, half = period.partition("h")
        first_month = (int(year) - 1970) * 12 + (6 * int(half) - 6 if half else 0)
        return cls(timeframe=Timeframe(timeframe), first_month=first_month)


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


async def existing_partitions(connection: Connection, schema: str) -> set[str]:
    """Return the names of the tables that are partitions."""
    rows = await connection.fetch(
        "select c.relname from pg_class c where c.relispartition and c.relkind = 'r' "
        "and c.relnamespace = $1::regnamespace",
        schema,
    )
    return {row["relname"] for row in rows}


async def make_partition(connection: Connection, partition: Partition) -> None:
    """Make a partition and attach it.

    Attaching lets readers of the other partitions go on, which `create table … partition of` does not.
    """
    parent = f"candles_{partition.timeframe}"
    begin, end = partition.begins_at.isoformat(), partition.ends_at.isoformat()
    await connection.execute(
        f"create table {partition.name} (like {parent} including all);"
        f"alter table {parent} attach partition {partition.name} for values from ('{begin}') to ('{end}')"
    )
