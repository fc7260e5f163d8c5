"""What is missing, and why; unexplained gaps first."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from chartinsight_tui.formatting import clock_time, number, stamp
from chartinsight_tui.screens.data.page import Page
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, heading, wrapped
from chartinsight_tui.widgets.row_table import Cells, Column
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.coverage import GapRow

_EXPLAINED = {"halted", "before_listing", "beyond_retention"}
"""Reasons for which nothing can or need be done."""


class GapsPage(Page):
    """Ranges that should hold candles and do not, each with its reason."""

    NAME: ClassVar[str] = "gaps"
    PART: ClassVar[Part] = Part.GAPS

    def columns(self, width: int) -> Sequence[Column]:
        """Return stock, timeframe, range, reason, and since when it is known."""
        del width
        words = self.words
        return [
            Column(title="", width=1),
            Column(title=words["column.symbol"], width=6),
            Column(title=words["column.name"], width=16),
            Column(title=words["column.timeframe"], width=6),
            Column(title=words["column.range"], width=25),
            Column(title=words["column.reason"], width=20, flex=1),
            Column(title=words["column.known_since"], width=11, drop=1),
        ]

    def rows(self, text: str, *, faults_only: bool) -> list[Hashable]:
        """Return the places of the gaps; those that have an explanation come last."""
        kept = [
            place
            for place, gap in enumerate(self.store.gaps)
            if is_found(text, gap.symbol, gap.name) and not (faults_only and gap.reason in _EXPLAINED)
        ]
        kept.sort(key=lambda place: self.store.gaps[place].reason in _EXPLAINED)
        return [*kept]

    def cells(self, row: Hashable) -> Cells:
        """Return a gap's row."""
        gap, palette = self._gap(row), self.palette
        if gap is None:
            return [("", palette.text)] * 7
        explained = gap.reason in _EXPLAINED
        style = palette.dim if explained else palette.text
        return [
            ("·" if explained else "▲", palette.faint if explained else palette.warn),
            (gap.symbol, palette.dim),
            (gap.name, style),
            (self.words[f"timeframe.{gap.timeframe.value}"], style),
            (span(gap), style),
            (self.words[f"reason.{gap.reason}"], style),
            (stamp(gap.since)[:-3], palette.dim),
        ]

    def _gap(self, row: Hashable | None) -> GapRow | None:
        place = cast("int | None", row)
        return self.store.gaps[place] if place is not None and place < len(self.store.gaps) else None

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return the evidence of the gap under the cursor."""
        del cell
        gap, words = self._gap(row), self.words
        if gap is None:
            return [heading(words["gaps.none_chosen"], width, self.palette)]
        title = f"{gap.name} {words[f'timeframe.{gap.timeframe.value}']} {span(gap)}"
        lines: list[Line] = [heading(title, width, self.palette, words["gaps.evidence"])]
        lines.append([(f" {words[f'reason.{gap.reason}']}", self.palette.text)])
        for name, value in evidence(gap.evidence).items():
            label = words.get(f"evidence.{name}", name)
            body = wrapped(value, max(10, width - 16), self.palette.text)
            lines += [
                [(f" {label if not place else '':<13} ", self.palette.dim), *line]
                for place, line in enumerate(body)
            ]
        return lines

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return the series and the days of the gap under the cursor."""
        del cell
        if (gap := self._gap(row)) is None:
            return Wanted()
        return Wanted(
            symbols=(gap.symbol,),
            timeframes=(gap.timeframe.value,),
            from_day=day_of(gap.from_ts),
            to_day=day_of(gap.to_ts),
        )

    def count(self) -> int:
        """Return how many gaps have no explanation."""
        return sum(gap.reason not in _EXPLAINED for gap in self.store.gaps)

    def summary(self) -> str:
        """Return how many there are in all."""
        total = self.store.gap_count
        if total > len(self.store.gaps):
            return self.words.put("gaps.newest_of", shown=number(len(self.store.gaps)), total=number(total))
        return self.words.put("list.count", count=number(total)) if Part.GAPS in self.store.loaded else ""

    def row_of(self, symbol: str) -> Hashable | None:
        """Return the first gap of a stock."""
        return next((place for place, gap in enumerate(self.store.gaps) if gap.symbol == symbol), None)


def span(gap: GapRow) -> str:
    """Return the range of a gap, its day once where it is one."""
    first, last = stamp(gap.from_ts)[:-3], stamp(gap.to_ts)[:-3]
    if first[:5] == last[:5]:
        return f"{first}–{clock_time(gap.to_ts)[:5]}"
    return f"{first} – {last}"


def evidence(found: Mapping[str, object]) -> dict[str, str]:
    """Return evidence as texts; lists joined, what is empty left out."""
    shown = {name: _shown(value) for name, value in found.items()}
    return {name: text for name, text in shown.items() if text}


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, bool):
        return "✓" if value else "✕"
    if isinstance(value, int | float):
        return f"{value:,}"
    return "" if value is None else str(value)
