"""The jobs that run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    NOTHING,
    fit,
    number,
    percent,
)
from chartinsight_tui.job_words import kind_of, subject
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, Piece, heading, width_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job


def running_lines(context: Context, width: int, most: int, missing: str) -> list[Line]:
    """Return the jobs that run, with detail where there is room; `missing` where they are not known."""
    running = [job for job in context.store.jobs.values() if job.state in {"running", "queued"}]
    lines: list[Line] = [heading(context.words["home.jobs"], width, context.palette, str(len(running) or ""))]
    if not running:
        known = Part.JOBS in context.store.loaded
        text = context.words["jobs.none_run"] if known else missing
        return [*lines, [(f" {text}", context.palette.dim)]]
    running.sort(key=lambda job: (job.progress.fraction is None, -job.id))
    has_details = 2 * len(running) <= most
    return [*lines, *(line for job in running[:most] for line in _job(context, job, width, has_details))]


def _job(context: Context, job: Job, width: int, has_detail: bool) -> Iterator[Line]:
    """Yield what a job is about with its progress, and below it who asked and what it brought."""
    words, palette, progress = context.words, context.palette, job.progress
    about = f"{kind_of(job, words)} {subject(job, words, context.store.name_of)}"
    head: list[Piece] = [
        (f" {f'#{job.id}':<5} ", palette.dim),
        (f"{fit(about, max(9, width - 36))} ", palette.text),
    ]
    yield [*head, *_progress(context, job, width - width_of(head))]
    if has_detail:
        pages = f"{number(progress.pages)}/{number(progress.pages_expected or None)}"
        counts = {"pages": pages, "new": number(progress.inserted), "same": number(progress.unchanged)}
        yield [(f"       {words.put('home.job', by=job.requested_by, **counts)}", palette.dim)]


def _progress(context: Context, job: Job, width: int) -> list[Piece]:
    fraction = job.progress.fraction
    if fraction is None:
        return [(context.words.put("home.rows", count=number(job.progress.rows)), context.palette.dim)]
    left = context.words.duration(job.eta_s) if context.store.is_online else NOTHING
    tail = f" {percent(fraction):>4}% {left}"
    room = max(4, min(14, width - cell_len(tail)))
    filled = round(fraction * room)
    return [
        ("━" * filled, context.palette.accent),
        ("─" * (room - filled), context.palette.of("line")),
        (tail, context.palette.dim),
    ]
