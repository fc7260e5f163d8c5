"""The day on the home screen: tracks of closes, requests and alerts over one axis, and a cursor on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len

from chartinsight_tui import day_tracks as tracks
from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, clock_time, fit
from chartinsight_tui.widgets.pane import Line, Piece, heading
from chartinsightd.domain.alert_record import HAPPENINGS
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Status

_TRACKS = ("home.closes", "home.requests", "home.alerts")
_LABEL = 8
_SUMS_FROM = 100
"""Width from which what a track comes to stands at its end."""
_SUM = 14
_STYLES = {
    tracks.NO_SESSION: "faint",
    tracks.COMING: "line",
    tracks.UNKNOWN: "dim",
    tracks.READ: "good",
    tracks.PARTLY: "warn",
    tracks.FAILED: "bad",
    "◆": "accent",
    " ": "text",
}


class DayTracks:
    """Draws the day; a cursor on it names a moment, to be replayed.

    Args:
        context: what all screens share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._axis: tracks.Axis | None = None
        """As drawn last."""
        self._cursor: int | None = None
        """The cell that is chosen; None: none is."""

    @property
    def moment(self) -> datetime | None:
        """The moment under the cursor; None where there is no cursor."""
        return None if self._axis is None or self._cursor is None else self._axis.time_of(self._cursor)

    def move(self, cells: int) -> None:
        """Move the cursor; it begins at the present, and stays between the morning and now."""
        now = self._context.now()
        if self._axis is None or now is None:
            return
        last = max(0, min(self._axis.cells - 1, self._axis.cell_of(now)))
        at = last + 1 if self._cursor is None else self._cursor
        self._cursor = max(0, min(last, at + cells))

    def put(self, x: int) -> None:
        """Put the cursor where a column of the terminal was clicked."""
        self._cursor = 0
        self.move(x - _LABEL - 1)

    def leave(self) -> None:
        """Take the cursor away."""
        self._cursor = None

    def lines(self, status: Status, width: int) -> list[Line]:
        """Return a heading with the hours, three tracks, and the scale."""
        context = self._context
        now = context.now() or status.clock.now
        has_sums = width >= _SUMS_FROM
        self._axis = axis = tracks.axis_of(now, width - _LABEL - 2 - (_SUM if has_sums else 0))
        sums = self._sums(status, now) if has_sums else ("", "", "")
        rows = zip(
            ("home.closes", "home.requests", "home.alerts"), self._tracks(status, axis), sums, strict=True
        )
        return [
            heading(self._title(now), width, context.palette, self._hours(status, width)),
            *(self._row(key, pieces, told) for key, pieces, told in rows),
            [(" " * (_LABEL + 1), context.palette.text), *self._scale(now, axis)],
        ]

    def _row(self, key: str, pieces: list[Piece], told: str) -> Line:
        palette = self._context.palette
        end: list[Piece] = [(f"  {told}", palette.text)] if told else []
        return [(f" {fit(self._context.words[key], _LABEL)}", palette.dim), *pieces, *end]

    def _tracks(self, status: Status, axis: tracks.Axis) -> Iterator[list[Piece]]:
        now, jobs = status.clock.now, list(self._context.store.jobs.values())
        closes = tracks.track_of(tracks.closes_of(status.session, jobs, now), axis)
        yield self._styled(closes)
        requests = tracks.requests_track(jobs, now, axis)
        yield [(requests, self._context.palette.accent)]
        yield self._styled(tracks.alerts_track(status.alerts, axis, HAPPENINGS))

    def _styled(self, signs: str) -> list[Piece]:
        return [(sign, self._context.palette.of(_STYLES[sign])) for sign in signs]

    def _sums(self, status: Status, now: datetime) -> tuple[str, str, str]:
        """Return what the tracks come to: closes in time, requests a second, alerts to look at."""
        words, store = self._context.words, self._context.store
        if not store.is_online:
            return NOTHING, NOTHING, NOTHING
        closes = tracks.closes_of(status.session, store.jobs.values(), now)
        good, known = tracks.in_time(closes)
        pace = sum(lane.sent_last_minute for lane in status.gate) / 60
        new = sum(one.ended_at is None and one.acknowledged_at is None for one in status.alerts)
        return (
            words.put("home.in_time", good=good, known=known) if known else NOTHING,
            words.put("home.pace", pace=f"{pace:.1f}"),
            words.put("home.new_alerts", count=new),
        )

    def _title(self, now: datetime) -> str:
        words, day = self._context.words, day_of(now)
        weekday = words[f"weekday.{day.weekday()}"]
        return words.put(
            "home.today", day=words.put("day.long", month=day.month, day=day.day, weekday=weekday)
        )

    def _hours(self, status: Status, width: int) -> str:
        words, session = self._context.words, status.session
        if session.opens_at is None or session.closes_at is None or session.ends_at is None:
            return words["home.no_session"]
        times = {"opens": session.opens_at, "closes": session.closes_at, "ends": session.ends_at}
        if session.after_opens_at is None:
            key = "home.hours_regular"
        else:
            key = "home.hours"
            times["after"] = session.after_opens_at
        said = words.put(key, **{name: clock_time(at)[:5] for name, at in times.items()})
        return said if cell_len(said) < width - 22 else ""

    def _scale(self, now: datetime, axis: tracks.Axis) -> list[Piece]:
        """Return the hours below the tracks, and among them the present, or the moment of the cursor."""
        palette, chosen = self._context.palette, self.moment
        line = [" "] * axis.cells
        at = axis.begins_at
        while at < axis.ends_at:
            cell = axis.cell_of(at)
            line[cell : cell + 2] = clock_time(at)[:2]
            at += timedelta(hours=1 if axis.cells >= _SUMS_FROM - 40 else 2)
        marked = chosen or (now if self._context.store.is_online else None)
        cell = axis.cells if marked is None else axis.cell_of(marked)
        if marked is None or not 0 <= cell < axis.cells - 6:
            return [("".join(line)[: axis.cells], palette.faint)]
        mark = f"▲{clock_time(marked)[:5]} "
        style = palette.of("past", bold=True) if chosen else palette.strong
        _clear_halves(line, cell, cell + len(mark))
        before, after = "".join(line[:cell]), "".join(line[cell + len(mark) : axis.cells])
        return [(before, palette.faint), (mark, style), (after, palette.faint)]


def _clear_halves(line: list[str], begin: int, end: int) -> None:
    """Blank the other digit of an hour that a mark covers half of."""
    if line[begin].isdigit() and line[begin - 1].isdigit():
        line[begin - 1] = " "
    if end < len(line) and line[end].isdigit() and line[end - 1].isdigit():
        line[end] = " "
