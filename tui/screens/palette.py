"""The palette: a line to type into, and what it finds."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Protocol, cast

from textual.binding import Binding, BindingType
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from chartinsight_tui import theme
from chartinsight_tui.answers import Answer, answers, first
from chartinsight_tui.context import Context

_MOST_TYPED = 50


class Holder(Protocol):
    """What the dashboard is to the palette."""

    context: Context
    recent: list[str]
    """What was typed when something was chosen, oldest first."""
    screens: tuple[str, ...]

    def choose(self, typed: str, answer: Answer) -> None:
        """Do what was chosen, and remember what was typed."""


class PaletteScreen(CommandPalette):
    """The palette; `↑` above the first answer brings back what was typed before, the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("up", "older", show=False)]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder)
        self._back = 0

    def action_older(self) -> None:
        """Go up in the list, and from its first row back through what was typed."""
        answers = self.query_one(CommandList)
        if answers.highlighted:
            answers.action_cursor_up()
            return
        typed = first(cast("Holder", self.app).recent, _MOST_TYPED)
        if self._back < len(typed):
            line = self.query_one(Input)
            line.value = typed[self._back]
            line.cursor_position = len(line.value)
            self._back += 1


class PaletteCommands(Provider):
    """Finds everything; before something is typed it offers what was chosen last."""

    async def discover(self) -> Hits:
        """Yield what was chosen last."""
        holder = self._holder
        for typed in first(holder.recent):
            for answer in self._answers(typed)[:1]:
                choose = partial(holder.choose, typed, answer)
                yield DiscoveryHit(f"{typed} › {answer.words}", choose, help=answer.help)

    async def search(self, query: str) -> Hits:
        """Yield what a text may mean, the most exact first."""
        for place, answer in enumerate(self._answers(query)):
            choose = partial(self._holder.choose, query, answer)
            yield Hit(1.0 - place / 1_000, answer.words, choose, text=answer.words, help=answer.help)

    @property
    def _holder(self) -> Holder:
        return cast("Holder", self.app)

    def _answers(self, query: str) -> list[Answer]:
        holder = self._holder
        return answers(query, holder.context, holder.screens, theme.NAMES)
