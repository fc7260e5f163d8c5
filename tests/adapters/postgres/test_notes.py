"""Notes and their budget in a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.notes import PostgresNotes
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.ports.notes import KeptNote, NoteRequest
from tests.support.postgres import connected

NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
DAY = date(2026, 11, 18)
REQUEST = NoteRequest(
    prompt="daily",
    prompt_hash="abc",
    provider="gemini",
    model="m",
    symbols=("005930", "000660"),
    language="ko",
    data_id="d1",
)
NOTE = KeptNote(
    id=0,
    request=REQUEST,
    body={"contents": []},
    answer={"source": "gemini", "reason": "", "claims": [], "facts": []},
    claims_kept=2,
    claims_struck={"number": 1},
    usage={"total": 9},
    created_at=NOW,
)


@pytest.fixture
async def notes(database: str) -> AsyncIterator[PostgresNotes]:
    """Notes over an empty store."""
    connection = ReconnectingConnection(database, looking("simulation", "test notes"))
    yield PostgresNotes(connection)
    await connection.close()


async def test_the_same_question_finds_its_note(notes: PostgresNotes) -> None:
    """Same prompt, candles, stocks, language and model: the stored answer; anything else: none."""
    note_id = await notes.add(NOTE)
    kept = await notes.same(REQUEST)
    assert kept == replace(NOTE, id=note_id)
    for other in (
        replace(REQUEST, data_id="d2"),
        replace(REQUEST, prompt_hash="x"),
        replace(REQUEST, symbols=("000660", "005930")),
        replace(REQUEST, language="en"),
        replace(REQUEST, model="n"),
    ):
        assert await notes.same(other) is None


async def test_a_template_that_stood_in_is_not_the_answer(notes: PostgresNotes) -> None:
    """After a failure of the model the same question is asked again."""
    await notes.add(replace(NOTE, answer=dict(NOTE.answer) | {"source": "template", "reason": "busy"}))
    assert await notes.same(REQUEST) is None
    assert len(await notes.notes("005930", None, 10)) == 1
    assert await notes.notes("035720", None, 10) == []


async def test_the_budget_holds_under_concurrency(database: str) -> None:
    """However many ask at once over connections of their own, the limit is never passed."""
    links = [ReconnectingConnection(database, looking("simulation", "test notes")) for _ in range(4)]
    stores = [PostgresNotes(link) for link in links]
    taken = await asyncio.gather(*(stores[place % 4].reserve(DAY, 7, NOW) for place in range(40)))
    assert sum(taken) == 7
    assert await stores[0].used(DAY) == 7
    assert await stores[0].reserve(DAY + timedelta(days=1), 7, NOW)
    assert not await stores[0].reserve(DAY + timedelta(days=2), 0, NOW)
    for link in links:
        await link.close()


async def test_a_provider_that_wants_quiet_gets_it(notes: PostgresNotes) -> None:
    """Nothing is taken before the named moment, and an earlier one does not shorten it."""
    await notes.close_until(DAY, NOW + timedelta(seconds=17))
    await notes.close_until(DAY, NOW + timedelta(seconds=5))
    assert not await notes.reserve(DAY, 7, NOW + timedelta(seconds=16))
    assert await notes.reserve(DAY, 7, NOW + timedelta(seconds=17))
    assert await notes.used(DAY) == 1


async def test_a_note_is_never_changed(database: str, notes: PostgresNotes) -> None:
    """The database itself refuses to change or remove one."""
    await notes.add(NOTE)
    async with connected(database) as connection:
        for statement in ("update notes set model = 'x'", "delete from notes", "truncate notes"):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(statement)
