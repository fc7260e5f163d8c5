"""How much of the request limits is used, and what waits on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    NOTHING,
    fit,
    number,
    size,
    sparkline,
)
from chartinsight_tui.widgets.pane import Line, Piece, heading, padded, width_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import GateLane, Status


def gate_lines(context: Context, status: Status, width: int, most: int) -> list[Line]:
    """Return the limits; the lanes that have most to do where there is no room for all."""
    words = context.words
    head = f"{fit(words['home.per_second'], 7, 'right')} {fit(words['gate.waiting'], 6, 'right')}"
    lines: list[Line] = [heading(words["home.gate"], width, context.palette, head)]
    has_spool = most > len(status.gate) + 1 or bool(status.spool.pages)
    lines += [_lane(context, lane, width) for lane in _busiest(status.gate, most - 1 - has_spool)]
    return [*lines, _spool(context, status)] if has_spool else lines


def _spool(context: Context, status: Status) -> Line:
    words, spool = context.words, status.spool
    waiting = words.put("home.spooled", pages=number(spool.pages), size=size(spool.bytes))
    style = context.palette.warn if spool.pages else context.palette.text
    label = fit(words["home.spool"], 14)
    return [
        (f" {label} ", context.palette.dim),
        (waiting if spool.pages else words["gate.spool_empty"], style),
    ]


def _lane(context: Context, lane: GateLane, width: int) -> Line:
    waiting = sum(lane.queued.values())
    sent = f"{lane.sent_last_minute / 60:.1f}/{lane.limit:g}"
    style = context.palette.warn if lane.limit < lane.ceiling else context.palette.text
    queued = number(waiting)
    if not context.store.is_online:
        sent = queued = NOTHING
    tail: list[Piece] = [(f"{sent:>9} ", style), (f"{queued:>6}", context.palette.text)]
    name = fit(context.words.get(f"lane.{lane.api_id}", lane.api_id), 6)
    head: list[Piece] = [(f" {lane.api_id} {name} ", context.palette.dim)]
    room = max(0, width - width_of(head) - width_of(tail) - 1)
    gauge = min(14, room)
    filled = min(gauge, round(lane.utilisation * gauge))
    history = sparkline(lane.recent, max(0, min(30, room - gauge - 1)), max(lane.ceiling, 1))
    pieces = [
        *head,
        ("━" * filled, context.palette.accent),
        ("─" * (gauge - filled), context.palette.of("line")),
    ]
    return [*padded([*pieces, (f" {history}", context.palette.dim)], width - width_of(tail)), *tail]


def _busiest(lanes: Sequence[GateLane], most: int) -> list[GateLane]:
    """Return the `most` busiest lanes, in their order."""
    chosen = sorted(lanes, key=lambda lane: (-sum(lane.queued.values()), -lane.sent_last_minute))[:most]
    return [lane for lane in lanes if lane in chosen]
