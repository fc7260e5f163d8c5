"""Values as short words: numbers, ages, times. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import JobProgress
    from chartinsightd.control.protocol.status import RowCounts

NONE = "–"
"""Stands where there is no value."""


def number(value: int | None) -> str:
    """Return 1,234,567."""
    return NONE if value is None else f"{value:,}"


def percent(ratio: float) -> str:
    """Return a share in percent; less than all is never shown as 100."""
    shown = int(ratio * 1000) / 10
    return "100 %" if ratio >= 1 else f"{shown:.1f} %"


def size(count: int) -> str:
    """Return bytes as `394 MB` (10^6)."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float | None) -> str:
    """Return `45 s`, `2 min 32 s`, `3 h 12 min` or `4 d 2 h`: two units, rounded down.

    Less than nothing, by a clock that was set back meanwhile, is nothing.
    """
    if seconds is None:
        return NONE
    whole = max(0, int(seconds))
    if 0 < seconds < 1:
        return "<1 s"
    for length, unit, part, below in _UNITS:
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


def moment(at: datetime | None) -> str:
    """Return `2026-09-14 09:05:00`, Korean time; a midnight as its day."""
    if at is None:
        return NONE
    wall = at.astimezone(KST)
    if (wall.hour, wall.minute, wall.second) == (0, 0, 0):
        return f"{wall:%Y-%m-%d}"
    return f"{wall:%Y-%m-%d %H:%M:%S}" if wall.second else f"{wall:%Y-%m-%d %H:%M}"


def clock_time(at: datetime | None) -> str:
    """Return `09:05`, Korean time."""
    return NONE if at is None else f"{at.astimezone(KST):%H:%M}"


def span(first: datetime, end: datetime) -> str:
    """Return a range of time, the day said once where it is one."""
    if first.astimezone(KST).date() == end.astimezone(KST).date():
        return f"{moment(first)} – {clock_time(end)}"
    return f"{moment(first)} – {moment(end)}"


def row_counts(rows: RowCounts | JobProgress) -> str:
    """Return what became of rows."""
    counts = (rows.inserted, rows.changed, rows.unchanged, rows.quarantined)
    names = ("new", "changed", "unchanged", "quarantined")
    return ", ".join(f"{number(count)} {name}" for count, name in zip(counts, names, strict=True))


_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
