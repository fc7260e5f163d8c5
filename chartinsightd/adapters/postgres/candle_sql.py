"""The statements that read and write candles: as few as possible, each planned without statistics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.rows import (
    PRICES,
    READ_AS,
    Difference,
    Rows,
    chosen,
    columns_of,
    copy_stream,
    joined,
    read_columns,
    revised,
    split_columns,
)
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.timeframe import Timeframe

Part = tuple[str, Rows]
"""A symbol and rows of it."""
Span = tuple[str, int, int]
"""A symbol and the first and the last second of what is read."""


async def read(
    connection: Connection, timeframe: Timeframe, spans: Sequence[Span], after: Sequence[int]
) -> list[Rows]:
    """Return the rows of each (symbol, first, last); for those in `after` the next later row too, if there
    is one.

    Columns come back as arrays, which are read faster than rows; and each array as the bytes that the server
    sends, because asyncpg would make a number of Python's of each element, 32 bytes that leave holes in the
    memory. COPY would be as fast, but asyncpg 0.32 hangs when a COPY out of the server is cancelled.
    """
    if len(spans) == 1:
        columns = await connection.fetchrow(_READ_ONE[timeframe], *spans[0], bool(after))
        return split_columns(tuple(columns), 1)
    columns = await connection.fetchrow(_READ[timeframe], *map(list, zip(*spans, strict=True)))
    found = split_columns(tuple(columns), len(spans))
    for place in after:
        symbol, _, last = spans[place]
        later = await connection.fetchrow(_READ_ONE[timeframe], symbol, last + 1, last, True)
        found[place] = joined([found[place], *split_columns(tuple(later), 1)])
    return found


def _read_one_statement(timeframe: Timeframe) -> str:
    """Return the statement for a span of one series; with $4 the row after the span too.

    Each table is asked for one symbol: where the tables are distributed by it, one node answers alone.
    """
    head = f"select 0, {read_columns(timeframe)} from candles_{timeframe} where symbol = $1 and ts "
    return _as_arrays(
        f"{head} between to_timestamp($2::bigint) and to_timestamp($3::bigint) "
        f"union all ({head} > to_timestamp($3::bigint) and $4::boolean order by ts limit 1)"
    )


def _read_statement(timeframe: Timeframe) -> str:
    """Return the statement for any number of spans, so that it is planned once and for all.

    A plain join, because a distributed database takes nothing else (docs/scaling.md). The writer's session
    makes it a look-up in the key for each span (`store.open_store`).
    """
    return _as_arrays(
        f"select (s.part - 1)::integer, {read_columns(timeframe, 'c.')} "
        "from unnest($1::text[], $2::bigint[], $3::bigint[]) "
        f"with ordinality as s(symbol, first, last, part) join candles_{timeframe} c on c.symbol = s.symbol "
        "and c.ts between to_timestamp(s.first) and to_timestamp(s.last)"
    )


def _as_arrays(rows: str) -> str:
    arrays = ", ".join(f"coalesce(array_send(array_agg({name})), '')" for name in READ_AS)
    return f"select {arrays} from ({rows}) as found({', '.join(READ_AS)})"


_READ_ONE = {timeframe: _read_one_statement(timeframe) for timeframe in Timeframe}
_READ = {timeframe: _read_statement(timeframe) for timeframe in Timeframe}


async def copy(connection: Connection, timeframe: Timeframe, parts: Iterable[Part]) -> None:
    """Write rows none of which is stored yet.

    Raises:
        asyncpg.UniqueViolationError: one was there.
    """
    # Ascending keys leave the index dense: newest first costs half as much again
    # (measurements.md#key-order).
    ordered = sorted((part for part in parts if len(part[1])), key=lambda part: (part[0], part[1]["ts"][0]))
    status = await connection.copy_to_table(
        f"candles_{timeframe}",
        source=_chunks(copy_stream(timeframe, ordered)),
        columns=columns_of(timeframe),
        format="binary",
    )
    _check_count(status, sum(len(rows) for _, rows in ordered))


async def _chunks(stream: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Hand on a stream in the form that asyncpg sends on the way: the server works meanwhile."""
    for chunk in stream:
        yield chunk


