"""The log of requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

_CAPACITY = 100_000


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request and what became of it."""

    seq: int
    virtual_at: datetime
    """When it arrived on the virtual clock; aware, KST."""
    limits_at: float
    """The same moment on the clock of the limits, virtual seconds that never go back."""
    real_at: float
    """When it arrived, seconds since 1970."""
    api_id: str
    symbol: str = ""
    scope: int = 0
    """Minutes or ticks in a row of a chart; 0 for all else."""
    adjusted: bool = False
    """Whether a chart was asked for in adjusted prices."""
    cont: bool = False
    status: int = 0
    """HTTP status of the answer; 0 while there is none, and for a request that never got one."""
    return_code: int | None = None
    rows: int | None = None
    fault: str = ""


class Journal:
    """The last requests, in order of arrival."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_CAPACITY)
        self._seq = 0

    def add(
        self, virtual_at: datetime, limits_at: float, real_at: float, api_id: str, *, cont: bool
    ) -> Entry:
        """Write down an arrival; the caller completes the entry."""
        self._seq += 1
        entry = Entry(
            seq=self._seq,
            virtual_at=virtual_at,
            limits_at=limits_at,
            real_at=real_at,
            api_id=api_id,
            cont=cont,
        )
        self._entries.append(entry)
        return entry

    def after(self, seq: int, limit: int) -> Iterator[Entry]:
        """Return at most `limit` entries that follow a number, oldest first."""
        first = self._entries[0].seq if self._entries else 0
        begin = max(0, seq + 1 - first)
        return islice(self._entries, begin, begin + limit)
