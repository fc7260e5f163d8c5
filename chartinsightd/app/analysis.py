"""The analysis and the screens, as the settings want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.strategies.folder import StrategyFolderOnDisk
from chartinsightd.adapters.strategies.sandbox import ProcessSandbox
from chartinsightd.analysis.identity import (
    ANALYSER_MODULES,
    SCREEN_MODULES,
    STATISTICS_MODULES,
    code_id,
)
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.app.shared import Shared
from chartinsightd.backend.analysis import AnalysisBoard
from chartinsightd.backend.screens import ScreenBoard
from chartinsightd.backend.statistics import StatisticsBoard
from chartinsightd.backend.stored_screens import StoredScreenBoard
from chartinsightd.clock import Clock
from chartinsightd.control.handlers import Handlers
from chartinsightd.ports.analysis import AnalysisCounts
from chartinsightd.ports.archive import Archive
from chartinsightd.process.supervisor import Service
from chartinsightd.service.analysing.analyser import Analyser, AnalyserRules
from chartinsightd.service.analysing.collected import TrackedSeries
from chartinsightd.service.analysing.evaluators import Evaluators
from chartinsightd.service.analysing.screening import Screener
from chartinsightd.service.analysing.statistics import Statistics
from chartinsightd.service.analysing.stored_screens import Announce, StoredScreens
from chartinsightd.service.analysing.universe_stocks import UniverseStocks
from chartinsightd.service.analysing.user_strategies import UserStrategies
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysing:
    """What finds points, trends and patterns, and what screens."""

    analyser: Analyser
    screener: Screener
    evaluators: Evaluators
    stored_screens: StoredScreens
    statistics: Statistics
    store: PostgresAnalysis

    def services(self) -> Mapping[str, Service]:
        """Return what has to run: the analyser too when it is off, since it still carries out orders."""
        return {
            "analyser": self.analyser.run,
            "strategies": self.evaluators.users.run,
            "stored_screens": self.stored_screens.run,
        }

    async def counts(self) -> AnalysisCounts:
        """Return how many series stand how by the rules in use."""
        return await self.store.counts(analyser_code())


def new_analysis(shared: Shared, scheduler: Scheduler, announce: Announce) -> Analysing:
    """Return the analyser and the screener over the stores."""
    settings, clock, current_rules = shared.settings, shared.clock, shared.current_rules
    resources, stores, analysis = shared.resources, shared.resources.analysis, settings.analysis
    wanted = analysis.timeframes or settings.collect.timeframes
    series = TrackedSeries(
        scheduler=scheduler,
        timeframes=[one for one in wanted if one in settings.collect.timeframes],
        ledger=resources.ledger,
        current_rules=current_rules,
        clock=clock,
    )
    analyser = Analyser(
        store=stores.results,
        reader=stores.reader,
        actions=resources.store.actions,
        series=series,
        jobs=shared.jobs,
        clock=clock,
        current_rules=current_rules,
        rules=AnalyserRules(
            is_automatic=analysis.enabled,
            code_id=analyser_code(),
            guard=timedelta(minutes=analysis.guard_minutes),
        ),
    )
    sandbox = ProcessSandbox()
    evaluators = _evaluators(settings, clock, sandbox)
    stocks = UniverseStocks(stores.results, resources.archive)
    screener = Screener(
        reader=stores.reader,
        stocks=stocks,
        evaluators=evaluators,
        rules=_sources(SCREEN_MODULES),
        clock=clock,
        current_rules=current_rules,
    )
    stored_screens = StoredScreens(
        screener=screener,
        store=stores.screens,
        clock=clock,
        is_analysed=lambda: analyser.is_done,
        announce=announce,
    )
    statistics = Statistics(
        reader=stores.reader,
        stocks=stocks,
        store=stores.results,
        evaluators=evaluators,
        sandbox=sandbox,
        rules=_sources(STATISTICS_MODULES),
        analyser=analyser.code_id,
        current_rules=current_rules,
    )
    return Analysing(
        analyser=analyser,
        screener=screener,
        evaluators=evaluators,
        stored_screens=stored_screens,
        statistics=statistics,
        store=stores.results,
    )


def _evaluators(settings: Settings, clock: Clock, sandbox: ProcessSandbox) -> Evaluators:
    folder = StrategyFolderOnDisk(settings.strategies.folder)
    return Evaluators(
        shipped=SHIPPED,
        texts=_sources(f"strategies.{name}" for name in SHIPPED),
        users=UserStrategies(folder=folder, sandbox=sandbox, clock=clock),
        sandbox=sandbox,
    )


def register_analysis(handlers: Handlers, analysing: Analysing, archive: Archive) -> None:
    """Offer what the analysis found, and screens, over the control API."""
    AnalysisBoard(store=analysing.store, analyser=analysing.analyser, names=archive.names).register(handlers)
    ScreenBoard(analysing.screener, analysing.evaluators, analysing.stored_screens).register(handlers)
    StatisticsBoard(analysing.statistics).register(handlers)
    StoredScreenBoard(analysing.stored_screens, archive.names).register(handlers)


@cache
def analyser_code() -> str:
    """Return the id of the rules that find points, trends and patterns."""
    return code_id(_sources(ANALYSER_MODULES))


def _sources(modules: Iterable[str]) -> dict[str, str]:
    """Return the source of modules of `chartinsightd.analysis`, by their names; of a strategy by its id."""
    package = files("chartinsightd.analysis")
    return {
        name.removeprefix("strategies."): package.joinpath(*name.split(".")[:-1])
        .joinpath(f"{name.rpartition('.')[2]}.py")
        .read_text("utf-8")
        for name in modules
    }
