"""Screen 3: what runs and what ran."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from chartinsight_tui.formatting import NOTHING, bar, clock_time, duration, number, percent, stamp
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.widgets.panel import Panel
from chartinsight_tui.widgets.row_table import Cell, Cells, Column, RowTable

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job
    from chartinsightd.control.protocol.rows import LogList

_FILTERS = ("all", "active", "failed", "over")
_STATES = {
    "active": {"queued", "running"},
    "failed": {"failed", "interrupted"},
    "over": {"done", "failed", "cancelled", "interrupted"},
}
_MARKS = {
    "queued": ("○", "dim"), "running": ("▶", "accent"), "done": ("✓", "good"), "failed": ("✗", "bad"),
    "cancelled": ("■", "dim"), "interrupted": ("!", "warn"),
}  # fmt: skip


class JobsView(View):
    """The run history, newest first; the detail of one job with its errors and its log lines."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.JOBS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "next_filter", "key.state_filter"),
        Binding("x", "cancel_job", "key.cancel"),
    ]
    SCOPED_CSS: ClassVar[bool] = False  # its rules look at the size classes of the screen above
    DEFAULT_CSS = """
    JobsView > Container { height: 1fr; layout: vertical; }
    JobsView #job-detail { height: 8; }
    .-h-normal JobsView #job-detail { height: 14; }
    .-wide JobsView > Container { layout: horizontal; }
    .-wide JobsView #job-detail { height: 1fr; width: 80; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._table = RowTable(lambda: self.palette, self._cells, lambda: self.what_is_missing(Part.JOBS))
        self._detail = Panel("", self._draw_detail, id="job-detail")
        self._state_filter = _FILTERS[0]
        self._log: LogList | Failure | None = None
        self._log_of: int | None = None

    def compose(self) -> ComposeResult:
        """Lay out list and detail; side by side where the terminal is wide."""
        with Container():
            yield self._table
            yield self._detail
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        words = self.words
        self._table.set_columns(
            [
                Column(title="#", width=5, align="right"),
                Column(title=words["column.kind"], width=10),
                Column(title=words["column.state"], width=11),
                Column(title=words["column.progress"], width=18),
                Column(title=words["column.rows"], width=10, align="right", drop=2),
                Column(title=words["column.time"], width=8, align="right"),
                Column(title=words["column.started"], width=14),
                Column(title=words["column.by"], width=8, drop=3),
                Column(title=words["column.what"], width=16, flex=1, drop=4),
            ]
        )

    def main_widget(self) -> Widget:
        """Return the list."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the jobs; the cursor stays on its job."""
        if Part.JOBS in changed or not self._table.row_count:
            self._table.set_rows(self._rows())
        self._table.refresh()
        self._detail.refresh()

    def wanted(self) -> Wanted:
        """Return what the job under the cursor was about."""
        params = job.params if (job := self._job()) is not None else {}
        return Wanted(symbols=_texts(params.get("symbols")), timeframes=_texts(params.get("timeframes")))

    def copy_text(self) -> str:
        """Return the detail as plain text."""
        return self._draw_detail(200, 500).plain

    # rows

    def _rows(self) -> list[int]:
        states = _STATES.get(self._state_filter)
        jobs = [job for job in self.store.jobs.values() if states is None or job.state in states]
        return sorted((job.id for job in jobs if self._is_wanted(job)), reverse=True)

    def _is_wanted(self, job: Job) -> bool:
        text = self.filter_text
        return (
            not text
            or text
            in f"{job.id} {job.kind} {self._kind(job)} {job.requested_by} {self._what(job)}".casefold()
        )

    def _cells(self, job_id: Hashable) -> Cells:
        job, palette = self.store.jobs[cast("int", job_id)], self.palette
        mark, style = self._mark(job)
        return [
            (str(job.id), palette.dim),
            (self._kind(job), palette.text),
            (f"{mark} {self.words[f'job.state.{job.state}']}", style),
            self._progress(job),
            (number(job.progress.rows), palette.text),
            (self._time(job), palette.text),
            (stamp(job.started_at), palette.dim),
            (job.requested_by, palette.dim),
            (job.error or self._what(job), palette.bad if job.error else palette.dim),
        ]

    def _mark(self, job: Job) -> tuple[str, Style]:
        mark, colour = _MARKS[job.state]
        return mark, self.palette.of(colour)

    def _kind(self, job: Job) -> str:
        return self.words.get(f"job.kind.{job.kind}", job.kind)

    def _progress(self, job: Job) -> Cell:
        fraction = job.progress.fraction
        if fraction is None or job.state.is_over:
            return (NOTHING if fraction is None else f"{percent(fraction)}%"), self.palette.dim
        return f"{bar(fraction, 12)}{percent(fraction):>5}%", self.palette.accent

    def _time(self, job: Job) -> str:
        if job.finished_at and job.started_at:
            return duration((job.finished_at - job.started_at).total_seconds())
        return f"-{duration(job.eta_s)}" if job.eta_s is not None else NOTHING

    def _what(self, job: Job) -> str:
        symbols = _texts(job.params.get("symbols"))
        named = [self.store.name_of(symbol) or symbol for symbol in symbols[:3]]
        more = f" +{len(symbols) - 3}" if len(symbols) > 3 else ""
        return f"{' '.join(named)}{more} {' '.join(_texts(job.params.get('timeframes')))}".strip()

    # detail

    def _job(self) -> Job | None:
        job_id = self._table.row_id
        return self.store.jobs.get(job_id) if isinstance(job_id, int) else None

    def _draw_detail(self, width: int, height: int) -> Text:
        del width
        self._detail.entitle(self.words["jobs.detail"])
        if (job := self._job()) is None:
            return Text(self.words["jobs.no_job"], self.palette.dim)
        lines = [*self._headlines(job), *self._log_lines(job)]
        return Text("\n").join(lines[:height])

    def _headlines(self, job: Job) -> list[Text]:
        palette, progress, words = self.palette, job.progress, self.words
        mark, style = self._mark(job)
        head = Text.assemble(
            (f"#{job.id} {self._kind(job)} ", palette.strong),
            (f"{mark} {words[f'job.state.{job.state}']} ", style),
            (f"{job.requested_by} {stamp(job.started_at)} → {stamp(job.finished_at)}", palette.dim),
        )
        counts = words.put(
            "jobs.counts",
            pages=number(progress.pages), expected=number(progress.pages_expected or None),
            inserted=number(progress.inserted), changed=number(progress.changed),
            unchanged=number(progress.unchanged), quarantined=number(progress.quarantined),
        )  # fmt: skip
        pace = (
            words.put("jobs.pace", rate=f"{job.rate:.1f}", eta=duration(job.eta_s))
            if job.rate is not None
            else ""
        )
        lines = [head, Text(f"{counts}  {pace}", palette.text)]
        if job.params:
            shown = {key: value for key, value in job.params.items() if value not in (None, [], "", False)}
            lines.append(Text(json.dumps(shown, ensure_ascii=False, default=str), palette.dim))
        return [*lines, Text(f"✗ {job.error}", palette.bad)] if job.error else lines

    def _log_lines(self, job: Job) -> list[Text]:
        if self._log_of != job.id or self._log is None:
            return []
        if isinstance(self._log, Failure):
            return [Text(str(self._log), self.palette.bad)]
        return [
            Text.assemble(
                (f"{clock_time(line.at)} ", self.palette.faint),
                (f"{line.event} ", self.palette.warn if line.level.rank > 1 else self.palette.text),
                (
                    f"{line.symbol} " + " ".join(f"{key}={value}" for key, value in line.fields.items()),
                    self.palette.dim,
                ),
            )
            for line in reversed(self._log.items)
        ]

    # keys

    @on(RowTable.Moved)
    def _rest(self) -> None:
        self._detail.refresh()
        self.after_rest(self._look)

    @on(RowTable.Chosen)
    def _look_now(self) -> None:
        self._log_of = None
        self._look()

    def _look(self) -> None:
        """Ask for the log lines of the job under the cursor."""
        if (job := self._job()) is not None and job.id != self._log_of:
            self.run_worker(self._load_log(job.id), group="job-log", exclusive=True)

    async def _load_log(self, job_id: int) -> None:
        if self.dash.connection is not None:
            self._log = await self.dash.connection.job_log(job_id)
            self._log_of = job_id
            self._detail.refresh()

    def action_next_filter(self) -> None:
        """Show all jobs, those that run, those that failed, those that are over."""
        self._state_filter = _FILTERS[(_FILTERS.index(self._state_filter) + 1) % len(_FILTERS)]
        self.notify(self.words[f"jobs.filter.{self._state_filter}"], timeout=2)
        self.refresh_data(self.PARTS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer cancelling only where changes are allowed."""
        if action == "cancel_job":
            return not self.dash.read_only
        return super().check_action(action, parameters)

    def action_cancel_job(self) -> None:
        """End the job under the cursor, after a question."""
        if (job := self._job()) is not None and not job.state.is_over:
            question = self.words.put("ask.cancel", id=job.id, kind=self._kind(job))
            self.dash.confirm(question, lambda connection: connection.cancel(job.id))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
