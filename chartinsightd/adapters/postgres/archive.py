"""Everything that is kept in PostgreSQL, for people to read, over a separate connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

from chartinsightd.adapters.postgres import engine
from chartinsightd.adapters.postgres.actions import action_of
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.dsn import place_of
from chartinsightd.adapters.postgres.odd_rows import OddRows, named_values
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.seal import SealState
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.verdict import SealedSession
from chartinsightd.ports.archive import (
    CandleText,
    DatabaseFacts,
    Found,
    KnownAction,
    KnownGap,
    KnownStock,
    Quarantined,
    Revision,
    StockFilter,
    Try,
)
from chartinsightd.ports.stores import Gap, JobRecord, KeptLog, Seal

_STATEMENT_TIMEOUT_MS = 15_000
"""Shorter than the control server's patience: a question that takes longer was too large."""


@asynccontextmanager
async def open_archive(dsn: str, schema: str) -> AsyncIterator[PostgresArchive]:
    """Read the store of one mode until the context is left; it connects with the first question.

    Args:
        dsn: PostgreSQL URL.
        schema: `live` or `simulation`; it is there already.
    """
    settings = {"statement_timeout": f"{_STATEMENT_TIMEOUT_MS}ms"}
    link = ReconnectingConnection(dsn, looking(schema, "chartinsightd archive", settings))
    try:
        yield PostgresArchive(link, schema, place_of(dsn))
    finally:
        await link.close()


