"""Screen 2: what is complete and what is missing, as a heat map."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from chartinsight_tui.formatting import NOTHING, candle_start, day_of, number, percent, stamp
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.widgets.panel import Panel
from chartinsight_tui.widgets.row_table import Cell, Cells, Column, RowTable

if TYPE_CHECKING:
    from chartinsightd.control.protocol.coverage import (
        CoverageRow,
        GapList,
        SessionCoverage,
        SessionCoverageList,
    )
    from chartinsightd.domain.gap_reason import GapReason

TIMEFRAMES = ("5m", "30m", "1h", "1d", "1w")
_MARKS = ((1.0, "■", "good"), (0.9, "▓", "warn"), (0.5, "▒", "warn"), (0.0001, "░", "bad"), (0.0, "□", "bad"))
"""From this share on: mark and colour. The mark alone tells as much as the colour."""
_OPEN_SEAL = "■?"
"""A day that is stored and not proved."""


class CoverageView(View):
    """Symbols by timeframes, or symbols by the trading days of one timeframe, coloured by completeness."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.COVERAGE})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sessions", "key.sessions"),
        Binding("right_square_bracket", "timeframe(1)", "key.next_timeframe", key_display="]"),
        Binding("left_square_bracket", "timeframe(-1)", "key.last_timeframe", show=False, key_display="["),
        Binding("o", "worst_first", "key.worst_first"),
        Binding("m", "only_missing", "key.only_missing"),
        Binding("c", "chart", "key.chart", show=False),
    ]
    SCOPED_CSS: ClassVar[bool] = False  # its rules look at the size classes of the screen above
    DEFAULT_CSS = """
    CoverageView > Container { height: 1fr; layout: vertical; }
    CoverageView #coverage-detail { height: 5; }
    .-h-normal CoverageView #coverage-detail { height: 8; }
    .-wide CoverageView > Container { layout: horizontal; }
    .-wide CoverageView #coverage-detail { height: 1fr; width: 60; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._table = RowTable(lambda: self.palette, self._cells, lambda: self.what_is_missing(Part.COVERAGE))
        self._detail = Panel("", self._draw_detail, id="coverage-detail")
        self._by_session = False
        self._timeframe = 3
        self._is_worst_first = False
        self._only_missing = False
        self._days: tuple[date, ...] = ()
        self._sessions: dict[tuple[str, date], SessionCoverage] = {}
        self._gaps: GapList | Failure | None = None
        self._gaps_of: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        """Lay out map and detail; side by side where the terminal is wide."""
        with Container():
            yield self._table
            yield self._detail
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        self._set_columns()

    def main_widget(self) -> Widget:
        """Return the map."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the rows; the cursor stays on its series."""
        if Part.COVERAGE in changed or not self._table.row_count:
            self._table.set_rows(self._rows())
        self._table.refresh()
        self._detail.refresh()

    def wanted(self) -> Wanted:
        """Return the series under the cursor, and its day where days are shown."""
        if (series := self._series()) is None:
            return Wanted()
        day = self._day()
        return Wanted(symbols=(series[0],), timeframes=(series[1],), from_day=day, to_day=day)

    def copy_text(self) -> str:
        """Return the detail as plain text."""
        return self._draw_detail(200, 200).plain

    # rows

    def _rows(self) -> list[str]:
        symbols = {symbol: row.name for (symbol, _), row in self.store.coverage.items()}
        kept = [symbol for symbol, name in symbols.items() if is_found(self.filter_text, symbol, name)]
        if self._only_missing:
            kept = [symbol for symbol in kept if self._worst(symbol) < 1]
        return sorted(kept, key=self._worst) if self._is_worst_first else kept

    def _worst(self, symbol: str) -> float:
        rows = (self.store.coverage.get((symbol, timeframe)) for timeframe in TIMEFRAMES)
        return min((row.complete_ratio for row in rows if row is not None), default=1.0)

    def _set_columns(self) -> None:
        words = self.words
        head = [
            Column(title=words["column.symbol"], width=6),
            Column(title=words["column.name"], width=18, flex=1 if self._by_session else 0),
        ]
        if self._by_session:
            self._table.set_columns(
                [*head, *(Column(title=f"{day:%d}", width=2, is_cell=True) for day in self._days)]
            )
            return
        cells = [Column(title=name, width=7, align="right", is_cell=True) for name in TIMEFRAMES]
        tail = [
            Column(title=words["column.missing"], width=8, align="right", drop=1),
            Column(title=words["column.reason"], width=20, flex=1, drop=2),
        ]
        self._table.set_columns([*head, *cells, *tail])

    def _cells(self, symbol: Hashable) -> Cells:
        rows = {timeframe: self.store.coverage.get((str(symbol), timeframe)) for timeframe in TIMEFRAMES}
        known = [row for row in rows.values() if row is not None]
        name = known[0].name if known else ""
        head: list[Cell] = [(str(symbol), self.palette.dim), (name, self.palette.text)]
        if self._by_session:
            return head + [self._session_cell(str(symbol), day) for day in self._days]
        missing = sum(row.missing for row in known)
        reason = next((row.reason for row in known if row.reason is not None), None)
        tail = [
            (number(missing) if missing else "·", self.palette.warn if missing else self.palette.faint),
            (self._reason(reason), self.palette.dim),
        ]
        return head + [self._cell(row) for row in rows.values()] + tail

    def _cell(self, row: CoverageRow | None) -> Cell:
        if row is None:
            return NOTHING, self.palette.faint
        mark, style = self._mark(row.complete_ratio)
        return f"{percent(row.complete_ratio)} {mark}", style

    def _session_cell(self, symbol: str, day: date) -> Cell:
        session = self._sessions.get((symbol, day))
        if session is not None and session.complete_ratio == 1.0:
            return _OPEN_SEAL, self.palette.warn
        mark, style = self._mark(1.0 if session is None else session.complete_ratio)
        return mark * 2, style

    def _mark(self, ratio: float) -> tuple[str, Style]:
        return next((mark, self.palette.of(colour)) for least, mark, colour in _MARKS if ratio >= least)

    # what the cursor is on

    def _series(self) -> tuple[str, str] | None:
        if self._table.row_id is None:
            return None
        return str(self._table.row_id), TIMEFRAMES[self._timeframe if self._by_session else self._table.cell]

    def _day(self) -> date | None:
        return self._days[self._table.cell] if self._by_session and self._days else None

    def _draw_detail(self, width: int, height: int) -> Text:
        del width
        series = self._series()
        self._detail.entitle(self.words["coverage.detail"])
        if series is None or (row := self.store.coverage.get(series)) is None:
            return Text(self.words["coverage.no_series"], self.palette.dim)
        lines = [self._headline(row), *self._facts(row, series)]
        return Text("\n").join(lines[:height])

    def _headline(self, row: CoverageRow) -> Text:
        mark, style = self._mark(row.complete_ratio)
        words = self.words.put("coverage.of", covered=number(row.covered), expected=number(row.expected))
        return Text.assemble(
            (f"{row.symbol} {row.name} {row.timeframe.value} ", self.palette.strong),
            (f"{mark} {percent(row.complete_ratio)}% ", style),
            (words, self.palette.dim),
        )

    def _facts(self, row: CoverageRow, series: tuple[str, str]) -> list[Text]:
        words, timeframe = self.words, row.timeframe.value
        newest = words.put(
            "coverage.newest", newest=candle_start(row.newest_final_ts, timeframe), read=stamp(row.read_at)
        )
        since = f"{day_of(row.from_ts)} → " if row.from_ts else ""
        lines = [Text(f"{since}{newest}", self.palette.dim)]
        if (day := self._day()) is not None:
            session = self._sessions.get((row.symbol, day))
            state = words["coverage.complete"] if session is None else self._reason(session.reason)
            lines.append(
                Text(f"{day:%Y-%m-%d}: {state}", self.palette.text if session is None else self.palette.warn)
            )
        return lines + self._gap_lines(row, series)

    def _gap_lines(self, row: CoverageRow, series: tuple[str, str]) -> list[Text]:
        if not (row.missing or row.unsealed):
            return [Text(self.words["coverage.no_gaps"], self.palette.good)]
        if self._gaps_of != series or self._gaps is None:
            count = number(row.missing or row.unsealed)
            return [Text(f"{count} · {self._reason(row.reason)}", self.palette.warn)]
        if isinstance(self._gaps, Failure):
            return [Text(str(self._gaps), self.palette.bad)]
        return [
            Text(
                f"{stamp(gap.from_ts)} – {stamp(gap.to_ts)}  {self._reason(gap.reason)}"
                f"  ({self.words.put('coverage.since', at=stamp(gap.since))})",
                self.palette.warn,
            )
            for gap in self._gaps.items
        ]

    def _reason(self, reason: GapReason | None) -> str:
        return "" if reason is None else self.words[f"reason.{reason}"]

    # keys

    @on(RowTable.Moved)
    def _rest(self) -> None:
        self._detail.refresh()
        self.after_rest(self._look)

    def _look(self) -> None:
        """Ask for the gaps of the series under the cursor."""
        series = self._series()
        row = self.store.coverage.get(series) if series else None
        if series is not None and series != self._gaps_of and row is not None and row.reason:
            self.run_worker(self._load_gaps(series), group="gaps", exclusive=True)

    async def _load_gaps(self, series: tuple[str, str]) -> None:
        if self.dash.connection is not None:
            self._gaps = await self.dash.connection.gaps(*series)
            self._gaps_of = series
            self._detail.refresh()

    def action_sessions(self) -> None:
        """Change between timeframes and trading days."""
        self._by_session = not self._by_session
        self._timeframe = self._timeframe if self._by_session else 0
        if self._by_session:
            self._timeframe = min(self._table.cell, len(TIMEFRAMES) - 1)
            self._load_sessions()
        self._set_columns()
        self._table.go_to_cell(len(self._days) if self._by_session else 0)

    def action_timeframe(self, steps: int) -> None:
        """Take the next timeframe; negative: the one before."""
        if self._by_session:
            self._timeframe = (self._timeframe + steps) % len(TIMEFRAMES)
            self._load_sessions()
        else:
            self._table.go_to_cell((self._table.cell + steps) % len(TIMEFRAMES))

    def _load_sessions(self) -> None:
        self.run_worker(self._read_sessions(TIMEFRAMES[self._timeframe]), group="sessions", exclusive=True)

    async def _read_sessions(self, timeframe: str) -> None:
        if self.dash.connection is None:
            return
        answer = await self.dash.connection.sessions(timeframe)
        if isinstance(answer, Failure):
            self.notify(str(answer), severity="error")
            return
        self._put_sessions(answer)

    def _put_sessions(self, answer: SessionCoverageList) -> None:
        self._days = answer.days
        self._sessions = {(item.symbol, item.day): item for item in answer.items}
        self._set_columns()
        self._table.go_to_cell(len(self._days))

    def action_worst_first(self) -> None:
        """Change between the worst first and the daemon's order."""
        self._is_worst_first = not self._is_worst_first
        self.refresh_data(self.PARTS)

    def action_only_missing(self) -> None:
        """Show only series with gaps, or all."""
        self._only_missing = not self._only_missing
        self.refresh_data(self.PARTS)

    @on(RowTable.Chosen)
    async def action_chart(self) -> None:
        """Show the series under the cursor as a chart."""
        if (series := self._series()) is not None:
            await self.dash.show_chart(*series)
