"""The progress of a job on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from chartinsightd.cli.console import words_console
from chartinsightd.cli.endings import say
from chartinsightd.cli.formatting import duration, percent
from chartinsightd.control.client import ControlError
from chartinsightd.control.protocol.jobs import Job
from chartinsightd.domain.foreign_text import printable

_BAR_WIDTH = 12
_LINE_EVERY = 0.1
"""Without a terminal a line is written each tenth of the way."""


@contextmanager
def shown_progress() -> Iterator[ProgressBar | ProgressLines]:
    """Show progress for the length of the block."""
    console = words_console()
    if not console.is_terminal:
        yield ProgressLines()
        return
    with job_bar(console) as bars:
        yield ProgressBar(bars)


def job_bar(console: Console) -> Progress:
    """Return a bar with room for its words."""
    bar = BarColumn(bar_width=_BAR_WIDTH, table_column=Column(width=_BAR_WIDTH))
    words = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
    return Progress(bar, words, console=console, expand=True)


class ProgressBar:
    """A bar with rows, pages, rate and the time that is left."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID = bars.add_task("waiting for the daemon", total=None)

    def show(self, job: Job) -> None:
        """Show how far the job is."""
        fraction = job.progress.fraction
        total = None if fraction is None else 1.0
        self._bars.update(self._task, total=total, completed=fraction or 0.0, description=words_of(job))

    def show_away(self, error: ControlError) -> None:
        """Show that the daemon does not answer."""
        self._bars.update(self._task, description=f"{error.reason} Trying again.")


class ProgressLines:
    """Lines for a log file or a pipe."""

    def __init__(self) -> None:
        self._next = 0.0
        self._is_away = False

    def show(self, job: Job) -> None:
        """Write a line when a tenth more is done, or the daemon is back."""
        fraction = job.progress.fraction or 0.0
        if fraction >= self._next or self._is_away:
            say(words_of(job))
            self._next = fraction + _LINE_EVERY
        self._is_away = False

    def show_away(self, error: ControlError) -> None:
        """Write once that the daemon does not answer."""
        if not self._is_away:
            say(f"{error.reason} Trying again.")
        self._is_away = True


def words_of(job: Job) -> str:
    """Return a job's progress in one line, what matters most first."""
    done = job.progress
    fraction = done.fraction
    expected = f"/{done.pages_expected:,}" if done.pages_expected else ""
    rate = f" at {job.rate:.1f}/s" if job.rate is not None else ""
    parts = [
        f"{job.kind} {job.id}",
        job.state.value if fraction is None else percent(fraction),
        f"ETA {duration(job.eta_s)}" if job.eta_s is not None else "",
        f"{done.rows:,} rows",
        f"{done.pages:,}{expected} pages{rate}",
        f"{done.fetches_failed:,} failed" if done.fetches_failed else "",
    ]
    return printable("  ".join(part for part in parts if part))
