"""Screen 5: the views of the data, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.messages import Confirm, ShowChart
from chartinsight_tui.screens.data.coverage import TIMEFRAMES, CoveragePage
from chartinsight_tui.screens.data.gaps import GapsPage
from chartinsight_tui.screens.data.page import Page
from chartinsight_tui.screens.data.plan import PlanPage
from chartinsight_tui.screens.data.quarantine import QuarantinePage
from chartinsight_tui.screens.data.revisions import RevisionsPage
from chartinsight_tui.screens.data.seals import SealsPage
from chartinsight_tui.screens.history import show_history, show_tries
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, Pane, Piece
from chartinsight_tui.widgets.row_table import RowTable

_SEALS = 2
"""The place of the daily closings among the pages."""


class DataView(View):
    """Whether everything is there, how one knows, what changed, and what comes next."""

    PARTS: ClassVar[frozenset[Part]] = frozenset(
        {
            Part.STATUS,
            Part.LINK,
            Part.COVERAGE,
            Part.SESSIONS,
            Part.GAPS,
            Part.SEALS,
            Part.REVISIONS,
            Part.QUARANTINE,
            Part.PLAN,
        }
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "key.gaps"),
        Binding("tab", "next_page(1)", "key.next_page", key_display="Tab"),
        Binding("shift+tab", "next_page(-1)", show=False),
        Binding("f", "faults", "key.faults"),
        Binding("right_square_bracket", "timeframe(1)", "key.next_timeframe", show=False, key_display="]"),
        Binding("left_square_bracket", "timeframe(-1)", "key.last_timeframe", show=False, key_display="["),
        Binding("v", "verify", "key.verify"),
        Binding("r", "retry", "key.retry"),
        Binding("e", "explain", "key.explain"),
        Binding("t", "tries", "key.tries"),
        Binding("c", "chart", "key.chart"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._pages: Sequence[Page] = (
            CoveragePage(context),
            GapsPage(context),
            SealsPage(context),
            RevisionsPage(context),
            QuarantinePage(context),
            PlanPage(context),
        )
        self._page: Page = self._pages[0]
        self._cursors: dict[str, tuple[object, int]] = {}
        self._faults = False
        self._awaited: Wanted | None = None
        """What was asked for before there was a seal to show it with."""
        self._table = RowTable(
            lambda: self.palette,
            lambda row: self._page.cells(row),
            lambda: self.what_is_missing(self._page.PART),
        )
        self._detail = Pane(self._draw_detail, lambda: self.palette, id="detail")

    def compose(self) -> ComposeResult:
        """Lay out rows and detail."""
        yield self.trail
        yield self._table
        yield self._detail
        yield self.filter_input

    def main_widget(self) -> Widget:
        """Return the rows."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the rows; the cursor stays on its row."""
        if self._awaited is not None and self.store.seals:
            wanted, self._awaited = self._awaited, None
            self.call_later(self.go_to, wanted)
        if changed - {Part.STATUS}:
            self._table.set_columns(self._page.columns(self.size.width))
            self._table.set_rows(self._page.rows(self.filter_text, faults_only=self._faults))
        self._table.refresh()
        self._detail.update()
        self.trail.update()

    def on_resize(self, event: events.Resize) -> None:
        """Show as much as there is room for."""
        del event
        self.refresh_data(self.PARTS)

    # what the lines around say

    def trail_pieces(self) -> Line:
        """Return the views, each with how many things there are to look at."""
        pieces: list[Piece] = [(" ", self.palette.text)]
        for page in self._pages:
            count = page.count() if self.store.is_online else 0
            title = f" {self.words[f'page.{page.NAME}']}{f' {count}' if count else ''} "
            on = page is self._page
            style = self.palette.of("text", "cursor", bold=True) if on else self.palette.dim
            pieces.append((title, style))
        return pieces

    def trail_end(self) -> str:
        """Return how many rows there are."""
        return self._page.summary()

    def aged_part(self) -> Part | None:
        """Return what the view shows; of coverage it says itself when it was computed."""
        return None if self._page.NAME == "coverage" else self._page.PART

    def faults_only(self) -> bool:
        """Whether only what is wrong is shown."""
        return self._faults

    def _draw_detail(self, width: int, height: int) -> Sequence[Line]:
        del height
        return self._page.detail(self._table.row_id, self._table.cell, width)

    def wanted(self) -> Wanted:
        """Return what the cursor is on."""
        return self._page.wanted(self._table.row_id, self._table.cell)

    def copy_text(self) -> str:
        """Return the detail as text."""
        return self._detail.plain()

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on a day, a stock, or both, that were chosen elsewhere."""
        if wanted.from_day is not None and not self.store.seals:
            self._show_page(self._pages[_SEALS])
            self._awaited = wanted
            return
        if wanted.from_day is not None:
            self._show_day(wanted.from_day)
        if wanted.symbols:
            self.refresh_data(self.PARTS)
            self._table.go_to(self._page.row_of(wanted.symbols[0]))

    def _show_day(self, day: date) -> None:
        """Show the daily closing of a day, where it has one."""
        seals = self._pages[_SEALS]
        assert isinstance(seals, SealsPage)
        if day in (days := seals.days()):
            self._show_page(seals)
            self._table.go_to_cell(days.index(day))
        else:
            self.notify(self.words["empty.seals"], severity="warning", timeout=3)

    # keys

    @on(RowTable.Moved)
    def _rest(self) -> None:
        self._detail.update()
        self.after_rest(self._look)

    def _look(self) -> None:
        """Ask for the trading days of the timeframe under the cursor."""
        if self._page.NAME != "coverage":
            return
        timeframe = TIMEFRAMES[self._table.cell]
        if timeframe != self.store.sessions_of and self.context.connection is not None:
            self.context.connection.show_sessions(timeframe)

    def action_next_page(self, steps: int) -> None:
        """Show the next view; each keeps its own cursor."""
        at = (self._pages.index(self._page) + steps) % len(self._pages)
        self._show_page(self._pages[at])

    def show_page(self, name: str) -> None:
        """Show one of the views by name."""
        self._show_page(next(page for page in self._pages if name == page.NAME))

    def _show_page(self, page: Page) -> None:
        self._cursors[self._page.NAME] = self._table.row_id, self._table.cell
        self._page = page
        self.refresh_data(self.PARTS)
        row, cell = self._cursors.get(
            page.NAME, (None, len(page.columns(self.size.width)) if page.NAME == "seals" else 0)
        )
        rows = page.rows(self.filter_text, faults_only=self._faults)
        self._table.go_to(row if row is not None or not rows else rows[0])
        self._table.go_to_cell(cell)
        self.app.refresh_bindings()

    @on(RowTable.Chosen)
    def action_choose(self) -> None:
        """Go deeper: from a series to its gaps, from a gap to the chart."""
        wanted = self.wanted()
        if self._page.NAME in {"gaps", "plan", "quarantine"}:
            self.action_chart()
        elif self._page.NAME == "revisions":
            self.action_explain()
        elif wanted.symbols:
            self._show_page(self._pages[1])
            self._table.go_to(self._page.row_of(wanted.symbols[0]))

    def action_faults(self) -> None:
        """Show only what is wrong, or all."""
        self._faults = not self._faults
        self.refresh_data(self.PARTS)

    def action_timeframe(self, steps: int) -> None:
        """Take the next timeframe; negative: the one before."""
        self._table.action_aside(steps)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a verification only where changes are allowed."""
        if action == "verify":
            return not self.context.read_only
        if action == "retry":  # elsewhere the key reads again what is shown
            return not self.context.read_only and self._page.NAME in {"gaps", "seals"}
        if action == "tries":
            return self._page.NAME in {"gaps", "seals"}
        if action == "explain":
            return self._page.NAME in {"gaps", "revisions"}
        return super().check_action(action, parameters)

    def action_verify(self) -> None:
        """Read the series under the cursor again and compare, after a question."""
        from chartinsightd.control.protocol.jobs import VerifyRequest
        from chartinsightd.domain.timeframe import Timeframe

        if (wanted := self.wanted()).symbols:
            request = VerifyRequest(
                symbols=wanted.symbols,
                timeframes=tuple(map(Timeframe, wanted.timeframes)),
                from_day=wanted.from_day,
                to_day=wanted.to_day,
            )
            question = self._question("ask.verify", wanted)
            self.post_message(Confirm(question, lambda connection: connection.verify(request)))

    def action_retry(self) -> None:
        """Ask Kiwoom now for what is missing, or read a withheld session again, after a question."""
        from chartinsightd.control.protocol.jobs import BackfillRequest
        from chartinsightd.domain.timeframe import Timeframe

        if self._page.NAME == "seals":
            self.action_verify()
            return
        wanted = self.wanted()
        if not wanted.symbols:
            return
        request = BackfillRequest(
            symbols=wanted.symbols,
            timeframes=tuple(map(Timeframe, wanted.timeframes)),
            from_day=wanted.from_day,
            to_day=wanted.to_day,
        )
        day = f"{wanted.from_day:%m-%d}" if wanted.from_day else ""
        question = self._question("ask.retry", wanted, day=day)
        self.post_message(Confirm(question, lambda connection: connection.backfill(request)))

    def _question(self, key: str, wanted: Wanted, **values: str) -> str:
        """Return a question about a series, by its names."""
        name = self.store.name_of(wanted.symbols[0]) or wanted.symbols[0]
        return self.words.put(
            key, name=name, timeframe=self.words[f"timeframe.{wanted.timeframes[0]}"], **values
        )

    def action_explain(self) -> None:
        """Show the history of the candle under the cursor."""
        series = self._candle()
        if series is not None:
            show_history(self, *series)

    def action_tries(self) -> None:
        """Show what was tried for the gap or seal under the cursor and failed."""
        if (wanted := self.wanted()).symbols:
            show_tries(self, wanted.symbols[0], wanted.timeframes[0] if wanted.timeframes else "5m")

    def _candle(self) -> tuple[str, str, datetime] | None:
        """Return the candle that a revision changed, or the first that a gap lacks."""
        row = self._table.row_id
        if not isinstance(row, int):
            return None
        if self._page.NAME == "revisions":
            found = [(one.symbol, one.timeframe.value, one.ts) for one in self.store.revisions]
        else:
            found = [(one.symbol, one.timeframe.value, one.from_ts) for one in self.store.gaps]
        return found[row] if row < len(found) else None

    def action_chart(self) -> None:
        """Show the series under the cursor as a chart."""
        wanted = self.wanted()
        if wanted.symbols:
            self.post_message(ShowChart(wanted.symbols[0], wanted.timeframes[0]))
