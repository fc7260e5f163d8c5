"""Strategies and screens: what may be asked of every collected stock, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from chartinsightd.control.protocol.words import (
    AnalysedVenue,
    AskedDay,
    Count,
    Day,
    Instant,
    Message,
    Request,
    Symbol,
    Text,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue


class StrategyOrigin(StrEnum):
    """Where a strategy comes from."""

    SHIPPED = "shipped"
    USER = "user"


class StrategyState(StrEnum):
    """Whether a screen may name a strategy."""

    CHECKING = "checking"
    """It is being proved."""
    READY = "ready"
    REFUSED = "refused"
    """A check found something, or its file is not read."""
    ENDED = "ended"
    """It took too long or too much memory; it is used again when its file changes."""


class StrategyRow(Message):
    """One strategy."""

    id: str
    origin: StrategyOrigin = StrategyOrigin.SHIPPED
    state: StrategyState = StrategyState.READY
    reason: str = ""
    """Why it is not ready."""
    remedy: str = ""
    version: int = 0
    """0 before a strategy of the user was proved."""
    title: str = ""
    timeframes: tuple[Timeframe, ...] = ()
    warmup: Count = 0
    """Candles before the newest one that it needs with its default parameters."""
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    """The JSON Schema of its parameters, defaults and bounds included."""


class StrategyList(Message):
    """Strategies: the shipped ones by id, then the user's by id."""

    items: tuple[StrategyRow, ...] = ()
    folder: str = ""
    """Where the user's strategies are read; empty where none is set."""
    fault: str = ""
    """Why nothing in the folder is read."""
    remedy: str = ""


ScreenName = Annotated[
    Text, Field(max_length=60, pattern=r"^[^\s{}][^{}\t\n\r]*$", examples=["morning list"])
]
"""The name of a stored screen."""


class ScreenerQuery(Request):
    """One strategy with its default parameters, or one stored screen."""

    strategy_name: Annotated[Text, Field(max_length=100)] | None = None
    screen: ScreenName | None = None
    session: AskedDay | None = None
    """The trading day whose close is looked at; None: the last one whose daily candles are final."""
    venue: AnalysedVenue = Venue.KRX

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.strategy_name is None) == (self.screen is None):
            raise ValueError("exactly one of strategy_name and screen is needed")
        return self


class ScreenRequest(Request):
    """An expression over strategies and facts; see docs/analysis.md."""

    expression: Mapping[str, Any]
    session: AskedDay | None = None
    venue: AnalysedVenue = Venue.KRX


class ScreenFigure(Message):
    """A figure that decided."""

    value: float
    unit: str
    ts: Instant
    """Start of the candle that it is of."""


class ScreenMatch(Message):
    """A stock for which the expression holds at the session."""

    symbol: Symbol
    name: str = ""
    score: float | None = None
    evidence: Mapping[str, Mapping[str, ScreenFigure]] = Field(default_factory=dict)
    """For each strategy its figures at its latest hit."""
    since: Instant
    """Start of the first candle of the unbroken stretch."""
    is_new: bool
    """Whether the stretch begins at the session."""


class ScreenException(Message):
    """A stock that was not evaluated."""

    symbol: Symbol
    name: str = ""
    reason: str
    """`too_short`, `stale` or `failed`."""
    detail: str = ""


class ScreenCounts(Message):
    """Evaluated and excepted stocks add up to the universe."""

    universe: Count = 0
    evaluated: Count = 0
    too_short: Count = 0
    stale: Count = 0
    failed: Count = 0


class ScreenResult(Message):
    """What a screen found at one session."""

    session: Day
    data_id: str
    code_id: str
    counts: ScreenCounts
    matches: tuple[ScreenMatch, ...] = ()
    """The best score first, those without one last."""
    exceptions: tuple[ScreenException, ...] = ()


class StoredScreenRow(Message):
    """A stored screen and its newest run."""

    name: str
    version: int
    expression: Mapping[str, Any] = Field(default_factory=dict)
    created_at: Instant
    """When this version was saved."""
    fault: str = ""
    """Why it could not be run last time."""
    session: Day | None = None
    """Of the newest run; None before the first."""
    run_at: Instant | None = None
    counts: ScreenCounts = ScreenCounts()
    matches: Count = 0
    new: Count = 0
    """Matches that the run of the session before did not have."""


class StoredScreenList(Message):
    """Stored screens, by name."""

    items: tuple[StoredScreenRow, ...] = ()


class ScreenSaveRequest(Request):
    """A screen to store; under a name that exists it becomes the next version."""

    name: ScreenName
    expression: Mapping[str, Any]


class ScreenRemoveRequest(Request):
    """A stored screen to remove; its versions and runs stay in the database."""

    name: ScreenName


class ScreenSaved(Message):
    """What became of a stored screen."""

    name: str
    version: int
    removed: bool = False


class ScreenRunQuery(Request):
    """Runs of one stored screen."""

    name: ScreenName
    limit: Annotated[int, Field(ge=1, le=250)] = 1
    """Most sessions of the answer: the newest ones."""


class ScreenRunRow(Message):
    """One run of a stored screen, as it was kept."""

    name: str
    version: int
    run_at: Instant
    result: ScreenResult
    """`is_new` of a match: the run of the session before did not have it."""


class ScreenRunList(Message):
    """Runs, the newest session first."""

    items: tuple[ScreenRunRow, ...] = ()
