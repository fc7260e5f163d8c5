"""The watchlist and the quotes, as the settings want them."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.app.alarms import new_alarms
from chartinsightd.app.live import Live
from chartinsightd.app.shared import Shared
from chartinsightd.backend.alarms import AlarmDesk
from chartinsightd.backend.watching import GroupCommands, QuoteAnswers
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.process.supervisor import Service
from chartinsightd.service.analysing.stored_screens import StoredScreens
from chartinsightd.service.watching.alarms import Alarms, Tell
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard
from chartinsightd.service.watching.sweeps import Sweeps
from chartinsightd.service.watching.trends import Trends


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """The quotes, the rounds that bring them, and the alarms on them."""

    board: QuoteBoard
    latest: LatestPrices
    trends: Trends
    alarms: Alarms
    sweeps: Sweeps | None
    """None where rounds are off."""

    def services(self) -> dict[str, Service]:
        """Return what has to run."""
        rounds = {} if self.sweeps is None else {"quotes": self.sweeps.run}
        return {**rounds, "alarms": self.alarms.run}


def new_watching(shared: Shared, live: Live | None, screens: StoredScreens, tell: Tell) -> Watching:
    """Build the quotes; nothing runs yet."""
    quotes, stored, clock = shared.settings.quotes, shared.resources.store.seals, shared.clock
    trends = Trends(stored, clock)
    board = QuoteBoard(
        forming=None if live is None else live.forming,
        registered=frozenset[str] if live is None else live.candles.heard,
        note=trends.note,
    )
    latest = LatestPrices(board=board, store=stored, current_rules=shared.current_rules, clock=clock)
    alarms = new_alarms(shared, board=board, latest=latest, screens=screens, tell=tell)
    sweeps = Sweeps(
        source=shared.resources.broker.lists,
        board=board,
        groups=shared.watch_groups,
        collected=shared.collected,
        also=lambda: alarms.symbols,
        pause_switch=shared.pause_switch,
        every_s=quotes.every_s,
        current_rules=shared.current_rules,
        clock=clock,
    )
    return Watching(
        board=board,
        latest=latest,
        trends=trends,
        alarms=alarms,
        sweeps=sweeps if quotes.enabled else None,
    )


def register_watching(
    handlers: Handlers, watching: Watching, shared: Shared, hub: EventHub, screens: StoredScreens
) -> None:
    """Offer the watchlist, the quotes and the alarms."""
    names = shared.resources.archive.names
    AlarmDesk(watching.alarms, names=names, screens=screens.screens, clock=shared.clock).register(handlers)
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
