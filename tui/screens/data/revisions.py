"""Changes of candles after they were final, the newest first: old value, new value, cause."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from chartinsight_tui.formatting import candle_start, number, stamp
from chartinsight_tui.screens.data.page import ListPage
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.store import Part
from chartinsight_tui.text import Words
from chartinsight_tui.widgets.pane import Line, heading
from chartinsight_tui.widgets.row_table import Cells, Column
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.rows import CandleRow, RevisionRow

_VALUES = ("open", "high", "low", "close", "volume", "value")


class RevisionsPage(ListPage["RevisionRow"]):
    """What candles were before they changed."""

    NAME: ClassVar[str] = "revisions"
    PART: ClassVar[Part] = Part.REVISIONS

    def columns(self, width: int) -> Sequence[Column]:
        """Return stock, timeframe, candle, what changed, and when."""
        del width
        words = self.words
        return [
            Column(title=words["column.symbol"], width=6),
            Column(title=words["column.name"], width=16),
            Column(title=words["column.timeframe"], width=6),
            Column(title=words["column.candle"], width=11),
            Column(title=words["column.changes"], width=24, flex=1),
            Column(title=words["column.changed_at"], width=11, drop=1),
        ]

    def items(self) -> Sequence[RevisionRow]:
        """Return the revisions, the newest first."""
        return self.store.revisions

    def cells(self, row: Hashable) -> Cells:
        """Return a revision's row."""
        one, palette = self.item(row), self.palette
        if one is None:
            return [("", palette.text)] * 6
        return [
            (one.symbol, palette.dim),
            (one.name, palette.text),
            (self.words[f"timeframe.{one.timeframe.value}"], palette.text),
            (candle_start(one.ts, one.timeframe.value), palette.text),
            ("◆ " + changed_words(one.old, one.new, self.words), palette.warn),
            (stamp(one.changed_at)[:-3], palette.dim),
        ]

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return each value that changed, old and new, and why."""
        del cell
        one, words, palette = self.item(row), self.words, self.palette
        if one is None:
            return [heading(words["revisions.none_chosen"], width, palette)]
        frame = words[f"timeframe.{one.timeframe.value}"]
        title = f"{one.name} {frame} {candle_start(one.ts, one.timeframe.value)}"
        lines: list[Line] = [heading(title, width, palette, words["revisions.key"])]
        for name in _VALUES:
            old, new = getattr(one.old, name), getattr(one.new, name)
            if old != new:
                pair = f"{number(old)} → {number(new)}"
                lines.append([(f" {words[f'value.{name}']:<6} ", palette.dim), (pair, palette.text)])
        lines.append(
            [
                (f" {words['jobs.cause']:<6} ", palette.dim),
                (words.get(f"revision.by.{one.cause}", one.cause), palette.text),
            ]
        )
        return lines

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return the series and the day of the candle."""
        del cell
        if (one := self.item(row)) is None:
            return Wanted()
        day = day_of(one.ts)
        return Wanted(symbols=(one.symbol,), timeframes=(one.timeframe.value,), from_day=day, to_day=day)

    def count(self) -> int:
        """Return how many there are."""
        return self.store.revision_count

    def summary(self) -> str:
        """Return how many there are in all."""
        known = Part.REVISIONS in self.store.loaded
        return self.words.put("list.count", count=number(self.store.revision_count)) if known else ""


def changed_words(old: CandleRow, new: CandleRow, words: Words) -> str:
    """Return the values that differ in one line."""
    differing = [name for name in _VALUES if getattr(old, name) != getattr(new, name)]
    return ", ".join(
        f"{words[f'value.{name}']} {number(getattr(old, name))} → {number(getattr(new, name))}"
        for name in differing
    )
