"""Notes: what was written about stocks, each sentence with the facts it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from chartinsightd.control.protocol.words import Count, Day, Instant, Message, Request, Symbol

MOST_STOCKS = 20


class NoteAsk(Request):
    """A note on some stocks."""

    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=MOST_STOCKS)]
    prompt: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "daily"
    provider: Literal["template", "gemini", "openai"] | None = None
    """None: the model that is set up, else the template."""
    language: Literal["ko", "en"] = "ko"


class NoteClaim(Message):
    """A sentence about one stock."""

    symbol: Symbol
    text: str
    facts: tuple[str, ...]
    """Ids of the facts whose values stand in it."""


class NoteFact(Message):
    """A value that a sentence shows, with the rows it was read or computed from."""

    id: str
    symbol: Symbol
    what: str
    """What it is, in the note's language."""
    name: str
    """What it is, for programs: `close`, `change_1d`."""
    value: float | str
    unit: str
    text: str
    """As it is written, with its sign and unit."""
    as_of: Day
    rows: tuple[str, ...]


class Note(Message):
    """One note."""

    id: Count
    source: str
    """Who wrote the sentences: the provider, or `template`."""
    reason: str = ""
    """Why the template stands in for the model that was asked: `budget`, `busy`, `cut`, `all_struck`, …"""
    prompt: str
    prompt_hash: str
    provider: str
    """Who was asked."""
    model: str
    language: Literal["ko", "en"]
    symbols: tuple[Symbol, ...]
    claims: tuple[NoteClaim, ...] = ()
    facts: tuple[NoteFact, ...] = ()
    claims_kept: Count = 0
    claims_struck: Mapping[str, Count] = Field(default_factory=dict)
    """Sentences of the model that are not shown, by reason; their words are not kept."""
    usage: Mapping[str, int] = Field(default_factory=dict)
    """Tokens, by the provider's names."""
    data_id: str
    created_at: Instant


class NoteQuery(Request):
    """Which notes."""

    symbol: Symbol | None = None
    before: Annotated[int, Field(ge=1)] | None = None
    """Only smaller ids: the next page."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class NotePath(Request):
    """Which note."""

    note_id: Annotated[int, Field(ge=0, le=2**63 - 1)]


class NoteList(Message):
    """Notes, newest first."""

    items: tuple[Note, ...] = ()
    provider: str | None = None
    """The model's provider that is set up; None without one."""
    used_today: Count = 0
    """Requests to the provider on this Korean day."""
    requests_per_day: Count = 0


class PromptInfo(Message):
    """A prompt."""

    id: str
    version: Count
    title: str
    hash: str
    text: str


class PromptList(Message):
    """Prompts, by id."""

    items: tuple[PromptInfo, ...] = ()
