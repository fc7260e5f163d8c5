"""Results of the analysis in PostgreSQL. Rows are added, never changed: the tables refuse anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection, to_json
from chartinsightd.analysis.patterns.life import PatternKind, PatternPoint, PatternState
from chartinsightd.analysis.points import Grade, PointKind
from chartinsightd.analysis.trend import Trend
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.universe import Membership
from chartinsightd.ports.analysis import (
    AnalysisCounts,
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    DueCause,
    Findings,
    FoundPattern,
    FoundPoint,
    FoundTrend,
    KnownPattern,
    PatternFilter,
)
from chartinsightd.ports.archive import Found


class PostgresAnalysis:
    """Implements `ports.analysis.AnalysisStore` and `UniverseStore`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection

    async def states(self, analyser: str) -> dict[Series, AnalysisState]:
        """Return how every series that is known to the analyser stands."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_STATES, analyser)
        return {state.series: state for state in map(_state, rows)}

    async def mark_changed(self, analyser: str, limit: int) -> int:
        """Mark the series due whose candles changed since the last call; return how many changes it read."""
        async with self._connection.use() as connection, connection.transaction():
            await connection.execute(_BEGIN_CURSOR, analyser)
            seen = await connection.fetchval(_CURSOR, analyser)
            read = await connection.fetchrow(_NEXT, seen, limit)
            if not read["count"]:
                return 0
            await connection.execute(_MARK, analyser, seen, read["last"])
            await connection.execute(_MOVE_CURSOR, analyser, read["last"])
        return int(read["count"])

    async def add(self, analyser: str, series: Sequence[Series]) -> int:
        """Mark series due that have no state yet; return how many."""
        symbols = [one.symbol for one in series]
        timeframes = [str(one.timeframe) for one in series]
        async with self._connection.use() as connection:
            return len(await connection.fetch(_ADD, analyser, symbols, timeframes))

    async def carried(self, analyser: str, series: Series) -> bytes | None:
        """Return the analyser's own state after the last candle taken in; None where there is none."""
        async with self._connection.use() as connection:
            found: bytes | None = await connection.fetchval(
                _CARRIED, analyser, series.symbol, str(series.timeframe)
            )
        return found

    async def findings(
        self,
        analyser: str,
        series: Series,
        *,
        start: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> Findings:
        """Return what counts of one series, by confirmation; see `ports.analysis.AnalysisStore`."""
        asked = (analyser, series.symbol, str(series.timeframe), start, until, as_of)
        async with (
            self._connection.use() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            points = await connection.fetch(_POINTS, *asked)
            trends = await connection.fetch(_TRENDS, *asked)
            patterns = await connection.fetch(_PATTERNS, *asked)
        return Findings(
            points=tuple(map(_point, points)),
            trends=tuple(map(_trend, trends)),
            patterns=tuple(map(_pattern, patterns)),
        )

    async def trend_at(
        self, analyser: str, series: Series, moment: datetime, as_of: datetime | None = None
    ) -> FoundTrend | None:
        """Return the change of the trend in force at a moment of market time; None before the first."""
        asked = (analyser, series.symbol, str(series.timeframe), None, moment, as_of)
        async with self._connection.use() as connection:
            row = await connection.fetchrow(_TREND_AT, *asked)
        return None if row is None else _trend(row)

    async def patterns(self, analyser: str, wanted: PatternFilter) -> Found[KnownPattern]:
        """Return the latest state of each pattern that counts, the newest first."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(
                _LATEST_PATTERNS,
                analyser,
                list(wanted.symbols),
                [str(timeframe) for timeframe in wanted.timeframes],
                list(wanted.states),
                list(wanted.kinds),
                wanted.until,
                wanted.as_of,
                wanted.limit,
            )
        found = [KnownPattern(series=_series(row), found=_pattern(row)) for row in rows]
        return Found(found, rows[0]["total"] if rows else 0)

    async def state(self, analyser: str, series: Series) -> AnalysisState | None:
        """Return how one series stands; None where it is not known to the analyser."""
        async with self._connection.use() as connection:
            row = await connection.fetchrow(_STATE, analyser, series.symbol, str(series.timeframe))
        return None if row is None else _state(row)

    async def save(self, analyser: str, results: Sequence[AnalysisResult], at: datetime) -> None:
        """Keep results, each whole or not at all with the others, recorded at `at`."""
        async with self._connection.use() as connection, connection.transaction():
            for result in results:
                await _save(connection, analyser, result, at)

    async def counts(self, analyser: str) -> AnalysisCounts:
        """Return how many series stand how."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_COUNTS, analyser)
        by_status = {row["state"]: row["count"] for row in rows}
        due = [row["oldest"] for row in rows if row["state"] == "due"]
        return AnalysisCounts(
            series=sum(by_status.values()),
            oldest_due=due[0] if due else None,
            **{str(status): by_status.get(str(status), 0) for status in AnalysisStatus},
        )

    async def universe_on(self, day: date) -> dict[str, Membership]:
        """Return the memberships that held on a Korean day, by symbol; empty before the first record."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_UNIVERSE, day)
        return {row["symbol"]: Membership(**row) for row in rows}

    async def first_universe_day(self) -> date | None:
        """Return the first Korean day with a record; None before any."""
        async with self._connection.use() as connection:
            first: date | None = await connection.fetchval("select min(day) from universe_days")
        return first

    async def save_universe(self, day: date, changed: Sequence[Membership], at: datetime) -> None:
        """Record memberships that hold from a Korean day on."""
        async with self._connection.use() as connection:
            await connection.execute(
                _PUT_UNIVERSE,
                day,
                at,
                [one.symbol for one in changed],
                [one.member for one in changed],
                [one.reason for one in changed],
            )


async def _save(connection: Connection, analyser: str, result: AnalysisResult, at: datetime) -> None:
    state, found = result.state, result.found
    key = (state.series.symbol, str(state.series.timeframe), analyser)
    generation = await connection.fetchval(_GENERATION, *key)
    if generation is None or result.valid_from is not None:
        generation = 0 if generation is None else generation + 1
        valid_from = _moment(result.valid_from or 0)
        await connection.execute(_NEW_GENERATION, *key, generation, valid_from, str(state.cause), at)
    row = (*key, state.data_id, generation, at)
    if found.points:
        await connection.execute(_PUT_POINTS, *row, *_columns(found.points, _POINT_FIELDS))
    if found.trends:
        await connection.execute(_PUT_TRENDS, *row, *_columns(found.trends, _TREND_FIELDS))
    if found.patterns:
        await connection.execute(
            _PUT_PATTERNS,
            *row,
            *_columns(found.patterns, _PATTERN_FIELDS),
            [
                to_json([[point.role, point.ts, point.price] for point in one.points])
                for one in found.patterns
            ],
            [to_json(one.levels) for one in found.patterns],
            [to_json(one.evidence) for one in found.patterns],
        )
    await connection.execute(
        _PUT_STATE,
        *key,
        state.data_id,
        state.analysed_to,
        str(state.status),
        state.reason,
        at,
        result.carried,
    )


def _columns(rows: Sequence[Any], names: Sequence[str]) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in names]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _series(row: Mapping[str, Any]) -> Series:
    return Series(symbol=row["symbol"], timeframe=Timeframe(row["timeframe"]))


def _state(row: Mapping[str, Any]) -> AnalysisState:
    return AnalysisState(
        series=_series(row),
        status=AnalysisStatus(row["state"]),
        reason=row["reason"],
        data_id=row["data_id"],
        analysed_to=row["analysed_to"],
        analysed_at=row["analysed_at"],
        from_start=row["from_start"],
        cause=DueCause(row["cause"]),
    )


def _point(row: Mapping[str, Any]) -> FoundPoint:
    return FoundPoint(
        ts=_seconds(row["ts"]),
        kind=PointKind(row["kind"]),
        grade=Grade(row["grade"]),
        price=row["price"],
        confirmed_at=_seconds(row["confirmed_at"]),
        cause=row["cause"],
    )


def _trend(row: Mapping[str, Any]) -> FoundTrend:
    return FoundTrend(
        from_ts=_seconds(row["ts"]),
        trend=Trend(row["trend"]),
        confirmed_at=_seconds(row["confirmed_at"]),
    )


def _pattern(row: Mapping[str, Any]) -> FoundPattern:
    return FoundPattern(
        pattern_id=row["pattern_id"],
        kind=PatternKind(row["kind"]),
        state=PatternState(row["state"]),
        ts=_seconds(row["ts"]),
        confirmed_at=_seconds(row["confirmed_at"]),
        points=tuple(PatternPoint(role=role, ts=ts, price=price) for role, ts, price in row["points"]),
        levels=row["levels"],
        evidence={name: (value, unit) for name, (value, unit) in row["evidence"].items()},
    )


_STATES = """
select symbol, timeframe, state, reason, data_id, analysed_to, analysed_at, from_start, cause
from analysis_state where analyser = $1
"""
_STATE = f"{_STATES} and symbol = $2 and timeframe = $3"
_BEGIN_CURSOR = """
insert into change_cursors (reader, number) select $1, last from change_counter on conflict do nothing
"""
_CURSOR = "select number from change_cursors where reader = $1 for update"
_NEXT = """
select count(*) as count, max(number) as last
from (select number from candle_changes where number > $1 order by number limit $2) as next
"""
# Of several changes of one series the one that asks for most decides. `adjusted` and `learned_day` leave the
# timeframe or the symbol open and concern every series that fits.
_MARK = """
update analysis_state s
set state = 'due', reason = '',
    cause = case when s.state = 'due' and s.from_start then s.cause else c.cause end,
    from_start = (s.state = 'due' and s.from_start) or not c.is_later
from (
    select distinct on (s.symbol, s.timeframe) s.symbol, s.timeframe,
        s.analysed_to is not null and c.kind = 'new' and c.from_ts > s.analysed_to as is_later,
        case when s.analysed_to is null then 'first' when c.kind = 'adjusted' then 'adjustment'
            when c.kind = 'learned_day' then 'calendar' else 'revision' end as cause
    from candle_changes c
    join analysis_state s on s.analyser = $1
        and (c.symbol is null or c.symbol = s.symbol)
        and (c.timeframe is null or c.timeframe = s.timeframe)
    where c.number > $2 and c.number <= $3
    order by s.symbol, s.timeframe, is_later, c.number
) c
where s.symbol = c.symbol and s.timeframe = c.timeframe and s.analyser = $1
"""
_MOVE_CURSOR = "update change_cursors set number = $2 where reader = $1"
_ADD = """
insert into analysis_state (symbol, timeframe, analyser, state)
select symbol, timeframe, $1, 'due' from unnest($2::text[], $3::text[]) as u(symbol, timeframe)
on conflict do nothing returning symbol
"""
_CARRIED = "select carried from analysis_state where analyser = $1 and symbol = $2 and timeframe = $3"
_GENERATION = """
select max(generation) from analysis_generations where symbol = $1 and timeframe = $2 and analyser = $3
"""
_NEW_GENERATION = """
insert into analysis_generations (symbol, timeframe, analyser, generation, valid_from, cause, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""

_POINT_FIELDS = ("ts", "kind", "grade", "price", "confirmed_at", "cause")
_PUT_POINTS = """
insert into points (symbol, timeframe, analyser, data_id, generation, recorded_at,
    ts, kind, grade, price, confirmed_at, cause)
select $1, $2, $3, $4, $5::integer, $6,
    to_timestamp(ts), kind, grade, price, to_timestamp(confirmed_at), cause
from unnest($7::bigint[], $8::text[], $9::text[], $10::integer[], $11::bigint[], $12::text[])
    as u(ts, kind, grade, price, confirmed_at, cause)
"""
_TREND_FIELDS = ("from_ts", "trend", "confirmed_at")
_PUT_TRENDS = """
insert into trends (symbol, timeframe, analyser, data_id, generation, recorded_at,
    from_ts, trend, confirmed_at)
select $1, $2, $3, $4, $5::integer, $6, to_timestamp(from_ts), trend, to_timestamp(confirmed_at)
from unnest($7::bigint[], $8::text[], $9::bigint[]) as u(from_ts, trend, confirmed_at)
"""
_PATTERN_FIELDS = ("pattern_id", "kind", "state", "ts", "confirmed_at")
_PUT_PATTERNS = """
insert into pattern_events (symbol, timeframe, analyser, data_id, generation, recorded_at,
    pattern_id, kind, state, at, confirmed_at, points, levels, evidence)
select $1, $2, $3, $4, $5::integer, $6,
    pattern_id, kind, state, to_timestamp(at), to_timestamp(confirmed_at),
    points::jsonb, levels::jsonb, evidence::jsonb
from unnest($7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[],
    $14::text[]) as u(pattern_id, kind, state, at, confirmed_at, points, levels, evidence)
"""
_PUT_STATE = """
insert into analysis_state as known
    (symbol, timeframe, analyser, data_id, analysed_to, state, reason, analysed_at,
    from_start, cause, carried)
values ($1, $2, $3, $4, $5, $6, $7, $8, false, 'first', $9)
on conflict (symbol, timeframe, analyser) do update set data_id = excluded.data_id,
    analysed_to = excluded.analysed_to, state = excluded.state, reason = excluded.reason,
    analysed_at = excluded.analysed_at, from_start = false, carried = excluded.carried
"""


def _select(table: str, columns: str, ts: str) -> str:
    """Return the statement for the rows of one series that count, cut along both axes of time."""
    return (
        f"select {columns} from {table} r where r.analyser = $1 and r.symbol = $2 and r.timeframe = $3 "
        f"and ($4::timestamptz is null or r.{ts} >= $4) "
        "and ($5::timestamptz is null or r.confirmed_at <= $5) "
        "and ($6::timestamptz is null or r.recorded_at <= $6) and not exists ("
        "select from analysis_generations g where g.symbol = r.symbol and g.timeframe = r.timeframe "
        "and g.analyser = r.analyser and g.generation > r.generation and g.valid_from <= r.confirmed_at "
        "and ($6::timestamptz is null or g.recorded_at <= $6)) order by r.confirmed_at, 1, 2, 3"
    )


_POINTS = _select("points", "ts, kind, grade, price, confirmed_at, cause", "ts")
_TRENDS = _select("trends", "from_ts as ts, trend, confirmed_at", "from_ts")
_TREND_AT = f"select * from ({_TRENDS}) as known order by confirmed_at desc limit 1"
_PATTERNS = _select(
    "pattern_events", "at as ts, pattern_id, state, kind, confirmed_at, points, levels, evidence", "at"
)
_LATEST_PATTERNS = """
select *, count(*) over () as total from (
    select distinct on (r.symbol, r.timeframe, r.pattern_id)
        r.symbol, r.timeframe, r.pattern_id, r.kind, r.state, r.at as ts, r.confirmed_at,
        r.points, r.levels, r.evidence
    from pattern_events r
    where r.analyser = $1
      and (cardinality($2::text[]) = 0 or r.symbol = any($2))
      and (cardinality($3::text[]) = 0 or r.timeframe = any($3))
      and ($6::timestamptz is null or r.confirmed_at <= $6)
      and ($7::timestamptz is null or r.recorded_at <= $7)
      and not exists (
        select from analysis_generations g
        where g.symbol = r.symbol and g.timeframe = r.timeframe and g.analyser = r.analyser
          and g.generation > r.generation and g.valid_from <= r.confirmed_at
          and ($7::timestamptz is null or g.recorded_at <= $7))
    order by r.symbol, r.timeframe, r.pattern_id, r.confirmed_at desc, (r.state = 'forming')
) latest
where (cardinality($4::text[]) = 0 or state = any($4)) and (cardinality($5::text[]) = 0 or kind = any($5))
order by confirmed_at desc, symbol, timeframe, pattern_id limit $8
"""
_COUNTS = """
select state, count(*) as count, min(analysed_at) as oldest
from analysis_state where analyser = $1 group by state
"""
_UNIVERSE = """
select distinct on (symbol) symbol, member, reason
from universe_days where day <= $1 order by symbol, day desc
"""
_PUT_UNIVERSE = """
insert into universe_days (day, recorded_at, symbol, member, reason)
select $1, $2, u.* from unnest($3::text[], $4::boolean[], $5::text[]) as u
on conflict (symbol, day) do update set member = excluded.member, reason = excluded.reason,
    recorded_at = excluded.recorded_at
"""
