"""Candles in columns for programs: screens, analysis, charts. Its connections are used for nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import numpy as np

from chartinsightd.adapters.postgres.changes import ALWAYS, PostgresChangeLog
from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.rows import NO_VALUE, PRICES, ROW, Rows, candles_of
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.domain.adjusted import AdjustedCandles, Factors, adjusted, mixed_weeks, week_span
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.candles import CandleSpan

_SERIES_A_TRANSACTION = 64
"""Other callers wait for the connection meanwhile."""


@asynccontextmanager
async def open_candle_reader(
    dsn: str, schema: str, *, ledger_in: str = ""
) -> AsyncIterator[PostgresCandleReader]:
    """Read candles of one mode until the context is left; it connects with the first question.

    Args:
        dsn: PostgreSQL URL.
        schema: `live` or `simulation`, or a venue's beside it; it exists already.
        ledger_in: the schema that holds the corporate actions; empty: the same one.
    """
    read_only = {"default_transaction_read_only": "on"}
    connection = ReconnectingConnection(dsn, looking(schema, "chartinsightd reader", read_only))
    try:
        yield PostgresCandleReader(connection, ledger_in)
    finally:
        await connection.close()


class PostgresCandleReader(PostgresChangeLog):
    """Implements `ports.candles.CandleReader` and `ChangeLog`."""

    def __init__(self, connection: ReconnectingConnection, ledger_in: str = "") -> None:
        super().__init__(connection)
        self._link = connection
        self._actions = _ACTIONS.format(ledger=f"{ledger_in}." if ledger_in else "")
        self._versions = _VERSIONS.format(
            ledger=_LEDGER_VERSION.format(ledger=ledger_in) if ledger_in else ""
        )

    async def read(
        self,
        symbol: str,
        timeframe: Timeframe,
        span: CandleSpan,
        *,
        as_of: datetime | None = None,
        with_forming: bool = False,
    ) -> AdjustedCandles:
        """Return candles of one series; see `ports.candles.CandleReader`."""
        found = await self.read_many([symbol], timeframe, span, as_of=as_of, with_forming=with_forming)
        return found[symbol]

    async def read_many(
        self,
        symbols: Sequence[str],
        timeframe: Timeframe,
        span: CandleSpan,
        *,
        as_of: datetime | None = None,
        with_forming: bool = False,
    ) -> dict[str, AdjustedCandles]:
        """Return candles of many series; see `ports.candles.CandleReader`."""
        found: dict[str, AdjustedCandles] = {}
        for start in range(0, len(symbols), _SERIES_A_TRANSACTION):
            part = list(symbols[start : start + _SERIES_A_TRANSACTION])
            # The lock is free between the parts, so a chart does not wait for a screen of the whole market.
            async with (
                self._link.use() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                factors = await self._factors(connection, part, as_of)
                found |= await _read_part(connection, factors, timeframe, span, as_of, with_forming)
        return found

    async def versions(
        self, symbols: Sequence[str], timeframe: Timeframe, as_of: datetime | None = None
    ) -> dict[str, int]:
        """Return the number of the last change of each series; see `ports.candles.CandleReader`."""
        async with self._link.use() as connection:
            rows = await connection.fetch(self._versions, list(symbols), str(timeframe), as_of)
        return {row["symbol"]: row["number"] for row in rows}

    async def _factors(
        self, connection: Connection, symbols: Sequence[str], as_of: datetime | None
    ) -> dict[str, Factors]:
        by_symbol: dict[str, list[CorporateAction]] = {symbol: [] for symbol in symbols}
        for row in await connection.fetch(self._actions, list(symbols), as_of):
            action = _action(row["ex_date"], row["price_factor"], row["volume_factor"])
            by_symbol[row["symbol"]].append(action)
        return {symbol: Factors.of(found) for symbol, found in by_symbol.items()}


async def _read_part(
    connection: Connection,
    factors_of: Mapping[str, Factors],
    timeframe: Timeframe,
    span: CandleSpan,
    as_of: datetime | None,
    with_forming: bool,
) -> dict[str, AdjustedCandles]:
    symbols = list(factors_of)
    unknown = {} if as_of is None else await _recorded_later(connection, symbols, timeframe, as_of)
    only_final = as_of is not None or not with_forming
    raw = await _raw(connection, symbols, timeframe, span, as_of, only_final)
    found = {}
    for symbol, rows in raw.items():
        candles = candles_of(symbol, timeframe, _known_rows(rows, unknown.get(symbol, ())))
        factors = factors_of[symbol]
        days = await _days_of_mixed_weeks(connection, candles, factors, as_of)
        found[symbol] = adjusted(candles, factors, days)
    return found


async def _raw(
    connection: Connection,
    symbols: Sequence[str],
    timeframe: Timeframe,
    span: CandleSpan,
    as_of: datetime | None,
    only_final: bool,
) -> dict[str, Rows]:
    """Ask series by series: a statement costs 0.1 ms, and a distributed database takes no other look-ups."""
    statement = (_READ if as_of is None else _READ_AS_OF)[timeframe]
    bounds = (span.start or ALWAYS[0], span.end or ALWAYS[1], span.newest, only_final)
    moment = () if as_of is None else (as_of,)
    return {
        symbol: _rows(await connection.fetchrow(statement, symbol, *bounds, *moment)) for symbol in symbols
    }


def _rows(row: Mapping[str, Any]) -> Rows:
    """Return the candles of one series from columns of big-endian numbers, oldest first."""
    if row["ts"] is None:
        return np.empty(0, ROW)
    ts = np.frombuffer(row["ts"], ">i8")
    rows = np.empty(len(ts), ROW)
    rows["ts"] = ts
    for name in ("volume", "value"):
        rows[name] = np.frombuffer(row[name], ">i8")
    for name in PRICES:
        rows[name] = np.frombuffer(row[name], ">i4")
    rows["final"] = np.frombuffer(row["final"], np.uint8) != 0
    return rows[np.argsort(rows["ts"], kind="stable")]


def _known_rows(rows: Rows, unknown: Sequence[tuple[int, int]]) -> Rows:
    """Leave out candles that became final after the moment that is asked about."""
    if not unknown:
        return rows
    later = np.zeros(len(rows), dtype=np.bool_)
    for first, last in unknown:
        later[np.searchsorted(rows["ts"], first) : np.searchsorted(rows["ts"], last, side="right")] = True
    return rows[~later]


async def _recorded_later(
    connection: Connection, symbols: Sequence[str], timeframe: Timeframe, as_of: datetime
) -> dict[str, list[tuple[int, int]]]:
    """Return, by symbol, (first, last) in seconds of candles that became final after a moment."""
    unknown: dict[str, list[tuple[int, int]]] = {}
    for row in await connection.fetch(_RECORDED_LATER, list(symbols), str(timeframe), as_of):
        unknown.setdefault(row["symbol"], []).append((row["first"], row["last"]))
    return unknown


def _action(ex_date: date, price: Any, volume: Any) -> CorporateAction:
    return CorporateAction(ex_date=ex_date, price_factor=Fraction(price), volume_factor=Fraction(volume))


async def _days_of_mixed_weeks(
    connection: Connection, weeks: Candles, factors: Factors, as_of: datetime | None
) -> Candles | None:
    mixed: Ints = weeks.ts[mixed_weeks(weeks, factors)]
    if not len(mixed):
        return None
    start, _ = week_span(int(mixed[0]))
    _, end = week_span(int(mixed[-1]))
    span = CandleSpan(start=start.astimezone(UTC), end=end.astimezone(UTC))
    found = await _raw(connection, [weeks.symbol], Timeframe.D1, span, as_of, only_final=True)
    return candles_of(weeks.symbol, Timeframe.D1, found[weeks.symbol])


def _statement(timeframe: Timeframe, *, as_of: bool) -> str:
    """Return the statement for one series: its columns as bytes, which numpy reads without making a Python
    number of each."""
    value = f"{NO_VALUE}::bigint" if timeframe.is_intraday else f"coalesce(value, {NO_VALUE})"
    source = f"({_as_it_was(timeframe)}) as c" if as_of else f"candles_{timeframe}"
    columns = {
        "ts": "int8send(extract(epoch from ts)::bigint)",
        "volume": "int8send(volume)",
        "value": f"int8send({value})",
        **{name: f"int4send({name})" for name in PRICES},
        "final": "boolsend(final)",
    }
    packed = ", ".join(f"string_agg({text}, ''::bytea) as {name}" for name, text in columns.items())
    return (
        f"select {packed} from (select * from {source} where symbol = $1 and ts >= $2 and ts < $3 "
        "and (final or not $5::boolean) order by ts desc limit $4) as rows"
    )


def _as_it_was(timeframe: Timeframe) -> str:
    """Return the candles of $1 with every revision after $6 undone."""
    names = ("open", "high", "low", "close", "volume")
    old = ", ".join(f"coalesce(r.old_{name}, c.{name}) as {name}" for name in names)
    value = (
        "" if timeframe.is_intraday else "case when r.ts is null then c.value else r.old_value end as value, "
    )
    return (
        f"select c.symbol, c.ts, {old}, {value}c.final from candles_{timeframe} c left join lateral ("
        f"select * from revisions where symbol = c.symbol and timeframe = '{timeframe}' "
        "and ts = c.ts and changed_at > $6 order by changed_at limit 1) r on true where c.symbol = $1"
    )


_READ = {timeframe: _statement(timeframe, as_of=False) for timeframe in Timeframe}
_READ_AS_OF = {timeframe: _statement(timeframe, as_of=True) for timeframe in Timeframe}

_ACTIONS = """
select symbol, ex_date, price_factor, volume_factor from {ledger}adjustments
where symbol = any($1) and ($2::timestamptz is null or found_at <= $2) order by symbol, ex_date
"""
_RECORDED_LATER = """
select symbol, extract(epoch from from_ts)::bigint as first, extract(epoch from to_ts)::bigint as last
from candle_changes where symbol = any($1) and timeframe = $2 and kind = 'new' and at > $3
"""
# Three look-ups in the key of series and numbers: the series' own changes, those of its symbol, those of all.
_VERSIONS = """
select s.symbol, greatest(
    coalesce((select number from candle_changes where symbol = s.symbol and timeframe = $2
        and ($3::timestamptz is null or at <= $3) order by number desc limit 1), 0),
    coalesce((select number from candle_changes where symbol = s.symbol and timeframe is null
        and ($3::timestamptz is null or at <= $3) order by number desc limit 1), 0),
    coalesce((select number from candle_changes where symbol is null and timeframe is null
        and ($3::timestamptz is null or at <= $3) order by number desc limit 1), 0)){ledger} as number
from unnest($1::text[]) as s(symbol)
"""
_LEDGER_VERSION = """
    + coalesce((select number from {ledger}.candle_changes where symbol = s.symbol and timeframe is null
        and ($3::timestamptz is null or at <= $3) order by number desc limit 1), 0)"""
"""Both numbers only grow, so their sum changes with either: a split of KRX changes the candles of a venue."""
