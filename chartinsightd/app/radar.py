"""Charts, stocks and labels, as they are offered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from chartinsightd.app.analysis import analyser_code
from chartinsightd.app.opening import Resources, VenueResources
from chartinsightd.app.shared import Shared
from chartinsightd.app.venues import VenueLine
from chartinsightd.backend.labels import LabelBoard
from chartinsightd.backend.radar import ChartSources, RadarBoard
from chartinsightd.backend.stock_finder import StockFinder
from chartinsightd.backend.venues import ByVenue
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.events import AnalysisChange, EventType
from chartinsightd.domain.series import Series
from chartinsightd.domain.venue import Venue
from chartinsightd.service.analysing.analyser import Analyser
from chartinsightd.service.state.current_rules import CurrentRules


def register_radar(
    handlers: Handlers,
    shared: Shared,
    lines: Mapping[Venue, VenueLine],
    analyser: Analyser,
    hub: EventHub,
) -> None:
    """Offer charts, stocks and labels."""
    stores, archive, now = shared.resources.radar, shared.resources.archive, shared.clock.now
    krx = _sources(shared.resources, shared.current_rules)
    states = {venue: beside.line.state for venue, beside in lines.items()}
    others = {venue: _sources(state.resources, state.current_rules) for venue, state in states.items()}

    def collected_at(symbol: str) -> tuple[Venue, ...]:
        collects = (venue for venue, state in states.items() if symbol in state.collected.all_symbols)
        return (Venue.KRX, *collects)

    RadarBoard(venues=ByVenue({Venue.KRX: krx, **others}), collected_at=collected_at, now=now).register(
        handlers
    )
    StockFinder(krx, collected_at=collected_at).register(handlers)
    analyser.subscribe(partial(_tell, hub))
    LabelBoard(store=stores.labels, reader=stores.reader, names=archive.names, hub=hub, now=now).register(
        handlers
    )


def _sources(resources: Resources | VenueResources, current_rules: CurrentRules) -> ChartSources:
    stores = resources.radar
    return ChartSources(
        reader=stores.reader,
        results=stores.results,
        states=stores.states,
        labels=stores.labels,
        archive=resources.archive,
        current_rules=current_rules,
        analyser=analyser_code(),
    )


def _tell(hub: EventHub, series: Series) -> None:
    """Tell the open charts of a series that it was analysed."""
    change = AnalysisChange(symbol=series.symbol, timeframe=series.timeframe)
    hub.publish(EventType.ANALYSIS, change, f"{series.symbol}/{series.timeframe}")
