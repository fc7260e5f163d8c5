"""The answers of `coverage` for a person."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, moment, number, percent
from chartinsightd.cli.reasons import WORDS
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.coverage import CoverageList, CoverageRow, SessionCoverageList
from chartinsightd.domain.timeframe import Timeframe


def render_coverage(coverage: CoverageList) -> RenderableType:
    """Return a line for each symbol, a column for each timeframe."""
    timeframes = [tf for tf in Timeframe if any(row.timeframe is tf for row in coverage.items)]
    columns = (
        Column(title="symbol"),
        Column(title="name", cut=True, rank=1),
        *(Column(title=timeframe.value, right=True) for timeframe in timeframes),
    )
    ratios = {(row.symbol, row.timeframe): row for row in coverage.items}
    names = {row.symbol: row.name for row in coverage.items}
    rows = [
        (symbol, name, *(_ratio(ratios.get((symbol, timeframe))) for timeframe in timeframes))
        for symbol, name in names.items()
    ]
    return Group(FittedTable(columns, rows), "", _sum(coverage))


def _sum(coverage: CoverageList) -> Text:
    missing = sum(row.missing for row in coverage.items)
    incomplete = sum(row.missing > 0 for row in coverage.items)
    words = f"{number(len(coverage.items))} series at {moment(coverage.at)}: "
    if not missing:
        return Text(f"{words}all complete")
    return Text(f"{words}{number(incomplete)} incomplete, {number(missing)} sessions missing")


def render_series(coverage: CoverageList) -> FittedTable:
    """Return a line for each series."""
    columns = (
        Column(title="symbol"),
        Column(title="name", cut=True, rank=3),
        Column(title="tf"),
        Column(title="complete", right=True),
        Column(title="missing", right=True),
        Column(title="expected", right=True, rank=4),
        Column(title="since", rank=5),
        Column(title="newest final", rank=1),
        Column(title="read at", rank=6),
        Column(title="reason", cut=True, rank=2),
    )
    rows = [
        (
            row.symbol,
            row.name,
            row.timeframe.value,
            _ratio(row),
            number(row.missing),
            number(row.expected),
            moment(row.from_ts),
            moment(row.newest_final_ts),
            moment(row.read_at),
            "" if row.reason is None else WORDS[row.reason],
        )
        for row in coverage.items
    ]
    return FittedTable(columns, rows)


def render_sessions(coverage: SessionCoverageList) -> RenderableType:
    """Return the trading days that are not complete, or not proved."""
    columns = (
        Column(title="day"),
        Column(title="symbol"),
        Column(title="complete", right=True),
        Column(title="reason", cut=True),
    )
    rows = [
        (
            str(item.day),
            item.symbol,
            _coloured(item.complete_ratio),
            WORDS[item.reason],
        )
        for item in coverage.items
    ]
    days = coverage.days
    words = (
        f"{days[0]} – {days[-1]}: {number(len(days))} sessions of {coverage.timeframe}"
        if days
        else "no sessions"
    )
    if not rows:
        return Text(f"{words}, all complete" if days else words)
    return Group(FittedTable(columns, rows), "", Text(f"{words}, {number(len(rows))} not complete"))


def _ratio(row: CoverageRow | None) -> Cell:
    return NONE if row is None else _coloured(row.complete_ratio)


def _coloured(ratio: float) -> Marked:
    style = "green" if ratio >= 1 else ("yellow" if ratio >= 0.9 else "bold red")
    return Marked(percent(ratio), style)
