"""What the second row says on every screen: the daemon's verdict, or that it is not known. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from chartinsight_tui.formatting import clock_time, stamp
from chartinsight_tui.store import LinkState, Store
from chartinsight_tui.text import Words
from chartinsight_tui.told import told
from chartinsightd.domain.alert_record import HAPPENINGS

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Alert, Verdict
    from chartinsightd.control.protocol.status import Words as Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLine:
    """One sentence about the whole."""

    kind: str
    """`well`, `working`, `attention` or `trouble`, as the daemon says; `unknown` while it is not heard."""
    facts: str
    """Clauses, joined by ` · `, the first cause first."""
    coming: str = ""
    """What happens next, or which key helps."""


def state_line(
    store: Store, words: Words, now: datetime | None, pictured_at: datetime | None = None
) -> StateLine:
    """Return the state of the daemon as far as it is known at `now`, its own time.

    Before it is heard, the screen of an earlier time may be shown: `pictured_at`.
    """
    if not store.is_online or store.status is None:
        line = _unheard(store, words)
        if pictured_at is None or store.status is not None:
            return line
        picture = words.put("line.picture", at=stamp(pictured_at))
        return replace(line, facts=_joined(picture, line.facts))
    verdict = store.status.verdict
    return StateLine(
        kind=verdict.state.value, facts=_said(verdict.words, words), coming=_next(verdict, words, now)
    )


def alert_title(alert: Alert, words: Words) -> str:
    """Return what an alert says in one line, in the user's language where there are words for it."""
    if alert.event in HAPPENINGS:  # its words are names and figures
        return alert.message
    return words.get(f"alert.{alert.event}", told(alert.message, words))


def _unheard(store: Store, words: Words) -> StateLine:
    link = store.link
    if link.state is LinkState.CONNECTING:
        return StateLine(kind="unknown", facts=words["line.connecting"])
    if link.heard_at is None:
        return StateLine(kind="unknown", facts=words["line.never"], coming=words["line.help"])
    since = words.put("line.unknown_since", at=clock_time(_heard(store)))
    return StateLine(kind="unknown", facts=_joined(words["line.away"], since), coming=words["line.help"])


def _heard(store: Store) -> datetime | None:
    """Return when the daemon was heard last, by its own clock."""
    return store.link.heard_at if store.status is None else store.status.clock.now


def _next(verdict: Verdict, words: Words, now: datetime | None) -> str:
    """Say what happens next, or which key helps."""
    key = _key(verdict, words)
    if verdict.next_at is None:
        return key
    left = "" if now is None else words.duration(max(0.0, (verdict.next_at - now).total_seconds()))
    coming = words.put(
        "line.next", what=_said(verdict.next_words, words), at=clock_time(verdict.next_at)[:5], left=left
    )
    return _joined(coming, key)


def _key(verdict: Verdict, words: Words) -> str:
    """Say which key helps."""
    if not verdict.causes:
        return ""
    return words["line.resume" if verdict.causes[0].kind == "paused" else "line.cause"]


def _said(told: Bilingual, words: Words) -> str:
    """Return the daemon's own sentence in the user's language."""
    return told.ko if words.language == "ko" else told.en


def _joined(*clauses: str) -> str:
    return " · ".join(clause for clause in clauses if clause)
