"""The daily closing: for each trading day the proof that it is complete, or what was found instead."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from typing import ClassVar

from chartinsight_tui.formatting import number
from chartinsight_tui.screens.data.gaps import evidence
from chartinsight_tui.screens.data.page import Page
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, heading, wrapped
from chartinsight_tui.widgets.row_table import Cells, Column

_MARKS = {"sealed": ("■", "good"), "broken": ("▲", "warn"), "unproved": ("?", "dim")}
_MOST_DAYS = 20


class SealsPage(Page):
    """Symbols by trading days."""

    NAME: ClassVar[str] = "seals"
    PART: ClassVar[Part] = Part.SEALS

    def days(self) -> list[date]:
        """Return the trading days for which any stock has a seal, oldest first."""
        return sorted({day for _, day in self.store.seals})[-_MOST_DAYS:]

    def columns(self, width: int) -> Sequence[Column]:
        """Return stock and days."""
        del width
        days = self.days()
        return [
            Column(title=self.words["column.symbol"], width=6),
            Column(title=self.words["column.name"], width=16),
            *(Column(title=f"{day:%d}", width=2, is_cell=True) for day in days),
        ]

    def rows(self, text: str, *, faults_only: bool) -> list[Hashable]:
        """Return the symbols; those with a seal withheld first."""
        names = {symbol: row.name for (symbol, _), row in self.store.seals.items()}
        open_ = {symbol for (symbol, _), row in self.store.seals.items() if row.state != "sealed"}
        kept = [symbol for symbol, name in names.items() if is_found(text, symbol, name)]
        return sorted(
            (symbol for symbol in kept if not faults_only or symbol in open_),
            key=lambda symbol: symbol not in open_,
        )

    def cells(self, row: Hashable) -> Cells:
        """Return a symbol's row."""
        symbol = str(row)
        marks = [self._mark(symbol, day) for day in self.days()]
        name = next((seal.name for (one, _), seal in self.store.seals.items() if one == symbol), "")
        return [
            (symbol, self.palette.dim),
            (name, self.palette.text),
            *((mark, self.palette.of(colour)) for mark, colour in marks),
        ]

    def _mark(self, symbol: str, day: date) -> tuple[str, str]:
        seal = self.store.seals.get((symbol, day))
        if seal is None or not self.store.is_online:
            return "?", "dim"
        return _MARKS.get(seal.state, ("?", "dim"))

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return the evidence of the seal under the cursor."""
        days, words = self.days(), self.words
        if row is None or cell >= len(days):
            return [heading(words["seals.none_chosen"], width, self.palette)]
        day = days[cell]
        seal = self.store.seals.get((str(row), day))
        name = self.store.name_of(str(row)) or (seal.name if seal else "")
        state = words[f"seal.{seal.state if seal else 'none'}"]
        lines: list[Line] = [heading(f"{name} {day:%m-%d} {words['seals.one']}", width, self.palette, state)]
        for key, value in evidence(seal.evidence if seal else {}).items():
            label = words.get(f"evidence.{key}", key)
            body = wrapped(value, max(10, width - 22), self.palette.text)
            lines += [
                [(f" {label if not place else '':<19} ", self.palette.dim), *line]
                for place, line in enumerate(body)
            ]
        return lines

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return the stock and the day under the cursor."""
        days = self.days()
        if row is None or cell >= len(days):
            return Wanted()
        return Wanted(symbols=(str(row),), timeframes=("5m",), from_day=days[cell], to_day=days[cell])

    def count(self) -> int:
        """Return how many seals are withheld."""
        return sum(row.state == "broken" for row in self.store.seals.values())

    def summary(self) -> str:
        """Return over how many days."""
        return self.words.put("seals.days", count=number(len(self.days()))) if self.store.seals else ""
