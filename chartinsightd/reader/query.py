"""The statements: one row a series, its columns as bytes that numpy reads without a Python number each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from chartinsightd.reader.place import NotFound

Ints = NDArray[np.int64]
TIMEFRAMES = ("5m", "30m", "1h", "1d", "1w")
KRX = "KRX"
VENUES = (KRX, "NXT", "UNIFIED")
PRICES = ("open", "high", "low", "close")
_INTRADAY = ("5m", "30m", "1h")
NO_VALUE = -1
_LONGEST_SCAN_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is read; instants are aware."""

    timeframe: str
    start: datetime
    end: datetime
    """Not included."""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A corporate action: candles of days before `ex_date` are multiplied by its factors."""

    ex_ts: int
    """00:00 KST of the ex-date, in seconds since 1970."""
    price: Any
    """Decimal, as it is stored."""
    volume: Any


Columns = Mapping[str, Ints]
"""ts (seconds since 1970), open, high, low, close, volume, value (-1 where there is none), final (0 or 1)."""


async def enter(connection: Any, schema: str, venue: str) -> None:
    """Read from the schema of a venue until the transaction ends.

    Raises:
        NotFound: it is not there.
    """
    if await connection.fetchval("select to_regclass($1) is null", f"{schema}.candles_1d"):
        raise NotFound(f'{venue} is not kept: the daemon collects it with venues.collect = ["{venue}"].')
    await connection.execute(f"set local search_path to {schema}")


async def symbols_of(connection: Any, words: Sequence[str]) -> dict[str, str]:
    """Return the code for each word: a code is itself, a name that of the one stock of this name."""
    rows = await connection.fetch(_SYMBOLS, list(words))
    return {row["word"]: row["symbol"] for row in rows}


async def columns_of(connection: Any, symbols: Sequence[str], asked: Asked) -> dict[str, Columns]:
    """Return the candles of each symbol as traded, oldest first."""
    found: dict[str, Columns] = {}
    if asked.as_of is None:
        statement = _statement(asked.timeframe)
        for row in await connection.fetch(statement, list(symbols), asked.start, asked.end):
            found[row["symbol"]] = _columns(row)
    else:
        statement = _as_of_statement(asked.timeframe)
        for symbol in symbols:
            row = await connection.fetchrow(statement, symbol, asked.start, asked.end, asked.as_of)
            if row["ts"] is not None:
                found[symbol] = _columns(row)
        for row in await connection.fetch(_LATER, list(symbols), asked.timeframe, asked.as_of):
            if row["symbol"] in found:
                found[row["symbol"]] = _without(found[row["symbol"]], row["first"], row["last"])
    return {symbol: found.get(symbol, _nothing()) for symbol in symbols}


def is_yearly(timeframe: str) -> bool:
    """Whether a file of candles holds a year: a month of days is hardly more than the file's own head."""
    return timeframe not in _INTRADAY


async def period_sums(connection: Any, timeframe: str) -> list[tuple[date, int, int]]:
    """Return the first day of each Korean month (of days and weeks: year) that has final candles, how many,
    and the sum of their checksums."""
    rows = await connection.fetch(_period_sums_statement(timeframe), timeout=_LONGEST_SCAN_S)
    return [(row["first"], row["rows"], row["checksum"]) for row in rows]


async def period_columns(
    connection: Any, timeframe: str, symbols: Sequence[str], start: datetime, end: datetime
) -> dict[str, Columns]:
    """Return the final candles in [start, end) of symbols that have any, oldest first."""
    statement = (
        f"select symbol, {_packed(timeframe)} from candles_{timeframe} "
        "where symbol = any($1) and ts >= $2 and ts < $3 and final group by symbol"
    )
    rows = await connection.fetch(statement, list(symbols), start, end, timeout=_LONGEST_SCAN_S)
    return {row["symbol"]: _columns(row) for row in rows}


def _period_sums_statement(timeframe: str) -> str:
    """Return the statement; the checksum is that of `candle_checksum` in schema.sql, spelt out."""
    unit = "year" if is_yearly(timeframe) else "month"
    value = "" if timeframe in _INTRADAY else "+ coalesce(value % 2147483647 + 1, 0) * 86028121"
    checksum = (
        "extract(epoch from ts)::bigint / 60 * ((open::bigint * 179424673 + high::bigint * 15485863"
        " + low::bigint * 32452843 + close::bigint * 49979687"
        f" + volume % 2147483647 * 67867967 {value}) % 2147483647) % 2147483647"
    )
    return (
        f"select date_trunc('{unit}', ts at time zone 'Asia/Seoul')::date as first, count(*) as rows,"
        f" sum({checksum})::bigint as checksum from candles_{timeframe} where final group by 1 order by 1"
    )


