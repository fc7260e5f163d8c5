"""The user's own strategies: where their sources are, and the bounded process that they run in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.screens.evaluation import Screened, Stock
from chartinsightd.analysis.statistics import Report
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.timeframe import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySource:
    """The text of one strategy of the user."""

    name: str
    """Of its file, without the ending; also the id that the strategy must have."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFault:
    """Why a file, or the whole folder, is not read."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLook:
    """What the folder of strategies holds now."""

    sources: Sequence[StrategySource] = ()
    refused: Mapping[str, FolderFault] = field(default_factory=dict)
    """Files that are not read, by name without the ending."""
    fault: FolderFault | None = None
    """Why nothing in it is read; None where the folder is in order, and where no folder is set."""


class StrategyFolder(Protocol):
    """The folder with the user's strategies."""

    @property
    def path(self) -> str:
        """Where it is; empty where none is set."""

    def read(self) -> FolderLook:
        """Return every strategy in it. It reads files: call it in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFacts:
    """What is shown of a strategy that was proved."""

    id: str
    version: int
    title: str
    timeframes: Sequence[Timeframe]
    warmup: int
    """Candles before the newest one that it needs with its default parameters."""
    parameters: Mapping[str, Any]
    """The JSON Schema of its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenPlan:
    """What a screen needs before it can be evaluated."""

    expression: Mapping[str, Any]
    """As it was understood, in JSON's types."""
    wanted: int
    """Candles up to the session that are read of each stock."""


class StrategyEnded(ChartInsightError):
    """A strategy that was ended: it took too long or too much memory, or ended its process.

    Args:
        strategy: the id or file name; empty where several could be to blame.
        message: what it did.
    """

    def __init__(self, strategy: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.strategy = strategy


class StrategySandbox(Protocol):
    """Runs strategies of the user, each call in a process of its own with bounded time and memory.

    Every method raises StrategyEnded where the process had to be ended, and StrategyRefused where a source
    cannot be loaded.
    """

    async def prove(self, source: StrategySource) -> StrategyFacts:
        """Return what a strategy is, after everything that must hold of it was proved.

        Raises:
            StrategyRefused: the first thing that does not hold.
        """

    async def plan(
        self, asked: object, sources: Sequence[StrategySource], timeframe: Timeframe
    ) -> ScreenPlan:
        """Return what an expression over these and the shipped strategies needs.

        Raises:
            ScreenInvalid: it is no screen.
        """

    async def screen(
        self,
        asked: object,
        sources: Sequence[StrategySource],
        timeframe: Timeframe,
        universe: Sequence[Stock],
        session_ts: int,
    ) -> Screened:
        """Evaluate an expression for every stock; see `analysis.screens.evaluation.screen`."""

    async def report(
        self, source: StrategySource, series: Sequence[Candles], split_ts: int, cost: float
    ) -> Report:
        """Return what followed the hits of a strategy; see `analysis.statistics.report`."""
