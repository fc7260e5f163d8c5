"""The connections of the analysis."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.candle_reader import PostgresCandleReader, open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.notes import PostgresNotes
from chartinsightd.adapters.postgres.screens import PostgresScreens
from chartinsightd.adapters.postgres.sessions import looking


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisStores:
    """The connections of the analysis; none of them is shared with collecting."""

    reader: PostgresCandleReader
    results: PostgresAnalysis
    screens: PostgresScreens
    notes: PostgresNotes


async def open_analysis(stack: AsyncExitStack, dsn: str, schema: str) -> AnalysisStores:
    """Open the connections of the analysis; each connects when it is first needed."""
    reader = await stack.enter_async_context(open_candle_reader(dsn, schema))
    connection = ReconnectingConnection(dsn, looking(schema, "chartinsightd analysis"))
    stack.push_async_callback(connection.close)
    return AnalysisStores(
        reader=reader,
        results=PostgresAnalysis(connection),
        screens=PostgresScreens(connection),
        notes=PostgresNotes(connection),
    )
