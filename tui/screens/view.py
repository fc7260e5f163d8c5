"""What all six screens have in common: data, filter, what `y` copies and what `b` would fetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from chartinsight_tui.store import LinkState, Part, Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette

if TYPE_CHECKING:
    from chartinsight_tui.app import Dashboard

_REST_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the dialog for a new backfill begins with."""

    symbols: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()
    """Empty: all that are collected."""
    from_day: date | None = None
    to_day: date | None = None


class View(Vertical):
    """One of the six screens. Kept as it is while another one is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "key.filter", key_display="/"),
        Binding("escape", "leave_filter", "key.leave_filter", show=False),
    ]
    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK})
    """The data it shows."""
    FILTERS: ClassVar[bool] = True
    """Whether `/` does something here."""
    DEFAULT_CSS = """
    View { height: 1fr; width: 1fr; }
    View > .filter { dock: bottom; height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    View > .filter.-open { display: block; }
    View > .filter:focus { border: none; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.filter_text = ""
        self._resting: Timer | None = None
        self._filter = Input(placeholder=self.words["filter.hint"], classes="filter")

    @property
    def dash(self) -> Dashboard:
        """The app this screen belongs to."""
        return cast("Dashboard", self.app)

    @property
    def store(self) -> Store:
        """The last known data."""
        return self.dash.store

    @property
    def palette(self) -> Palette:
        """The colours of the moment."""
        return self.dash.palette

    @property
    def words(self) -> Words:
        """Texts in the language of the user."""
        return self.dash.words

    @property
    def filter_input(self) -> Input:
        """The line the filter is typed into; part of what `compose` yields."""
        return self._filter

    # what a screen says of itself

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show what the store holds now; only parts of `PARTS` come."""
        raise NotImplementedError

    def main_widget(self) -> Widget:
        """Return what takes the keys."""
        raise NotImplementedError

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
            return str(failure)
        if part in self.store.loaded:
            return words["empty.filtered"] if self.filter_text else words[f"empty.{part.value}"]
        if self.store.link.state is LinkState.OFFLINE:
            return words["empty.never_heard"]
        return words["empty.loading"]

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
        """Offer the filter only where there is one."""
        del parameters
        return self.FILTERS if action in {"filter", "leave_filter"} else True

    def action_filter(self) -> None:
        """Open the filter line."""
        self._filter.add_class("-open")
        self._filter.focus()

    def action_leave_filter(self) -> None:
        """Close the filter line; what it says holds no longer."""
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
