"""Charts, stocks and labels, over connections that nothing else uses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.archive import PostgresArchive
from chartinsightd.adapters.postgres.candle_reader import PostgresCandleReader, open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.labels import PostgresLabels
from chartinsightd.adapters.postgres.radar import PostgresChartStates
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.app.analysis import analyser_code
from chartinsightd.backend.labels import LabelBoard
from chartinsightd.backend.radar import ChartSources, RadarBoard
from chartinsightd.backend.stock_finder import StockFinder
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.events import AnalysisChange, EventType
from chartinsightd.domain.series import Series
from chartinsightd.service.analysing.analyser import Analyser
from chartinsightd.service.state.current_rules import CurrentRules


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarStores:
    """The connections of charts: a reader who looks at many of them delays nothing else."""

    reader: PostgresCandleReader
    results: PostgresAnalysis
    states: PostgresChartStates
    labels: PostgresLabels


async def open_radar(stack: AsyncExitStack, dsn: str, schema: str) -> RadarStores:
    """Open the connections of charts; each connects when it is first needed."""
    reader = await stack.enter_async_context(open_candle_reader(dsn, schema))
    connection = ReconnectingConnection(dsn, looking(schema, "chartinsightd radar"))
    stack.push_async_callback(connection.close)
    return RadarStores(
        reader=reader,
        results=PostgresAnalysis(connection),
        states=PostgresChartStates(connection),
        labels=PostgresLabels(connection),
    )


def register_radar(
    handlers: Handlers,
    stores: RadarStores,
    *,
    archive: PostgresArchive,
    analyser: Analyser,
    current_rules: CurrentRules,
    hub: EventHub,
    now: Callable[[], datetime],
) -> None:
    """Offer charts, stocks and labels."""
    sources = ChartSources(
        reader=stores.reader,
        results=stores.results,
        states=stores.states,
        labels=stores.labels,
        archive=archive,
        analyser=analyser_code(),
    )
    RadarBoard(sources=sources, current_rules=current_rules, now=now).register(handlers)
    StockFinder(sources).register(handlers)
    analyser.subscribe(partial(_tell, hub))
    LabelBoard(store=stores.labels, reader=stores.reader, names=archive.names, hub=hub, now=now).register(
        handlers
    )


def _tell(hub: EventHub, series: Series) -> None:
    """Tell the open charts of a series that it was analysed."""
    change = AnalysisChange(symbol=series.symbol, timeframe=series.timeframe)
    hub.publish(EventType.ANALYSIS, change, f"{series.symbol}/{series.timeframe}")
