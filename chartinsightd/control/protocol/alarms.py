"""Alarms that people set."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.control.protocol.words import Count, Day, Instant, Message, Request, Symbol, Text
from chartinsightd.domain.alarm import MOST_ALARMS, AlarmKind, Unknown

_LARGEST_LEVEL = 10**16


class AlarmRow(Message):
    """An alarm and how it stands."""

    id: int
    kind: AlarmKind
    symbol: Symbol | None = None
    """Null: any stock of the screen."""
    name: str = ""
    level: Count = 0
    """Won, hundredths of a percent, or shares; of a multiple hundredths of the usual; 0 for a screen."""
    is_multiple: bool = False
    """Whether the level is a multiple of the mean of the twenty sessions before."""
    screen: str = ""
    created_at: Instant
    created_by: str
    unknown: Unknown | None = None
    """Why it cannot be judged now; null: it can."""
    is_met: bool | None = None
    """Whether the level is reached now; null: not known."""
    figure: int | None = None
    """What is compared with the level, in its unit; of a screen the new matches of its last run."""
    session: Day | None = None
    """The session of the figure."""
    known_at: Instant | None = None
    """How old the figure is."""
    fired_at: Instant | None = None
    """When it fired last."""
    fired_words: str = ""


class AlarmRows(Message):
    """Every alarm, the oldest first."""

    items: tuple[AlarmRow, ...] = ()


class AlarmAddRequest(Request):
    """Set an alarm. One with the same rule stays as it is."""

    kind: AlarmKind
    symbol: Symbol | None = None
    """A screen's alarm may leave it out: any stock."""
    level: Annotated[int, Field(ge=0, le=_LARGEST_LEVEL)] = 0
    is_multiple: bool = False
    screen: Annotated[Text, Field(max_length=100)] = ""


class AlarmRemoveRequest(Request):
    """Remove alarms."""

    ids: Annotated[
        tuple[Annotated[int, Field(ge=1, le=2**63 - 1)], ...], Field(min_length=1, max_length=MOST_ALARMS)
    ]
