"""The watchlist and the quotes, as the settings want them."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.adapters.postgres.archive import PostgresArchive
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.app.live import Live
from chartinsightd.backend.watching import GroupCommands, QuoteAnswers
from chartinsightd.clock import Clock
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.ports.watching import SweepSource
from chartinsightd.process.supervisor import Service
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.group_keeper import GroupKeeper
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard
from chartinsightd.service.watching.sweeps import Sweeps
from chartinsightd.service.watching.trends import Trends
from chartinsightd.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """The watchlist, the quotes, and the rounds that bring them."""

    keeper: GroupKeeper
    board: QuoteBoard
    latest: LatestPrices
    trends: Trends
    sweeps: Sweeps | None
    """None where rounds are off."""

    def services(self) -> dict[str, Service]:
        """Return what has to run."""
        return {} if self.sweeps is None else {"quotes": self.sweeps.run}


def new_watching(
    settings: Settings,
    *,
    lists: SweepSource,
    store: Store,
    live: Live | None,
    collected: CollectedStocks,
    pause_switch: PauseSwitch,
    current_rules: CurrentRules,
    clock: Clock,
) -> Watching:
    """Build the watchlist and the quotes; nothing runs yet."""
    keeper, trends = GroupKeeper(store.watch_groups, collected, clock), Trends(store.seals, clock)
    board = QuoteBoard(
        forming=None if live is None else live.forming,
        registered=frozenset[str] if live is None else live.candles.heard,
        note=trends.note,
    )
    sweeps = Sweeps(
        source=lists,
        board=board,
        groups=keeper,
        collected=collected,
        pause_switch=pause_switch,
        every_s=settings.quotes.every_s,
        current_rules=current_rules,
        clock=clock,
    )
    return Watching(
        keeper=keeper,
        board=board,
        latest=LatestPrices(board=board, store=store.seals, current_rules=current_rules, clock=clock),
        trends=trends,
        sweeps=sweeps if settings.quotes.enabled else None,
    )


def register_watching(
    handlers: Handlers,
    watching: Watching,
    *,
    collected: CollectedStocks,
    archive: PostgresArchive,
    hub: EventHub,
    clock: Clock,
) -> None:
    """Offer the watchlist and the quotes."""
    GroupCommands(watching.keeper, archive.names, hub).register(handlers)
    QuoteAnswers(
        keeper=watching.keeper,
        collected=collected,
        board=watching.board,
        latest=watching.latest,
        trends=watching.trends,
        names=archive.names,
        now=clock.now,
    ).register(handlers)
