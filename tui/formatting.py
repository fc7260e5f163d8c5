"""How values are written: Korean time, won, counts, durations; and text cut to terminal cells."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

from chartinsightd.domain.foreign_text import printable

KST = ZoneInfo("Asia/Seoul")
NOTHING = "–"
"""Stands where there is no value yet."""
Align = Literal["left", "right", "center"]
_EOK = 100_000_000
_JO = 10_000 * _EOK
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_LEVELS = "▁▂▃▄▅▆▇█"


def day_of(instant: datetime) -> date:
    """Return the Korean date of an instant."""
    return instant.astimezone(KST).date()


def clock_time(instant: datetime | None) -> str:
    """Write the time of day in KST, such as `10:07:30`."""
    return NOTHING if instant is None else f"{instant.astimezone(KST):%H:%M:%S}"


def time_or_day(instant: datetime, now: datetime) -> str:
    """Write hour and minute in KST where an instant is of today, else month and day; five signs."""
    return f"{instant.astimezone(KST):{'%H:%M' if day_of(instant) == day_of(now) else '%m-%d'}}"


def stamp(instant: datetime | None) -> str:
    """Write month, day and time in KST, such as `10-14 10:07:30`."""
    return NOTHING if instant is None else f"{instant.astimezone(KST):%m-%d %H:%M:%S}"


def candle_start(ts: datetime | None, timeframe: str) -> str:
    """Write when a candle opens, as precisely as its timeframe needs."""
    if ts is None:
        return NOTHING
    wall = ts.astimezone(KST)
    return f"{wall:%Y-%m-%d}" if timeframe in {"1d", "1w"} else f"{wall:%m-%d %H:%M}"


def number(value: float | None) -> str:
    """Write a whole number with thousands separators."""
    return NOTHING if value is None else f"{value:,.0f}"


def big_won(value: int | None) -> str:
    """Write an amount of won in 억 (10^8) or 조 (10^12), with three digits where it is small."""
    if value is None:
        return NOTHING
    if value >= _JO:
        return f"{value / _JO:,.1f}조"
    return f"{value / _EOK:,.0f}억" if value >= _EOK else f"{value:,}"


def percent(ratio: float) -> str:
    """Write a share as percent; 100 only when nothing is missing."""
    shown = min(99.9, int(ratio * 1_000) / 10) if ratio < 1 else 100.0
    return f"{shown:.0f}" if shown == 100 else f"{shown:.1f}"


def countdown(seconds: float) -> str:
    """Write the time that is left, such as `5:12:30`."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def size(count: float) -> str:
    """Write a number of bytes with its unit, such as `412.9 MB`."""
    unit = 0
    while count >= 1_000 and unit < len(_BYTE_UNITS) - 1:
        count, unit = count / 1_000, unit + 1
    return f"{count:.0f} B" if unit == 0 else f"{count:,.1f} {_BYTE_UNITS[unit]}"


@lru_cache(maxsize=8_192)
def fit(text: str, width: int, align: Align = "left") -> str:
    """Return the text in exactly `width` cells; Hangul takes two, what is too long ends with `…`."""
    text = printable(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    space = " " * (width - length)
    if align == "right":
        return space + text
    if align == "center":
        return space[: len(space) // 2] + text + space[len(space) // 2 :]
    return text + space


def sparkline(values: tuple[int, ...], width: int, top: float) -> str:
    """Draw the newest values as columns of one row, newest on the right; `top` fills a cell."""
    shown = values[-width:] if width else ()
    columns = [_LEVELS[int(min(7.0, value / top * 8))] if value and top else " " for value in shown]
    return "".join(columns).rjust(width)
