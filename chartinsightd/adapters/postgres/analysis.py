"""Results of the analysis in PostgreSQL. Rows are added, never changed: the tables refuse anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pydantic_core import from_json, to_json

from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.odd_rows import OddRows
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
    PatternEnd,
    PatternFilter,
)
from chartinsightd.ports.archive import Found

_ROWS_A_STATEMENT = 2_000
"""Writing this many down takes the event loop some milliseconds."""


class PostgresAnalysis:
    """Implements `ports.analysis.AnalysisStore` and `UniverseStore`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection
        self._odd = OddRows()

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
        async with self._connection.use() as connection:
            return len(await connection.fetch(_ADD, analyser, *_series_columns(series)))

    async def carried(self, analyser: str, series: Sequence[Series]) -> dict[Series, bytes | None]:
        """Return the analyser's own state of each series that has results; see `ports.analysis`."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_CARRIED, analyser, *_series_columns(series))
        return {_series(row): row["carried"] for row in rows}

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
        async with self._connection.use() as connection:
            row = await connection.fetchrow(_FINDINGS, *asked)
        points, trends, patterns, before = map(from_json, row)
        return Findings(
            points=tuple(_point(*one) for one in points),
            trends=tuple(_trend(*one) for one in trends),
            patterns=tuple(_pattern(*one) for one in patterns),
            trend_before=_trend(*before[0]) if before else None,
        )

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
        found = [KnownPattern(series=_series(row), found=_pattern(*row[2:-1])) for row in rows]
        return Found(found, rows[0]["total"] if rows else 0)

    async def pattern_ends(
        self, analyser: str, timeframe: Timeframe, until: datetime | None = None
    ) -> Sequence[PatternEnd]:
        """Return where every pattern that counts and has ended did so; see `ports.analysis.AnalysisStore`."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_PATTERN_ENDS, analyser, str(timeframe), until)
        return [PatternEnd(*row) for row in rows]

    async def state(self, analyser: str, series: Series) -> AnalysisState | None:
        """Return how one series stands; None where it is not known to the analyser."""
        async with self._connection.use() as connection:
            row = await connection.fetchrow(_STATE, analyser, series.symbol, str(series.timeframe))
        return None if row is None else _state(row)

    async def save(self, analyser: str, results: Sequence[AnalysisResult], at: datetime) -> None:
        """Keep results, each whole or not at all with the others, recorded at `at`."""
        async with self._connection.use() as connection, connection.transaction():
            await _save(connection, analyser, results, at)

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
        found = self._odd.readable("universe_days", rows, lambda row: Membership(**row))
        return {one.symbol: one for one in found}

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


async def _save(
    connection: Connection, analyser: str, results: Sequence[AnalysisResult], at: datetime
) -> None:
    """Add the rows of all results table by table: a statement each, however many series there are."""
    generations = await _generations(connection, analyser, results, at)
    for name, statement in _PUT.items():
        for document in _documents(results, generations, name):
            await connection.execute(statement, analyser, at, document)
    states = [result.state for result in results]
    await connection.execute(
        _PUT_STATES,
        analyser,
        at,
        *_series_columns([state.series for state in states]),
        [state.data_id for state in states],
        [state.analysed_to for state in states],
        [str(state.status) for state in states],
        [state.reason for state in states],
        [result.carried for result in results],
    )


async def _generations(
    connection: Connection, analyser: str, results: Sequence[AnalysisResult], at: datetime
) -> list[int]:
    """Return the generation that each result's rows belong to; write down those that begin."""
    columns = _series_columns([result.state.series for result in results])
    rows = await connection.fetch(_GENERATIONS, analyser, *columns)
    newest = {_series(row): row["generation"] for row in rows}
    generations = [newest.get(result.state.series, -1) for result in results]
    begun = [
        place
        for place, result in enumerate(results)
        if generations[place] < 0 or result.valid_from is not None
    ]
    for place in begun:
        generations[place] += 1
    if begun:
        await connection.execute(
            _NEW_GENERATIONS,
            analyser,
            at,
            *_series_columns([results[place].state.series for place in begun]),
            [generations[place] for place in begun],
            [_moment(results[place].valid_from or 0) for place in begun],
            [str(results[place].state.cause) for place in begun],
        )
    return generations


