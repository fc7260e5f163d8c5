"""A moment of the daemon as it is kept for later: when it was, how long it speaks, and what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

UNKNOWN = "unknown"
"""The state of a stretch that nothing was recorded of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the verdict of a moment was; times are aware, UTC."""

    at: datetime
    until: datetime
    """The moment speaks for the time before, unless the next one comes earlier."""
    state: str
    """The verdict's state."""
    causes: tuple[str, ...] = ()
    """The kinds of what kept it from being better, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A recorded moment."""

    mark: Mark
    body: bytes
    """Everything else, in the words of the control API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which the verdict was the same, or nothing is known; `until` is not part of it."""

    since: datetime
    until: datetime
    state: str
    """As in `Mark`, or `UNKNOWN`."""
    causes: tuple[str, ...] = ()


def stretches(marks: Iterable[Mark], since: datetime, until: datetime) -> list[Stretch]:
    """Return the time between two instants without a hole, each part once, oldest first.

    Args:
        marks: of the moments, oldest first; those outside count as far as they speak for a time inside.
        since: the beginning.
        until: the end, not part of it; later than `since`.
    """
    found: list[Stretch] = []
    at = since
    for mark, following in _with_next(marks):
        begins, ends = max(mark.at, at), min(mark.until, until)
        if following is not None:
            ends = min(ends, following.at)
        if ends <= begins:
            continue
        if begins > at:
            _append(found, Stretch(since=at, until=begins, state=UNKNOWN))
        _append(found, Stretch(since=begins, until=ends, state=mark.state, causes=mark.causes))
        at = ends
    if at < until:
        _append(found, Stretch(since=at, until=until, state=UNKNOWN))
    return found


def _append(found: list[Stretch], new: Stretch) -> None:
    """Add a stretch; one that says the same as the last makes that longer."""
    if found and (found[-1].state, found[-1].causes) == (new.state, new.causes):
        found[-1] = replace(found[-1], until=new.until)
    else:
        found.append(new)


def _with_next(marks: Iterable[Mark]) -> Iterable[tuple[Mark, Mark | None]]:
    before: Mark | None = None
    for mark in marks:
        if before is not None:
            yield before, mark
        before = mark
    if before is not None:
        yield before, None
