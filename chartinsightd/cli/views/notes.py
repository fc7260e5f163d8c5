"""A note for a person: sentences, then the facts that they stand on."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import moment, number
from chartinsightd.cli.tables import Column, FittedTable
from chartinsightd.control.protocol.notes import Note
from chartinsightd.domain.foreign_text import printable


def render_note(note: Note) -> RenderableType:
    """Return the sentences stock by stock, the facts, and who wrote it."""
    parts: list[RenderableType] = []
    for symbol in note.symbols:
        claims = [claim for claim in note.claims if claim.symbol == symbol]
        parts.append(Text(symbol, style="bold"))
        parts += [Text(f"  {printable(claim.text)}") for claim in claims] or [Text("  no facts", style="dim")]
    columns = (
        Column(title="fact"),
        Column(title="stock", rank=1),
        Column(title="what"),
        Column(title="value", right=True),
        Column(title="as of"),
        Column(title="rows", cut=True, rank=2),
    )
    rows = [
        (one.id, one.symbol, one.what, one.text, str(one.as_of), " … ".join(one.rows)) for one in note.facts
    ]
    return Group(*parts, "", FittedTable(columns, rows), "", Text(printable(_foot(note)), style="dim"))


def _foot(note: Note) -> str:
    who = "template" if note.source == "template" else f"{note.source} {note.model}"
    words = f"note {note.id}, {moment(note.created_at)}, by {who}: {number(note.claims_kept)} claims kept"
    if note.claims_struck:
        reasons = ((reason.replace("_", " "), count) for reason, count in note.claims_struck.items())
        struck = ", ".join(f"{count} {reason}" for reason, count in reasons)
        words += f", struck: {struck}"
    return words
