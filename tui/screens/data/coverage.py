"""How complete each series is, with its last trading days. Green is only what was proved."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style

from chartinsight_tui.formatting import candle_start, clock_time, number, percent, stamp
from chartinsight_tui.screens.data.page import Page
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Part
from chartinsight_tui.text import Words
from chartinsight_tui.widgets.pane import Line, Piece, heading
from chartinsight_tui.widgets.row_table import Cell, Cells, Column
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.coverage import CoverageRow, GapRow

TIMEFRAMES = ("5m", "30m", "1h", "1d", "1w")
_WEEK = 5
_MOST_DAYS = 40
_FIXED_WIDTH = 26 + 8 * len(TIMEFRAMES) + 4
"""Cells of symbol, name and percentages; the trading days have the rest."""
_COLOURS = {"■": "good", "▣": "good", "▲": "warn", "?": "dim", "·": "faint"}


class CoveragePage(Page):
    """Symbols by timeframes, each with the last trading days of the timeframe under the cursor."""

    NAME: ClassVar[str] = "coverage"
    PART: ClassVar[Part] = Part.COVERAGE
    _days_shown = 0

    def columns(self, width: int) -> Sequence[Column]:
        """Return symbol, name, a percentage a timeframe, and as many trading days as there is room for."""
        words = self.words
        room = width - _FIXED_WIDTH
        self._days_shown = max(0, min(_MOST_DAYS, room - room // (_WEEK + 1)))
        days = (
            [Column(title=self._days_title(), width=self._days_width(), flex=1)]
            if self._days_shown >= _WEEK
            else []
        )
        return [
            Column(title=words["column.symbol"], width=6),
            Column(title=words["column.name"], width=18),
            *(
                Column(title=words[f"timeframe.{name}"], width=7, align="right", is_cell=True)
                for name in TIMEFRAMES
            ),
            *days,
        ]

    def _days_width(self) -> int:
        return self._days_shown + self._days_shown // _WEEK

    def _days_title(self) -> str:
        days = self._days()
        name = self.words[f"timeframe.{self.store.sessions_of}"]
        if not days:
            return self.words.put("coverage.days_unknown", timeframe=name)
        return self.words.put(
            "coverage.days", timeframe=name, first=f"{days[0]:%m-%d}", last=f"{days[-1]:%m-%d}"
        )

    def _days(self) -> Sequence[date]:
        answer = self.store.sessions.get(self.store.sessions_of)
        return () if answer is None else answer.days[-self._days_shown :]

    def rows(self, text: str, *, faults_only: bool) -> list[Hashable]:
        """Return the symbols, those with something missing first, then in the daemon's order."""
        names = {symbol: row.name for (symbol, _), row in self.store.coverage.items()}
        kept = [symbol for symbol, name in names.items() if is_found(text, symbol, name)]
        worst = {symbol: self._worst(symbol) for symbol in kept}
        if faults_only:
            kept = [symbol for symbol in kept if worst[symbol] < 1]
        kept.sort(key=worst.__getitem__)
        return [*kept]

    def _worst(self, symbol: str) -> float:
        rows = (self.store.coverage.get((symbol, timeframe)) for timeframe in TIMEFRAMES)
        return min((row.complete_ratio if is_known(row) else 0.999 for row in rows if row), default=0.999)

    def cells(self, row: Hashable) -> Cells:
        """Return a symbol's row."""
        symbol = str(row)
        rows = [self.store.coverage.get((symbol, timeframe)) for timeframe in TIMEFRAMES]
        name = next((one.name for one in rows if one is not None), "")
        days: list[Cell] = [list(self._strip(symbol))] if self._days_shown >= _WEEK else []
        return [(symbol, self.palette.dim), (name, self.palette.text), *map(self._cell, rows), *days]

    def _cell(self, row: CoverageRow | None) -> Piece:
        mark, style = self._mark(row)
        if row is None or not is_known(row):
            return "? ?", style
        return f"{percent(row.complete_ratio)} {mark}", style

    def _mark(self, row: CoverageRow | None) -> tuple[str, Style]:
        if row is None or not is_known(row) or not self.store.is_online:
            mark = "?"
        else:
            mark = "▲" if row.missing else "?" if row.unsealed else "■"
        return mark, self.palette.of(_COLOURS[mark])

    def _strip(self, symbol: str) -> Iterator[Piece]:
        """Yield a mark for each trading day, week by week."""
        for place, day in enumerate(self._days()):
            mark = self._day_mark(symbol, day)
            space = " " if place and place % _WEEK == 0 else ""
            yield space + mark, self.palette.of(_COLOURS[mark])

    def _day_mark(self, symbol: str, day: date) -> str:
        row = self.store.coverage.get((symbol, self.store.sessions_of))
        if row is None or not self.store.is_known(symbol, day):
            return "?"
        if row.from_ts is not None and day < day_of(row.from_ts):
            return "·"
        wrong = self.store.wrong(symbol, day)
        if wrong is not None:
            is_unproved = wrong.complete_ratio == 1.0 and wrong.reason == "unproved"
            return "?" if is_unproved or wrong.reason == "not_fetched_yet" else "▲"
        now = self._context.now()
        if now is None or not is_known(row):
            return "?"
        return "▣" if day == day_of(now) else "■"

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return the series under the cursor: its sum, its gaps, what was read when."""
        series = (str(row), TIMEFRAMES[cell])
        found = self.store.coverage.get(series) if row is not None else None
        if found is None:
            return [heading(self.words["coverage.no_series"], width, self.palette)]
        title = f"{found.name} {self.words[f'timeframe.{series[1]}']}"
        counts = self.words.put("coverage.of", covered=number(found.covered), expected=number(found.expected))
        if not is_known(found):
            counts = self.words["coverage.not_known"]
        return [
            heading(title, width, self.palette, counts),
            *self._gap_lines(found, series),
            self._facts(found),
        ]

    def _gap_lines(self, row: CoverageRow, series: tuple[str, str]) -> list[Line]:
        if not is_known(row):
            return [[(f" ? {self.words['coverage.not_asked']}", self.palette.dim)]]
        if Part.GAPS not in self.store.loaded:
            return [[(f" ? {self.words['empty.loading']}", self.palette.dim)]]
        gaps = self.store.gaps_of(series)
        if not gaps and not row.missing and not row.unsealed:
            at = self.words.put("coverage.no_gaps", at=clock_time(self.store.coverage_at))
            return [[(f" {at}", self.palette.good)]]
        if not gaps:
            reason = self.words[f"reason.{row.reason}"] if row.reason else ""
            text = self.words.put("coverage.open", count=number(row.missing or row.unsealed), reason=reason)
            return [[(f" ▲ {text}", self.palette.warn)]]
        return [gap_line(gap, self.words, self.palette.warn) for gap in gaps[:3]]

    def _facts(self, row: CoverageRow) -> Line:
        newest = candle_start(row.newest_final_ts, row.timeframe.value)
        text = self.words.put("coverage.newest", newest=newest, read=stamp(row.read_at))
        since = f"{day_of(row.from_ts)} → " if row.from_ts else ""
        return [(f"   {since}{text}", self.palette.dim)]

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return the series under the cursor."""
        return Wanted() if row is None else Wanted(symbols=(str(row),), timeframes=(TIMEFRAMES[cell],))

    def summary(self) -> str:
        """Return how old the rows are, and how many stocks they are of."""
        if self.store.coverage_at is None:
            return ""
        count = len({symbol for symbol, _ in self.store.coverage})
        return self.words.put("coverage.as_of", at=clock_time(self.store.coverage_at), count=number(count))


def is_known(row: CoverageRow) -> bool:
    """Whether anything was ever asked about a series: before that, nothing expected is nothing proved."""
    return row.expected > 0 and row.read_at is not None


def gap_line(gap: GapRow, words: Words, style: Style) -> Line:
    """Return one gap with its reason."""
    first, last = stamp(gap.from_ts)[:-3], stamp(gap.to_ts)[:-3]
    span = f"{first}–{last[6:]}" if first[:5] == last[:5] else f"{first} – {last}"
    reason = words[f"reason.{gap.reason}"]
    return [(f" ▲ {span}  {reason}", style)]
