"""The stream of events, and whether it has readers: without them most events are not made."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection
from datetime import datetime

from chartinsightd.control.events import RING_SIZE, EventHub, Reader
from chartinsightd.control.protocol.events import EventType


class Audience(EventHub):
    """An event hub that knows whether it has readers."""

    def __init__(self, now: Callable[[], datetime], size: int = RING_SIZE) -> None:
        super().__init__(now, size)
        # A reader says nothing when it leaves: its stream lets go of it, and so do we.
        self._readers: weakref.WeakSet[Reader] = weakref.WeakSet()

    @property
    def is_listening(self) -> bool:
        """Whether anybody reads."""
        return len(self._readers) > 0

    def reader(self, after: str = "", types: Collection[EventType] = ()) -> Reader:
        """Return a new reader; see `EventHub.reader`."""
        reader = super().reader(after, types)
        self._readers.add(reader)
        return reader
