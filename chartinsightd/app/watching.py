"""The watchlist and the quotes, as the settings want them."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.app.live import Live
from chartinsightd.app.shared import Shared
from chartinsightd.backend.watching import GroupCommands, QuoteAnswers
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.process.supervisor import Service
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard
from chartinsightd.service.watching.sweeps import Sweeps
from chartinsightd.service.watching.trends import Trends


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """The quotes, and the rounds that bring them."""

    board: QuoteBoard
    latest: LatestPrices
    trends: Trends
    sweeps: Sweeps | None
    """None where rounds are off."""

    def services(self) -> dict[str, Service]:
        """Return what has to run."""
        return {} if self.sweeps is None else {"quotes": self.sweeps.run}


def new_watching(shared: Shared, live: Live | None) -> Watching:
    """Build the quotes; nothing runs yet."""
    quotes, stored, clock = shared.settings.quotes, shared.resources.store.seals, shared.clock
    trends = Trends(stored, clock)
    board = QuoteBoard(
        forming=None if live is None else live.forming,
        registered=frozenset[str] if live is None else live.candles.heard,
        note=trends.note,
    )
    sweeps = Sweeps(
        source=shared.resources.broker.lists,
        board=board,
        groups=shared.watch_groups,
        collected=shared.collected,
        pause_switch=shared.pause_switch,
        every_s=quotes.every_s,
        current_rules=shared.current_rules,
        clock=clock,
    )
    return Watching(
        board=board,
        latest=LatestPrices(board=board, store=stored, current_rules=shared.current_rules, clock=clock),
        trends=trends,
        sweeps=sweeps if quotes.enabled else None,
    )


def register_watching(handlers: Handlers, watching: Watching, shared: Shared, hub: EventHub) -> None:
    """Offer the watchlist and the quotes."""
    names = shared.resources.archive.names
    GroupCommands(shared.watch_groups, names, hub).register(handlers)
    QuoteAnswers(
        keeper=shared.watch_groups,
        collected=shared.collected,
        board=watching.board,
        latest=watching.latest,
        trends=watching.trends,
        names=names,
        now=shared.clock.now,
    ).register(handlers)
