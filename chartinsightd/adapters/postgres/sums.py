"""Counts and checksums of what was written, by series and piece of the calendar: what ties claims to rows.

Both sides count in their own way, the writer in numpy what it sent, the server in SQL what it holds; where
they differ, rows were deleted, changed or swallowed behind the daemon's back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.rows import NO_VALUE, Difference, Rows, chosen, joined
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.candles import AuditPart, RowDifference

_MONTHS = {
    Timeframe.M5: 1,
    Timeframe.M30: 12,
    Timeframe.H1: 12,
    Timeframe.D1: 12,
    Timeframe.W1: 120,
}
"""The length of a piece: a few pages of the broker, which is what a difference costs."""
_UNITS = {1: "month", 12: "year", 120: "decade"}
_LONGEST_S = 3600.0
_MODULUS = 2**31 - 1
_FACTORS = {
    "open": 179_424_673,
    "high": 15_485_863,
    "low": 32_452_843,
    "close": 49_979_687,
    "volume": 67_867_967,
    "value": 86_028_121,
}
"""As in the function `candle_checksum` of `schema.sql`.

The statements below spell the sum out: a function of ours need not exist on every node of a distributed
database."""

Changes = dict[tuple[Series, int], tuple[int, int]]
"""By series and first second of a piece: how many rows more, and how much the checksum grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of the calendar of one series, in seconds."""

    symbol: str
    first: int
    end: int


def piece_starts(timeframe: Timeframe, ts: Ints) -> Ints:
    """Return the first second of the piece in which each instant lies, in UTC."""
    span = _MONTHS[timeframe]
    months = ts.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) // span * span
    starts: Ints = months.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
    return starts


def piece_end(timeframe: Timeframe, first: int) -> int:
    """Return the first second after the piece that begins at `first`."""
    begin = datetime.fromtimestamp(first, UTC)
    months = begin.year * 12 + begin.month - 1 + _MONTHS[timeframe]
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp())


def checksums(rows: Rows) -> Ints:
    """Return the checksum of each row."""
    mixed = np.zeros(len(rows), np.int64)
    for name in ("open", "high", "low", "close"):
        mixed += rows[name].astype(np.int64) * _FACTORS[name]
    mixed += rows["volume"] % _MODULUS * _FACTORS["volume"]
    value = rows["value"]
    mixed += np.where(value == NO_VALUE, 0, value % _MODULUS + 1) * _FACTORS["value"]
    found: Ints = rows["ts"] // 60 * (mixed % _MODULUS) % _MODULUS
    return found


def add_changes(changes: Changes, series: Series, diff: Difference) -> None:
    """Add what a write does to the sums of its series: only final candles count."""
    parts = (diff.added, diff.changed, diff.before)
    rows = joined(parts)
    signs = np.repeat((1, 1, -1), [len(part) for part in parts])[rows["final"]]
    rows = chosen(rows, rows["final"])
    starts, grown = piece_starts(series.timeframe, rows["ts"]), signs * checksums(rows)
    for first in sorted(set(starts.tolist())):
        here = starts == first
        count, total = changes.get((series, first), (0, 0))
        changes[series, first] = count + int(signs[here].sum()), total + int(grown[here].sum())


async def add(connection: Connection, changes: Changes) -> None:
    """Move the stored sums; within the transaction that writes the rows."""
    moved = [(*key, *change) for key, change in changes.items() if change != (0, 0)]
    if moved:
        await connection.execute(
            _ADD,
            [series.symbol for series, *_ in moved],
            [str(series.timeframe) for series, *_ in moved],
            [first for _, first, *_ in moved],
            [rows for *_, rows, _ in moved],
            [checksum for *_, checksum in moved],
        )


async def differences(
    connection: Connection, part: AuditPart, symbols: Sequence[str] | None = None
) -> list[RowDifference]:
    """Compare what was written with what is there, in a part of a timeframe's table.

    Args:
        connection: reads much at a time.
        part: begins and ends with a piece.
        symbols: only of these; None: of all.
    """
    rows = await connection.fetch(
        _DIFFERENCES[part.timeframe],
        _time(part.first),
        _time(part.end),
        str(part.timeframe),
        symbols,
        timeout=_LONGEST_S,
    )
    return [
        RowDifference(
            series=Series(symbol=row["symbol"], timeframe=part.timeframe),
            first=row["first"],
            end=piece_end(part.timeframe, row["first"]),
            written=row["written"],
            found=row["found"],
        )
        for row in rows
    ]


async def replace(connection: Connection, timeframe: Timeframe, pieces: Iterable[Piece]) -> None:
    """Make the sums of some pieces those of the rows that are there."""
    listed = list(pieces)
    if not listed:
        return
    symbols, firsts = [piece.symbol for piece in listed], [piece.first for piece in listed]
    rows = await connection.fetch(_FOUND[timeframe], symbols, firsts, [piece.end for piece in listed])
    found = {(row["symbol"], row["first"]): (row["rows"], row["checksum"]) for row in rows}
    counts = [found.get(key, (0, 0)) for key in zip(symbols, firsts, strict=True)]
    await connection.execute(_REPLACE, str(timeframe), symbols, firsts, *map(list, zip(*counts, strict=True)))


async def replace_from(connection: Connection, starts: Mapping[Timeframe, int]) -> None:
    """Do the same for every series, from the piece on in which an instant lies."""
    for timeframe, start in starts.items():
        first = int(piece_starts(timeframe, np.array([start]))[0])
        rows = await connection.fetch(_PIECES, str(timeframe), _time(first))
        pieces = [
            Piece(symbol=row["symbol"], first=row["first"], end=piece_end(timeframe, row["first"]))
            for row in rows
        ]
        await replace(connection, timeframe, pieces)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _sums_of(timeframe: Timeframe) -> str:
    terms = [f"{name}::bigint * {_FACTORS[name]}" for name in ("open", "high", "low", "close")]
    terms.append(f"volume % {_MODULUS} * {_FACTORS['volume']}")
    if not timeframe.is_intraday:
        terms.append(f"coalesce(value % {_MODULUS} + 1, 0) * {_FACTORS['value']}")
    mixed = f"({' + '.join(terms)}) % {_MODULUS}"
    checksum = f"extract(epoch from ts)::bigint / 60 * ({mixed}) % {_MODULUS}"
    return f"count(*)::integer as rows, coalesce(sum({checksum}), 0)::bigint as checksum"


_ADD = """
insert into coverage_sums as s (symbol, timeframe, from_ts, rows, checksum)
select symbol, timeframe, to_timestamp(first), rows, checksum
from unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[])
    as u(symbol, timeframe, first, rows, checksum)
