"""The verdict as it is shown."""

from __future__ import annotations

from chartinsightd.control.protocol.status import Verdict as VerdictMessage
from chartinsightd.control.protocol.status import VerdictCause, Words
from chartinsightd.domain.verdict import Bilingual, Verdict


def verdict_message(verdict: Verdict) -> VerdictMessage:
    """Return a verdict, as it is shown."""
    return VerdictMessage(
        state=verdict.state,
        words=_words(verdict.words),
        causes=tuple(
            VerdictCause(kind=cause.kind, state=cause.state, since=cause.since, words=_words(cause.words))
            for cause in verdict.causes
        ),
        next_at=verdict.coming.at if verdict.coming is not None else None,
        next_words=_words(verdict.coming_words),
    )


def _words(words: Bilingual) -> Words:
    return Words(en=words.en, ko=words.ko)
