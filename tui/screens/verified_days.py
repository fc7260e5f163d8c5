"""What a verification found, as a table: a row a series, a column a day on which something differed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import fit, number
from chartinsight_tui.widgets.pane import Line, Piece, heading

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import JobProgress, VerifiedDay

_OUTCOMES = {
    "corrected": ("◆", "warn"),
    "kept": ("△", "dim"),
    "withdrawn": ("?", "warn"),
    "same": ("■", "good"),
}
"""Mark and colour of what was done about a day."""
_RANK = ("same", "kept", "corrected", "withdrawn")
_MOST_NAME, _SAME, _DAY = 22, 9, 7
"""Cells of a series where there is room, of its candles that are the same, and of a day."""

Found = dict[tuple[str, str], dict[date | None, "VerifiedDay"]]
"""By series and day; the day None holds the days on which all is the same."""


def verified_lines(progress: JobProgress, context: Context, width: int) -> Iterator[Line]:
    """Yield the table with the newest days first, and below it what its marks mean; nothing while it runs."""
    if not progress.results:
        return
    words, palette = context.words, context.palette
    found = _by_series(progress.results)
    days = sorted({one.day for one in progress.results if one.day is not None}, reverse=True)
    name = min(_MOST_NAME, width // 2)
    shown = days[: max(1, (width - name - _SAME - 2) // _DAY)]
    title = words["verified.title"]
    left_out = _left_out(progress, context, len(days) - len(shown))
    yield heading(title, width, palette, fit(left_out, max(1, width - cell_len(title) - 5)).rstrip())
    columns = "".join(f"{f'{day:%m-%d}':>{_DAY}}" for day in shown)
    yield [(f" {' ' * name}{fit(words['verified.same'], _SAME, 'right')}{columns}", palette.dim)]
    yield from (_row(series, found[series], shown, context, name) for series in found)
    yield _legend(progress.results, context)


def _by_series(results: Sequence[VerifiedDay]) -> Found:
    """Return the findings of each series; those that differ on most days first."""
    found: Found = {}
    for one in results:
        found.setdefault((one.symbol, one.timeframe.value), {})[one.day] = one
    return dict(sorted(found.items(), key=lambda item: (-len(item[1].keys() - {None}), item[0])))


def _row(
    series: tuple[str, str],
    findings: dict[date | None, VerifiedDay],
    days: Sequence[date],
    context: Context,
    room: int,
) -> Line:
    (symbol, timeframe), palette = series, context.palette
    frame = context.words[f"timeframe.{timeframe}"]
    stock = fit(context.store.name_of(symbol) or symbol, room - cell_len(frame) - 2)
    about = fit(f"{stock} {frame}", room)
    same = sum(one.equal for one in findings.values())
    head: list[Piece] = [(f" {about}", palette.text), (f"{number(same):>{_SAME}}", palette.dim)]
    return [*head, *(_cell(findings.get(day), context) for day in days)]


def _cell(found: VerifiedDay | None, context: Context) -> Piece:
    """Return how many candles of a day differ, behind the mark of what was done; a dot for none."""
    if found is None:
        return f"{'·':>{_DAY}}", context.palette.faint
    mark, colour = _OUTCOMES[found.outcome]
    count = number(found.differing + found.missing + found.extra)
    return f"{f'{mark}{count}':>{_DAY}}", context.palette.of(colour)


def _legend(results: Sequence[VerifiedDay], context: Context) -> Line:
    """Return what the marks mean that are seen."""
    outcomes = {one.outcome for one in results if one.day is not None}
    words, palette = context.words, context.palette
    if not outcomes:
        return [(f" ✓ {words['verified.all_same']}", palette.good)]
    meant = [f"{_OUTCOMES[one][0]} {words[f'verified.{one}']}" for one in _RANK if one in outcomes]
    return [(f" {' · '.join(meant)}", palette.dim)]


def _left_out(progress: JobProgress, context: Context, days: int) -> str:
    """Say what has no room in the table."""
    words, rows = context.words, progress.results_left_out
    said = (("verified.more_days", days), ("verified.more_rows", rows))
    return " · ".join(words.put(key, count=number(count)) for key, count in said if count)
