"""Asks for the name of a group of the watchlist."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from chartinsight_tui.text import Words
from chartinsightd.domain.foreign_text import printable
from chartinsightd.domain.watch_groups import LONGEST_NAME


class GroupDialog(ModalScreen[str | None]):
    """A line to type a name into; the name is the result, None where it was left.

    Args:
        words: texts.
        title: what the name is for.
        names: of the groups there are, shown below.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "key.close")]

    def __init__(self, words: Words, title: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self._words = words
        self._title = title
        self._names = names

    def compose(self) -> ComposeResult:
        """Lay out the line, and the names there are."""
        with Vertical(classes="box"):
            yield Static(printable(self._title), classes="title", markup=False)
            yield Input(placeholder=self._words["watch.group.name"], max_length=LONGEST_NAME)
            yield Static(printable(" · ".join(self._names)), markup=False)

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
