"""Where stored screens and their runs are kept: append-only, a change is a new version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from chartinsightd.analysis.screens.evaluation import Excepted, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScreen:
    """A screen that a person saved under a name."""

    name: str
    version: int
    """From 1 on; a change is the next one."""
    expression: Mapping[str, Any]
    """In JSON's types; see `analysis.screens.expression`."""
    created_at: datetime
    """When this version was saved; aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMatch:
    """A stock that a run found."""

    symbol: str
    score: float | None
    evidence: Mapping[str, Mapping[str, Seen]]
    since: int
    """Start of the first candle of the unbroken stretch, in seconds since 1970-01-01T00:00Z."""
    is_new: bool
    """Whether the run of the session before did not have it; False where there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenRun:
    """One run of a stored screen over the universe of one session."""

    name: str
    version: int
    session: date
    data_id: str
    code_id: str
    counts: Mapping[str, int]
    created_at: datetime
    matches: Sequence[RunMatch] = ()
    """The best score first."""
    exceptions: Sequence[Excepted] = field(default_factory=tuple)


class ScreenStore(Protocol):
    """Where screens and runs are kept. Every method raises StoreUnavailable."""

    async def screens(self) -> list[StoredScreen]:
        """Return the newest version of each screen that is not removed, by name."""

    async def save_screen(self, name: str, expression: Mapping[str, Any] | None, at: datetime) -> int:
        """Save the next version of a screen, None to remove it; return its number."""

    async def runs(self, name: str, *, before: date | None = None, limit: int = 1) -> list[ScreenRun]:
        """Return runs of a screen of any version, the newest session first, of a session the newest run.

        Args:
            name: of the screen.
            before: a session; runs of it and of later ones are left out.
            limit: runs at most.
        """

    async def add_run(self, run: ScreenRun) -> None:
        """Keep a run with its matches, whole or not at all."""
