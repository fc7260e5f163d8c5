"""Where labels are kept: added, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chartinsightd.domain.series import Series
from chartinsightd.ports.archive import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person says of a stretch of a chart. Every time is aware, UTC."""

    series: Series
    from_ts: datetime
    """Start of the first candle."""
    to_ts: datetime
    """Start of the last candle."""
    kind: str
    points: Sequence[tuple[int, int]] = ()
    """Start of a candle in seconds since the epoch, and won as traded on that day."""
    verdict: str
    """`own`, `agree`, `disagree` or `withdrawn`."""
    pattern_id: str | None = None
    note: str = ""
    author: str
    seen_until: datetime
    """Start of the last candle that was in sight."""
    data_id: str
    replaces: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLabel:
    """A label as it is kept."""

    id: int
    label: Label
    created_at: datetime
    version: int
    """From 1 up along the versions of one label."""
    replaced_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFilter:
    """Which labels; what is empty or None does not matter."""

    symbols: Sequence[str] = ()
    timeframes: Sequence[str] = ()
    kinds: Sequence[str] = ()
    verdicts: Sequence[str] = ()
    words: str = ""
    """Part of the kind, the note, the code or the stock's name."""
    with_history: bool = False
    as_of: datetime | None = None
    """Aware; what was said later is left out."""
    before: int | None = None
    """Only smaller ids; the total ignores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindAgreement:
    """How often people agreed with a kind of pattern that was found."""

    kind: str
    n: int
    agreed: int


class LabelStore(Protocol):
    """Where labels are kept. Every method raises StoreUnavailable."""

    async def add(self, label: Label, at: datetime) -> KnownLabel | None:
        """Keep a label, written down at `at`, and return it; the very same one that is current is returned.

        None where the version it replaces does not exist or has been replaced.
        """

    async def find(self, wanted: LabelFilter, limit: int) -> Found[KnownLabel]:
        """Return labels, the newest first."""

    async def agreement(self) -> list[KindAgreement]:
        """Return how often people agreed, by kind."""
