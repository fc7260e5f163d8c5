"""Rows of the broker that could not be candles, as they came, with the rule each broke."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from chartinsight_tui.formatting import number, stamp
from chartinsight_tui.refused_words import refused_words
from chartinsight_tui.screens.data.gaps import evidence
from chartinsight_tui.screens.data.page import ListPage
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, heading, wrapped
from chartinsight_tui.widgets.row_table import Cells, Column
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.rows import QuarantinedRow

_TIMEFRAME_OF = {"ka10080": "5m", "ka10081": "1d", "ka10082": "1w"}
"""The series to look at for a chart request; of minutes the shortest."""


class QuarantinePage(ListPage["QuarantinedRow"]):
    """What came and was not stored."""

    NAME: ClassVar[str] = "quarantine"
    PART: ClassVar[Part] = Part.QUARANTINE

    def columns(self, width: int) -> Sequence[Column]:
        """Return stock, request, reason, and when it came."""
        del width
        words = self.words
        return [
            Column(title=words["column.symbol"], width=6),
            Column(title=words["column.name"], width=16),
            Column(title=words["column.request"], width=8),
            Column(title=words["column.reason"], width=24, flex=1),
            Column(title=words["column.received"], width=11, drop=1),
        ]

    def items(self) -> Sequence[QuarantinedRow]:
        """Return the rows, the newest first."""
        return self.store.quarantine

    def cells(self, row: Hashable) -> Cells:
        """Return a quarantined row."""
        one, palette = self.item(row), self.palette
        if one is None:
            return [("", palette.text)] * 5
        return [
            (one.symbol, palette.dim),
            (self.name_of(one), palette.text),
            (one.api_id, palette.dim),
            (refused_words(one.reason, self.words), palette.warn),
            (stamp(one.received_at)[:-3], palette.dim),
        ]

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return the row as it came."""
        del cell
        one, words, palette = self.item(row), self.words, self.palette
        if one is None:
            return [heading(words["quarantine.none_chosen"], width, palette)]
        title = f"{self.name_of(one) or one.symbol} {one.api_id}"
        lines: list[Line] = [heading(title, width, palette, words["quarantine.as_received"])]
        lines += wrapped(refused_words(one.reason, words), max(10, width - 2), palette.warn)
        for name, value in evidence(one.payload).items():
            body = wrapped(value, max(10, width - 18), palette.text)
            lines += [
                [(f" {name if not place else '':<15} ", palette.dim), *line]
                for place, line in enumerate(body)
            ]
        return lines

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return the series and the day it came."""
        del cell
        one = self.item(row)
        if one is None or (timeframe := _TIMEFRAME_OF.get(one.api_id)) is None:
            return Wanted()
        day = day_of(one.received_at)
        return Wanted(symbols=(one.symbol,), timeframes=(timeframe,), from_day=day, to_day=day)

    def count(self) -> int:
        """Return how many there are."""
        return self.store.quarantine_count

    def summary(self) -> str:
        """Return how many there are in all."""
        known = Part.QUARANTINE in self.store.loaded
        return self.words.put("list.count", count=number(self.store.quarantine_count)) if known else ""
