"""Stored screens and their runs in PostgreSQL. Rows are added, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.odd_rows import OddRows, named_values
from chartinsightd.analysis.screens.evaluation import Excepted, Reason, Seen
from chartinsightd.ports.screens import RunMatch, ScreenRun, StoredScreen


class PostgresScreens:
    """Implements `ports.screens.ScreenStore`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection
        self._odd = OddRows()

    async def screens(self) -> list[StoredScreen]:
        """Return the newest version of each screen that is not removed, by name."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_SCREENS)
        kept = [row for row in rows if row["expression"] is not None]
        return self._odd.readable("screens", kept, _screen)

    async def save_screen(self, name: str, expression: Mapping[str, Any] | None, at: datetime) -> int:
        """Save the next version of a screen, None to remove it; return its number."""
        async with self._connection.use() as connection, connection.transaction():
            await connection.execute("lock table screens in share row exclusive mode")
            return int(await connection.fetchval(_SAVE, name, expression, at))

    async def runs(self, name: str, *, before: date | None = None, limit: int = 1) -> list[ScreenRun]:
        """Return runs of a screen of any version, the newest session first, of a session the newest run."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_RUNS, name, before, limit)
            matches = await connection.fetch(_MATCHES, [row["id"] for row in rows])
        found: dict[int, list[RunMatch]] = {row["id"]: [] for row in rows}
        for match in matches:
            found[match["run_id"]].append(_match(match))
        return [_run(row, found[row["id"]]) for row in rows]

    async def add_run(self, run: ScreenRun) -> None:
        """Keep a run with its matches, whole or not at all."""
        async with self._connection.use() as connection, connection.transaction():
            run_id = await connection.fetchval(
                _ADD_RUN,
                run.name,
                run.version,
                run.session,
                run.code_id,
                run.data_id,
                dict(run.counts),
                [[one.symbol, str(one.reason), one.detail] for one in run.exceptions],
                run.created_at,
            )
            await _add_matches(connection, run_id, run)


async def _add_matches(connection: Connection, run_id: int, run: ScreenRun) -> None:
    await connection.executemany(
        _ADD_MATCH,
        [
            (run_id, one.symbol, one.score, _shown(one), datetime.fromtimestamp(one.since, UTC), one.is_new)
            for one in run.matches
        ],
    )


def _shown(match: RunMatch) -> dict[str, dict[str, list[Any]]]:
    return {
        strategy: {name: [seen.value, seen.unit, seen.ts] for name, seen in figures.items()}
        for strategy, figures in match.evidence.items()
    }


def _screen(row: Mapping[str, Any]) -> StoredScreen:
    return StoredScreen(**{**row, "expression": named_values(row["expression"])})


def _match(row: Mapping[str, Any]) -> RunMatch:
    evidence = {
        strategy: {name: Seen(value=value, unit=unit, ts=ts) for name, (value, unit, ts) in figures.items()}
        for strategy, figures in row["evidence"].items()
    }
    since = int(row["since"].timestamp())
    return RunMatch(
        symbol=row["symbol"], score=row["score"], evidence=evidence, since=since, is_new=row["is_new"]
    )


def _run(row: Mapping[str, Any], matches: list[RunMatch]) -> ScreenRun:
    return ScreenRun(
        name=row["name"],
        version=row["version"],
        session=row["session"],
        data_id=row["data_id"],
        code_id=row["code_id"],
        counts=row["counts"],
        created_at=row["created_at"],
        matches=tuple(matches),
        exceptions=tuple(
            Excepted(symbol=symbol, reason=Reason(reason), detail=detail)
            for symbol, reason, detail in row["exceptions"]
        ),
    )


_SCREENS = """
select distinct on (name) name, version, expression, created_at from screens order by name, version desc
"""
_SAVE = """
insert into screens (name, version, expression, created_at)
select $1, coalesce(max(version), 0) + 1, coalesce($2::jsonb, 'null'::jsonb), $3 from screens where name = $1
returning version
"""
_RUNS = """
select * from (
    select distinct on (session) id, name, version, session, code_id, data_id, counts, exceptions, created_at
    from screen_runs where name = $1 and ($2::date is null or session < $2)
    order by session desc, id desc
) newest order by session desc limit $3
"""
_MATCHES = """
select run_id, symbol, score, evidence, since, is_new from screen_matches where run_id = any($1::bigint[])
order by run_id, score desc nulls last, symbol
"""
_ADD_RUN = """
insert into screen_runs (name, version, session, code_id, data_id, counts, exceptions, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning id
"""
_ADD_MATCH = """
insert into screen_matches (run_id, symbol, score, evidence, since, is_new)
values ($1, $2, $3, $4, $5, $6)
"""
