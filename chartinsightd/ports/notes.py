"""Who writes notes, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.notes.facts import Language


class ProviderFailed(ChartInsightError):
    """A provider of language models gave no whole answer. Its words are not quoted: they may hold the key."""

    def __init__(
        self, reason: str, message: str, *, remedy: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        """A word for machines: `bad_request`, `refused`, `no_model`, `busy`, `away`, `cut`, `blocked`,
        `empty`, `unreadable`."""
        self.retry_after_s = retry_after_s
        """How long the provider wants to be left alone, in seconds; None where it named no time."""


class NoProvider(ChartInsightError):
    """A provider was asked for that is not set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer: finished by the model itself, and JSON."""

    parsed: Any
    """As the model gave it; nothing of it is believed yet."""
    model: str
    usage: Mapping[str, int] = field(default_factory=dict)
    """Tokens, by the provider's names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """What a model is asked."""

    text: str
    max_tokens: int
    temperature: float
    timeout_s: float


class Completer(Protocol):
    """A provider of language models."""

    @property
    def provider(self) -> str:
        """Its name in settings and notes."""

    @property
    def model(self) -> str:
        """The model that is asked."""

    def body(self, request: CompletionRequest) -> Mapping[str, Any]:
        """Return the JSON that is sent for a request; it holds no key."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Ask once; one HTTP request, no retry.

        Raises:
            ProviderFailed: there is no whole answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRequest:
    """What a note is about. The same one over the same candles has the same answer."""

    prompt: str
    prompt_hash: str
    provider: str
    """`template` where no model writes."""
    model: str
    symbols: tuple[str, ...]
    language: Language
    data_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote:
    """A note as it is kept."""

    id: int
    request: NoteRequest
    body: Mapping[str, Any] | None
    """What was sent to the provider; None for a template."""
    answer: Mapping[str, Any]
    """`source`, `claims`, `facts`, and `reason` where a template stands in for a model."""
    claims_kept: int
    claims_struck: Mapping[str, int]
    usage: Mapping[str, int]
    created_at: datetime


class NoteStore(Protocol):
    """Where notes and the budget are kept. Every method raises StoreUnavailable."""

    async def same(self, request: NoteRequest) -> KeptNote | None:
        """Return the newest note of the same request that its own writer answered; None without one."""

    async def add(self, note: KeptNote) -> int:
        """Keep a note, whatever its `id` says; return the id it got."""

    async def notes(self, symbol: str | None, before: int | None, limit: int) -> Sequence[KeptNote]:
        """Return notes, newest first, of one stock or of all, with smaller ids than `before`."""

    async def note(self, note_id: int) -> KeptNote | None:
        """Return one note."""

    async def reserve(self, day: date, limit: int, now: datetime) -> bool:
        """Take one request out of the budget of a Korean day, durable before it is sent.

        False, and nothing taken, where the day's limit is reached or the provider wants to be left alone.
        """

    async def used(self, day: date) -> int:
        """Return how many requests of a day are taken."""

    async def close_until(self, day: date, until: datetime) -> None:
        """Remember that the provider wants no request before a moment; a later one stays."""
