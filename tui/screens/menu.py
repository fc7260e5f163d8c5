"""The menu: all that can be done here with its keys, and why something cannot."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable
from chartinsightd.domain.foreign_text import printable

_CLOSING = ("escape", "m")
"""Keys that close the menu; what they do on the screen below is chosen in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that can be done, or not now."""

    key: str
    """As the framework names it."""
    shown: str
    """The key as a person reads it."""
    words: str
    why_not: str = ""
    """Empty: it can be done."""


class MenuDialog(ModalScreen[str]):
    """Choose what to do, by its key or in the list; the key is the result, empty for nothing.

    Args:
        title: what it is done with.
        entries: in the order of the list.
        palette: the colours.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(_CLOSING), "dismiss('')", "key.close"),
    ]

    def __init__(self, title: str, entries: Sequence[Entry], palette: Palette) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._palette = palette
        self._table = RowTable(lambda: palette, self._cells, lambda: "")

    def compose(self) -> ComposeResult:
        """Lay out the title and the list."""
        with Vertical(classes="box"):
            yield Static(printable(self._title), classes="title", markup=False)
            yield self._table

    def on_mount(self) -> None:
        """Show the entries, as many as have room."""
        self._table.set_columns(
            [
                Column(title="", width=6),
                Column(title="", width=24, flex=1),
                Column(title="", width=24, align="right"),
            ]
        )
        self._table.set_rows(list(range(len(self._entries))))
        self._table.styles.height = len(self._entries) + 1
        self._table.focus()

    def _cells(self, row: Hashable) -> Cells:
        entry, palette = self._entries[int(str(row))], self._palette
        key = palette.of("accent", bold=True) if not entry.why_not else palette.faint
        words = palette.text if not entry.why_not else palette.faint
        return [(entry.shown, key), (entry.words, words), (entry.why_not, palette.faint)]

    @on(RowTable.Chosen)
    def _choose(self) -> None:
        if self._table.row_id is not None:
            self._take(self._entries[int(str(self._table.row_id))])

    def on_key(self, event: events.Key) -> None:
        """Do what a key means on the screen below; Esc closes the menu and goes no step back there."""
        for entry in self._entries:
            if entry.key == event.key and event.key not in _CLOSING:
                event.stop()
                self._take(entry)
                return

    def _take(self, entry: Entry) -> None:
        if not entry.why_not:
            self.dismiss(entry.key)


def entries(
    kinds: Iterable[type], active: Mapping[str, tuple[str, str]], words: Words, why_not: Callable[[str], str]
) -> list[Entry]:
    """Return what the bindings of some classes do; what cannot be done now comes last.

    Args:
        kinds: the screen's class and the dashboard's.
        active: the key and its name of each action that can be done now.
        words: texts.
        why_not: returns why an action cannot be done.
    """
    found = {binding.action: _entry(binding, active, words, why_not) for binding in _bindings(kinds, words)}
    return sorted(found.values(), key=lambda entry: bool(entry.why_not))


def _bindings(kinds: Iterable[type], words: Words) -> Iterator[Binding]:
    for kind in kinds:
        for base in kind.__mro__:
            for binding in base.__dict__.get("BINDINGS", ()):
                is_ours = isinstance(binding, Binding) and words.get(binding.description, "")
                if is_ours and not binding.description.startswith("tab."):
                    yield binding


def _entry(
    binding: Binding, active: Mapping[str, tuple[str, str]], words: Words, why_not: Callable[[str], str]
) -> Entry:
    said = words[binding.description]
    if binding.action in active:
        key, shown = active[binding.action]
        return Entry(key=key, shown=shown, words=said)
    key = binding.key.partition(",")[0]
    return Entry(key=key, shown=binding.key_display or key, words=said, why_not=why_not(binding.action))
