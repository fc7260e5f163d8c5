"""Charts, stocks and labels, as they are offered."""

from __future__ import annotations

from functools import partial

from chartinsightd.app.analysis import analyser_code
from chartinsightd.app.shared import Shared
from chartinsightd.backend.labels import LabelBoard
from chartinsightd.backend.radar import ChartSources, RadarBoard
from chartinsightd.backend.stock_finder import StockFinder
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.events import AnalysisChange, EventType
from chartinsightd.domain.series import Series
from chartinsightd.service.analysing.analyser import Analyser


def register_radar(handlers: Handlers, shared: Shared, analyser: Analyser, hub: EventHub) -> None:
    """Offer charts, stocks and labels."""
    stores, archive, now = shared.resources.radar, shared.resources.archive, shared.clock.now
    sources = ChartSources(
        reader=stores.reader,
        results=stores.results,
        states=stores.states,
        labels=stores.labels,
        archive=archive,
        analyser=analyser_code(),
    )
    RadarBoard(sources=sources, current_rules=shared.current_rules, now=now).register(handlers)
    StockFinder(sources).register(handlers)
    analyser.subscribe(partial(_tell, hub))
    LabelBoard(store=stores.labels, reader=stores.reader, names=archive.names, hub=hub, now=now).register(
        handlers
    )


def _tell(hub: EventHub, series: Series) -> None:
    """Tell the open charts of a series that it was analysed."""
    change = AnalysisChange(symbol=series.symbol, timeframe=series.timeframe)
    hub.publish(EventType.ANALYSIS, change, f"{series.symbol}/{series.timeframe}")