def _documents(results: Sequence[AnalysisResult], generations: Sequence[int], name: str) -> Iterator[str]:
    """Yield the rows of one kind as JSON, with what those of one series share.

    An array of a column costs ten times as much: asyncpg asks each value whether it is an array itself.
    """
    parts: list[dict[str, Any]] = []
    count = 0
    for result, generation in zip(results, generations, strict=True):
        rows, state = getattr(result.found, name), result.state
        for place in range(0, len(rows), _ROWS_A_STATEMENT):
            some = rows[place : place + _ROWS_A_STATEMENT]
            shared = {"symbol": state.series.symbol, "timeframe": state.series.timeframe}
            parts.append({**shared, "data_id": state.data_id, "generation": generation, "rows": some})
            count += len(some)
            if count >= _ROWS_A_STATEMENT:
                yield to_json(parts).decode()
                parts, count = [], 0
    if parts:
        yield to_json(parts).decode()


def _series_columns(series: Sequence[Series]) -> tuple[list[str], list[str]]:
    """Return symbols and timeframes."""
    return [one.symbol for one in series], [str(one.timeframe) for one in series]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


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


def _point(ts: int, kind: str, grade: str, price: int, confirmed_at: int, cause: str) -> FoundPoint:
    return FoundPoint(
        ts=ts,
        kind=PointKind(kind),
        grade=Grade(grade),
        price=price,
        confirmed_at=confirmed_at,
        cause=cause,
    )


def _trend(from_ts: int, trend: str, confirmed_at: int) -> FoundTrend:
    return FoundTrend(from_ts=from_ts, trend=Trend(trend), confirmed_at=confirmed_at)


def _pattern(
    ts: int,
    pattern_id: str,
    state: str,
    kind: str,
    confirmed_at: int,
    points: Sequence[tuple[str, int, int]],
    levels: Mapping[str, float],
    evidence: Mapping[str, tuple[float, str]],
) -> FoundPattern:
    return FoundPattern(
        pattern_id=pattern_id,
        kind=PatternKind(kind),
        state=PatternState(state),
        ts=ts,
        confirmed_at=confirmed_at,
        points=tuple(PatternPoint(role=role, ts=at, price=price) for role, at, price in points),
        levels=levels,
        evidence={name: (value, unit) for name, (value, unit) in evidence.items()},
    )


_STATES = """
select symbol, timeframe, state, reason, data_id, analysed_to, analysed_at, from_start, cause
from analysis_state where analyser = $1
"""
_STATE = f"{_STATES} and symbol = $2 and timeframe = $3"
_BEGIN_CURSOR = """
insert into change_cursors (reader, number) select $1, last from change_counter on conflict do nothing
"""
_CURSOR = """
select case when number <= (select last from change_counter) then number else 0 end
from change_cursors where reader = $1 for update
"""
"""One that is ahead of all changes would miss the next ones: then every change that is kept is read again."""
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
_CARRIED = """
select u.symbol, u.timeframe, s.carried
from unnest($2::text[], $3::text[]) as u(symbol, timeframe)
left join analysis_state s on s.symbol = u.symbol and s.timeframe = u.timeframe and s.analyser = $1
where exists (select from analysis_generations g
    where g.symbol = u.symbol and g.timeframe = u.timeframe and g.analyser = $1)
"""
_GENERATIONS = """
select u.symbol, u.timeframe, max(g.generation) as generation
from unnest($2::text[], $3::text[]) as u(symbol, timeframe)
join analysis_generations g on g.symbol = u.symbol and g.timeframe = u.timeframe and g.analyser = $1
group by u.symbol, u.timeframe
"""
_NEW_GENERATIONS = """
insert into analysis_generations (symbol, timeframe, analyser, generation, valid_from, cause, recorded_at)
select symbol, timeframe, $1, generation, valid_from, cause, $2
from unnest($3::text[], $4::text[], $5::integer[], $6::timestamptz[], $7::text[])
    as u(symbol, timeframe, generation, valid_from, cause)
"""


def _put(table: str, columns: Mapping[str, str]) -> str:
    """Return the statement that adds rows of one kind.

    Args:
        table: of which.
        columns: by the name of each a value of a row `r`; see `_documents`.
    """
    return f"""
insert into {table} (symbol, timeframe, analyser, data_id, generation, recorded_at, {", ".join(columns)})
select s.symbol, s.timeframe, $1, s.data_id, s.generation, $2, {", ".join(columns.values())}
from json_to_recordset($3::json)
    as s(symbol text, timeframe text, data_id text, generation integer, rows json),
json_to_recordset(s.rows) as r(ts bigint, from_ts bigint, confirmed_at bigint, price integer,
    kind text, grade text, cause text, trend text, pattern_id text, state text,
    points jsonb, levels jsonb, evidence jsonb)
"""


def _same(*names: str) -> dict[str, str]:
    return {name: f"r.{name}" for name in names}


