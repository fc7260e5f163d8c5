"""Screen 6: what runs, what ran, what failed, and why."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, clock_time, fit, number, percent, sparkline, stamp
from chartinsight_tui.job_words import kind_of, subject, texts
from chartinsight_tui.messages import Confirm
from chartinsight_tui.screens.job_detail import FAILED, job_lines
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.told import told
from chartinsight_tui.widgets.pane import Line, Pane, Piece, heading
from chartinsight_tui.widgets.row_table import Cell, Cells, Column, RowTable
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job, JobDetail

_MARKS = {
    "queued": ("·", "dim"),
    "running": ("▶", "accent"),
    "done": ("✓", "good"),
    "failed": ("✕", "bad"),
    "cancelled": ("–", "dim"),
    "interrupted": ("✕", "warn"),
}
_POLL = "poll"
_KINDS = ("poll", "catch_up", "backfill", "seal", "adjust", "sync", "analysis", "verify")
_CELL_MINUTES = 10
_FIRST_HOUR, _LAST_HOUR = 6, 22
_GRID = {"·": "faint", "■": "good", "▶": "accent", "▲": "warn", "✕": "bad"}
_RANK = "·■▶▲✕"


class JobsView(View):
    """The day as a grid, the run history, and the chosen job with its own log."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.JOBS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "faults", "key.failed_only"),
        Binding("s", "polls", "key.polls"),
        Binding("x", "cancel_job", "key.cancel"),
        Binding("r", "retry_job", "key.retry_job"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._faults = False
        self._shows_polls = False
        self._folded = 0
        self._log: JobDetail | Failure | None = None
        self._log_of: int | None = None
        self._table = RowTable(lambda: self.palette, self._cells, lambda: self.what_is_missing(Part.JOBS))
        self._grid = Pane(self._draw_grid, lambda: self.palette, id="job-grid")
        self._detail = Pane(self._draw_detail, lambda: self.palette, id="job-detail")

    def compose(self) -> ComposeResult:
        """Lay out the grid of the day, the history and the chosen job."""
        yield self.trail
        yield self._grid
        yield self._table
        yield self._detail
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        words = self.words
        self._table.set_columns(
            [
                Column(title=words["column.id"], width=6, align="right"),
                Column(title=words["column.kind"], width=9),
                Column(title=words["column.state"], width=11),
                Column(title=words["column.what"], width=20, flex=1),
                Column(title=words["column.progress"], width=13, drop=3),
                Column(title=words["column.rows"], width=10, align="right", drop=2),
                Column(title=words["column.took"], width=11, align="right"),
                Column(title=words["column.started"], width=8),
                Column(title=words["column.by"], width=8, drop=4),
            ]
        )

    def main_widget(self) -> Widget:
        """Return the list."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the jobs; the cursor stays on its job."""
        if changed - {Part.STATUS}:
            self._table.set_rows(self._rows())
            self._grid.update()
        self._table.refresh()
        self._detail.update()
        self.trail.update()

    def wanted(self) -> Wanted:
        """Return what the job under the cursor was about."""
        params = job.params if (job := self._job()) is not None else {}
        return Wanted(symbols=texts(params.get("symbols")), timeframes=texts(params.get("timeframes")))

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on a job, or show the jobs of a stock alone."""
        if wanted.job is not None:
            self._shows_polls = True
            self.refresh_data(self.PARTS)
            self._table.go_to(wanted.job)

    def copy_text(self) -> str:
        """Return the detail as text."""
        return self._detail.plain()

    # what the lines around say

    def faults_only(self) -> bool:
        """Whether only failed jobs are shown."""
        return self._faults

    def aged_part(self) -> Part | None:
        """Return what is listed: it is as old as the last answer."""
        return Part.JOBS

    def trail_end(self) -> str:
        """Return how many jobs are shown, and how many polls are folded away."""
        shown = self.words.put("list.count", count=number(self._table.row_count))
        folded = self.words.put("jobs.folded", count=number(self._folded)) if self._folded else ""
        return " · ".join(part for part in (shown, folded) if part)

    def _rows(self) -> list[int]:
        """Return the ids, newest first; polls that went well only where they are asked for."""
        jobs = [job for job in self.store.jobs.values() if self._is_wanted(job)]
        kept = [job for job in jobs if self._shows_polls or not _is_quiet(job)]
        self._folded = len(jobs) - len(kept)
        return sorted((job.id for job in kept), reverse=True)

    def _is_wanted(self, job: Job) -> bool:
        if self._faults and job.state not in FAILED:
            return False
        text = self.filter_text
        about = subject(job, self.words, self.store.name_of)
        return (
            not text
            or text
            in f"#{job.id} {job.kind} {kind_of(job, self.words)} {about} {job.requested_by}".casefold()
        )

    # rows

    def _cells(self, row: Hashable) -> Cells:
        job, palette = self.store.jobs[cast("int", row)], self.palette
        mark, style = self._mark(job)
        about = told(job.error or "", self.words) or subject(job, self.words, self.store.name_of)
        return [
            (str(job.id), palette.dim),
            (kind_of(job, self.words), palette.text),
            (f"{mark} {self.words[f'job.state.{job.state}']}", style),
            (about, palette.warn if job.error else palette.text),
            self._progress(job),
            (number(job.progress.rows), palette.text),
            (self._took(job), palette.text),
            (self._started(job), palette.dim),
            (job.requested_by, palette.dim),
        ]

    def _mark(self, job: Job) -> tuple[str, Style]:
        mark, colour = _MARKS[job.state]
        return mark, self.palette.of(colour)

    def _progress(self, job: Job) -> Cell:
        fraction, paces = job.progress.fraction, self.store.job_paces.get(job.id, ())
        if fraction is None and paces:
            return sparkline(paces, 12, max(1, *paces)), self.palette.accent
        if fraction is None or job.state.is_over:
            return (NOTHING if fraction is None else f"{percent(fraction)}%"), self.palette.dim
        filled = round(fraction * 7)
        bar: list[Piece] = [
            ("━" * filled, self.palette.accent),
            ("─" * (7 - filled), self.palette.of("line")),
        ]
        return [*bar, (f"{percent(fraction):>5}%", self.palette.dim)]

    def _took(self, job: Job) -> str:
        if job.finished_at and job.started_at:
            return self.words.duration((job.finished_at - job.started_at).total_seconds())
        if job.eta_s is None or not self.store.is_online:
            return NOTHING
        return self.words.put("jobs.left", time=self.words.duration(job.eta_s))

    def _started(self, job: Job) -> str:
        if job.started_at is None:
            return NOTHING
        now = self.context.now()
        is_today = now is not None and day_of(job.started_at) == day_of(now)
        return clock_time(job.started_at)[:5] if is_today else stamp(job.started_at)[:5]

    # the day

    def _draw_grid(self, width: int, height: int) -> Sequence[Line]:
        del height
        now = self.context.now() or (self.store.status.clock.now if self.store.status else None)
        if now is None:
            return []
        words, today = self.words, day_of(now)
        room = min(width - 12, (_LAST_HOUR - _FIRST_HOUR) * 60 // _CELL_MINUTES)
        lines: list[Line] = [heading(words["jobs.today"], width, self.palette, words["jobs.cell"])]
        lines += [self._kind_line(kind, today, room) for kind in _KINDS]
        hours = "".join(f"{hour:02}    " for hour in range(_FIRST_HOUR, _LAST_HOUR))
        return [*lines, [(f" {' ' * 10}{hours[:room]}", self.palette.dim)]]

    def _kind_line(self, kind: str, today: date, room: int) -> Line:
        cells = ["·"] * room
        for job in self.store.jobs.values():
            if job.kind != kind or job.started_at is None or day_of(job.started_at) != today:
                continue
            hours, minutes, _ = map(int, clock_time(job.started_at).split(":"))
            at = ((hours - _FIRST_HOUR) * 60 + minutes) // _CELL_MINUTES
            if 0 <= at < room:
                cells[at] = max(cells[at], _grid_mark(job), key=_RANK.index)
        pieces: list[Piece] = [(f" {fit(self.words[f'job.kind.{kind}'], 9)} ", self.palette.dim)]
        return [*pieces, *((mark, self.palette.of(_GRID[mark])) for mark in cells)]

    # the chosen job

    def _job(self) -> Job | None:
        row = self._table.row_id
        return self.store.jobs.get(row) if isinstance(row, int) else None

    def _draw_detail(self, width: int, height: int) -> Sequence[Line]:
        del height
        if (job := self._job()) is None:
            return [heading(self.words["jobs.no_job"], width, self.palette)]
        return job_lines(job, self._log if self._log_of == job.id else None, self.context, width)

    # keys

    @on(RowTable.Moved)
    def _rest(self) -> None:
        self._detail.update()
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
        if self.context.connection is not None:
            self._log = await self.context.connection.job(job_id)
            self._log_of = job_id
            self._detail.update()

    def action_faults(self) -> None:
        """Show failed jobs only, or all."""
        self._faults = not self._faults
        self.refresh_data(self.PARTS)

    def action_polls(self) -> None:
        """Show polls that went well too, or fold them away."""
        self._shows_polls = not self._shows_polls
        self.refresh_data(self.PARTS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to cancel and to do again only where changes are allowed."""
        if action in {"cancel_job", "retry_job"}:
            return not self.context.read_only
        return super().check_action(action, parameters)

    def action_retry_job(self) -> None:
        """Do the job under the cursor again, after a question."""
        if (job := self._job()) is None:
            return
        if not job.state.is_over:
            self.notify(self.words["outcome.still_running"], severity="warning", timeout=3)
            return
        question = self.words.put("ask.retry_job", id=job.id, kind=kind_of(job, self.words))
        self.post_message(Confirm(question, lambda connection: connection.retry(job.id)))

    def action_cancel_job(self) -> None:
        """End the job under the cursor, after a question."""
        if (job := self._job()) is None:
            return
        if job.state.is_over:
            self.notify(self.words["outcome.already_over"], severity="warning", timeout=3)
            return
        question = self.words.put("ask.cancel", id=job.id, kind=kind_of(job, self.words))
        self.post_message(Confirm(question, lambda connection: connection.cancel(job.id)))


def _is_quiet(job: Job) -> bool:
    """Whether a job is a poll that went well: there are dozens a day, and they bury all others."""
    return job.kind == _POLL and job.state == "done" and not job.error


def _grid_mark(job: Job) -> str:
    if job.state in FAILED:
        return "✕"
    if not job.state.is_over:
        return "▶"
    return "▲" if job.progress.fetches_failed or job.state == "cancelled" else "■"
