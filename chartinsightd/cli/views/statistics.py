"""Statistics for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, number
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.control.protocol.statistics import StatisticFigure, StatisticRow, StatisticsResult
from chartinsightd.domain.foreign_text import printable

_MOST_EXCEPTIONS = 10
_STYLES = {"above": "red", "below": "blue"}
"""As Korean screens colour a rise and a fall."""


def render_statistics(answer: StatisticsResult) -> RenderableType:
    """Return both samples, a line for each horizon."""
    columns = (
        Column(title="sample"),
        Column(title="after", right=True),
        Column(title="n", right=True),
        Column(title="rose", right=True),
        Column(title="base", right=True),
        Column(title="95 %", right=True, rank=1),
        Column(title="mean", right=True),
        Column(title="base", right=True),
        Column(title="95 %", right=True, rank=2),
        Column(title="differs", cut=True),
    )
    rows = [*_rows(f"before {answer.split}", answer.in_sample), *_rows("from then on", answer.out_of_sample)]
    words = (
        f"{printable(answer.what)}, {answer.timeframe.value} candles of {number(answer.stocks)} stocks, "
        f"cost {100 * answer.cost:g} % a round trip; entry at the next open, exit at a close"
    )
    left_out = [
        Text(f"left out: {one.symbol} {printable(one.reason)}")
        for one in answer.exceptions[:_MOST_EXCEPTIONS]
    ]
    if len(answer.exceptions) > _MOST_EXCEPTIONS:
        left_out.append(Text(f"… {len(answer.exceptions) - _MOST_EXCEPTIONS} more; --json lists all"))
    return Group(FittedTable(columns, rows), *left_out, Text(words, style="dim"))


def _rows(sample: str, rows: Sequence[StatisticRow]) -> Iterator[tuple[Cell, ...]]:
    for row in rows:
        after = f"{row.horizon} candle" + ("s" if row.horizon > 1 else "")
        if row.too_few:
            yield (sample, after, number(row.n), *[NONE] * 6, "too few")
        else:
            yield (sample, after, number(row.n), *_shares(row.rise), *_shares(row.mean, 2), _verdict(row))


def _shares(figure: StatisticFigure | None, digits: int = 1) -> tuple[str, str, str]:
    """Return value, base and interval in percent."""
    if figure is None:
        return NONE, NONE, NONE
    interval = NONE
    if figure.low is not None and figure.high is not None:
        interval = f"{100 * figure.low:.{digits}f} to {100 * figure.high:.{digits}f}"
    return f"{100 * figure.value:.{digits}f} %", f"{100 * figure.base:.{digits}f} %", interval


def _verdict(row: StatisticRow) -> Cell:
    said = [
        f"{name} {figure.verdict}"
        for name, figure in (("rose", row.rise), ("mean", row.mean))
        if figure is not None and figure.verdict != "same"
    ]
    if not said:
        return "no"
    return Marked(", ".join(said), _STYLES["above" if "above" in said[-1] else "below"])
