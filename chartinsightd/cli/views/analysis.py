"""What the analysis found, for a person."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, moment, number
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.analysis import (
    AnalysisStatus,
    PatternList,
    PatternRow,
    PointList,
    PointRow,
    SeriesAnalysis,
    TrendRow,
)
from chartinsightd.domain.foreign_text import printable

_UP, _DOWN = "red", "blue"
"""Korean market colours."""
_STATE_COLOURS = {"completed": "green", "failed": "red", "expired": "dim", "forming": "yellow"}


def render_points(answer: PointList) -> RenderableType:
    """Return points and trend changes by their confirmation, the newest last."""
    columns = (
        Column(title="candle (KST)"),
        Column(title="what"),
        Column(title="price", right=True),
        Column(title="known at (KST)"),
        Column(title="by", rank=1),
    )
    found: list[PointRow | TrendRow] = [*answer.points, *answer.trends]
    merged = sorted(found, key=lambda row: row.confirmed_at)
    table = FittedTable(columns, [_line(row) for row in merged])
    head = f"{answer.symbol} {printable(answer.name)} {answer.timeframe.value}".strip()
    return Group(Text(head, style="bold"), table, Text(_footer(answer.analysis), style="dim"))


def render_patterns(answer: PatternList) -> RenderableType:
    """Return patterns with their levels, the newest state first."""
    columns = (
        Column(title="known at (KST)"),
        Column(title="symbol"),
        Column(title="name", cut=True, rank=2),
        Column(title="tf"),
        Column(title="pattern"),
        Column(title="state"),
        Column(title="levels (won)", cut=True, rank=1),
        Column(title="evidence", cut=True, rank=3),
    )
    rows = [_pattern(row) for row in answer.items]
    more = answer.total - len(answer.items)
    words = f"{answer.total} patterns" + (f", {more} not shown: --limit" if more > 0 else "")
    return Group(FittedTable(columns, rows), Text(words, style="dim"))


def _line(row: PointRow | TrendRow) -> tuple[Cell, ...]:
    if isinstance(row, TrendRow):
        colour = {"up": _UP, "down": _DOWN}.get(row.trend, "dim")
        return moment(row.from_ts), Marked(f"trend {row.trend}", colour), NONE, moment(row.confirmed_at), ""
    colour = _DOWN if row.kind == "peak" else _UP
    weight = "bold " if row.grade == "primary" else ""
    words = f"{row.kind} ({row.grade})"
    return (
        moment(row.ts),
        Marked(words, f"{weight}{colour}"),
        number(row.price),
        moment(row.confirmed_at),
        row.cause.replace("_", " "),
    )


def _pattern(row: PatternRow) -> tuple[Cell, ...]:
    return (
        moment(row.confirmed_at),
        row.symbol,
        printable(row.name),
        row.timeframe.value,
        row.kind.replace("_", " "),
        Marked(row.state, _STATE_COLOURS.get(row.state, "")),
        ", ".join(f"{name} {number(round(level))}" for name, level in row.levels.items()),
        _evidence(row.evidence),
    )


def _evidence(evidence: Mapping[str, tuple[float, str]]) -> str:
    return ", ".join(f"{name} {value:g} {unit}" for name, (value, unit) in evidence.items())


def _footer(analysis: SeriesAnalysis) -> str:
    if analysis.status is AnalysisStatus.UNKNOWN:
        return "Not analysed: the series is not collected, or no analysis has run yet."
    words = f"analysis: {analysis.status.value.replace('_', ' ')}"
    if analysis.reason:
        words += f" ({analysis.reason})"
    if analysis.analysed_to is not None:
        words += f", up to the candle of {moment(analysis.analysed_to)} KST"
    return words
