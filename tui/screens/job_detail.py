"""The chosen job: what came of it, why, and its own slice of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import clock_time, fit, number, sparkline, stamp
from chartinsight_tui.job_words import kind_of, subject
from chartinsight_tui.screens.verified_days import verified_lines
from chartinsight_tui.store import Failure
from chartinsight_tui.told import told
from chartinsight_tui.widgets.pane import Line, heading, wrapped

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import CandleDifference, FailedTry, Job, JobDetail
    from chartinsightd.control.protocol.rows import LogLine

FAILED = {"failed", "interrupted"}
"""States in which a job did not do what it was for."""


def job_lines(job: Job, log: JobDetail | Failure | None, context: Context, width: int) -> Sequence[Line]:
    """Return all that is known of a job; the log is None while it was not asked for."""
    words = context.words
    state = words[f"job.state.{job.state}"]
    times = f"{state} · {stamp(job.started_at)} → {clock_time(job.finished_at)}"
    title = f"#{job.id} {kind_of(job, words)} {subject(job, words, context.store.name_of)}".strip()
    return [
        heading(title, width, context.palette, times),
        *_cause(job, context, width),
        _counts(job, context),
        *_pace(job, context, width),
        *_tries(job, context, width),
        *_verified(job, context, width),
        *_log_lines(log, context, width),
    ]


def _cause(job: Job, context: Context, width: int) -> Iterator[Line]:
    """Yield why a job failed."""
    words, palette = context.words, context.palette
    if job.error:
        for place, line in enumerate(wrapped(told(job.error, words), max(10, width - 10), palette.text)):
            yield [(f" {fit(words['jobs.cause'] if not place else '', 6)} ", palette.warn), *line]
    elif job.state in FAILED:
        yield [(f" {words['jobs.no_cause']}", palette.dim)]


def _counts(job: Job, context: Context) -> Line:
    progress = job.progress
    counts = context.words.put(
        "jobs.counts",
        pages=number(progress.pages), expected=number(progress.pages_expected or None),
        inserted=number(progress.inserted), changed=number(progress.changed),
        unchanged=number(progress.unchanged), quarantined=number(progress.quarantined),
    )  # fmt: skip
    return [(f" {counts}", context.palette.text)]


def _pace(job: Job, context: Context, width: int) -> Iterator[Line]:
    """Yield the pages of each of the last seconds, of a job that runs."""
    if paces := context.store.job_paces.get(job.id):
        drawn = sparkline(paces, min(len(paces), max(10, width - 20)), max(1, *paces))
        label = fit(context.words["jobs.pace"], 12)
        yield [(f" {label} ", context.palette.dim), (drawn, context.palette.accent)]


def _tries(job: Job, context: Context, width: int) -> Iterator[Line]:
    """Yield what failed of a job, each with its time and reason; kept over restarts."""
    for place, one in enumerate(job.progress.tries):
        label = fit(context.words["jobs.tries"] if not place else "", 6)
        yield from _try(one, label, context, width)


def _try(one: FailedTry, label: str, context: Context, width: int) -> Iterator[Line]:
    palette = context.palette
    head = f"{clock_time(one.at)} {one.about} "
    reason, room = told(one.reason, context.words), max(10, width - 9 - cell_len(head))
    first, *rest = wrapped(reason, room, palette.text) or [[]]
    yield [(f" {label} ", palette.dim), (head, palette.dim), *first]
    yield from ([(" " * (8 + cell_len(head)), palette.dim), *line] for line in rest)


def _verified(job: Job, context: Context, width: int) -> Iterator[Line]:
    """Yield what a verification found: in sum, by series and day, and the first candles one by one."""
    if job.kind != "verify":
        return
    progress, palette = job.progress, context.palette
    found = context.words.put(
        "job.verified", equal=number(progress.equal), differing=number(progress.unequal)
    )
    yield [(f" {found}", palette.warn if progress.unequal else palette.good)]
    yield from verified_lines(progress, context, width)
    yield from (_difference(one, context) for one in progress.differences)


def _difference(one: CandleDifference, context: Context) -> Line:
    """Return a candle that was found otherwise than stored."""
    words, palette = context.words, context.palette
    values = ", ".join(
        f"{name} {number(one.found.get(name))} → {number(value)}" for name, value in one.expected.items()
    )
    about = f"{one.symbol} {context.store.name_of(one.symbol)}".strip()
    frame = words[f"timeframe.{one.timeframe.value}"]
    return [
        (f"   {about} {frame} {stamp(one.ts)[:-3]} ", palette.dim),
        (words.get(f"difference.{one.kind}", one.kind), palette.warn),
        (f" {values}", palette.text),
    ]


def _log_lines(log: JobDetail | Failure | None, context: Context, width: int) -> list[Line]:
    if log is None:
        return []
    words, palette = context.words, context.palette
    lines: list[Line] = [[], heading(words["jobs.log"], width, palette)]
    if isinstance(log, Failure):
        return [*lines, [(f" {log}", palette.warn)]]
    if not log.log:
        return [*lines, [(f" {words['jobs.no_log']}", palette.dim)]]
    lines += [_log_line(line, context) for line in reversed(log.log)]
    if left_out := log.log_left_out:
        lines.append([(f" {words.put('jobs.log_left_out', count=number(left_out))}", palette.dim)])
    return lines


def _log_line(line: LogLine, context: Context) -> Line:
    palette = context.palette
    fields = " ".join(f"{key}={value}" for key, value in line.fields.items() if value is not None)
    style = palette.warn if line.level.rank > 1 else palette.text
    return [
        (f" {clock_time(line.at)}  ", palette.dim),
        (fit(line.event, 18) + " ", style),
        (f"{line.symbol} {fields}".strip(), palette.dim),
    ]
