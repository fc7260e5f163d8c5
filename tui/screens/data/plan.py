"""What waits for its turn at the broker: in which order, at which cost, until when."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from chartinsight_tui.formatting import NOTHING, clock_time, number, stamp
from chartinsight_tui.screens.data.page import ListPage
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, heading
from chartinsight_tui.widgets.row_table import Cells, Column
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.planning import CatchUpPlan, PlannedFetch


class PlanPage(ListPage["PlannedFetch"]):
    """Series by their turn; lanes work side by side."""

    NAME: ClassVar[str] = "plan"
    PART: ClassVar[Part] = Part.PLAN

    def columns(self, width: int) -> Sequence[Column]:
        """Return place, stock, timeframe, kind, range and cost."""
        del width
        words = self.words
        return [
            Column(title=words["column.place"], width=5, align="right"),
            Column(title=words["column.symbol"], width=6),
            Column(title=words["column.name"], width=16, flex=1),
            Column(title=words["column.timeframe"], width=6),
            Column(title=words["column.kind"], width=9),
            Column(title=words["column.range"], width=25, drop=1),
            Column(title=words["column.requests"], width=6, align="right"),
        ]

    def items(self) -> Sequence[PlannedFetch]:
        """Return the planned fetches by their turn."""
        return () if self.store.plan is None else self.store.plan.items

    def cells(self, row: Hashable) -> Cells:
        """Return a planned fetch."""
        one, palette = self.item(row), self.palette
        if one is None:
            return [("", palette.text)] * 7
        return [
            (number(one.place), palette.dim),
            (one.symbol, palette.dim),
            (one.name, palette.text),
            (self.words[f"timeframe.{one.timeframe.value}"], palette.text),
            (self.words.get(f"job.kind.{one.kind}", one.kind), palette.text),
            (self._range(one), palette.text),
            (number(one.pages), palette.text),
        ]

    def _range(self, one: PlannedFetch) -> str:
        if one.from_ts is None or one.to_ts is None:
            return self.words["plan.newest"]
        return f"{stamp(one.from_ts)[:-3]} – {stamp(one.to_ts)[:-3]}"

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return the cost of the whole plan, by lane, and what holds it up."""
        del row, cell
        words, palette, plan = self.words, self.palette, self.store.plan
        lines: list[Line] = [heading(words["plan.cost"], width, palette)]
        if plan is None:
            return [*lines, [(f" {NOTHING}", palette.dim)]]
        lines.append([(f" {self._cost(plan)}", palette.text)])
        for lane in plan.lanes:
            time = words.duration(lane.seconds)
            lines.append(
                [(f" {lane.api_id} ", palette.dim), (f"{number(lane.requests)} · {time}", palette.text)]
            )
        if plan.paused:
            lines.append([(f" ▲ {words['plan.paused']}", palette.warn)])
        if plan.held_until is not None:
            held = words.put("plan.held", at=clock_time(plan.held_until))
            lines.append([(f" ▲ {held}", palette.warn)])
        return lines

    def _cost(self, plan: CatchUpPlan) -> str:
        return self.words.put(
            "plan.whole",
            series=number(plan.total),
            requests=number(plan.requests),
            time=self.words.duration(plan.seconds),
        )

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return the series under the cursor."""
        del cell
        if (one := self.item(row)) is None:
            return Wanted()
        first, last = one.from_ts, one.to_ts
        return Wanted(
            symbols=(one.symbol,),
            timeframes=(one.timeframe.value,),
            from_day=None if first is None else day_of(first),
            to_day=None if last is None else day_of(last),
        )

    def summary(self) -> str:
        """Return how much of the plan is shown."""
        plan = self.store.plan
        return "" if plan is None else self.words.put("list.count", count=number(plan.total))