async def insert_revisions(
    connection: Connection,
    timeframe: Timeframe,
    diffs: Sequence[tuple[str, str, Difference]],
    at: datetime,
) -> None:
    """Write down the old and the new values of each changed final candle, if there is any.

    Args:
        connection: within the transaction that changes them.
        timeframe: of all.
        diffs: (symbol, cause, what changes).
        at: the moment.
    """
    masks = [revised(diff) for *_, diff in diffs]
    if not any(mask.any() for mask in masks):
        return
    counts = [int(mask.sum()) for mask in masks]
    before = joined([chosen(diff.before, mask) for (*_, diff), mask in zip(diffs, masks, strict=True)])
    after = joined([chosen(diff.changed, mask) for (*_, diff), mask in zip(diffs, masks, strict=True)])
    names = (*PRICES, "volume", "value")
    await connection.execute(
        _INSERT_REVISIONS,
        str(timeframe),
        at,
        [cause for (_, cause, _), count in zip(diffs, counts, strict=True) for _ in range(count)],
        [symbol for (symbol, *_), count in zip(diffs, counts, strict=True) for _ in range(count)],
        before["ts"].tolist(),
        *(before[name].tolist() for name in names),
        *(after[name].tolist() for name in names),
    )


async def upsert(connection: Connection, timeframe: Timeframe, parts: Sequence[tuple[str, Rows]]) -> None:
    """Insert or replace rows that are known to differ, so no condition guards the update."""
    parts = [part for part in parts if len(part[1])]
    if not parts:
        return
    rows = joined([rows for _, rows in parts])
    symbols = [symbol for symbol, rows in parts for _ in range(len(rows))]
    names = columns_of(timeframe)[:-1]
    status = await connection.execute(_UPSERT[timeframe], *(rows[name].tolist() for name in names), symbols)
    _check_count(status, len(rows))


def _check_count(status: str, sent: int) -> None:
    """Compare the server's own count with what was sent.

    Raises:
        StoreRefused: rows were swallowed on the way into the table.
    """
    stored = int(status.rpartition(" ")[2])
    if stored != sent:
        raise StoreRefused(
            f"PostgreSQL stored {stored} of {sent} candles and gave no error.",
            remedy="A trigger or rule on the tables of candles swallows rows: drop it.",
        )


def _upsert_statement(timeframe: Timeframe) -> str:
    columns = columns_of(timeframe)
    kinds = {"ts": "bigint", "volume": "bigint", "value": "bigint", "final": "boolean", "symbol": "text"}
    arrays = ", ".join(f"${i}::{kinds.get(name, 'integer')}[]" for i, name in enumerate(columns, 1))
    read = {"ts": "to_timestamp(ts)", "value": "nullif(value, -1)"}
    return (
        f"insert into candles_{timeframe} ({', '.join(columns)}) "
        f"select {', '.join(read.get(name, name) for name in columns)} "
        f"from unnest({arrays}) as u({', '.join(columns)}) "
        "on conflict (symbol, ts) do update set "
        + ", ".join(f"{name} = excluded.{name}" for name in columns if name not in {"ts", "symbol"})
    )


_UPSERT = {timeframe: _upsert_statement(timeframe) for timeframe in Timeframe}

_INSERT_REVISIONS = """
insert into revisions (symbol, timeframe, ts, changed_at,
    old_open, old_high, old_low, old_close, old_volume, old_value,
    new_open, new_high, new_low, new_close, new_volume, new_value, cause)
select symbol, $1::text, to_timestamp(ts), $2::timestamptz,
    o1, h1, l1, c1, v1, nullif(a1, -1), o2, h2, l2, c2, v2, nullif(a2, -1), cause
from unnest($3::text[], $4::text[], $5::bigint[],
    $6::integer[], $7::integer[], $8::integer[], $9::integer[], $10::bigint[], $11::bigint[],
    $12::integer[], $13::integer[], $14::integer[], $15::integer[], $16::bigint[], $17::bigint[])
    as u(cause, symbol, ts, o1, h1, l1, c1, v1, a1, o2, h2, l2, c2, v2, a2)
"""
