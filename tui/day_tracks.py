"""The day of the home screen on one axis: how each 5-minute close was read, requests and alerts. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil
from typing import TYPE_CHECKING

from chartinsightd.domain.kst import at_kst, day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job
    from chartinsightd.control.protocol.status import Alert, SessionStatus

BEGINS, ENDS = time(8), time(20)
"""Ends of the axis, KST: from before the opening to the end of the after-market."""
CLOSE = timedelta(minutes=5)
NO_SESSION, COMING, UNKNOWN, READ, PARTLY, FAILED = "·", "─", "?", "━", "▲", "✕"
"""What a cell tells of the closes in it; of several the last one in this order is shown."""
_RANK = (NO_SESSION, COMING, READ, UNKNOWN, PARTLY, FAILED)
_LEVELS = " ▁▂▃▄▅▆▇█"
_ALERT_RANK = ("", "◆", "▲", "✕")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The hours of a day over cells of a terminal."""

    begins_at: datetime
    """Aware."""
    ends_at: datetime
    cells: int

    def cell_of(self, at: datetime) -> int:
        """Return the cell of a moment: before the axis -1, behind it the number of cells."""
        if at < self.begins_at:
            return -1
        return min(self.cells, int((at - self.begins_at) / (self.ends_at - self.begins_at) * self.cells))

    def time_of(self, cell: int) -> datetime:
        """Return when a cell begins."""
        return self.begins_at + cell * (self.ends_at - self.begins_at) / self.cells


def axis_of(now: datetime, cells: int) -> Axis:
    """Return the axis of the Korean day of a moment."""
    day = day_of(now)
    return Axis(begins_at=at_kst(day, BEGINS), ends_at=at_kst(day, ENDS), cells=max(1, cells))


def closes_of(session: SessionStatus, jobs: Iterable[Job], now: datetime) -> list[tuple[datetime, str]]:
    """Return the 5-minute closes of the session, each with how it was read; those to come are `COMING`.

    A close was read by a poll that began within five minutes of it. Without one nothing is known of it here:
    another job may have read it later.
    """
    closes = list(_closes(session))
    found = [UNKNOWN] * len(closes)
    for job in jobs:
        if job.kind == "poll":
            came_of = _came_of(job)
            for place in _places_of(job, closes):
                found[place] = (
                    came_of if found[place] == UNKNOWN else max(found[place], came_of, key=_RANK.index)
                )
    return [(close, _sign(close, known, now)) for close, known in zip(closes, found, strict=True)]


def _closes(session: SessionStatus) -> Iterable[datetime]:
    for begins, ends in _hours(session):
        close = begins + CLOSE
        while close <= ends:
            yield close
            close += CLOSE


def _hours(session: SessionStatus) -> Iterable[tuple[datetime, datetime]]:
    if session.opens_at is not None and session.closes_at is not None:
        yield session.opens_at, session.closes_at
    if session.after_opens_at is not None and session.ends_at is not None:
        yield session.after_opens_at, session.ends_at


def _worse(known: str, sign: str) -> str:
    """Return the worse of two polls of a close; the first one found decides where nothing was known."""
    return sign if known == UNKNOWN else max(known, sign, key=_RANK.index)


def _places_of(job: Job, closes: Sequence[datetime]) -> range:
    """Return the places of the closes in whose five minutes a poll was at work."""
    last = len(closes) if job.finished_at is None else bisect_right(closes, job.finished_at)
    return range(bisect_right(closes, job.created_at - CLOSE), last)


def _sign(close: datetime, found: str, now: datetime) -> str:
    """Return how a close was read; for five minutes it is still to come, then a poll under way is late."""
    if found in {COMING, UNKNOWN} and now < close + CLOSE:
        return COMING
    return PARTLY if found == COMING else found


def _came_of(job: Job) -> str:
    if not job.state.is_over:
        return COMING
    progress = job.progress
    if job.state in {"failed", "interrupted"} and not progress.fetches_done:
        return FAILED
    return PARTLY if progress.fetches_failed or job.state != "done" else READ


def track_of(closes: Sequence[tuple[datetime, str]], axis: Axis) -> str:
    """Return a sign a cell: the worst close in it; where none ends in it, the next one's; else no session."""
    signs = [NO_SESSION] * axis.cells
    before = axis.begins_at
    for close, sign in closes:
        first = axis.cell_of(max(before, close - CLOSE))
        for cell in range(max(0, first), min(axis.cells, axis.cell_of(close - timedelta(seconds=1)) + 1)):
            signs[cell] = max(signs[cell], sign, key=_RANK.index)
        before = close
    return "".join(signs)


def in_time(closes: Sequence[tuple[datetime, str]]) -> tuple[int, int]:
    """Return how many closes were read whole and in time, and of how many it is known how they were read."""
    known = [sign for _, sign in closes if sign not in {COMING, UNKNOWN}]
    return known.count(READ), len(known)


def requests_track(jobs: Iterable[Job], now: datetime, axis: Axis) -> str:
    """Return the pages that jobs read, as columns: the busiest cell is full, a cell without any is empty."""
    pages = [0.0] * axis.cells
    for job in jobs:
        begun, ended = job.started_at, job.finished_at or now
        if begun is None or not job.progress.pages or ended < axis.begins_at:
            continue
        cells = range(max(0, axis.cell_of(begun)), min(axis.cells - 1, axis.cell_of(ended)) + 1)
        share = job.progress.pages / max(1, axis.cell_of(ended) - axis.cell_of(begun) + 1)
        for cell in cells:
            pages[cell] += share
    return "".join(_LEVELS[ceil(8 * count / max(pages))] if count else " " for count in pages)


def alerts_track(alerts: Iterable[Alert], axis: Axis, happenings: frozenset[str]) -> str:
    """Return the mark of the gravest alert that began in each cell; `◆` for what is no trouble."""
    signs = [""] * axis.cells
    for alert in alerts:
        cell = axis.cell_of(alert.at)
        if 0 <= cell < axis.cells:
            sign = "◆" if alert.event in happenings else "✕" if alert.level == "error" else "▲"
            signs[cell] = max(signs[cell], sign, key=_ALERT_RANK.index)
    return "".join(sign or " " for sign in signs)
