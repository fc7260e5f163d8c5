"""Writes notes: by a model within its budget, or by the template; never a figure that is no fact."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.kst import day_of
from chartinsightd.notes.claims import Claim, Strike, judged
from chartinsightd.notes.fact_table import as_data
from chartinsightd.notes.facts import Fact, Language, name_of, shown
from chartinsightd.notes.prompt import Prompt
from chartinsightd.notes.template import template_claims
from chartinsightd.ports.notes import (
    Completer,
    CompletionRequest,
    KeptNote,
    NoProvider,
    NoteRequest,
    NoteStore,
    ProviderFailed,
)
from chartinsightd.service.notes.stock_facts import StockFacts

log = structlog.get_logger(__name__)

TEMPLATE = "template"
MOST_STOCKS = 20
_ANSWER_WITHIN_S = 60.0
_LEAVE_ALONE = timedelta(minutes=1)
"""After a refusal for the pace that names no time."""
_LANGUAGES: Mapping[Language, str] = {"ko": "Korean", "en": "English"}


class UnknownPrompt(ChartInsightError):
    """There is no prompt of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants a note about."""

    symbols: tuple[str, ...]
    names: Mapping[str, str]
    """Of these stocks, by symbol."""
    prompt: str
    provider: str | None
    """None: the one that is set up, else the template."""
    language: Language


class NoteWriter:
    """Writes notes, one at a time.

    Args:
        facts: of stocks.
        store: notes and budget.
        completer: the model; None where none is set up.
        missing: what to do to have one, where there is none.
        prompts: by id.
        requests_per_day: the budget.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        facts: StockFacts,
        store: NoteStore,
        completer: Completer | None,
        missing: str,
        prompts: Mapping[str, Prompt],
        requests_per_day: int,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._store = store
        self._completer = completer
        self._missing = missing
        self._prompts = prompts
        self._requests_per_day = requests_per_day
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    @property
    def prompts(self) -> Mapping[str, Prompt]:
        """The prompts, by id."""
        return self._prompts

    @property
    def provider(self) -> str | None:
        """The provider that is set up; None without one."""
        return None if self._completer is None else self._completer.provider

    @property
    def requests_per_day(self) -> int:
        """The budget."""
        return self._requests_per_day

    async def used_today(self) -> int:
        """Return how many requests of the Korean day are taken."""
        return await self._store.used(day_of(self._clock.now()))

    async def write(self, wanted: Wanted) -> KeptNote:
        """Return the note, the stored one where the same was asked over the same candles.

        A model that fails or has no budget left leaves a template note with the reason.

        Raises:
            UnknownPrompt: there is no such prompt.
            NoProvider: a provider was asked for that is not set up.
            StoreUnavailable: the database does not answer now.
        """
        prompt = self._prompts.get(wanted.prompt)
        if prompt is None:
            known = ", ".join(sorted(self._prompts))
            raise UnknownPrompt(f"There is no prompt {wanted.prompt}.", remedy=f"There are {known}.")
        completer = self._chosen(wanted.provider)
        async with self._one_at_a_time:
            request = NoteRequest(
                prompt=prompt.head.id,
                prompt_hash=prompt.hash,
                provider=TEMPLATE if completer is None else completer.provider,
                model="" if completer is None else completer.model,
                symbols=wanted.symbols,
                language=wanted.language,
                data_id=await self._facts.data_id(wanted.symbols),
            )
            if (kept := await self._store.same(request)) is not None:
                return kept
            facts = await self._facts.facts(wanted.symbols)
            if completer is None or not facts:
                draft = _by_template(request, facts, "" if facts else "no_data")
            else:
                draft = await self._ask(completer, prompt, request, wanted, facts)
            note = draft.note(self._clock.now())
            return replace(note, id=await self._store.add(note))

    def _chosen(self, provider: str | None) -> Completer | None:
        if provider == TEMPLATE or (provider is None and self._completer is None):
            return None
        if self._completer is None or provider not in {None, self._completer.provider}:
            raise NoProvider(f"No provider {provider} is set up.", remedy=self._missing)
        return self._completer

    async def _ask(
        self,
        completer: Completer,
        prompt: Prompt,
        request: NoteRequest,
        wanted: Wanted,
        facts: Sequence[Fact],
    ) -> _Draft:
        now = self._clock.now()
        if not await self._store.reserve(day_of(now), self._requests_per_day, now):
            return _by_template(request, facts, "budget")
        question = CompletionRequest(
            text=_filled(prompt, wanted, facts),
            max_tokens=prompt.head.max_tokens,
            temperature=prompt.head.temperature,
            timeout_s=_ANSWER_WITHIN_S,
        )
        body = completer.body(question)
        try:
            answer = await completer.complete(question)
        except ProviderFailed as failure:
            await self._note_failure(failure)
            return _by_template(request, facts, failure.reason, body)
        found = judged(answer.parsed, facts, wanted.names, wanted.language)
        log.info("note.judged", kept=len(found.claims), struck=sum(found.struck.values()))
        if not found.claims:
            return _by_template(request, facts, "all_struck", body, found.struck, answer.usage)
        return _Draft(
            request=request,
            source=completer.provider,
            claims=found.claims,
            facts=facts,
            body=body,
            struck=found.struck,
            usage=answer.usage,
        )

    async def _note_failure(self, failure: ProviderFailed) -> None:
        log.warning("note.provider_failed", reason=failure.reason, error=str(failure))
        if failure.reason != "busy" and failure.retry_after_s is None:
            return
        now = self._clock.now()
        wait = _LEAVE_ALONE if failure.retry_after_s is None else timedelta(seconds=failure.retry_after_s)
        await self._store.close_until(day_of(now), now + wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A note before it is kept."""

    request: NoteRequest
    source: str
    claims: Sequence[Claim]
    facts: Sequence[Fact]
    reason: str = ""
    """Why the template stands in for a model; empty where it does not."""
    body: Mapping[str, Any] | None = None
    struck: Mapping[Strike, int] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)

    def note(self, at: datetime) -> KeptNote:
        """Return the note as it is kept; only facts that a claim cites stay."""
        cited = {fact_id for claim in self.claims for fact_id in claim.facts}
        return KeptNote(
            id=0,
            request=self.request,
            body=self.body,
            answer={
                "source": self.source,
                "reason": self.reason,
                "claims": [
                    {"symbol": one.symbol, "text": one.text, "facts": list(one.facts)} for one in self.claims
                ],
                "facts": [_kept_fact(fact, self.request.language) for fact in self.facts if fact.id in cited],
            },
            claims_kept=len(self.claims),
            claims_struck={reason.value: count for reason, count in self.struck.items()},
            usage=self.usage,
            created_at=at,
        )


def _by_template(
    request: NoteRequest,
    facts: Sequence[Fact],
    reason: str,
    body: Mapping[str, Any] | None = None,
    struck: Mapping[Strike, int] | None = None,
    usage: Mapping[str, int] | None = None,
) -> _Draft:
    return _Draft(
        request=request,
        source=TEMPLATE,
        claims=template_claims(facts, request.symbols, request.language),
        facts=facts,
        reason=reason,
        body=body,
        struck=struck or {},
        usage=usage or {},
    )


def _kept_fact(fact: Fact, language: Language) -> dict[str, Any]:
    """Return a fact as it is kept and shown."""
    return {
        "id": fact.id,
        "symbol": fact.symbol,
        "what": name_of(fact, language),
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit.value,
        "text": shown(fact, language),
        "as_of": fact.as_of.isoformat(),
        "rows": list(fact.rows),
    }


def _filled(prompt: Prompt, wanted: Wanted, facts: Sequence[Fact]) -> str:
    """Return the prompt with the table of facts; foreign names stand in it as JSON strings only."""
    data = as_data(facts, wanted.names, wanted.language)
    return prompt.filled(
        {"language": _LANGUAGES[wanted.language], "data": json.dumps(data, ensure_ascii=False)}
    )
