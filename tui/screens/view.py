"""What all screens have in common: data, filter, what `y` copies and what `b` would fetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import clock_time
from chartinsight_tui.keymap import Keyed
from chartinsight_tui.messages import StepBack
from chartinsight_tui.store import LinkState, Part, Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.told import told
from chartinsight_tui.widgets.pane import Line, Pane, Piece, width_of

_REST_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a screen is to go to, or the form for a new backfill begins with."""

    symbols: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()
    """Empty: all that are collected."""
    from_day: date | None = None
    to_day: date | None = None
    job: int | None = None
    """A job to go to."""
    event: str = ""
    """A kind of alert to go to."""


class View(Keyed, Vertical):
    """One of the screens. Kept as it is while another one is shown.

    Args:
        name: of the screen.
        context: what all screens share.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "key.filter", key_display="/"),
        Binding("escape", "leave_filter", "key.leave_filter", show=False),
    ]
    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK})
    """The data it shows."""
    QUOTES_EVERY_S: ClassVar[float] = 0.5
    """How often prices are asked for while it shows them."""
    FILTERS: ClassVar[bool] = True
    """Whether `/` does something here."""

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(id=name)
        self.context = context
        self.filter_text = ""
        self._trail = Pane(lambda width, _: [self._trail_line(width)], lambda: self.palette, id="trail")
        self._resting: Timer | None = None
        self._filter = Input(placeholder=self.words["filter.hint"], classes="filter")

    @property
    def store(self) -> Store:
        """The last known data."""
        return self.context.store

    @property
    def palette(self) -> Palette:
        """The colours of the moment."""
        return self.context.palette

    @property
    def words(self) -> Words:
        """Texts in the language of the user."""
        return self.context.words

    @property
    def trail(self) -> Pane:
        """The line below the verdict: part of what `compose` yields."""
        return self._trail

    @property
    def filter_input(self) -> Input:
        """The line the filter is typed into; part of what `compose` yields."""
        return self._filter

    # what a screen says of itself

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show what the store holds now; only parts of `PARTS` come."""
        raise NotImplementedError

    def tick(self) -> None:
        """A second has passed: draw what tells the time, if anything does."""

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on a stock that was chosen on another screen, where it is to be seen here."""

    def show_page(self, name: str) -> None:
        """Show one of its views by name; a screen without views is shown as it is."""

    def main_widget(self) -> Widget:
        """Return what takes the keys."""
        raise NotImplementedError

    def trail_pieces(self) -> Line:
        """Return what the third line says on the left: the views of the screen, or where one is in it."""
        return []

    def trail_end(self) -> str:
        """Return what it says on the right: count, order."""
        return ""

    def aged_part(self) -> Part | None:
        """Return the data whose age stands behind that; None where every row has a time of its own."""
        return None

    def _age_words(self) -> str:
        """Say until when the rows are known to be so."""
        part = self.aged_part()
        at = None if part is None else self.store.as_of(part)
        return "" if at is None else self.words.put("list.as_of", at=clock_time(at))

    def faults_only(self) -> bool:
        """Whether only what is wrong is shown."""
        return False

    def _trail_line(self, width: int) -> Line:
        on: list[Piece] = []
        if self.faults_only():
            on.append((f" {self.words['filter.faults']} ", self.palette.of("warn", bold=True)))
        if self.filter_text:
            on.append((f" ‘{self.filter_text}’ ", self.palette.of("warn", bold=True)))
        left = [*self.trail_pieces(), *on]
        age, end = self._age_words(), f"{self.trail_end()} "
        if age and width_of(left) + cell_len(end) + cell_len(age) + 3 <= width:
            end = f"{end}· {age} " if end.strip() else f"{age} "
        room = max(1, width - width_of(left) - cell_len(end))
        return [*left, (" " * room, self.palette.text), (end, self.palette.dim)]

    def copy_text(self) -> str:
        """Return what `y` copies; empty for nothing."""
        return ""

    def wanted(self) -> Wanted:
        """Return what a new backfill would be about."""
        return Wanted()

    def what_is_missing(self, part: Part) -> str:
        """Say why a part has nothing to show: not read yet, not readable, or really empty."""
        words = self.words
        if (failure := self.store.failures.get(part)) is not None:
            return told(str(failure), words)
        if part in self.store.loaded:
            return self._why_empty(part)
        if self.store.link.state is LinkState.OFFLINE:
            return words["empty.never_heard"]
        return words["empty.loading"]

    def _why_empty(self, part: Part) -> str:
        """Empty by a filter is not empty: say which one, and how to lift it."""
        if self.filter_text:
            return self.words.put("empty.filtered", text=self.filter_text)
        if self.faults_only():
            return self.words.get(f"empty.{part.value}.faults", self.words["empty.faults"])
        return self.words[f"empty.{part.value}"]

    # a cursor at rest

    @property
    def is_resting(self) -> bool:
        """Whether the cursor has just moved, and its detail is not asked for yet."""
        return self._resting is not None

    def after_rest(self, look: Callable[[], None]) -> None:
        """Do something once the cursor has rested a moment: who passes by a row asks nothing about it."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_REST_S, lambda: self._end_rest(look))

    def _end_rest(self, look: Callable[[], None]) -> None:
        self._resting = None
        look()

    # filter

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the filter only where there is one; in the past Esc leads back to now."""
        del parameters
        if action == "leave_filter":
            return bool(self.filter_text) or not self.context.is_past
        return self.FILTERS if action == "filter" else True

    def filter_by(self, text: str) -> None:
        """Filter as if the text had been typed."""
        self._filter.value = text
        self._filter.add_class("-open")

    def action_filter(self) -> None:
        """Open the filter line."""
        self._filter.add_class("-open")
        self._filter.focus()

    def action_leave_filter(self) -> None:
        """Close the filter line, and what it says; without one, go back to where one came from."""
        if not self.filter_text and not self._filter.has_class("-open"):
            self.post_message(StepBack())
            return
        self._filter.value = ""
        self._close_filter()

    @on(Input.Submitted, ".filter")
    def _close_filter(self) -> None:
        """Go back to the rows; the filter holds, and its line stays while it says something."""
        self._filter.set_class(bool(self._filter.value), "-open")
        self.main_widget().focus()

    @on(Input.Changed, ".filter")
    def _take_filter(self, event: Input.Changed) -> None:
        self.filter_text = event.value.strip().casefold()
        self.refresh_data(frozenset(self.PARTS))