on conflict (symbol, timeframe, from_ts) do update
set rows = s.rows + excluded.rows, checksum = s.checksum + excluded.checksum
"""

_DIFFERENCES = {
    timeframe: f"""
with a as materialized (
    select symbol, date_trunc('{_UNITS[months]}', ts, 'UTC') as from_ts, {_sums_of(timeframe)}
    from candles_{timeframe}
    where final and ts >= $1 and ts < $2 and ($4::text[] is null or symbol = any($4)) group by 1, 2
)
select symbol, extract(epoch from from_ts)::bigint as first,
    coalesce(s.rows, 0) as written, coalesce(a.rows, 0) as found
from a full join (
    select symbol, from_ts, rows, checksum from coverage_sums
    where timeframe = $3 and from_ts >= $1 and from_ts < $2 and ($4::text[] is null or symbol = any($4))
) s using (symbol, from_ts)
where coalesce(a.rows, 0) <> coalesce(s.rows, 0) or coalesce(a.checksum, 0) <> coalesce(s.checksum, 0)
order by from_ts desc, symbol
"""
    for timeframe, months in _MONTHS.items()
}

_FOUND = {
    timeframe: f"""
select c.symbol, p.first, {_sums_of(timeframe)}
from unnest($1::text[], $2::bigint[], $3::bigint[]) as p(symbol, first, until)
join candles_{timeframe} c on c.symbol = p.symbol
    and c.ts >= to_timestamp(p.first) and c.ts < to_timestamp(p.until)
where c.final group by c.symbol, p.first
"""
    for timeframe in _MONTHS
}

_REPLACE = """
insert into coverage_sums (symbol, timeframe, from_ts, rows, checksum)
select symbol, $1::text, to_timestamp(first), rows, checksum
from unnest($2::text[], $3::bigint[], $4::integer[], $5::bigint[]) as u(symbol, first, rows, checksum)
on conflict (symbol, timeframe, from_ts) do update set rows = excluded.rows, checksum = excluded.checksum
"""

_PIECES = """
select symbol, extract(epoch from from_ts)::bigint as first from coverage_sums
where timeframe = $1 and from_ts >= $2
"""
