"""Strategies and screens, for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, moment
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.screens import (
    ScreenFigure,
    ScreenMatch,
    ScreenResult,
    ScreenRunList,
    StoredScreenList,
    StrategyList,
)
from chartinsightd.domain.foreign_text import printable, printable_lines

_MOST_EXCEPTIONS = 20
"""Lines; `--json` has all."""


def render_strategies(answer: StrategyList) -> RenderableType:
    """Return strategies with what each needs, and why one of the user's is not ready."""
    columns = (
        Column(title="strategy"),
        Column(title="state"),
        Column(title="title"),
        Column(title="timeframes", rank=1),
        Column(title="warm-up", right=True),
        Column(title="parameters", cut=True, rank=2),
    )
    rows = [
        (
            one.id,
            _STATES.get(one.state, Marked(one.state, "red")),
            printable(one.title),
            " ".join(timeframe.value for timeframe in one.timeframes),
            str(one.warmup),
            ", ".join(f"{name}={value.get('default')}" for name, value in _properties(one.parameters)),
        )
        for one in answer.items
    ]
    faults = [("strategies.folder", answer.fault, answer.remedy)] if answer.fault else []
    faults += [(one.id, one.reason, one.remedy) for one in answer.items if one.reason]
    words = [Text(printable_lines(f"{who}: {reason} {remedy}".rstrip())) for who, reason, remedy in faults]
    return Group(FittedTable(columns, rows), *words)


_STATES: Mapping[str, Cell] = {"ready": "ready", "checking": Marked("checking", "yellow")}


def render_screen(answer: ScreenResult) -> RenderableType:
    """Return matches with their evidence, then who could not be evaluated."""
    columns = (
        Column(title="symbol"),
        Column(title="name", cut=True),
        Column(title="new"),
        Column(title="since (KST)"),
        Column(title="score", right=True),
        Column(title="evidence", cut=True, rank=1),
    )
    counts = answer.counts
    words = (
        f"{len(answer.matches)} matches at {answer.session}: {counts.evaluated} of {counts.universe} stocks "
        f"evaluated, {counts.too_short} too short, {counts.stale} stale, {counts.failed} failed"
    )
    parts: list[RenderableType] = [FittedTable(columns, [_match(one) for one in answer.matches])]
    if answer.exceptions:
        parts.append(_exceptions(answer))
    return Group(*parts, Text(words, style="dim"))


def render_stored(answer: StoredScreenList) -> RenderableType:
    """Return the stored screens with their newest runs."""
    if not answer.items:
        return Text("no screens are stored")
    columns = (
        Column(title="screen"),
        Column(title="version", right=True, rank=2),
        Column(title="session"),
        Column(title="matches", right=True),
        Column(title="new", right=True),
        Column(title="not evaluated", right=True, rank=1),
        Column(title="expression", cut=True, rank=3),
    )
    rows = [
        (
            printable(one.name),
            str(one.version),
            NONE if one.session is None else str(one.session),
            NONE if one.session is None else str(one.matches),
            Marked(str(one.new), "yellow") if one.new else NONE if one.session is None else "0",
            NONE if one.session is None else str(one.counts.universe - one.counts.evaluated),
            printable(json.dumps(one.expression, ensure_ascii=False)),
        )
        for one in answer.items
    ]
    faults = [Text(printable_lines(f"{one.name}: {one.fault}")) for one in answer.items if one.fault]
    return Group(FittedTable(columns, rows), *faults)


def render_runs(answer: ScreenRunList) -> RenderableType:
    """Return what runs found, the newest session first."""
    if not answer.items:
        return Text("it has not run yet")
    return Group(*(render_screen(one.result) for one in answer.items))


def _properties(schema: Mapping[str, object]) -> list[tuple[str, Mapping[str, object]]]:
    found = schema.get("properties", {})
    return list(found.items()) if isinstance(found, Mapping) else []


def _match(match: ScreenMatch) -> tuple[Cell, ...]:
    return (
        match.symbol,
        printable(match.name),
        Marked("new", "yellow") if match.is_new else "",
        moment(match.since),
        NONE if match.score is None else f"{match.score:.2f}",
        "; ".join(_evidence(figures) for figures in match.evidence.values()),
    )


def _evidence(figures: Mapping[str, ScreenFigure]) -> str:
    return ", ".join(f"{name} {one.value:,.4g} {one.unit}" for name, one in figures.items())


def _exceptions(answer: ScreenResult) -> RenderableType:
    columns = (
        Column(title="not evaluated"),
        Column(title="name", cut=True, rank=1),
        Column(title="reason"),
        Column(title="detail", cut=True),
    )
    shown = answer.exceptions[:_MOST_EXCEPTIONS]
    rows = [
        (one.symbol, printable(one.name), one.reason.replace("_", " "), printable(one.detail))
        for one in shown
    ]
    more = len(answer.exceptions) - len(shown)
    table = FittedTable(columns, rows)
    return Group(table, Text(f"… {more} more; --json lists all", style="dim")) if more else table
