"""Lists of rows for a person: gaps, seals, candles, stocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, moment, number, span
from chartinsightd.cli.reasons import WORDS
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.coverage import GapList, SealList
from chartinsightd.control.protocol.rows import AdjustmentList, CandleList, CandleRow, StockList, UniverseList
from chartinsightd.control.protocol.status import Status
from chartinsightd.domain.candle_time import has_closed
from chartinsightd.domain.foreign_text import printable

_NAME = Column(title="name", cut=True, rank=1)


def render_gaps(gaps: GapList) -> RenderableType:
    """Return what is missing."""
    columns = (
        Column(title="symbol"),
        _NAME,
        Column(title="tf"),
        Column(title="missing"),
        Column(title="reason", cut=True),
        Column(title="told", cut=True, rank=3),
        Column(title="known since", rank=2),
    )
    rows = [
        (
            gap.symbol,
            gap.name,
            gap.timeframe.value,
            span(gap.from_ts, gap.to_ts),
            WORDS[gap.reason],
            str(gap.evidence.get("told", "")),
            moment(gap.since),
        )
        for gap in gaps.items
    ]
    return listed(columns, rows, gaps.total, "gaps")


def render_seals(seals: SealList) -> RenderableType:
    """Return the proofs."""
    columns = (
        Column(title="day"),
        Column(title="symbol"),
        _NAME,
        Column(title="state"),
        Column(title="evidence", cut=True, rank=2),
    )
    rows = [
        (str(seal.day), seal.symbol, seal.name, _state(seal.state), pairs(seal.evidence))
        for seal in seals.items
    ]
    return listed(columns, rows, seals.total, "seals")


def render_candles(candles: CandleList, status: Status | None) -> RenderableType:
    """Return prices and volumes, the newest last.

    Args:
        candles: what is shown.
        status: tells the daemon's time, which decides what a candle that is not final is called.
    """
    columns = (
        Column(title="opens (KST)"),
        *(Column(title=title, right=True) for title in ("open", "high", "low", "close", "volume")),
        Column(title="value", right=True, rank=1),
        Column(title=""),
    )
    rows = [
        (
            moment(row.ts),
            number(row.open),
            number(row.high),
            number(row.low),
            _close(row.open, row.close),
            number(row.volume),
            number(row.value),
            "" if row.final else Marked(_unfinished(row, candles, status), "yellow"),
        )
        for row in candles.items
    ]
    kind = " adjusted" if candles.adjusted else ""
    kind += f" as of {moment(candles.as_of)}" if candles.as_of else ""
    more = ", older ones are stored" if candles.has_older else ""
    words = f"{candles.symbol} {candles.name} {candles.timeframe}{kind}: {number(len(rows))} candles{more}"
    return Group(FittedTable(columns, rows), "", Text(printable(words)))


def _unfinished(row: CandleRow, candles: CandleList, status: Status | None) -> str:
    """Say what a candle is that is not final: its time is not over, or it was not read since."""
    if status is None:
        return "not final"
    is_over = has_closed(row.ts, candles.timeframe, status.clock.now, status.session.ends_at)
    return "unconfirmed" if is_over else "forming"


def render_adjustments(adjustments: AdjustmentList) -> RenderableType:
    """Return corporate actions."""
    columns = (
        Column(title="day"),
        Column(title="symbol"),
        _NAME,
        Column(title="price ×", right=True),
        Column(title="volume ×", right=True),
        Column(title="found", rank=2),
        Column(title="evidence", cut=True, rank=3),
    )
    rows = [
        (
            str(row.ex_date),
            row.symbol,
            row.name,
            f"{row.price_factor:.6g}",
            f"{row.volume_factor:.6g}",
            moment(row.found_at),
            pairs(row.evidence),
        )
        for row in adjustments.items
    ]
    return listed(columns, rows, adjustments.total, "corporate actions")


def render_stocks(stocks: StockList) -> RenderableType:
    """Return the stock list."""
    columns = (
        Column(title="symbol"),
        Column(title="name", cut=True),
        Column(title="market", rank=1),
        Column(title="tracked"),
        Column(title="cap (100 M won)", right=True, rank=2),
        Column(title="last price", right=True, rank=3),
        Column(title="listed", rank=4),
        Column(title="state", cut=True, rank=5),
    )
    rows = [
        (
            row.symbol,
            row.name,
            row.market,
            Marked("yes", "green") if row.tracked else "no",
            number(row.market_cap // 100_000_000),
            number(row.last_price),
            f"left {row.delisted_on}" if row.delisted_on else str(row.listed_on or NONE),
            row.state,
        )
        for row in stocks.items
    ]
    return listed(columns, rows, stocks.total, "stocks")


def render_universe(universe: UniverseList) -> RenderableType:
    """Return members, or who is left out and why; below it the sums by reason."""
    columns = (
        Column(title="symbol"),
        Column(title="name", cut=True),
        Column(title="market", rank=1),
        Column(title="cap (100 M won)", right=True, rank=2),
        Column(title="left out", cut=True),
    )
    rows = [
        (
            row.symbol,
            row.name,
            row.market,
            number(row.market_cap // 100_000_000),
            _WHY_OUT.get(row.reason, row.reason),
        )
        for row in universe.items
    ]
    reasons = sorted(universe.excluded.items(), key=lambda entry: -entry[1])
    why = ", ".join(f"{_WHY_OUT.get(reason, reason)} {number(count)}" for reason, count in reasons)
    sums = f"{universe.day}: {number(universe.members)} members; left out: {why or 'none'}"
    return Group(listed(columns, rows, universe.total, "stocks"), Text(sums))


_WHY_OUT = {
    "removed": "removed by hand",
    "fund": "fund, ETF, ETN or REIT",
    "spac": "SPAC",
    "preferred": "preferred share",
    "administrative": "administrative issue",
    "halted": "halted",
    "too_small": "too small",
    "delisted": "delisted",
    "off": "the universe is off",
}


def listed(
    columns: tuple[Column, ...], rows: Sequence[Sequence[Cell]], total: int, words: str
) -> RenderableType:
    """Return a table with its count below, or that there is none."""
    if not rows:
        return Text(f"no {words}")
    shown = f"{number(len(rows))} of {number(total)}" if total > len(rows) else number(len(rows))
    return Group(FittedTable(columns, rows), "", Text(f"{shown} {words}"))


def _state(state: str) -> Cell:
    return Marked(state, {"sealed": "green", "broken": "bold red"}.get(state, "yellow"))


def _close(opened: int, closed: int) -> Cell:
    """Red rises, blue falls, as on Korean screens."""
    if opened == closed:
        return number(closed)
    return Marked(number(closed), "red" if closed > opened else "blue")


def pairs(values: Mapping[str, Any]) -> str:
    """Return evidence as words: `compared 30m 1h 1d, broken at 2026-11-17T09:10`."""
    return ", ".join(_pair(name, value) for name, value in values.items())


def _pair(name: str, value: object) -> str:
    return f"{name.replace('_', ' ')} {_plain(value)}"


def _plain(value: object) -> str:
    """Return a value of the evidence as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(_pair(name, one) for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_plain, value)) if any(map(_is_nested, value)) else " ".join(map(_plain, value))
    return NONE if value is None else number(value) if isinstance(value, int) else str(value)


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)
