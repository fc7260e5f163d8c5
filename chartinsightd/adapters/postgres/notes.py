"""Notes and the budget of requests to a model in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.ports.notes import KeptNote, NoteRequest


class PostgresNotes:
    """Implements `ports.notes.NoteStore`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection

    async def same(self, request: NoteRequest) -> KeptNote | None:
        """Return the newest note of the same request that its own writer answered."""
        async with self._connection.use() as connection:
            row = await connection.fetchrow(
                _SAME,
                request.prompt_hash,
                request.data_id,
                request.provider,
                request.model,
                list(request.symbols),
                request.language,
            )
        return None if row is None else _note(row)

    async def add(self, note: KeptNote) -> int:
        """Keep a note; return its id."""
        request = note.request
        async with self._connection.use() as connection:
            return int(
                await connection.fetchval(
                    _ADD,
                    request.prompt,
                    request.prompt_hash,
                    request.provider,
                    request.model,
                    list(request.symbols),
                    request.language,
                    note.body,
                    note.answer,
                    note.claims_kept,
                    dict(note.claims_struck),
                    dict(note.usage),
                    request.data_id,
                    note.created_at,
                )
            )

    async def notes(self, symbol: str | None, before: int | None, limit: int) -> Sequence[KeptNote]:
        """Return notes, newest first."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_NOTES, symbol, before, limit)
        return [_note(row) for row in rows]

    async def note(self, note_id: int) -> KeptNote | None:
        """Return one note."""
        async with self._connection.use() as connection:
            row = await connection.fetchrow("select * from notes where id = $1", note_id)
        return None if row is None else _note(row)

    async def reserve(self, day: date, limit: int, now: datetime) -> bool:
        """Take one request of a day, committed before it is sent; two at once never take the same one."""
        if limit <= 0:
            return False
        async with self._connection.use() as connection:
            return await connection.fetchval(_RESERVE, day, limit, now) is not None

    async def used(self, day: date) -> int:
        """Return how many requests of a day are taken."""
        async with self._connection.use() as connection:
            return int(await connection.fetchval("select used from ai_budget where day = $1", day) or 0)

    async def close_until(self, day: date, until: datetime) -> None:
        """Remember that the provider wants no request before a moment."""
        async with self._connection.use() as connection:
            await connection.execute(_CLOSE, day, until)


def _note(row: Mapping[str, Any]) -> KeptNote:
    return KeptNote(
        id=row["id"],
        request=NoteRequest(
            prompt=row["prompt"],
            prompt_hash=row["prompt_hash"],
            provider=row["provider"],
            model=row["model"],
            symbols=tuple(row["symbols"]),
            language=row["language"],
            data_id=row["data_id"],
        ),
        body=row["request"],
        answer=row["answer"],
        claims_kept=row["claims_kept"],
        claims_struck=row["claims_struck"],
        usage=row["usage"],
        created_at=row["created_at"],
    )


_SAME = """
select * from notes
where prompt_hash = $1 and data_id = $2 and provider = $3 and model = $4 and symbols = $5 and language = $6
  and answer ->> 'source' = provider
order by id desc limit 1
"""

_ADD = """
insert into notes (
    prompt, prompt_hash, provider, model, symbols, language, request, answer, claims_kept, claims_struck,
    usage, data_id, created_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
returning id
"""

_NOTES = """
select * from notes
where ($1::text is null or $1 = any(symbols)) and ($2::bigint is null or id < $2)
order by id desc limit $3
"""

_RESERVE = """
insert into ai_budget as budget (day, used) values ($1, 1)
on conflict (day) do update set used = budget.used + 1
where budget.used < $2 and (budget.closed_until is null or budget.closed_until <= $3)
returning used
"""

_CLOSE = """
insert into ai_budget as budget (day, closed_until) values ($1, $2)
on conflict (day) do update set closed_until = greatest(budget.closed_until, excluded.closed_until)
"""
