"""Small dialogs: a question, the keys, a text, a stock."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from chartinsight_tui.formatting import big_won, fit
from chartinsight_tui.search import found
from chartinsight_tui.store import Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable
from chartinsightd.domain.foreign_text import printable


class ConfirmDialog(ModalScreen[bool]):
    """A question before something changes; the answer is its result.

    Args:
        words: texts.
        question: what would be done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "key.yes"),
        Binding("n,escape", "answer(False)", "key.no"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, words: Words, question: str) -> None:
        super().__init__()
        self._words = words
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question and two buttons; No has the focus."""
        with Vertical(classes="box"):
            yield Static(self._question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(self._words["ask.no"], id="no", compact=True)
                yield Button(self._words["ask.yes"], id="yes", variant="primary", compact=True)

    @on(Button.Pressed)
    def _press(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)


class LineDialog(ModalScreen[str | None]):
    """A line to type into; what was typed is the result, None where it was left.

    Args:
        title: what is asked for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "key.close")]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Lay out the title and the line."""
        with Vertical(classes="box"):
            yield Static(self._title, classes="title", markup=False)
            yield Input(max_length=40)

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())


class TextDialog(ModalScreen[None]):
    """A text to read, longer than a line; foreign parts of it are printable.

    Args:
        title: stands in its upper edge.
        text: what to read.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss(None)", "key.close"),
        Binding("y", "copy", "key.copy"),
    ]

    def __init__(self, title: str, text: Text) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the text; it scrolls where it is long."""
        with VerticalScroll(classes="box"):
            yield Static(printable(self._title), classes="title", markup=False)
            yield Static(self._text)

    def action_copy(self) -> None:
        """Copy the text (OSC 52)."""
        self.app.copy_to_clipboard(self._text.plain)


class KeysDialog(TextDialog):
    """All keys that work on the screen below.

    Args:
        words: texts.
        palette: the colours.
        keys: binding, its key's name and its words.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "dismiss(None)", "key.close", show=False)
    ]

    def __init__(self, words: Words, palette: Palette, keys: Sequence[tuple[Binding, str, str]]) -> None:
        lines = [Text.assemble((fit("1–8", 12), palette.of("accent", bold=True)), words["keys.screens"])]
        lines += [
            Text.assemble((fit(name, 12), palette.of("accent", bold=True)), text)
            for binding, name, text in keys
            if not binding.description.startswith("tab.")
        ]
        lines += [Text(), Text(words["keys.mouse"], palette.dim), Text(words["keys.shapes"], palette.dim)]
        super().__init__(words["keys.title"], Text("\n").join(lines))


class StockDialog(ModalScreen[str]):
    """Choose a stock by symbol, name or first consonants; the symbol is its result.

    Args:
        words: texts.
        store: where the stocks are.
        palette: the colours.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "key.close"),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, words: Words, store: Store, palette: Palette) -> None:
        super().__init__()
        self._words = words
        self._store = store
        self._palette = palette
        self._table = RowTable(lambda: palette, self._cells, lambda: words["search.none"])

    def compose(self) -> ComposeResult:
        """Lay out the line to type into, and what it finds."""
        with Vertical(classes="box"):
            yield Static(self._words["search.title"], classes="title")
            yield Input(placeholder=self._words["search.hint"])
            yield self._table

    def on_mount(self) -> None:
        """Show the largest stocks first."""
        self._table.set_columns(
            [
                Column(title=self._words["column.symbol"], width=7),
                Column(title=self._words["column.name"], width=20, flex=1),
                Column(title=self._words["column.market"], width=7),
                Column(title=self._words["column.cap"], width=11, align="right"),
            ]
        )
        self._search("")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _take_text(self, event: Input.Changed) -> None:
        self._search(event.value)

    def _search(self, text: str) -> None:
        self._table.set_rows([stock.symbol for stock in found(text, self._store.stocks.values(), 50)])
        self._table.action_move(-1_000)

    @on(Input.Submitted)
    @on(RowTable.Chosen)
    def _choose(self) -> None:
        if self._table.row_id is not None:
            self.dismiss(str(self._table.row_id))

    def action_move(self, rows: int) -> None:
        """Move in the list while the line keeps the focus."""
        self._table.action_move(rows)

    def _cells(self, symbol: Hashable) -> Cells:
        stock, palette = self._store.stocks[str(symbol)], self._palette
        return [
            (stock.symbol, palette.accent),
            (stock.name, palette.text),
            (stock.market, palette.dim),
            (big_won(stock.market_cap), palette.text),
        ]
