"""What the second row says on every screen: how things are, in words, and what comes next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chartinsight_tui.formatting import clock_time, number
from chartinsight_tui.store import LinkState, Store
from chartinsight_tui.text import Words

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Alert, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLine:
    """One sentence about the whole."""

    kind: str
    """`plain`, `working`, `attention`, `trouble` or `unknown`; there is no kind for what is not proved."""
    facts: str
    """Clauses, joined by ` · `, the first cause first."""
    coming: str = ""
    """What happens next, or which key helps."""


def state_line(store: Store, words: Words, now: datetime | None) -> StateLine:
    """Return the state of the daemon as far as it is known at `now`, its own time."""
    if not store.is_online or store.status is None:
        return _unheard(store, words)
    status = store.status
    if status.daemon.state == "paused":
        facts = _joined(words["state.paused"], _late(status, words))
        return StateLine(kind="attention", facts=facts, coming=words["line.resume"])
    if lasting := [alert for alert in status.alerts if alert.ended_at is None]:
        return _troubled(lasting, words)
    if not status.daemon.ready:
        return StateLine(kind="working", facts=_joined(words["daemon.not_ready"], *status.daemon.notes))
    return StateLine(kind="plain", facts=_facts(status, words), coming=_next(status, words, now))


def alert_title(alert: Alert, words: Words) -> str:
    """Return what an alert says in one line, in the user's language where there are words for it."""
    return words.get(f"alert.{alert.event}", alert.message)


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


def _troubled(lasting: list[Alert], words: Words) -> StateLine:
    worst = [alert for alert in lasting if alert.level == "error"] or lasting
    first = min(worst, key=lambda alert: alert.at)
    more = words.put("line.more", count=len(lasting) - 1) if len(lasting) > 1 else ""
    kind = "trouble" if first.level == "error" else "attention"
    return StateLine(kind=kind, facts=_joined(alert_title(first, words), more), coming=words["line.cause"])


def _facts(status: Status, words: Words) -> str:
    return _joined(
        words.put("line.tracked", count=number(status.tracked)),
        _late(status, words) or words["line.none_late"],
        words.put("line.gaps", count=number(status.gaps)),
    )


def _late(status: Status, words: Words) -> str:
    late = [one for one in status.freshness if one.late]
    if not late:
        return ""
    name = words[f"timeframe.{late[0].timeframe.value}"]
    return words.put("line.late", timeframe=name, count=number(late[0].late))


def _next(status: Status, words: Words, now: datetime | None) -> str:
    at = status.session.next_change_at
    if at is None or now is None:
        return ""
    left = words.duration((at - now).total_seconds())
    return words.put("line.next", at=clock_time(at)[:5], left=left)


def _joined(*clauses: str) -> str:
    return " · ".join(clause for clause in clauses if clause)