class PostgresArchive:
    """Implements `ports.Archive`; it only reads.

    Args:
        link: its connection.
        schema: of the tables.
        place: host, port and database, to be shown.
    """

    def __init__(self, link: ReconnectingConnection, schema: str, place: str) -> None:
        self._link = link
        self._schema = schema
        self._place = place
        self._odd = OddRows()

    async def facts(self) -> DatabaseFacts:
        """Look at the database itself."""
        async with self._link.use() as connection:
            server = await engine.look(connection, self._schema)
            row = await connection.fetchrow(_FACTS, timeout=engine.LONGEST_LOOK_S)
        return DatabaseFacts(
            version=row["version"].split()[0],
            size_bytes=server.size_bytes,
            extension=server.extension,
            place=self._place,
            gaps=row["gaps"],
            listed=row["listed"],
            kept_gaps=row["kept_gaps"],
            kept_since=row["kept_since"],
            sealed=_sealed_session(row),
        )

    async def names(self) -> dict[str, str]:
        """Return the name of every stock that is or was listed, by symbol."""
        async with self._link.use() as connection:
            return dict(await connection.fetch("select symbol, name from stocks"))

    async def stocks(self, wanted: StockFilter, limit: int) -> Found[KnownStock]:
        """Return stocks, largest first."""
        return await self._found(
            _STOCKS,
            _stock,
            limit,
            list(wanted.symbols),
            _pattern(wanted.search),
            f"{_escaped(wanted.search.upper())}%",
            list(wanted.markets),
            wanted.tracked,
            wanted.with_delisted,
        )

    async def jobs(
        self,
        states: Sequence[str],
        kinds: Sequence[str],
        before: int | None,
        limit: int,
        until: datetime | None = None,
    ) -> Found[JobRecord]:
        """Return jobs, newest first; see `ports.Archive`."""
        async with self._link.use() as connection:
            wanted = list(states), list(kinds), until
            total = await connection.fetchval(f"select count(*) from jobs where {_THESE_JOBS}", *wanted)
            rows = await connection.fetch(_JOBS, *wanted, before, limit)
        return Found(self._odd.readable("jobs", rows, _job), total)

    async def job(self, job_id: int) -> JobRecord | None:
        """Return one job; None where there is none of this id."""
        async with self._link.use() as connection:
            row = await connection.fetchrow(f"select {_JOB} from jobs where id = $1", job_id)
        found = [] if row is None else self._odd.readable("job", [row], _job)
        return found[0] if found else None

    async def job_log(self, job_id: int) -> KeptLog:
        """Return what is kept of the log of a job; see `ports.Archive`."""
        async with self._link.use() as connection:
            row = await connection.fetchrow("select log, log_left_out from jobs where id = $1", job_id)
        return KeptLog() if row is None else KeptLog(lines=row["log"] or (), left_out=row["log_left_out"])

    async def tries(self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int) -> Found[Try]:
        """Return failed tries, newest first; see `ports.Archive`."""
        return await self._found(_TRIES, _try, limit, list(symbols), _texts(timeframes))

    async def candles(
        self,
        series: Series,
        start: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        adjusted: bool,
        as_of: datetime | None = None,
    ) -> list[Candle]:
        """Return the newest `limit` candles that start in [start, end), oldest first; see `ports.Archive`."""
        statement = _candles_statement(series.timeframe, adjusted=adjusted)
        asked: list[object] = [series.symbol, start, end, limit]
        if as_of is not None:
            statement, asked = _AS_OF[series.timeframe], [*asked, as_of]
        async with self._link.use() as connection:
            rows = await connection.fetch(statement, *asked)
        return [_candle(series, row) for row in reversed(rows)]

    async def candle_text(
        self,
        series: Series,
        start: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        adjusted: bool,
        final_only: bool,
    ) -> CandleText:
        """Return the oldest `limit` candles that start in [start, end) as CSV; see `ports.Archive`."""
        statement = _text_statement(series.timeframe, adjusted=adjusted)
        async with self._link.use() as connection:
            row = await connection.fetchrow(statement, series.symbol, start, end, limit, final_only)
        return CandleText(**row)

    async def gaps(
        self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int
    ) -> Found[KnownGap]:
        """Return the list of gaps, newest range first."""
        return await self._found(_GAPS, _gap, limit, list(symbols), _texts(timeframes))

    async def seals(
        self,
        symbols: Sequence[str],
        states: Sequence[str],
        first_day: date | None,
        last_day: date | None,
        limit: int,
    ) -> Found[Seal]:
        """Return seals, newest day first."""
        return await self._found(_SEALS, _seal, limit, list(symbols), list(states), first_day, last_day)

    async def revisions(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        limit: int,
        ts: datetime | None = None,
    ) -> Found[Revision]:
        """Return changes of final candles, newest first; with `ts` only of candles that start then."""
        return await self._found(_REVISIONS, _revision, limit, list(symbols), _texts(timeframes), ts)

    async def adjustments(self, symbols: Sequence[str], limit: int) -> Found[KnownAction]:
        """Return the ledger of corporate actions, the newest day first."""
        return await self._found(_ADJUSTMENTS, _known_action, limit, list(symbols))

    async def quarantine(self, symbols: Sequence[str], limit: int) -> Found[Quarantined]:
        """Return rows that could not be candles, newest first."""
        return await self._found(_QUARANTINE, _quarantined, limit, list(symbols))

    async def _found(self, statement: str, read: Any, limit: int, *arguments: object) -> Found[Any]:
        """Ask for rows that carry the total of all; the limit is the first argument."""
        async with self._link.use() as connection:
            rows = await connection.fetch(statement, limit, *arguments)
        found = self._odd.readable(read.__name__.strip("_"), rows, read)
        return Found(found, rows[0]["total"] if rows else 0)


def _try(row: Mapping[str, Any]) -> Try:
    at = datetime.fromisoformat(row["at"])
    return Try(job_id=row["id"], kind=row["kind"], at=at, about=row["about"], reason=row["reason"])


def _job(row: Mapping[str, Any]) -> JobRecord:
    objects = {name: named_values(row[name]) for name in ("params", "progress")}
    return JobRecord(**{**row, **objects})


def _texts(timeframes: Sequence[Timeframe]) -> list[str]:
    return [timeframe.value for timeframe in timeframes]


def _escaped(text: str) -> str:
    r"""Return a text that LIKE takes as it is: `%`, `_` and `\` mean themselves."""
    return text.replace("\0", "").replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _pattern(text: str) -> str:
    return f"%{_escaped(text)}%"


def _candles_statement(timeframe: Timeframe, *, adjusted: bool) -> str:
    """Name the timeframe in the text: then the key of one table answers, also through the view."""
    return f"{_series_statement(timeframe, adjusted=adjusted)} order by ts desc limit $4"


def _series_statement(timeframe: Timeframe, *, adjusted: bool) -> str:
    if adjusted:
        source, value, only = "candles_adjusted", "value", f"timeframe = '{timeframe}' and "
    else:
        source, value, only = f"candles_{timeframe}", "null::bigint" if timeframe.is_intraday else "value", ""
    return (
        f"select ts, open, high, low, close, volume, {value} as value, final from {source} "
        f"where {only}symbol = $1 and ts >= coalesce($2, '-infinity'::timestamptz) "
        "and ts < coalesce($3, 'infinity'::timestamptz)"
    )


