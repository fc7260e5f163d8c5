"""A screen as files: its rows as CSV, what is seen as text and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from chartinsight_tui.formatting import stamp
from chartinsight_tui.screens.view import View
from chartinsight_tui.widgets.pane import Pane
from chartinsight_tui.widgets.row_table import RowTable
from chartinsightd.domain.foreign_text import printable


def file_stem(name: str, at: datetime) -> str:
    """Return the name of a screen's files without their ending: `alerts-1118-105254`, by Korean time."""
    return f"{name}-{stamp(at).replace('-', '').replace(':', '').replace(' ', '-')}"


def contents(view: View, svg: str) -> dict[str, str]:
    """Return the files of a screen by their ending; a screen without rows has no `csv`."""
    main = view.main_widget()
    files = {"txt": "\n".join(_text(view)) + "\n", "svg": svg}
    return {"csv": _csv(main.plain_rows()), **files} if isinstance(main, RowTable) else files


def write(folder: Path, stem: str, files: dict[str, str]) -> list[str]:
    """Write the files and return their names; a file that is there already is never replaced.

    Raises:
        OSError: the folder takes none.
    """
    for ending, content in files.items():
        with (folder / f"{stem}.{ending}").open("x", encoding="utf-8", newline="") as file:
            file.write(content)
    return [f"{stem}.{ending}" for ending in files]


def _text(view: View) -> Iterator[str]:
    for widget in view.query("*"):
        if not widget.display:
            continue
        if isinstance(widget, Pane):
            yield widget.plain()
        elif isinstance(widget, RowTable):
            yield from ("  ".join(row).rstrip() for row in widget.plain_rows())


def _csv(rows: Sequence[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([_inert(text) for text in row] for row in rows)
    return written.getvalue()


def _inert(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; signed numbers stay."""
    shown = printable(text).strip()
    is_number = shown.lstrip("+-").replace(",", "").replace(".", "").rstrip("%").isdecimal()
    return f"'{shown}" if shown[:1] in set("=+-@") and shown[1:] and not is_number else shown
