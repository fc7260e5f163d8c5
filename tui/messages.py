"""What screens say to the dashboard. None of them knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from textual.message import Message

from chartinsight_tui.store import Failure

if TYPE_CHECKING:
    from chartinsight_tui.connection import Connection
    from chartinsightd.control.protocol.jobs import Outcome

Order = Callable[["Connection"], Awaitable["Outcome | Failure | None"]]


@dataclass
class ShowScreen(Message):
    """Another screen is wanted."""

    name: str
    symbol: str = ""
    """The stock to go to there; empty: the one that is chosen."""
    page: str = ""
    """One of its views; empty: the one it showed last."""
    event: str = ""
    """The kind of alert to go to there."""


@dataclass
class ShowJob(Message):
    """One job is wanted."""

    job_id: int


@dataclass
class ShowDay(Message):
    """The daily closing of a trading day is wanted."""

    day: date
    symbol: str = ""
    """Whose; empty: of all stocks."""


@dataclass
class ShowMoment(Message):
    """A moment of the past is wanted as it was."""

    at: datetime


@dataclass
class RunAction(Message):
    """What a key does is wanted by name."""

    action: str


@dataclass
class ShowChart(Message):
    """The candles of a series are wanted."""

    symbol: str
    timeframe: str


@dataclass
class Confirm(Message):
    """Something would be changed; a person is to be asked first."""

    question: str
    """With the object, its cost and its effect."""
    order: Order


@dataclass
class OpenBackfill(Message):
    """The form for a backfill is wanted."""

    symbol: str = ""
    """Empty: it is filled with what the screen stands on."""
    timeframe: str = ""


@dataclass
class StepBack(Message):
    """The screen from which one came is wanted again, as it was left."""


@dataclass
class ReadAgain(Message):
    """What is shown is to be asked for again now."""
