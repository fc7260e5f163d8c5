"""Jobs and estimates for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chartinsightd.cli.following import text_of
from chartinsightd.cli.formatting import NONE, duration, moment, number, percent, row_counts
from chartinsightd.cli.tables import Cell, Column, FittedTable, Marked
from chartinsightd.cli.views.lists import listed
from chartinsightd.control.protocol.jobs import (
    BackfillEstimate,
    Job,
    JobDetail,
    JobList,
    JobProgress,
    JobState,
    TryList,
    VerifiedDay,
)
from chartinsightd.domain.foreign_text import printable

_STYLES = {
    JobState.RUNNING: "cyan",
    JobState.DONE: "green",
    JobState.FAILED: "bold red",
    JobState.INTERRUPTED: "bold red",
    JobState.CANCELLED: "yellow",
}


_OUTCOMES = {
    "same": "same",
    "corrected": "corrected",
    "kept": "stays: not served any more",
    "withdrawn": "withdrawn, is read again",
}


def render_jobs(jobs: JobList) -> RenderableType:
    """Return the run history."""
    if not jobs.items:
        return Text("no jobs")
    columns = (
        Column(title="id", right=True),
        Column(title="kind"),
        Column(title="state"),
        Column(title="done", right=True),
        Column(title="rows", right=True, rank=2),
        Column(title="ETA", right=True, rank=1),
        Column(title="created", rank=3),
        Column(title="took", right=True, rank=5),
        Column(title="by", rank=6),
        Column(title="what", cut=True, rank=4),
    )
    rows = [
        (
            str(job.id),
            job.kind,
            Marked(job.state.value, _STYLES.get(job.state, "")),
            _done(job),
            number(job.progress.rows),
            duration(job.eta_s),
            moment(job.created_at),
            _took(job),
            job.requested_by,
            job.error or _what(job.params),
        )
        for job in jobs.items
    ]
    shown = f"{number(len(rows))} of {number(jobs.total)} jobs"
    return Group(FittedTable(columns, rows), "", Text(shown))


def render_job(job: JobDetail) -> RenderableType:
    """Return all that is known of one job, and what the log says of it."""
    parts: list[RenderableType] = [_facts_of(job)]
    if job.progress.results:
        parts += ["", render_results(job.progress)]
    if job.progress.differences:
        parts += ["", render_differences(job.progress)]
    if not job.log:
        return Group(*parts)
    older = f" ({number(job.log_left_out)} older lines had no room)" if job.log_left_out else ""
    return Group(*parts, "", Text(f"log{older}", style="bold"), *map(text_of, job.log))


def _facts_of(job: Job) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in _lines(job):
        grid.add_row(name, Text(printable(words)))
    return grid


def render_tries(tries: TryList) -> RenderableType:
    """Return failed tries."""
    columns = (
        Column(title="at"),
        Column(title="job", right=True),
        Column(title="kind", rank=1),
        Column(title="of"),
        Column(title="reason", cut=True),
    )
    rows = [(moment(one.at), str(one.job_id), one.kind, one.about, one.reason) for one in tries.items]
    return listed(columns, rows, tries.total, "failed tries")


def render_estimate(estimate: BackfillEstimate) -> RenderableType:
    """Return what a backfill would cost, for each api-id."""
    words = (
        f"{number(estimate.requests)} requests, {duration(estimate.seconds)} at the gate; "
        f"{number(estimate.series)} series to fetch, {number(estimate.covered_series)} complete already"
    )
    if not estimate.lanes:
        return Text(words)
    columns = (Column(title="api-id"), Column(title="requests", right=True), Column(title="time", right=True))
    rows = [(lane.api_id, number(lane.requests), duration(lane.seconds)) for lane in estimate.lanes]
    return Group(FittedTable(columns, rows), "", Text(words))


def render_differences(done: JobProgress) -> RenderableType:
    """Return the candles that a verification found different, as they are served and as they were stored."""
    columns = (
        Column(title="symbol"),
        Column(title="tf"),
        Column(title="opens (KST)"),
        Column(title="what"),
        Column(title="served", cut=True),
        Column(title="stored", cut=True),
    )
    rows = [
        (one.symbol, one.timeframe.value, moment(one.ts), one.kind, _values(one.expected), _values(one.found))
        for one in done.differences
    ]
    words = f"{number(len(rows))} of {number(done.unequal)} differences"
    return Group(FittedTable(columns, rows), "", Text(words))


def render_results(done: JobProgress) -> RenderableType:
    """Return what a verification found, series by series; days that differ stand on their own."""
    columns = (
        Column(title="symbol"),
        Column(title="tf"),
        Column(title="day"),
        Column(title="same", right=True),
        Column(title="differing", right=True),
        Column(title="not stored", right=True),
        Column(title="not served", right=True),
        Column(title="outcome"),
    )
    parted = {(one.symbol, one.timeframe) for one in done.results if one.day is not None}
    rows = [
        _result(one, "other days" if (one.symbol, one.timeframe) in parted else "all days")
        for one in done.results
    ]
    left_out = f"; {number(done.results_left_out)} rows had no room" if done.results_left_out else ""
    return Group(
        FittedTable(columns, rows),
        "",
        Text(f"rows: {number(len(rows))}{left_out}"),
    )


def _result(one: VerifiedDay, rest: str) -> tuple[Cell, ...]:
    style = "yellow" if one.day is not None else ""
    return (
        one.symbol,
        one.timeframe.value,
        rest if one.day is None else one.day.isoformat(),
        number(one.equal),
        number(one.differing),
        number(one.missing),
        number(one.extra),
        Marked(_OUTCOMES[one.outcome], style),
    )


def _values(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in values.items()) or NONE


def _lines(job: Job) -> Iterator[tuple[str, str]]:
    done = job.progress
    yield "job", f"{job.id} {job.kind}"
    yield "state", job.state.value
    yield "by", job.requested_by
    yield "created", moment(job.created_at)
    yield "started", moment(job.started_at)
    yield "finished", moment(job.finished_at)
    yield "done", _done(job)
    yield (
        "series",
        f"{number(done.fetches_done)} of {number(done.fetches)}, {number(done.fetches_failed)} failed",
    )
    yield (
        "pages",
        f"{number(done.pages)}" + (f" of {number(done.pages_expected)}" if done.pages_expected else ""),
    )
    yield "rows", row_counts(done)
    if job.eta_s is not None:
        yield "ETA", duration(job.eta_s)
    if job.rate is not None:
        yield "rate", f"{job.rate:.1f} pages/s"
    for name, value in job.params.items():
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if job.error:
        yield "error", job.error
    for place, one in enumerate(done.tries):
        yield "" if place else "failed", f"{moment(one.at)}  {one.about}: {one.reason}"


def _done(job: Job) -> str:
    fraction = job.progress.fraction
    return NONE if fraction is None else percent(fraction)


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return NONE
    return duration((job.finished_at - job.started_at).total_seconds())


def _what(params: Mapping[str, Any]) -> str:
    """Return what a job works on, from the parameters a person knows: symbols, timeframes, days."""
    words = []
    for name, value in params.items():
        if value is True:
            words.append(name)
        elif isinstance(value, list | tuple):
            words.append(" ".join(map(str, value)))  # the column is cut where there is no room, never here
        elif value not in (None, "", False):
            words.append(str(value))
    return ", ".join(word for word in words if word)
