"""Alarms that people set, for a person."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, moment, number
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.alarms import AlarmRow, AlarmRows
from chartinsightd.domain.alarm import AlarmKind, Unknown

_COLUMNS = (
    Column(title="id", right=True),
    Column(title="stock", cut=True),
    Column(title="alarm"),
    Column(title="now", right=True),
    Column(title="known at", rank=3),
    Column(title="stands"),
    Column(title="fired last", rank=1),
    Column(title="with", cut=True, rank=2),
)
_MOVES = {AlarmKind.RISE: "+", AlarmKind.FALL: "-", AlarmKind.MOVE: "±"}
_UNKNOWN = {
    Unknown.NO_PRICE: "no price is known",
    Unknown.OLD_PRICE: "no newer price comes",
    Unknown.NO_BASE: "the day's base price is not known",
    Unknown.NO_USUAL: "its usual trading is not known",
    Unknown.UNSETTLED: "too far from the last close: perhaps a split",
    Unknown.NO_SCREEN: "the screen has not run",
}


def render_alarms(rows: AlarmRows) -> RenderableType:
    """Return the alarms as a table."""
    if not rows.items:
        return Text("No alarm is set. `chartinsightctl alarms add SYMBOL --above WON` sets one.")
    return FittedTable(_COLUMNS, [_row(one) for one in rows.items])


def rule_words(row: AlarmRow) -> str:
    """Return what an alarm waits for in a few words."""
    if row.kind is AlarmKind.SCREEN:
        return f"new in {row.screen}"
    if row.kind.is_price:
        return f"{'>=' if row.kind is AlarmKind.ABOVE else '<='} {number(row.level)}"
    if row.kind in _MOVES:
        return f"{_MOVES[row.kind]}{row.level / 100:g}%"
    return f"{row.kind.value} >= {f'{row.level / 100:g}x' if row.is_multiple else number(row.level)}"


def _row(row: AlarmRow) -> tuple[Cell, ...]:
    stands = "reached" if row.is_met else "not reached"
    if row.unknown is not None or row.is_met is None:
        stands = _UNKNOWN.get(row.unknown, "not looked at yet") if row.unknown else "not looked at yet"
    style = "yellow" if row.is_met is None else ""
    return (
        str(row.id),
        " ".join(part for part in (row.symbol or "any", row.name) if part),
        rule_words(row),
        _figure(row),
        moment(row.known_at) if row.known_at else NONE,
        Marked(stands, style),
        moment(row.fired_at) if row.fired_at else NONE,
        row.fired_words,
    )


def _figure(row: AlarmRow) -> str:
    if row.figure is None:
        return NONE
    if row.kind in _MOVES:
        return f"{row.figure / 100:.2f}%"
    return f"{row.figure / 100:.2f}x" if row.is_multiple else number(row.figure)
