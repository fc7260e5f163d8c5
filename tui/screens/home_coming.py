"""What happens next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    NOTHING,
    clock_time,
    fit,
)
from chartinsight_tui.widgets.pane import Line, heading

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Status

_SHORT_BELOW = 30
"""Width below which what comes is said in a word."""


def coming_lines(context: Context, status: Status, width: int) -> list[Line]:
    """Return what is read next and the hours of the session, each with the time left."""
    now = context.now()
    lines: list[Line] = [heading(context.words["home.coming"], width, context.palette)]
    for at, text in _events(context, status, is_short=width < _SHORT_BELOW):
        if at > (now or status.clock.now):
            left = NOTHING if now is None else context.words.duration((at - now).total_seconds())
            lines.append(_event(context, clock_time(at)[:5], text, left, width))
    next_session = status.session.next_session
    if next_session is not None and len(lines) < 4:
        lines.append(_event(context, f"{next_session:%m-%d}", context.words["coming.session"], "", width))
    return lines if len(lines) > 1 else [*lines, [(f" {NOTHING}", context.palette.dim)]]


def _events(context: Context, status: Status, *, is_short: bool) -> Iterator[tuple[datetime, str]]:
    """Yield what is read next, and the hours of the session."""
    verdict, session = status.verdict, status.session
    if verdict.next_at is not None:
        told = verdict.next_words
        yield verdict.next_at, told.ko if context.words.language == "ko" else told.en
    hours = {"opens": session.opens_at, "closes": session.closes_at, "ends": session.ends_at}
    for name, at in hours.items():
        if at is not None:
            yield at, context.words[f"coming.{name}.short" if is_short else f"coming.{name}"]


def _event(context: Context, at: str, text: str, left: str, width: int) -> Line:
    head = f" {at:<{7 if width >= _SHORT_BELOW else 5}}"
    room = max(1, width - cell_len(head) - cell_len(left) - 1)
    shown = fit(f" {text}" if width < _SHORT_BELOW else text, room)
    return [(f"{head}{shown} ", context.palette.text), (left, context.palette.dim)]
