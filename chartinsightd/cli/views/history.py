"""What became of candles: revisions, quarantined rows, and all that is known of one."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chartinsightd.cli.formatting import NONE, moment, number, span
from chartinsightd.cli.reasons import WORDS
from chartinsightd.cli.tables import Column
from chartinsightd.cli.views.lists import listed, pairs
from chartinsightd.control.protocol.history import Explanation, Standing
from chartinsightd.control.protocol.rows import CandleRow, QuarantineList, RevisionList
from chartinsightd.domain.foreign_text import printable
from chartinsightd.domain.venue import Venue

_STANDINGS = {
    Standing.FINAL: ("final: read after its settle time, and stored", "green"),
    Standing.UNCONFIRMED: ("unconfirmed: its time is over, and it was not read since", "yellow"),
    Standing.FORMING: ("forming: its time is not over", ""),
    Standing.AHEAD: ("its time has not begun", ""),
    Standing.MISSING: ("missing: it should be stored and is not", "bold red"),
    Standing.NO_TRADE: ("no trade: it was read, and Kiwoom serves no candle for this time", ""),
    Standing.NOT_KEPT: ("not kept: before the horizon, or the series is not collected", ""),
    Standing.NO_SESSION: ("no candle of this timeframe holds this moment", ""),
}
_VALUES = ("open", "high", "low", "close", "volume", "value")


def render_revisions(revisions: RevisionList) -> RenderableType:
    """Return changes of final candles: what was, what is, since when and why."""
    columns = (
        Column(title="changed (KST)"),
        Column(title="symbol"),
        Column(title="name", cut=True, rank=1),
        Column(title="tf"),
        Column(title="candle"),
        Column(title="what changed"),
        Column(title="cause", rank=2),
    )
    rows = [
        (
            moment(one.changed_at),
            one.symbol,
            one.name,
            one.timeframe.value,
            moment(one.ts),
            _changes(one.old, one.new),
            one.cause,
        )
        for one in revisions.items
    ]
    return listed(columns, rows, revisions.total, "revisions")


def render_quarantine(quarantine: QuarantineList) -> RenderableType:
    """Return rows that could not be candles, as they came."""
    columns = (
        Column(title="received (KST)"),
        Column(title="asked for"),
        Column(title="api-id", rank=1),
        Column(title="reason"),
        Column(title="row as it came", cut=True, rank=2),
    )
    rows = [
        (
            moment(one.received_at),
            one.symbol or NONE,
            one.api_id,
            one.reason,
            json.dumps(one.payload, ensure_ascii=False),
        )
        for one in quarantine.items
    ]
    return listed(columns, rows, quarantine.total, "quarantined rows")


def render_explanation(told: Explanation) -> RenderableType:
    """Return all that is known of one candle, a line for each thing."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in _lines(told):
        grid.add_row(name, text)
    return Group(
        Text(printable(f"{told.symbol} {told.name} {told.timeframe}{_at(told.venue)}"), style="bold"), grid
    )


def _lines(told: Explanation) -> Iterator[tuple[str, Text]]:
    if told.ts is not None and told.ends_at is not None:
        yield "candle", Text(f"{span(told.ts, told.ends_at)} KST")
    words, style = _STANDINGS[told.standing]
    yield "stands", Text(words, style=style)
    if told.candle is not None:
        yield "stored", Text(_prices(told.candle))
    if told.ts is not None:
        yield "read", Text("covered by a read after its end" if told.covered else "not read after its end")
        yield "", Text(f"the series was last read at {moment(told.read_at)}")
    for one in told.revisions:
        change = f"{moment(one.changed_at)}: {_changes(one.old, one.new)} ({one.cause})"
        yield "revised", Text(printable(change), style="yellow")
    if told.gap is not None:
        reason = f"{WORDS[told.gap.reason]}, since {moment(told.gap.since)}"
        yield "gap", Text(f"{span(told.gap.from_ts, told.gap.to_ts)}: {reason}", style="yellow")
        if told.gap.evidence:
            yield "", Text(printable(pairs(told.gap.evidence)))
    if told.seal is not None:
        style = {"sealed": "green", "broken": "bold red"}.get(told.seal.state, "yellow")
        yield "seal", Text(f"{told.seal.day} {told.seal.state}", style=style)
        yield "", Text(printable(pairs(told.seal.evidence)))
    for action in told.adjustments:
        factors = f"price × {action.price_factor:.6g}, volume × {action.volume_factor:.6g}"
        yield "adjusted", Text(f"{action.ex_date}: {factors}")


def _at(venue: Venue) -> str:
    return "" if venue is Venue.KRX else f" {venue}"


def _prices(row: CandleRow) -> str:
    prices = "  ".join(f"{name} {number(getattr(row, name))}" for name in _VALUES)
    return prices if row.final else f"{prices}  (not final)"


def _changes(old: CandleRow, new: CandleRow) -> str:
    """Return the values that differ: `close 72,300 → 72,400, volume 10 → 12`."""
    differing = [
        f"{name} {number(getattr(old, name))} → {number(getattr(new, name))}"
        for name in _VALUES
        if getattr(old, name) != getattr(new, name)
    ]
    return ", ".join(differing) or "nothing but its state"