def _text_statement(timeframe: Timeframe, *, adjusted: bool) -> str:
    """Let the database write the lines: a row then costs the daemon a copy of its bytes and nothing else."""
    series = _series_statement(timeframe, adjusted=adjusted)
    prices = "open, high, low, close, volume, coalesce(value::text, '')"
    final = "case when final then 'True' else 'False' end"
    line = f"concat_ws(',', $1, '{timeframe}', {_KOREAN_TIME}, {prices}, {final})"
    return (
        f"select coalesce(string_agg({line}, e'\\n') || e'\\n', '') as text, count(*) as rows,"
        " min(ts) as first_ts, max(ts) as last_ts"
        f" from ({series} and (final or not $5) order by ts limit $4) candles"
    )


_KOREAN_TIME = """
(ts at time zone 'Asia/Seoul')::text || case when ts >= '1988-10-09T00:00:00Z' then '+09:00'
else to_char((ts at time zone 'Asia/Seoul') - (ts at time zone 'UTC'), '"+"HH24:MI') end
"""
"""As ISO 8601 with a blank. Korea has kept one offset since its last summer time ended in 1988."""


def _as_of_statement(timeframe: Timeframe) -> str:
    """Return the statement for values as of an instant: the first revision after it knows the older ones."""
    value = (
        "null::bigint"
        if timeframe.is_intraday
        else "case when r.ts is null then c.value else r.old_value end"
    )
    names = ("open", "high", "low", "close", "volume")
    columns = ", ".join(f"coalesce(r.old_{name}, c.{name}) as {name}" for name in names)
    return (
        f"select c.ts, {columns}, {value} as value, c.final from candles_{timeframe} c left join lateral ("
        f"select * from revisions where symbol = c.symbol and timeframe = '{timeframe}' and ts = c.ts "
        "and changed_at > $5 order by changed_at limit 1) r on true "
        "where c.symbol = $1 and c.ts >= coalesce($2, '-infinity'::timestamptz) "
        "and c.ts < coalesce($3, 'infinity'::timestamptz) order by c.ts desc limit $4"
    )


_AS_OF = {timeframe: _as_of_statement(timeframe) for timeframe in Timeframe}


def _candle(series: Series, row: Mapping[str, Any], prefix: str = "") -> Candle:
    return Candle(
        symbol=series.symbol,
        timeframe=series.timeframe,
        ts=row["ts"].astimezone(UTC),
        open=row[f"{prefix}open"],
        high=row[f"{prefix}high"],
        low=row[f"{prefix}low"],
        close=row[f"{prefix}close"],
        volume=row[f"{prefix}volume"],
        value=row[f"{prefix}value"],
        final=bool(prefix) or row["final"],  # a revision is always of a final candle
    )


def _series(row: Mapping[str, Any]) -> Series:
    return Series(symbol=row["symbol"], timeframe=Timeframe(row["timeframe"]))


def _stock(row: Mapping[str, Any]) -> KnownStock:
    return KnownStock(**{name: row[name] for name in _STOCK_COLUMNS})


def _gap(row: Mapping[str, Any]) -> KnownGap:
    gap = Gap(
        series=_series(row),
        from_ts=row["from_ts"],
        to_ts=row["to_ts"],
        reason=GapReason(row["reason"]),
        evidence=named_values(row["evidence"]),
    )
    return KnownGap(gap=gap, since=row["since"])


def _seal(row: Mapping[str, Any]) -> Seal:
    return Seal(
        symbol=row["symbol"],
        day=row["session"],
        state=SealState(row["state"]),
        evidence=named_values(row["evidence"]),
    )


def _revision(row: Mapping[str, Any]) -> Revision:
    series = _series(row)
    old, new = _candle(series, row, "old_"), _candle(series, row, "new_")
    return Revision(changed_at=row["changed_at"], old=old, new=new, cause=row["cause"])


def _known_action(row: Mapping[str, Any]) -> KnownAction:
    return KnownAction(symbol=row["symbol"], action=action_of(row), found_at=row["found_at"])


