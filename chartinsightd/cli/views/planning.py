"""The plan of the collector for a person."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import duration, moment, number
from chartinsightd.cli.tables import Column, FittedTable
from chartinsightd.control.protocol.planning import CatchUpPlan

_COLUMNS = (
    Column(title="Turn", right=True),
    Column(title="Symbol"),
    Column(title="Name", cut=True, rank=1),
    Column(title="TF"),
    Column(title="Job"),
    Column(title="Requests", right=True),
    Column(title="Missing from", rank=2),
    Column(title="To", rank=3),
    Column(title="Api", rank=4),
)


def render_plan(plan: CatchUpPlan) -> RenderableType:
    """Return what it costs in a line, then a line for each series whose turn comes."""
    rows = [
        (
            number(one.place),
            one.symbol,
            one.name,
            one.timeframe.value,
            one.kind,
            number(one.pages),
            moment(one.from_ts),
            moment(one.to_ts),
            one.api_id,
        )
        for one in plan.items
    ]
    if not rows:
        return Text(f"Nothing waits.{_held(plan)}")
    return Group(FittedTable(_COLUMNS, rows), "", Text(_summary(plan)))


def _summary(plan: CatchUpPlan) -> str:
    lanes = ", ".join(f"{lane.api_id} {number(lane.requests)}" for lane in plan.lanes)
    shown = f" ({number(len(plan.items))} shown)" if len(plan.items) < plan.total else ""
    return (
        f"{number(plan.total)} series wait{shown}: {number(plan.requests)} requests at most ({lanes}), "
        f"about {duration(plan.seconds)}.{_held(plan)}"
    )


def _held(plan: CatchUpPlan) -> str:
    if plan.paused:
        return " Paused: `chartinsightctl resume` starts it."
    return "" if plan.held_until is None else f" Nothing is asked before {moment(plan.held_until)}."