async def actions_of(
    connection: Any, symbols: Sequence[str], as_of: datetime | None
) -> dict[str, list[Action]]:
    """Return the corporate actions of each symbol, oldest first."""
    found: dict[str, list[Action]] = {symbol: [] for symbol in symbols}
    for row in await connection.fetch(_ACTIONS, list(symbols), as_of):
        action = Action(ex_ts=row["ex_ts"], price=row["price_factor"], volume=row["volume_factor"])
        found[row["symbol"]].append(action)
    return found


async def connect(dsn: str, schema: str) -> Any:
    """Open a connection that can read and nothing else."""
    return await asyncpg.connect(
        dsn,
        server_settings={
            "search_path": schema,
            "default_transaction_read_only": "on",
            "application_name": "chartinsight reader",
            "jit": "off",
        },
    )


def _columns(row: Mapping[str, Any]) -> Columns:
    columns = {name: np.frombuffer(row[name], ">i8").astype(np.int64) for name in ("ts", "volume", "value")}
    columns |= {name: np.frombuffer(row[name], ">i4").astype(np.int64) for name in PRICES}
    columns["final"] = np.frombuffer(row["final"], np.uint8).astype(np.int64)
    order = np.argsort(columns["ts"], kind="stable")
    return {name: column[order] for name, column in columns.items()}


def _without(columns: Columns, first: int, last: int) -> Columns:
    keep = (columns["ts"] < first) | (columns["ts"] > last)
    return {name: column[keep] for name, column in columns.items()}


def _nothing() -> Columns:
    return dict.fromkeys(("ts", "volume", "value", *PRICES, "final"), np.empty(0, np.int64))


def _statement(timeframe: str) -> str:
    return (
        f"select symbol, {_packed(timeframe)} from candles_{timeframe} "
        "where symbol = any($1) and ts >= $2 and ts < $3 group by symbol"
    )


def _as_of_statement(timeframe: str) -> str:
    """Return the statement for one series with every revision after $4 undone.

    One series, because a distributed database takes such a look-up for each candle of one symbol only.
    """
    names = (*PRICES, "volume")
    old = ", ".join(f"coalesce(r.old_{name}, c.{name}) as {name}" for name in names)
    value = "case when r.ts is null then c.value else r.old_value end as value, "
    return (
        f"select {_packed(timeframe)} from (select c.ts, {old}, "
        f"{'' if timeframe in _INTRADAY else value}c.final from candles_{timeframe} c "
        f"left join lateral (select * from revisions "
        f"where symbol = c.symbol and timeframe = '{timeframe}' and ts = c.ts and changed_at > $4 "
        "order by changed_at limit 1) r on true "
        "where c.symbol = $1 and c.ts >= $2 and c.ts < $3 and c.final) as rows"
    )


def _packed(timeframe: str) -> str:
    value = f"{NO_VALUE}::bigint" if timeframe in _INTRADAY else f"coalesce(value, {NO_VALUE})"
    packed = {
        "ts": "int8send(extract(epoch from ts)::bigint)",
        "volume": "int8send(volume)",
        "value": f"int8send({value})",
        **{name: f"int4send({name})" for name in PRICES},
        "final": "boolsend(final)",
    }
    return ", ".join(f"string_agg({text}, ''::bytea) as {name}" for name, text in packed.items())


_SYMBOLS = """
select w.word, coalesce(
    (select symbol from stocks where symbol = upper(w.word)),
    (select case when count(*) = 1 then min(symbol) end
        from stocks where name = w.word and delisted_on is null)
) as symbol from unnest($1::text[]) as w(word)
"""
_LATER = """
select symbol, extract(epoch from from_ts)::bigint as first, extract(epoch from to_ts)::bigint as last
from candle_changes where symbol = any($1) and timeframe = $2 and kind = 'new' and at > $3
"""
_ACTIONS = """
select symbol, extract(epoch from ex_date::timestamp at time zone 'Asia/Seoul')::bigint as ex_ts,
    price_factor, volume_factor
from adjustments where symbol = any($1) and ($2::timestamptz is null or found_at <= $2)
order by symbol, ex_date
"""
