"""The palette: a line to type into, and what it finds."""

from __future__ import annotations

from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from chartinsight_tui import theme
from chartinsight_tui.answers import Answer, answers, first
from chartinsight_tui.context import Context


class Holder(Protocol):
    """What the dashboard is to the palette."""

    context: Context
    recent: list[str]
    """What was typed when something was chosen, oldest first."""
    screens: tuple[str, ...]

    def choose(self, typed: str, answer: Answer) -> None:
        """Do what was chosen, and remember what was typed."""


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
