"""Notes: writes them, and shows those that are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from chartinsightd.backend.scope import unlisted
from chartinsightd.control.handlers import Caller, Handlers, UnknownThing
from chartinsightd.control.operations import NOTE, NOTES, PROMPTS, WRITE_NOTE
from chartinsightd.control.protocol.notes import (
    Note,
    NoteAsk,
    NoteList,
    NotePath,
    NoteQuery,
    PromptInfo,
    PromptList,
)
from chartinsightd.ports.notes import KeptNote, NoteStore
from chartinsightd.service.notes.note_writer import NoteWriter, UnknownPrompt, Wanted

Names = Callable[[], Awaitable[Mapping[str, str]]]
"""The name of every stock that is or was listed, by symbol."""


class NoteBoard:
    """Answers the operations on notes."""

    def __init__(self, *, writer: NoteWriter, store: NoteStore, names: Names) -> None:
        self._writer = writer
        self._store = store
        self._names = names

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on notes."""
        handlers.add(NOTES, self.notes)
        handlers.add(NOTE, self.note)
        handlers.add(PROMPTS, self.prompts)
        handlers.add(WRITE_NOTE, self.write)

    async def notes(self, query: NoteQuery) -> NoteList:
        """Return notes, newest first."""
        kept = await self._store.notes(query.symbol, query.before, query.limit)
        return NoteList(
            items=tuple(map(note_message, kept)),
            provider=self._writer.provider,
            used_today=await self._writer.used_today(),
            requests_per_day=self._writer.requests_per_day,
        )

    async def note(self, asked: NotePath) -> Note:
        """Return one note.

        Raises:
            UnknownThing: there is none of this id.
        """
        kept = await self._store.note(asked.note_id)
        if kept is None:
            raise UnknownThing(f"There is no note {asked.note_id}.", remedy="GET /v1/notes lists them.")
        return note_message(kept)

    async def prompts(self) -> PromptList:
        """Return the prompts, by id."""
        items = tuple(
            PromptInfo(
                id=prompt.head.id,
                version=prompt.head.version,
                title=prompt.head.title,
                hash=prompt.hash,
                text=prompt.text,
            )
            for _, prompt in sorted(self._writer.prompts.items())
        )
        return PromptList(items=items)

    async def write(self, request: NoteAsk, caller: Caller) -> Note:
        """Write a note.

        Raises:
            UnknownThing: a symbol is in no stock list, or there is no such prompt.
            NoProvider: a provider was asked for that is not set up.
        """
        del caller  # the server logs who asked
        names = await self._names()
        symbols = tuple(dict.fromkeys(request.symbols))
        if unknown := [symbol for symbol in symbols if symbol not in names]:
            raise unlisted(unknown[0])
        wanted = Wanted(
            symbols=symbols,
            names={symbol: names[symbol] for symbol in symbols},
            prompt=request.prompt,
            provider=request.provider,
            language=request.language,
        )
        try:
            return note_message(await self._writer.write(wanted))
        except UnknownPrompt as error:
            raise UnknownThing(error.message, remedy=error.remedy) from error


def note_message(kept: KeptNote) -> Note:
    """Return a note, as it is shown."""
    request, answer = kept.request, kept.answer
    return Note.model_validate(
        {
            "id": kept.id,
            "source": answer["source"],
            "reason": answer.get("reason", ""),
            "prompt": request.prompt,
            "prompt_hash": request.prompt_hash,
            "provider": request.provider,
            "model": request.model,
            "language": request.language,
            "symbols": request.symbols,
            "claims": answer["claims"],
            "facts": answer["facts"],
            "claims_kept": kept.claims_kept,
            "claims_struck": kept.claims_struck,
            "usage": kept.usage,
            "data_id": request.data_id,
            "created_at": kept.created_at,
        }
    )
