"""Labels, for a person."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import moment, percent
from chartinsightd.cli.tables import Column, FittedTable
from chartinsightd.control.protocol.labels import Agreement, LabelList, LabelRow
from chartinsightd.domain.foreign_text import printable


def render_labels(answer: LabelList) -> RenderableType:
    """Return labels, and how often people agree with each kind of pattern that was found."""
    columns = (
        Column(title="id", right=True),
        Column(title="drawn", rank=2),
        Column(title="symbol"),
        Column(title="name", cut=True, rank=1),
        Column(title="tf"),
        Column(title="from"),
        Column(title="to"),
        Column(title="kind"),
        Column(title="verdict"),
        Column(title="seen until", rank=2),
        Column(title="note", cut=True, rank=1),
    )
    table = FittedTable(columns, [_row(one) for one in answer.items])
    more = answer.total - len(answer.items)
    words = [Text(f"{more} more; --export writes all.")] if more > 0 else []
    return Group(table, *words, *(Text(_agreement(one)) for one in answer.agreement))


def _row(label: LabelRow) -> tuple[str, ...]:
    return (
        str(label.id),
        moment(label.created_at),
        label.symbol,
        printable(label.name),
        label.timeframe.value,
        moment(label.from_ts),
        moment(label.to_ts),
        printable(label.kind),
        label.verdict,
        f"{moment(label.seen_until)}{' (hindsight)' if label.hindsight else ''}",
        printable(label.note),
    )


def _agreement(counted: Agreement) -> str:
    share = "too few" if counted.rate is None else percent(counted.rate)
    return f"{printable(counted.kind)}: {counted.agreed} of {counted.n} agreed, {share}"