def _quarantined(row: Mapping[str, Any]) -> Quarantined:
    named_values(row["payload"])
    return Quarantined(**{name: row[name] for name in _QUARANTINE_COLUMNS})


def _sealed_session(row: Mapping[str, Any]) -> SealedSession | None:
    """Return the newest judged session; None where none was judged yet."""
    if row["day"] is None:
        return None
    return SealedSession(day=row["day"], sealed=row["sealed"], of=row["judged"])


_FACTS = """
select current_setting('server_version') as version,
    (select count(*) from stocks where delisted_on is null) as listed,
    gap.gaps, gap.kept_gaps, gap.kept_since, seal.day, seal.sealed, seal.judged
from (
    select count(*) as gaps, count(*) filter (where is_kept) as kept_gaps,
        min(since) filter (where is_kept) as kept_since
    from (
        select since, reason in ('broker_error', 'quarantined', 'broken', 'unproved', 'unknown') as is_kept
        from gaps
    ) as listed_gaps
) as gap left join (
    select session as day, count(*) filter (where state = 'sealed') as sealed, count(*) as judged
    from seals where session = (select max(session) from seals) group by session
) as seal on true
"""

_STOCK_COLUMNS = (
    "symbol",
    "name",
    "market",
    "market_cap",
    "last_price",
    "state",
    "order_warning",
    "nxt_enabled",
    "tracked",
    "listed_on",
    "delisted_on",
)
_STOCKS = f"""
select {", ".join(_STOCK_COLUMNS)}, count(*) over () as total
from stocks
where (cardinality($2::text[]) = 0 or symbol = any($2))
  and ($3 = '%%' or name ilike $3 or symbol like $4)
  and (cardinality($5::text[]) = 0 or market = any($5))
  and ($6::boolean is null or tracked = $6)
  and ($7 or delisted_on is null or tracked)
order by market_cap desc, symbol limit $1
"""

_THESE_JOBS = """
(cardinality($1::text[]) = 0 or state = any($1)) and (cardinality($2::text[]) = 0 or kind = any($2))
and ($3::timestamptz is null or created_at <= $3)
"""
_TRIES = """
select j.id, j.kind, t ->> 'at' as at, t ->> 'about' as about, t ->> 'reason' as reason,
    count(*) over () as total
from (select id, kind, progress from jobs where progress ? 'tries' order by id desc limit 2000) j
cross join lateral jsonb_array_elements(j.progress -> 'tries') t
where (cardinality($2::text[]) = 0 or left(t ->> 'about', 6) = any($2))
    and (cardinality($3::text[]) = 0 or split_part(t ->> 'about', '/', 2) = any($3 || ''::text))
order by j.id desc, at desc limit $1
"""
_JOB = "id, kind, state, requested_by, params, progress, error, created_at, started_at, finished_at"
"""Without the slice of the log: a list of jobs would carry megabytes."""
_JOBS = f"""
select {_JOB} from jobs where {_THESE_JOBS} and ($4::bigint is null or id < $4) order by id desc limit $5
"""

_THESE_SERIES = """
(cardinality($2::text[]) = 0 or symbol = any($2)) and (cardinality($3::text[]) = 0 or timeframe = any($3))
"""
_GAPS = f"""
select *, count(*) over () as total from gaps
where {_THESE_SERIES} order by from_ts desc, symbol, timeframe limit $1
"""
_REVISIONS = f"""
select *, count(*) over () as total from revisions
where {_THESE_SERIES} and ($4::timestamptz is null or ts = $4)
order by changed_at desc, symbol, timeframe, ts limit $1
"""

_SEALS = """
select *, count(*) over () as total from seals
where (cardinality($2::text[]) = 0 or symbol = any($2)) and (cardinality($3::text[]) = 0 or state = any($3))
  and ($4::date is null or session >= $4) and ($5::date is null or session <= $5)
order by session desc, symbol limit $1
"""

_ADJUSTMENTS = """
select *, count(*) over () as total from adjustments
where cardinality($2::text[]) = 0 or symbol = any($2) order by ex_date desc, symbol limit $1
"""

_QUARANTINE_COLUMNS = ("received_at", "api_id", "symbol", "reason", "payload")
_QUARANTINE = """
select *, count(*) over () as total from quarantine
where cardinality($2::text[]) = 0 or symbol = any($2) order by received_at desc limit $1
"""
