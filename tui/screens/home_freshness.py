"""How fresh what is collected is: a map with a mark a stock, a row a timeframe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    NOTHING,
    candle_start,
    fit,
    number,
)
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, Piece, heading, padded, width_of
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Freshness, Status

_MOST_CELLS = 30
"""Cells of a row of the freshness map; with more stocks a cell stands for several."""
_TENS = 10
_LABEL = 8
_COLUMNS = ((60, (8, 5, 5)), (55, (5, 4, 4)), (0, (5, 4)))
"""From which width on the newest candle, what is late, and the gaps have how many cells."""
_RANK = "■?△▲"
"""Marks of the freshness map, the worst last."""
_COLOURS = {"■": "good", "?": "dim", "△": "warn", "▲": "warn"}


def freshness_lines(context: Context, status: Status, width: int) -> list[Line]:
    """Return a heading, a row a timeframe, the universe and the analysis."""
    words = context.words
    cells = _columns_of(width)
    titles = zip(("home.newest", "home.late", "home.gaps"), (max(7, cells[0]), *cells[1:]), strict=False)
    head = " ".join(fit(words[key], room, "right") for key, room in titles)
    lines: list[Line] = [heading(words["home.freshness"], width, context.palette, head)]
    if not status.freshness:
        return [*lines, [(f" {words['freshness.none']}", context.palette.dim)]]
    fresh = [_fresh(context, one, status.tracked, width) for one in status.freshness]
    return [*lines, *fresh, *_universe(context, status, width), *_analysis(context, status)]


def _universe(context: Context, status: Status, width: int) -> Iterator[Line]:
    """Yield how fresh the stocks beside the targets are: of a timeframe the most are late in."""
    universe = status.universe
    if universe is None or not universe.freshness:
        return
    worst = max(universe.freshness, key=lambda one: one.late)
    each = max(1, -(-universe.members // _MOST_CELLS))
    late = -(-worst.late // each) if context.store.is_online else 0
    cells = -(-universe.members // each)
    sign, style = ("▪", "good") if context.store.is_online else ("?", "dim")
    marks = _in_tens([("▲", "warn")] * late + [(sign, style)] * (cells - late))
    pieces = [(mark, context.palette.of(style)) for mark, style in marks]
    yield _freshness_row(context, context.words["home.universe"], pieces, worst, None, width)


def _analysis(context: Context, status: Status) -> Iterator[Line]:
    """Yield how far the analysis is, where it has looked at all."""
    if (found := status.analysis) is None:
        return
    words, palette = context.words, context.palette
    done = (
        f"{number(found.done + found.too_short)}/{number(found.series)}"
        if context.store.is_online
        else NOTHING
    )
    label = fit(words["home.analysis"], 8)
    pieces: list[Piece] = [(f" {label} ", palette.dim), (done, palette.text)]
    for key, count in (("home.analysis_left", found.left), ("home.analysis_failed", found.failed)):
        if count and context.store.is_online:
            pieces.append((f"  {words.put(key, count=number(count))}", palette.warn))
    yield pieces


def _fresh(context: Context, one: Freshness, tracked: int, width: int) -> Line:
    name = one.timeframe.value
    missing = sum(row.missing for (_, timeframe), row in context.store.coverage.items() if timeframe == name)
    is_known = context.store.is_online and Part.COVERAGE in context.store.loaded
    room = width - _LABEL - sum(_columns_of(width)) - len(_columns_of(width))
    marks = _map(context, one, tracked, room)
    label = context.words[f"timeframe.{name}"]
    return _freshness_row(context, label, marks, one, missing if is_known else None, width)


def _freshness_row(
    context: Context, label: str, marks: list[Piece], one: Freshness, missing: int | None, width: int
) -> Line:
    """Return a row of the map with its newest candle, how many are late, and how many gaps there are."""
    palette, (newest, late, *gaps) = context.palette, _columns_of(width)
    is_known = context.store.is_online
    start = _newest(context, one)
    tail: list[Piece] = [
        (f"{start:>{newest}} ", palette.text if is_known else palette.dim),
        (
            f"{number(one.late) if is_known else NOTHING:>{late}}",
            palette.warn if one.late else palette.dim,
        ),
    ]
    tail += [(f" {number(missing):>{room}}", palette.warn if missing else palette.dim) for room in gaps]
    head: list[Piece] = [(f" {fit(label, _LABEL - 2)} ", palette.dim)]
    return [*padded([*head, *marks], width - width_of(tail)), *tail]


def _newest(context: Context, one: Freshness) -> str:
    """Return when the newest candle opened: its time if that was today, else its day."""
    if one.newest_ts is None or context.store.status is None:
        return NOTHING
    is_today = day_of(one.newest_ts) == day_of(context.now() or context.store.status.clock.now)
    start = candle_start(one.newest_ts, "5m" if is_today else "1d")
    return start[-5:]


def _map(context: Context, one: Freshness, tracked: int, room: int) -> list[Piece]:
    """Return a mark for each tracked stock, ten by ten; with many stocks the worst of several."""
    marks = _marks(context, one) or ["?"] * tracked
    most = max(1, min(_MOST_CELLS, room - (min(_MOST_CELLS, room) - 1) // _TENS))
    each = -(-len(marks) // most) if marks else 1
    cells = [max(marks[at : at + each], key=_RANK.index) for at in range(0, len(marks), each)]
    return [
        (sign, context.palette.of(style)) for sign, style in _in_tens([(one, _COLOURS[one]) for one in cells])
    ]


def _marks(context: Context, one: Freshness) -> list[str]:
    rows = [row for (_, timeframe), row in context.store.coverage.items() if timeframe == one.timeframe.value]
    if not context.store.is_online:
        return ["?"] * len(rows)
    late = set(one.late_symbols)
    unnamed = one.late > len(late)
    marks = []
    for row in rows:
        if row.symbol in late:
            marks.append("▲")
        elif row.missing:
            marks.append("△")
        else:
            marks.append("?" if unnamed or row.read_at is None else "■")
    return marks


def small_freshness_lines(context: Context, status: Status, width: int) -> Iterator[Line]:
    """Yield a row a timeframe for a terminal that has no room for the map."""
    for one in status.freshness:
        is_late = bool(one.late) and context.store.is_online
        mark = "?" if not context.store.is_online else "▲" if is_late else "■"
        fresh = (
            f"{max(0, status.tracked - one.late)}/{status.tracked}" if context.store.is_online else NOTHING
        )
        newest = f"{context.words['home.newest']} {_newest(context, one)}"
        head = f" {fit(context.words[f'timeframe.{one.timeframe.value}'], 6)} {mark} {fresh}"
        room = max(1, width - cell_len(head) - cell_len(newest) - 1)
        yield [
            (head, context.palette.of(_COLOURS[mark])),
            (" " * room, context.palette.text),
            (newest, context.palette.dim),
        ]


def _columns_of(width: int) -> tuple[int, ...]:
    return next(cells for least, cells in _COLUMNS if width >= least)


def _in_tens(cells: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return marks with their colours, a space before every eleventh."""
    return [
        (f" {mark}" if place and place % _TENS == 0 else mark, style)
        for place, (mark, style) in enumerate(cells)
    ]
