"""The connections of charts, which nothing else uses."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.candle_reader import PostgresCandleReader, open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.labels import PostgresLabels
from chartinsightd.adapters.postgres.radar import PostgresChartStates
from chartinsightd.adapters.postgres.sessions import looking


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarStores:
    """The connections of charts: a reader who looks at many of them delays nothing else."""

    reader: PostgresCandleReader
    results: PostgresAnalysis
    states: PostgresChartStates
    labels: PostgresLabels


async def open_radar(stack: AsyncExitStack, dsn: str, schema: str, *, ledger_in: str = "") -> RadarStores:
    """Open the connections of charts; each connects when it is first needed.

    Args:
        stack: closes them.
        dsn: PostgreSQL URL.
        schema: of a venue.
        ledger_in: the schema that holds the corporate actions; empty: the same one.
    """
    reader = await stack.enter_async_context(open_candle_reader(dsn, schema, ledger_in=ledger_in))
    connection = ReconnectingConnection(dsn, looking(schema, "chartinsightd radar"))
    stack.push_async_callback(connection.close)
    return RadarStores(
        reader=reader,
        results=PostgresAnalysis(connection),
        states=PostgresChartStates(connection),
        labels=PostgresLabels(connection),
    )
