"""Screen 1: whether all is well, at one look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    NOTHING,
    candle_start,
    clock_time,
    fit,
    number,
    percent,
    size,
    sparkline,
)
from chartinsight_tui.job_words import job_line, kind_of
from chartinsight_tui.last_picture import LastPicture
from chartinsight_tui.messages import ShowScreen
from chartinsight_tui.screens.view import View
from chartinsight_tui.state_line import alert_title
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, Pane, Piece, beside, heading, padded, width_of, wrapped
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job
    from chartinsightd.control.protocol.status import Alert, Freshness, GateLane, Status

_TWO_COLUMNS = 76
"""From this width on there are two columns."""
_WIDE = 110
_SMALL = (60, 16)
"""Below this width or height only the verdict, the alerts and what is late have room."""
_MOST_CELLS = 30
"""Cells of a row of the freshness map; with more stocks a cell stands for several."""
_TENS = 10
_RANK = "■?△▲"
"""Marks of the freshness map, the worst last."""
_COLOURS = {"■": "good", "?": "dim", "△": "warn", "▲": "warn"}
_LEAST_RECORD = 3
"""The record of the day is shown where this many of its lines have room."""
_MOST_ALERTS = 12
_DAY_BEGINS_H, _DAY_ENDS_H = 8, 20
"""Hours of the bar of the day, KST: from before the opening to the end of the after-market."""


class OverviewView(View, can_focus=True):
    """Session, freshness, request limits, jobs, links, alerts and what happened today, without boxes."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.JOBS, Part.COVERAGE})
    FILTERS: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "key.open_alerts"),
        Binding("P", "app.pause", "key.pause"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._pane = Pane(self._draw, lambda: self.palette, id="home")
        self._told: tuple[str, ...] = ()
        """What the countdowns said last."""

    def compose(self) -> ComposeResult:
        """Lay out the one pane; its columns depend on the terminal's size."""
        yield self._pane

    def main_widget(self) -> Widget:
        """Return the view itself."""
        return self

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Draw what changed."""
        del changed
        self._pane.update()

    def tick(self) -> None:
        """Draw the countdowns, when one of them says something else than before."""
        status, now = self.store.status, self.context.now()
        if status is None or now is None:
            return
        ends = (status.session.opens_at, status.session.closes_at, status.session.ends_at)
        left = [self.words.duration((at - now).total_seconds()) for at in ends if at is not None]
        shown = (clock_time(now)[:5], *left)
        if shown != self._told:
            self._told = shown
            self._pane.update()

    def copy_text(self) -> str:
        """Return the screen as text."""
        return self._pane.plain()

    def picture(self) -> LastPicture | None:
        """Return what is seen, for the next start; None while it is not known to be true."""
        status, width = self.store.status, self._pane.size.width
        if status is None or not self.store.is_online or not width:
            return None
        return LastPicture(at=status.clock.now, width=width, lines=tuple(self._pane.rows()))

    def action_open(self) -> None:
        """Go to the alerts, where causes stand."""
        self.post_message(ShowScreen("alerts"))

    # layout

    def _draw(self, width: int, height: int) -> Sequence[Line]:
        status = self.store.status
        if status is None and (picture := self._last_picture(width)):
            return picture
        if status is None:
            said = wrapped(self.what_is_missing(Part.STATUS), width - 2, self.palette.dim)
            return [[], *([(" ", self.palette.dim), *line] for line in said)]
        if width < _SMALL[0] or height < _SMALL[1]:
            return [[], *self._alerts(status, width, 3), [], *self._small_freshness(status, width)]
        if width < _TWO_COLUMNS:
            return [
                *self._day(status, width),
                [],
                *self._freshness(status, width),
                [],
                *self._alerts(status, width, 4),
            ]
        return self._columns(status, width, height)

    def _last_picture(self, width: int) -> Sequence[Line]:
        """Return what was seen last time, all of it dim; nothing where it is wider than the terminal."""
        picture = self.context.last_picture
        if picture is None or picture.width > width:
            return []
        return [[(line, self.palette.dim)] for line in picture.lines]

    def _columns(self, status: Status, width: int, height: int) -> Sequence[Line]:
        gap = 4 if width >= _WIDE else 3
        left = (width - gap) * 55 // 100 if width >= _WIDE else (width - gap) * 3 // 5
        left = min(left, 70)
        right = width - left - gap
        top = [*self._day(status, width), []]
        room = height - len(top)
        columns = self._left_column(status, left, room), self._right_column(status, right, room)
        sides = beside(*columns, left, gap)
        rest = room - len(sides) - 2
        record = [[], *self._today(status, width, rest)] if rest >= _LEAST_RECORD else []
        return [*top, *sides, *record]

    def _left_column(self, status: Status, width: int, height: int) -> Sequence[Line]:
        lines = [*self._freshness(status, width), [], *self._gate(status, width)]
        jobs = [[], *self._jobs(width, 2)]
        links = [[], *self._links(status, width)]
        if len(lines) + len(links) <= height:
            spare = (height - len(lines) - len(links) - 2) // 2
            lines += [[], *self._jobs(width, max(1, spare))] if spare > 0 else []
            return [*lines, *links]
        return [*lines, *jobs]

    def _right_column(self, status: Status, width: int, height: int) -> Sequence[Line]:
        coming = [*self._coming(status, width), []]
        most = min(_MOST_ALERTS, max(2, height - len(coming) - 1))
        return [*coming, *self._alerts(status, width, most)]

    # panes

    def _day(self, status: Status, width: int) -> list[Line]:
        """Return the session as a bar over the hours of the day, with the present marked."""
        now = self.context.now() or status.clock.now
        title = self.words.put("home.today", day=self._day_name(now))
        session = status.session
        hours = ""
        if session.opens_at and session.closes_at and session.ends_at:
            hours = self.words.put(
                "home.hours",
                opens=clock_time(session.opens_at)[:5],
                closes=clock_time(session.closes_at)[:5],
                ends=clock_time(session.ends_at)[:5],
            )
        room = max(10, width - 10)
        bar = self._bar(status, now, room)
        label = fit(self.words["home.session"], 8)
        scale = self._scale(now, room)
        return [
            heading(title, width, self.palette, hours or self.words["home.no_session"]),
            [(f" {label}", self.palette.dim), *bar],
            [(" " * 9, self.palette.text), (scale, self.palette.dim)],
        ]

    def _day_name(self, at: datetime) -> str:
        day = day_of(at)
        return self.words.put("day.long", month=day.month, day=day.day, weekday=self._weekday(day.weekday()))

    def _weekday(self, number: int) -> str:
        return self.words[f"weekday.{number}"]

    def _bar(self, status: Status, now: datetime, room: int) -> list[Piece]:
        """Return the day as stretches: without trading, over, and to come."""
        session = status.session
        if session.opens_at is None or session.ends_at is None:
            return [("·" * room, self.palette.faint)]
        opens, ends = _place(session.opens_at, room), _place(session.ends_at, room)
        at = max(opens, min(ends, _place(now, room) + 1))
        return [
            ("·" * opens, self.palette.faint),
            ("━" * (at - opens), self.palette.of("accent")),
            ("─" * (ends - at), self.palette.of("line")),
            ("·" * (room - ends), self.palette.faint),
        ]

    def _scale(self, now: datetime, room: int) -> str:
        """Return the hours below the bar; the present stands among them, where there is room."""
        line = [" "] * room
        for hour in range(_DAY_BEGINS_H, _DAY_ENDS_H):
            at = (hour - _DAY_BEGINS_H) * room // (_DAY_ENDS_H - _DAY_BEGINS_H)
            line[at : at + 2] = f"{hour:02}"
        at = _place(now, room)
        if self.store.is_online and 0 < at < room - 7:
            mark = f" ▲{clock_time(now)[:5]} "
            at = max(1, at) - 1
            line[at : at + len(mark)] = mark
            for place in (at - 1, at + len(mark)):
                if 0 <= place < room and line[place].isdigit():
                    line[place] = " "
        return "".join(line)[:room]

    def _freshness(self, status: Status, width: int) -> list[Line]:
        words = self.words
        titles = (("home.newest", 8), ("home.late", 5), ("home.gaps", 5))
        head = " ".join(fit(words[key], cells, "right") for key, cells in titles)
        lines: list[Line] = [heading(words["home.freshness"], width, self.palette, head)]
        if not status.freshness:
            return [*lines, [(f" {words['freshness.none']}", self.palette.dim)]]
        fresh = [self._fresh(one, status.tracked, width) for one in status.freshness]
        return [*lines, *fresh, *self._analysis(status)]

    def _analysis(self, status: Status) -> Iterator[Line]:
        """Yield how far the analysis is, where it has looked at all."""
        if (found := status.analysis) is None:
            return
        words, palette = self.words, self.palette
        done = (
            f"{number(found.done + found.too_short)}/{number(found.series)}"
            if self.store.is_online
            else NOTHING
        )
        label = fit(words["home.analysis"], 6)
        pieces: list[Piece] = [(f" {label} ", palette.dim), (done, palette.text)]
        for key, count in (("home.analysis_left", found.left), ("home.analysis_failed", found.failed)):
            if count and self.store.is_online:
                pieces.append((f"  {words.put(key, count=number(count))}", palette.warn))
        yield pieces

    def _fresh(self, one: Freshness, tracked: int, width: int) -> Line:
        name = one.timeframe.value
        missing = sum(row.missing for (_, timeframe), row in self.store.coverage.items() if timeframe == name)
        is_known = self.store.is_online
        gaps = number(missing) if is_known and Part.COVERAGE in self.store.loaded else NOTHING
        newest = candle_start(one.newest_ts, name)[-5:]
        late = number(one.late) if is_known else NOTHING
        tail: list[Piece] = [
            (f"{newest:>8} ", self.palette.dim),
            (f"{late:>5} ", self.palette.warn if one.late else self.palette.text),
            (f"{gaps:>5}", self.palette.warn if missing else self.palette.text),
        ]
        head: list[Piece] = [(f" {fit(self.words[f'timeframe.{name}'], 6)} ", self.palette.dim)]
        room = width - width_of(head) - width_of(tail) - 1
        return [*padded([*head, *self._map(one, tracked, room)], width - width_of(tail)), *tail]

    def _map(self, one: Freshness, tracked: int, room: int) -> list[Piece]:
        """Return a mark for each tracked stock, ten by ten; with many stocks the worst of several."""
        marks = self._marks(one) or ["?"] * tracked
        most = max(1, min(_MOST_CELLS, room - (min(_MOST_CELLS, room) - 1) // _TENS))
        each = -(-len(marks) // most) if marks else 1
        cells = [max(marks[at : at + each], key=_RANK.index) for at in range(0, len(marks), each)]
        pieces: list[Piece] = []
        for place, mark in enumerate(cells):
            space = " " if place and place % _TENS == 0 else ""
            pieces.append((space + mark, self.palette.of(_COLOURS[mark])))
        return pieces

    def _marks(self, one: Freshness) -> list[str]:
        rows = [
            row for (_, timeframe), row in self.store.coverage.items() if timeframe == one.timeframe.value
        ]
        if not self.store.is_online:
            return ["?"] * len(rows)
        late = set(one.late_symbols)
        unnamed = one.late > len(late)
        marks = []
        for row in rows:
            if row.symbol in late:
                marks.append("▲")
            elif row.missing:
                marks.append("△")
            else:
                marks.append("?" if unnamed or row.read_at is None else "■")
        return marks

    def _small_freshness(self, status: Status, width: int) -> Iterator[Line]:
        for one in status.freshness:
            is_late = bool(one.late) and self.store.is_online
            mark = "?" if not self.store.is_online else "▲" if is_late else "■"
            fresh = (
                f"{max(0, status.tracked - one.late)}/{status.tracked}" if self.store.is_online else NOTHING
            )
            newest = f"{self.words['home.newest']} {candle_start(one.newest_ts, one.timeframe.value)[-5:]}"
            head = f" {fit(self.words[f'timeframe.{one.timeframe.value}'], 6)} {mark} {fresh}"
            room = max(1, width - cell_len(head) - cell_len(newest) - 1)
            yield [
                (head, self.palette.of(_COLOURS[mark])),
                (" " * room, self.palette.text),
                (newest, self.palette.dim),
            ]

    def _gate(self, status: Status, width: int) -> list[Line]:
        words = self.words
        head = f"{fit(words['home.per_second'], 7, 'right')} {fit(words['gate.waiting'], 6, 'right')}"
        lines: list[Line] = [heading(words["home.gate"], width, self.palette, head)]
        lines += [self._lane(lane, width) for lane in status.gate]
        spool = status.spool
        waiting = words.put("home.spooled", pages=number(spool.pages), size=size(spool.bytes))
        style = self.palette.warn if spool.pages else self.palette.text
        label = fit(words["home.spool"], 14)
        return [
            *lines,
            [
                (f" {label} ", self.palette.dim),
                (waiting if spool.pages else words["gate.spool_empty"], style),
            ],
        ]

    def _lane(self, lane: GateLane, width: int) -> Line:
        waiting = sum(lane.queued.values())
        sent = f"{lane.sent_last_minute / 60:.1f}/{lane.limit:g}"
        style = self.palette.warn if lane.limit < lane.ceiling else self.palette.text
        if not self.store.is_online:
            sent = NOTHING
        tail: list[Piece] = [(f"{sent:>9} ", style), (f"{number(waiting):>6}", self.palette.text)]
        name = fit(self.words.get(f"lane.{lane.api_id}", lane.api_id), 6)
        head: list[Piece] = [(f" {lane.api_id} {name} ", self.palette.dim)]
        room = max(0, width - width_of(head) - width_of(tail) - 1)
        gauge = min(14, room)
        filled = min(gauge, round(lane.utilisation * gauge))
        history = sparkline(lane.recent, max(0, min(30, room - gauge - 1)), max(lane.ceiling, 1))
        pieces = [
            *head,
            ("━" * filled, self.palette.accent),
            ("─" * (gauge - filled), self.palette.of("line")),
        ]
        return [*padded([*pieces, (f" {history}", self.palette.dim)], width - width_of(tail)), *tail]

    def _jobs(self, width: int, most: int) -> list[Line]:
        running = [job for job in self.store.jobs.values() if job.state in {"running", "queued"}]
        lines: list[Line] = [heading(self.words["home.jobs"], width, self.palette, str(len(running) or ""))]
        if not running:
            known = Part.JOBS in self.store.loaded
            text = self.words["jobs.none_run"] if known else self.what_is_missing(Part.JOBS)
            return [*lines, [(f" {text}", self.palette.dim)]]
        running.sort(key=lambda job: (job.progress.fraction is None, -job.id))
        return [*lines, *(self._job(job, width) for job in running[:most])]

    def _job(self, job: Job, width: int) -> Line:
        fraction = job.progress.fraction
        head: list[Piece] = [
            (f" {f'#{job.id}':<5} ", self.palette.dim),
            (fit(kind_of(job, self.words), 9) + " ", self.palette.text),
        ]
        if fraction is None:
            return [*head, (self.words.put("home.rows", count=number(job.progress.rows)), self.palette.dim)]
        left = self.words.duration(job.eta_s) if self.store.is_online else NOTHING
        tail = f" {percent(fraction):>4}% {left}"
        room = max(4, min(40, width - width_of(head) - cell_len(tail) - 1))
        filled = round(fraction * room)
        return [
            *head,
            ("━" * filled, self.palette.accent),
            ("─" * (room - filled), self.palette.of("line")),
            (tail, self.palette.dim),
        ]

    def _links(self, status: Status, width: int) -> list[Line]:
        token, database, daemon, words = status.token, status.database, status.daemon, self.words
        until = words.put("token.until", at=clock_time(token.expires_at)[:5]) if token.expires_at else ""
        rows = status.rows_today
        counted = words.put("home.rows_today", count=number(rows.inserted), since=self._counted_since(status))
        up = words.put("home.up", version=daemon.version, time=words.duration(daemon.uptime_s))
        kind = f"PostgreSQL {database.version}"
        known = [kind, database.extension, size(database.size_bytes), database.place]
        postgres = " · ".join(filter(None, known))
        lines: list[tuple[str, bool, str]] = [
            (
                "kiwoom",
                token.state == "valid",
                token.note or f"{words[f'token.{token.state}']} {until}".strip(),
            ),
            *self._stream(status),
            ("database", database.reachable, database.note or postgres),
            ("daemon", daemon.state == "running" and daemon.ready, f"{up} · {counted}"),
        ]
        return [heading(words["home.links"], width, self.palette), *(self._link(*line) for line in lines)]

    def _stream(self, status: Status) -> Iterator[tuple[str, bool, str]]:
        """Yield the link of the live stream, where there is one."""
        if (live := status.live) is not None:
            words = self.words
            counted = words.put("home.trades", symbols=number(live.symbols), trades=number(live.trades))
            told = live.note or f"{words[f'live.{live.state}']} · {counted}"
            yield "live", live.state != "lost", told

    def _link(self, name: str, is_well: bool, text: str) -> Line:
        if not self.store.is_online:
            at = self.store.status.clock.now if self.store.status else None
            mark, style, text = "?", self.palette.dim, self.words.put("line.unknown_since", at=clock_time(at))
        else:
            mark, style = ("●", self.palette.good) if is_well else ("▲", self.palette.warn)
        return [
            (f" {mark} ", style),
            (fit(self.words[f"link.{name}"], 9), self.palette.dim),
            (text, self.palette.text if is_well else style),
        ]

    def _counted_since(self, status: Status) -> str:
        """Say since when rows are counted, where that is not midnight: the daemon counts its own."""
        started = status.daemon.started_at
        if day_of(started) < day_of(status.clock.now):
            return ""
        return self.words.put("home.since", at=clock_time(started)[:5])

    def _coming(self, status: Status, width: int) -> list[Line]:
        now, session = self.context.now(), status.session
        lines: list[Line] = [heading(self.words["home.coming"], width, self.palette)]
        events = [
            (session.opens_at, "coming.opens"),
            (session.closes_at, "coming.closes"),
            (session.ends_at, "coming.ends"),
        ]
        last = now or status.clock.now
        for at, key in events:
            if at is not None and at > last:
                left = NOTHING if now is None else self.words.duration((at - now).total_seconds())
                lines.append(self._event(clock_time(at)[:5], self.words[key], left, width))
        if session.next_session is not None and len(lines) < 4:
            lines.append(
                self._event(f"{session.next_session:%m-%d}", self.words["coming.session"], "", width)
            )
        return lines if len(lines) > 1 else [*lines, [(f" {NOTHING}", self.palette.dim)]]

    def _event(self, at: str, text: str, left: str, width: int) -> Line:
        head = f" {at:<6} {text}"
        room = max(1, width - cell_len(head) - cell_len(left))
        return [(head, self.palette.text), (" " * room, self.palette.text), (left, self.palette.dim)]

    def _alerts(self, status: Status, width: int, most: int) -> list[Line]:
        lines: list[Line] = [
            heading(self.words["home.alerts"], width, self.palette, self.words["home.all_alerts"])
        ]
        lasting = [alert for alert in status.alerts if alert.ended_at is None]
        over = [alert for alert in status.alerts if alert.ended_at is not None]
        if not self.store.is_online:
            at = self.words.put("line.unknown_since", at=clock_time(status.clock.now))
            lines.append([(f" ? {at}", self.palette.dim)])
        elif not lasting:
            lines.append([(f" ✓ {self.words['home.no_alerts']}", self.palette.good)])
        return [*lines, *(self._alert(alert) for alert in [*lasting, *over])][: most + 1]

    def _alert(self, alert: Alert) -> Line:
        over = alert.ended_at is not None
        mark = "✓" if over else "✕" if alert.level == "error" else "▲"
        style = (
            self.palette.dim if over else self.palette.bad if alert.level == "error" else self.palette.warn
        )
        return [
            (f" {mark} {clock_time(alert.at)[:5]} ", style),
            (alert_title(alert, self.words), self.palette.dim if over else self.palette.text),
        ]

    def _today(self, status: Status, width: int, most: int) -> list[Line]:
        """Return what was done today, newest first: at most one line a kind and quarter of an hour."""
        today = day_of(status.clock.now)
        told: set[tuple[str, datetime]] = set()
        lines: list[Line] = []
        for job in self._ended(today):
            assert job.finished_at is not None
            quarter = job.finished_at.replace(
                minute=job.finished_at.minute // 15 * 15, second=0, microsecond=0
            )
            if (job.kind, quarter) not in told:
                told.add((job.kind, quarter))
                lines.append(self._record(job))
        if not lines:
            known = Part.JOBS in self.store.loaded
            lines = [[(f" {self.words['home.nothing_today'] if known else NOTHING}", self.palette.dim)]]
        head = heading(self.words["home.record"], width, self.palette, self.words["home.all_jobs"])
        return [head, *lines[:most]]

    def _ended(self, today: object) -> Iterable[Job]:
        jobs = [
            job for job in self.store.jobs.values() if job.finished_at and day_of(job.finished_at) == today
        ]
        return sorted(jobs, key=lambda job: job.finished_at or job.created_at, reverse=True)

    def _record(self, job: Job) -> Line:
        failed = job.state in {"failed", "interrupted"}
        mark, style = ("✕", self.palette.warn) if failed else ("✓", self.palette.dim)
        return [
            (f" {clock_time(job.finished_at)[:5]}  ", self.palette.dim),
            (f"{mark} ", style),
            (job_line(job, self.words, self.store.name_of), self.palette.text),
        ]


def _place(instant: datetime, room: int) -> int:
    """Return where an instant's time of day (KST) stands on a bar of the day, 0 to `room`."""
    hours, minutes, _ = map(int, clock_time(instant).split(":"))
    passed = hours * 60 + minutes - _DAY_BEGINS_H * 60
    return max(0, min(room, passed * room // ((_DAY_ENDS_H - _DAY_BEGINS_H) * 60)))
