"""Screen 8: the daemon's log as it grows."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import clock_time, number, stamp
from chartinsight_tui.screens.view import View
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable
from chartinsightd.domain.foreign_text import printable

if TYPE_CHECKING:
    from chartinsightd.control.protocol.rows import LogLine

_LEVELS = ("debug", "info", "warning", "error")
"""As `LogLevel` ranks them."""
_MARKS = {"debug": "·", "info": " ", "warning": "▲", "error": "✗", "critical": "✗"}


class LogView(View):
    """Log lines, newest below; it follows the end while the cursor is there and it is not paused."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.LOGS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "show_line", "key.choose"),
        Binding("s", "next_level", "key.level"),
        Binding("f", "faults", "key.faults"),
        Binding("space", "pause_log", "key.pause_log"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._table = RowTable(lambda: self.palette, self._cells, lambda: self.what_is_missing(Part.LOGS))
        self._lines: dict[int, LogLine] = {}
        self._level = _LEVELS[1]
        self._is_paused = False
        self._follows = True

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        yield self.trail
        yield self._table
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        words = self.words
        self._table.set_columns(
            [
                Column(title=words["column.at"], width=8),
                Column(title="", width=1),
                Column(title=words["column.event"], width=26),
                Column(title=words["column.symbol"], width=7),
                Column(title=words["column.fields"], width=20, flex=1),
            ]
        )

    def main_widget(self) -> Widget:
        """Return the list."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the lines; paused, what is shown stays."""
        if Part.LOGS in changed and not self._is_paused:
            self._lines = self._wanted_lines()
            follows = self._follows
            self._table.set_rows(list(self._lines))
            if follows:
                self._table.action_move(len(self._lines))
        self.trail.update()
        self._table.refresh()

    def trail_end(self) -> str:
        """Return how many lines are shown, from which level, and whether the end is followed."""
        key = "log.paused" if self._is_paused else "log.following" if self._follows else "log.standing"
        level = self.words[f"level.{self._level}"]
        values = {"shown": number(len(self._lines)), "total": number(len(self.store.logs)), "level": level}
        return f"{self.words.put('log.count', **values)} · {self.words[key]}"

    def faults_only(self) -> bool:
        """Whether only warnings and errors are shown."""
        return self._level not in {"debug", "info"}

    def _wanted_lines(self) -> dict[int, LogLine]:
        """Return the lines to show by their number since the start."""
        first = self.store.log_count - len(self.store.logs)
        return {number: line for number, line in enumerate(self.store.logs, first) if self._is_wanted(line)}

    def _is_wanted(self, line: LogLine) -> bool:
        if line.level.rank < _LEVELS.index(self._level):
            return False
        text = self.filter_text
        return not text or text in f"{line.event} {line.symbol} {line.level} {_fields(line)}".casefold()

    def _cells(self, number: Hashable) -> Cells:
        line, palette = self._lines[cast("int", number)], self.palette
        style = self._style(line)
        return [
            (clock_time(line.at), palette.faint),
            (_MARKS[line.level], style),
            (line.event, style),
            (line.symbol, palette.accent),
            (_fields(line), palette.dim),
        ]

    def _style(self, line: LogLine) -> Style:
        if line.level.rank >= _LEVELS.index("error"):
            return self.palette.bad
        return {"warning": self.palette.warn, "debug": self.palette.dim}.get(line.level, self.palette.text)

    def _line(self) -> LogLine | None:
        return self._lines.get(cast("int", self._table.row_id))

    def copy_text(self) -> str:
        """Return the line under the cursor, whole."""
        return (
            f"{line.at.isoformat()} {line.level} {line.event} {line.symbol} {_fields(line)}"
            if (line := self._line())
            else ""
        )

    @on(RowTable.Moved)
    def _notice_end(self) -> None:
        follows = self._table.is_at_end
        if follows != self._follows:
            self._follows = follows
            self.refresh_data(frozenset())

    @on(RowTable.Chosen)
    def action_show_line(self) -> None:
        """Show the whole line."""
        if (line := self._line()) is None:
            return
        from chartinsight_tui.screens.dialogs import TextDialog

        rows = {
            "at": f"{stamp(line.at)} KST",
            "level": line.level,
            "event": line.event,
            "symbol": line.symbol,
        }
        text = Text("\n").join(
            Text.assemble((printable(f"{key:<14}"), self.palette.dim), printable(_shown(value)))
            for key, value in {**rows, **line.fields}.items()
            if value != ""
        )
        self.app.push_screen(TextDialog(line.event, text))

    def action_next_level(self) -> None:
        """Show from the next level on; after errors all again."""
        self._level = _LEVELS[(_LEVELS.index(self._level) + 1) % len(_LEVELS)]
        self._is_paused = False
        self.refresh_data(self.PARTS)

    def action_faults(self) -> None:
        """Show warnings and errors only, or all but what is for debugging."""
        self._level = "info" if self.faults_only() else "warning"
        self._is_paused = False
        self.refresh_data(self.PARTS)

    def action_pause_log(self) -> None:
        """Hold what is shown, or follow again."""
        self._is_paused = not self._is_paused
        self.refresh_data(self.PARTS)


def _fields(line: LogLine) -> str:
    return " ".join(f"{key}={_shown(value)}" for key, value in line.fields.items())


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
