"""The listener's stream of events: a few types of the daemon's, none of them about its inner work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_core import to_json

from chartinsightd.control.events import Entry
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.words import Request
from chartinsightd.web.spelling import korean, spelled

Told = Literal[
    EventType.CANDLE,
    EventType.ANALYSIS,
    EventType.LABEL,
    EventType.SYMBOLS,
    EventType.ALERT,
    EventType.WATCHLIST,
    EventType.RESET,
    EventType.DROPPED,
]
TOLD: tuple[EventType, ...] = (
    EventType.CANDLE,
    EventType.ANALYSIS,
    EventType.LABEL,
    EventType.SYMBOLS,
    EventType.ALERT,
    EventType.WATCHLIST,
)
"""What a reader without a wish gets; `reset` and `dropped` come in any case."""
PRELUDE = b"retry: 2000\n"
"""Milliseconds a browser waits before it connects again."""


class WebEventQuery(Request):
    """Which events."""

    types: Annotated[tuple[Told, ...], Field(max_length=len(TOLD) + 2)] = ()
    """Empty: all. `reset` and `dropped` come in any case."""
    after: Annotated[str, Field(max_length=100)] = ""
    """Continue after this event id; the header `Last-Event-ID` does the same. Empty: from now on."""


def text_of(entry: Entry) -> bytes:
    """Return an event as the stream carries it, with its blank line."""
    event = {
        "id": entry.id,
        "type": entry.type,
        "at": int(entry.at.timestamp()),
        "at_kst": korean(entry.at),
        "data": spelled(entry.data),
    }
    place = f"id: {entry.id}\n" if entry.id else ""
    return f"{place}event: {entry.type}\n".encode() + b"data: " + to_json(event) + b"\n\n"
