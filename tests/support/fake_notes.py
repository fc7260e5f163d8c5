"""Notes of a daemon without a model."""

from __future__ import annotations

from datetime import UTC, date, datetime

from chartinsightd.control.handlers import Caller, Handlers, UnknownThing
from chartinsightd.control.operations import NOTE, NOTES, PROMPTS, WRITE_NOTE
from chartinsightd.control.protocol.notes import (
    Note,
    NoteAsk,
    NoteClaim,
    NoteFact,
    NoteList,
    NotePath,
    NoteQuery,
    PromptInfo,
    PromptList,
)

_DAY = date(2026, 10, 13)


class FakeNotes:
    """Writes a sentence on each stock; keeps what it wrote."""

    def __init__(self) -> None:
        self.kept: list[Note] = []

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on notes."""
        handlers.add(NOTES, self.notes)
        handlers.add(NOTE, self.note)
        handlers.add(PROMPTS, self.prompts)
        handlers.add(WRITE_NOTE, self.write)

    async def notes(self, query: NoteQuery) -> NoteList:
        """Return what was written."""
        items = [one for one in self.kept if query.symbol in {None, *one.symbols}]
        return NoteList(items=tuple(reversed(items))[: query.limit])

    async def note(self, asked: NotePath) -> Note:
        """Return one note."""
        if not 0 < asked.note_id <= len(self.kept):
            raise UnknownThing(f"There is no note {asked.note_id}.")
        return self.kept[asked.note_id - 1]

    async def prompts(self) -> PromptList:
        """Return one prompt."""
        prompt = PromptInfo(id="daily", version=1, title="What the store says", hash="0f", text="Write.")
        return PromptList(items=(prompt,))

    async def write(self, request: NoteAsk, caller: Caller) -> Note:
        """Write a sentence on each stock."""
        del caller
        facts = tuple(
            NoteFact(
                id=f"f{place}",
                symbol=symbol,
                what="종가",
                name="close",
                value=72_300.0,
                unit="won",
                text="72,300원",
                as_of=_DAY,
                rows=(f"candles {symbol} 1d {_DAY}",),
            )
            for place, symbol in enumerate(request.symbols, start=1)
        )
        claims = tuple(
            NoteClaim(symbol=fact.symbol, text="종가는 72,300원입니다.", facts=(fact.id,)) for fact in facts
        )
        note = Note(
            id=len(self.kept) + 1,
            source="template",
            prompt=request.prompt,
            prompt_hash="0f",
            provider="template",
            model="",
            language=request.language,
            symbols=request.symbols,
            claims=claims,
            facts=facts,
            claims_kept=len(claims),
            data_id="d1",
            created_at=datetime(2026, 10, 14, 1, 7, tzinfo=UTC),
        )
        self.kept.append(note)
        return note
