"""Screen 4: which stocks a condition holds for, which of them are new, why, and who was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, candle_start, number
from chartinsight_tui.messages import ShowChart
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.text import Words
from chartinsight_tui.told import told
from chartinsight_tui.widgets.pane import Line, Pane, heading, wrapped
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable

if TYPE_CHECKING:
    from chartinsightd.control.protocol.screens import (
        ScreenFigure,
        ScreenMatch,
        ScreenResult,
        StoredScreenRow,
    )

_LEFT_WIDTH = 34
_MOST_FIGURES = 3
_ID_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """A row on the left: a stored screen, or a strategy."""

    name: str
    is_stored: bool


class ScreenerView(View):
    """Conditions on the left, their matches on the right, the new ones first, with what decided below."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.SCREENS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "other_list", "key.other_list"),
        Binding("enter,c", "chart", "key.chart", key_display="enter"),
        Binding("f", "only_new", "key.new_only"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._answers: dict[Condition, ScreenResult | Failure] = {}
        self._only_new = False
        palette = lambda: self.palette  # noqa: E731 - read at each drawing
        self._conditions = RowTable(
            palette, self._condition_cells, lambda: self.what_is_missing(Part.SCREENS), id="conditions"
        )
        self._matches = RowTable(palette, self._match_cells, self._why_no_match, id="matches")
        self._detail = Pane(self._draw_detail, palette, id="match-detail")

    def compose(self) -> ComposeResult:
        """Lay out conditions beside matches, and the figures of a match below these."""
        yield self.trail
        with Horizontal():
            yield self._conditions
            with Vertical():
                yield self._matches
                yield self._detail
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        words = self.words
        self._conditions.set_columns(
            [
                Column(title=words["column.condition"], width=18, flex=1),
                Column(title=words["column.new"], width=5, align="right"),
                Column(title=words["column.matches"], width=5, align="right"),
            ]
        )
        self._matches.set_columns(
            [
                Column(title="", width=1),
                Column(title=words["column.name"], width=12, flex=1),
                Column(title=words["column.symbol"], width=6, drop=2),
                Column(title=words["column.score"], width=7, align="right", drop=1),
                Column(title=words["column.evidence"], width=16, flex=3, drop=3),
                Column(title=words["column.match_since"], width=5),
            ]
        )

    def main_widget(self) -> Widget:
        """Return the list of conditions."""
        return self._conditions

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show conditions and matches; the cursors stay on their rows."""
        if Part.SCREENS in changed or not self._conditions.row_count:
            if self.store.is_online:  # while the daemon is away, what was known stays
                self._answers.clear()
            self._conditions.set_rows(self._condition_rows())
            self._ask()
        self._show_answer()
        self._conditions.refresh()

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on a stock that was chosen elsewhere, where it is a match."""
        self._matches.go_to(wanted.symbols[0])

    def wanted(self) -> Wanted:
        """Return the match under the cursor."""
        symbol = self._matches.row_id
        return Wanted(symbols=(str(symbol),), timeframes=("1d",)) if symbol is not None else Wanted()

    def copy_text(self) -> str:
        """Return what is said of the match under the cursor, and of the whole answer."""
        return self._detail.plain()

    def faults_only(self) -> bool:
        """Whether only new matches are shown."""
        return False

    def trail_pieces(self) -> Line:
        """Return the condition under the cursor, and that only new matches are shown."""
        condition = self._condition()
        if condition is None:
            return []
        pieces = [(f" {self._title_of(condition)} ", self.palette.strong)]
        if self._only_new:
            pieces.append((f" {self.words['screener.only_new']} ", self.palette.of("warn", bold=True)))
        return pieces

    def trail_end(self) -> str:
        """Return at which close it was looked at, and how many stocks it holds for."""
        answer = self._answer()
        if answer is None or isinstance(answer, Failure):
            return ""
        values = {"day": f"{answer.session:%m-%d}", "count": number(len(answer.matches))}
        return self.words.put("screener.summary", **values)

    # conditions

    def _condition_rows(self) -> list[Hashable]:
        stored = [Condition(name, True) for name in self.store.screens]
        ready = [one.id for one in self.store.strategies.values() if one.state == "ready"]
        return [*stored, *(Condition(name, False) for name in ready)]

    def _condition(self) -> Condition | None:
        row = self._conditions.row_id
        return row if isinstance(row, Condition) else None

    def _title_of(self, condition: Condition) -> str:
        strategy = None if condition.is_stored else self.store.strategies.get(condition.name)
        return strategy.title if strategy is not None and strategy.title else condition.name

    def _condition_cells(self, row: Hashable) -> Cells:
        assert isinstance(row, Condition)
        palette, stored = self.palette, self.store.screens.get(row.name) if row.is_stored else None
        new, matches = self._counts(row, stored)
        style = palette.text if stored is None or not stored.fault else palette.warn
        return [
            (self._title_of(row), style),
            (
                f"+{number(new)}" if new else NOTHING if new is None else "0",
                palette.accent if new else palette.dim,
            ),
            (NOTHING if matches is None else number(matches), palette.text),
        ]

    def _counts(self, row: Condition, stored: StoredScreenRow | None) -> tuple[int | None, int | None]:
        """Return how many matches are new, and how many there are; None where it was not asked yet."""
        if stored is not None:
            return (None, None) if stored.session is None else (stored.new, stored.matches)
        answer = self._answers.get(row)
        if answer is None or isinstance(answer, Failure):
            return None, None
        return sum(one.is_new for one in answer.matches), len(answer.matches)

    # answers

    def _answer(self) -> ScreenResult | Failure | None:
        condition = self._condition()
        return None if condition is None else self._answers.get(condition)

    def _ask(self) -> None:
        """Ask for the matches of the condition under the cursor, unless they are known."""
        condition = self._condition()
        if condition is not None and condition not in self._answers and self.store.is_online:
            self.run_worker(self._read(condition), group="screen", exclusive=True)

    async def _read(self, condition: Condition) -> None:
        if self.context.connection is None:
            return
        answer = await self.context.connection.screen(condition.name, is_stored=condition.is_stored)
        if answer is not None:
            self._answers[condition] = answer
        self._show_answer()
        self._conditions.refresh()

    def _show_answer(self) -> None:
        self._matches.set_rows([one.symbol for one in self._wanted_matches()])
        self._matches.refresh()
        self._detail.update()
        self.trail.update()

    def _wanted_matches(self) -> list[ScreenMatch]:
        """Return the matches that the filter leaves, the new ones first, in the order of the answer."""
        answer = self._answer()
        if answer is None or isinstance(answer, Failure):
            return []
        kept = [
            one
            for one in answer.matches
            if (one.is_new or not self._only_new) and is_found(self.filter_text, one.symbol, one.name)
        ]
        return sorted(kept, key=lambda one: not one.is_new)

    def _match(self, symbol: Hashable | None) -> ScreenMatch | None:
        answer = self._answer()
        if answer is None or isinstance(answer, Failure):
            return None
        return next((one for one in answer.matches if one.symbol == symbol), None)

    def _match_cells(self, row: Hashable) -> Cells:
        match, palette = self._match(row), self.palette
        if match is None:
            return [("", palette.dim)] * 6
        return [
            ("◆" if match.is_new else "", palette.accent),
            (match.name, palette.text),
            (match.symbol, palette.dim),
            (NOTHING if match.score is None else f"{match.score:,.2f}", palette.text),
            (_short(match), palette.dim),
            (candle_start(match.since, "1d")[-5:], palette.dim),
        ]

    def _why_no_match(self) -> str:
        """Say why the list on the right is empty."""
        answer, words = self._answer(), self.words
        if isinstance(answer, Failure):
            return told(str(answer), self.words)
        condition = self._condition()
        if condition is None:
            return ""
        stored = self.store.screens.get(condition.name) if condition.is_stored else None
        if answer is None:
            is_waiting = stored is not None and stored.session is None and self.store.is_online
            return words["screener.not_run"] if is_waiting else words["empty.loading"]
        if answer.matches and self.filter_text:
            return words.put("empty.filtered", text=self.filter_text)
        return words["screener.none_new" if answer.matches else "screener.none"]

    # the figures below

    def _draw_detail(self, width: int, height: int) -> Sequence[Line]:
        answer = self._answer()
        if answer is None or isinstance(answer, Failure):
            return []
        match = self._match(self._matches.row_id)
        lines = [] if match is None else self._evidence(match, width)
        whole = self._whole(answer, width)
        return [*lines[: max(0, height - len(whole))], *whole]

    def _evidence(self, match: ScreenMatch, width: int) -> list[Line]:
        words, palette = self.words, self.palette
        since = words.put("screener.since", day=candle_start(match.since, "1d")[-5:])
        lines: list[Line] = [heading(match.name or match.symbol, width, palette, since)]
        for strategy, figures in match.evidence.items():
            said = "  ".join(_said(name, one, words) for name, one in figures.items())
            title = self._title_of(Condition(strategy, False))
            body = wrapped(said, max(10, width - 20), palette.text)
            lines += [
                [(f" {_cut(title, 16) if not place else '':<16}  ", palette.dim), *line]
                for place, line in enumerate(body)
            ]
        return lines

    def _whole(self, answer: ScreenResult, width: int) -> list[Line]:
        """Return the sum of evaluated and excepted stocks, and what the answer rests on."""
        words, palette, counts = self.words, self.palette, answer.counts
        total = words.put("screener.universe", count=number(counts.universe))
        reasons = Counter(one.reason for one in answer.exceptions)
        left_out = "  ".join(
            f"{words.get(f'screener.reason.{name}', name)} {number(count)}" for name, count in reasons.items()
        )
        sums = words.put(
            "screener.sum",
            evaluated=number(counts.evaluated),
            excepted=number(counts.universe - counts.evaluated),
            universe=number(counts.universe),
        )
        rests = words.put("screener.rests", data=answer.data_id[:_ID_SHOWN], code=answer.code_id[:_ID_SHOWN])
        style = palette.warn if answer.exceptions else palette.text
        return [
            heading(total, width, palette, rests),
            [(f" {sums}", palette.text), (f"   {left_out}" if left_out else "", style)],
        ]

    # keys

    @on(RowTable.Moved, "#conditions")
    def _show_condition(self) -> None:
        self._show_answer()
        self.after_rest(self._ask)

    @on(RowTable.Moved, "#matches")
    def _show_match(self) -> None:
        self._detail.update()

    def action_other_list(self) -> None:
        """Go from the conditions to the matches, or back."""
        (self._conditions if self._matches.has_focus else self._matches).focus()

    def action_only_new(self) -> None:
        """Show only new matches, or all."""
        self._only_new = not self._only_new
        self._show_answer()

    @on(RowTable.Chosen)
    def action_chart(self) -> None:
        """Show the match under the cursor as a chart of days."""
        if (match := self._match(self._matches.row_id)) is not None:
            self.post_message(ShowChart(match.symbol, "1d"))


def _short(match: ScreenMatch) -> str:
    """Return the first figures that decided, for one line."""
    figures = [one for found in match.evidence.values() for one in found.values()]
    return " · ".join(f"{one.value:,.4g}{_unit(one.unit)}" for one in figures[:_MOST_FIGURES])


def _said(name: str, figure: ScreenFigure, words: Words) -> str:
    label = words.get(f"figure.{name}", name.replace("_", " "))
    return f"{label} {figure.value:,.4g}{_unit(figure.unit)}"


def _unit(unit: str) -> str:
    return unit if unit == "%" else f" {unit}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