_CONFIRMED = {"confirmed_at": "to_timestamp(r.confirmed_at)"}
_PUT = {
    "points": _put(
        "points",
        {"ts": "to_timestamp(r.ts)", **_CONFIRMED, **_same("kind", "grade", "price", "cause")},
    ),
    "trends": _put("trends", {"from_ts": "to_timestamp(r.from_ts)", **_CONFIRMED, **_same("trend")}),
    "patterns": _put(
        "pattern_events",
        {
            "at": "to_timestamp(r.ts)",
            **_CONFIRMED,
            **_same("pattern_id", "kind", "state", "points", "levels", "evidence"),
        },
    ),
}
_PUT_STATES = """
insert into analysis_state as known
    (symbol, timeframe, analyser, data_id, analysed_to, state, reason, analysed_at,
    from_start, cause, carried)
select symbol, timeframe, $1, data_id, analysed_to, state, reason, $2, false, 'first', carried
from unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::bytea[])
    as u(symbol, timeframe, data_id, analysed_to, state, reason, carried)
on conflict (symbol, timeframe, analyser) do update set data_id = excluded.data_id,
    analysed_to = excluded.analysed_to, state = excluded.state, reason = excluded.reason,
    analysed_at = excluded.analysed_at, from_start = false, carried = excluded.carried
"""


def _epoch(column: str) -> str:
    return f"extract(epoch from {column})::bigint"


def _rows_of(table: str) -> str:
    """Return the rows of one series that count by what was known, to be cut further."""
    return (
        f"{table} r where r.analyser = $1 and r.symbol = $2 and r.timeframe = $3 "
        "and ($6::timestamptz is null or r.recorded_at <= $6) and not exists ("
        "select from analysis_generations g where g.symbol = r.symbol and g.timeframe = r.timeframe "
        "and g.analyser = r.analyser and g.generation > r.generation and g.valid_from <= r.confirmed_at "
        "and ($6::timestamptz is null or g.recorded_at <= $6))"
    )


def _arrays(columns: str, rows: str, order: str) -> str:
    """Return rows as a JSON array of arrays: one value costs neither server nor client much."""
    return f"(select coalesce(json_agg(json_build_array({columns}) order by {order}), '[]') from {rows})"


def _known(table: str, columns: str, ts: str, order: str) -> str:
    """Return the rows of one series, cut along both axes of time."""
    span = f"($4::timestamptz is null or r.{ts} >= $4) and ($5::timestamptz is null or r.confirmed_at <= $5)"
    return _arrays(columns, f"{_rows_of(table)} and {span}", f"confirmed_at, {order}")


_TREND = f"{_epoch('from_ts')}, trend, {_epoch('confirmed_at')}"
_BEFORE = (
    f"(select * from {_rows_of('trends')} and r.confirmed_at <= $4 "
    "order by confirmed_at desc, from_ts desc limit 1) newest"
)
_FINDINGS = "select " + ", ".join(
    (
        _known(
            "points",
            f"{_epoch('ts')}, kind, grade, price, {_epoch('confirmed_at')}, cause",
            "ts",
            "ts, kind, grade",
        ),
        _known("trends", _TREND, "from_ts", "from_ts, trend"),
        _known(
            "pattern_events",
            f"{_epoch('at')}, pattern_id, state, kind, {_epoch('confirmed_at')}, points, levels, evidence",
            "at",
            "at, pattern_id, state",
        ),
        _arrays(_TREND, _BEFORE, "from_ts"),
    )
)
"""Points, trends, patterns and the trend before them in one statement: one snapshot and one round trip."""
_LATEST_PATTERNS = f"""
select symbol, timeframe, {_epoch("at")}, pattern_id, state, kind, {_epoch("confirmed_at")},
    points, levels, evidence, count(*) over () as total
from (
    select distinct on (r.symbol, r.timeframe, r.pattern_id)
        r.symbol, r.timeframe, r.pattern_id, r.kind, r.state, r.at, r.confirmed_at,
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
_PATTERN_ENDS = """
select symbol, kind, state, extract(epoch from at)::bigint from (
    select distinct on (r.symbol, r.pattern_id) r.symbol, r.pattern_id, r.kind, r.state, r.at
    from pattern_events r
    where r.analyser = $1 and r.timeframe = $2
      and ($3::timestamptz is null or r.confirmed_at <= $3)
      and not exists (
        select from analysis_generations g
        where g.symbol = r.symbol and g.timeframe = r.timeframe and g.analyser = r.analyser
          and g.generation > r.generation and g.valid_from <= r.confirmed_at)
    order by r.symbol, r.pattern_id, r.confirmed_at desc, (r.state = 'forming')
) latest where state <> 'forming'
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
