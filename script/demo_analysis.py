"""What the analysis found in the played market, and the proof that nothing was known before its time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
from rich.console import Console

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.candle_reader import open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.analysis.analyser import analyse
from chartinsightd.analysis.candles import Candles
from chartinsightd.app.analysis import analyser_code
from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import ANALYSE, JOB, SCREENER
from chartinsightd.control.protocol.analysis import AnalyseRequest
from chartinsightd.control.protocol.jobs import JobPath
from chartinsightd.control.protocol.screens import ScreenerQuery, ScreenResult
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import Findings
from chartinsightd.ports.candles import CandleSpan
from chartinsightd.service.analysing.series_turn import columns_of

SCHEMA = "simulation"
SCREEN = "trend_up"
PROVED_SERIES = 5
PREFIXES = 40
"""Of each proved series, evenly over its history."""


async def show_analysis(console: Console, socket: Path, dsn: str, symbols: tuple[str, ...]) -> int:
    """Print counts, one screen and the proof; return how many rows a replay would have rewritten."""
    async with ControlClient(socket) as client:
        await finish_analysis(client)
        screened = await client.ask(SCREENER, ScreenerQuery(strategy_name=SCREEN))
    async with AsyncExitStack() as stack:
        link = ReconnectingConnection(dsn, looking(SCHEMA, "chartinsight demo"))
        stack.push_async_callback(link.close)
        results = PostgresAnalysis(link)
        reader = await stack.enter_async_context(open_candle_reader(dsn, SCHEMA))
        counts = await results.counts(analyser_code())
        async with link.use() as connection:
            found = await connection.fetchrow(_FOUND)
        rows = rewritten = 0
        for symbol in symbols[:PROVED_SERIES]:
            series = Series(symbol=symbol, timeframe=Timeframe.D1)
            candles = columns_of(await reader.read(symbol, Timeframe.D1, CandleSpan()), Calendar())
            kept = await results.findings(analyser_code(), series)
            rows += len(kept.points) + len(kept.trends) + len(kept.patterns)
            rewritten += await asyncio.to_thread(replayed_differently, candles, kept)
    facts = {
        "analysed": f"{counts.done:,} of {counts.series:,} series, {counts.too_short:,} too short, "
        f"{counts.due:,} due",
        "found": f"{found['points']:,} points, {found['trends']:,} changes of trend, "
        f"{found['patterns']:,} patterns",
        "screen": screen_in_words(screened),
        "replay": f"{rows:,} rows of {PROVED_SERIES} stocks at {PREFIXES} past moments each: "
        f"{rewritten} rewritten",
    }
    for name, text in facts.items():
        console.print(f"[bold]{name:>17}[/]  {text}", soft_wrap=True)
    return rewritten


async def finish_analysis(client: ControlClient) -> None:
    """Have everything that is due analysed, and wait for it."""
    while True:
        outcome = await client.ask(ANALYSE, AnalyseRequest())
        if not outcome.job_id:
            return
        path = JobPath(job_id=outcome.job_id)
        while not (await client.ask(JOB, path)).state.is_over:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.2)


def screen_in_words(screened: ScreenResult) -> str:
    """Return what a screen found, in one line."""
    names = ", ".join(match.name or match.symbol for match in screened.matches) or "no stock"
    counts = screened.counts
    return f"{SCREEN} at {screened.session}: {names} ({counts.evaluated} of {counts.universe} evaluated)"


def replayed_differently(candles: Candles, kept: Findings) -> int:
    """Return how many rows differ between what is stored and what each past moment knew."""
    differing = 0
    for length in np.linspace(1, len(candles), PREFIXES, dtype=int).tolist():
        moment = int(candles.closes_at[length - 1])
        known = Findings.of(analyse(candles.part(slice(0, length))))
        for name in ("points", "trends", "patterns"):
            stored = [row for row in getattr(kept, name) if row.confirmed_at <= moment]
            differing += abs(len(stored) - len(getattr(known, name)))
            differing += sum(row not in stored for row in getattr(known, name))
    return differing


_FOUND = """
select (select count(*) from points) as points, (select count(*) from trends) as trends,
    (select count(distinct (symbol, timeframe, pattern_id)) from pattern_events) as patterns
"""
