"""What happened today, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    NOTHING,
    clock_time,
)
from chartinsight_tui.job_words import job_line
from chartinsight_tui.state_line import alert_title
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, heading
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job
    from chartinsightd.control.protocol.status import Alert, Status


def record_lines(context: Context, status: Status, width: int, most: int) -> list[Line]:
    """Return what happened today, newest first; of the polls that went well the last one."""
    today = day_of(status.clock.now)
    told: list[tuple[datetime, Line]] = [
        (alert.at, _alert_record(context, alert)) for alert in status.alerts if day_of(alert.at) == today
    ]
    told += [(job.finished_at or job.created_at, _record(context, job)) for job in _told_jobs(context, today)]
    lines = [line for _, line in sorted(told, key=lambda one: one[0], reverse=True)]
    if not lines:
        known = Part.JOBS in context.store.loaded
        lines = [[(f" {context.words['home.nothing_today'] if known else NOTHING}", context.palette.dim)]]
    head = heading(context.words["home.record"], width, context.palette, context.words["home.all_jobs"])
    return [head, *lines[:most]]


def _told_jobs(context: Context, today: date) -> Iterator[Job]:
    """Yield the jobs of a day: at most one a kind and quarter of an hour, and one quiet poll."""
    told: set[tuple[str, datetime | None]] = set()
    for job in _ended(context, today):
        ended = job.finished_at or job.created_at
        quarter = ended.replace(minute=ended.minute // 15 * 15, second=0, microsecond=0)
        is_quiet = job.kind == "poll" and job.state == "done"
        key = (job.kind, None if is_quiet else quarter)
        if key not in told:
            told.add(key)
            yield job


def _alert_record(context: Context, alert: Alert) -> Line:
    mark, style = ("✕", context.palette.bad) if alert.level == "error" else ("▲", context.palette.warn)
    return [
        (f" {clock_time(alert.at)[:5]}  ", context.palette.dim),
        (f"{mark} ", style),
        (alert_title(alert, context.words), context.palette.text),
    ]


def _ended(context: Context, today: date) -> Iterable[Job]:
    jobs = [
        job for job in context.store.jobs.values() if job.finished_at and day_of(job.finished_at) == today
    ]
    return sorted(jobs, key=lambda job: job.finished_at or job.created_at, reverse=True)


def _record(context: Context, job: Job) -> Line:
    failed = job.state in {"failed", "interrupted"}
    mark, style = ("✕", context.palette.warn) if failed else ("✓", context.palette.dim)
    return [
        (f" {clock_time(job.finished_at)[:5]}  ", context.palette.dim),
        (f"{mark} ", style),
        (job_line(job, context.words, context.store.name_of), context.palette.text),
    ]
