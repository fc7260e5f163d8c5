"""Screen 1: whether all is well, at one look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events
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
from chartinsight_tui.job_words import job_line, kind_of, subject
from chartinsight_tui.last_picture import LastPicture
from chartinsight_tui.messages import ShowMoment, ShowScreen, StepBack
from chartinsight_tui.screens.home_day import DayTracks
from chartinsight_tui.screens.home_layout import Block, column
from chartinsight_tui.screens.home_prices import price_lines, watched
from chartinsight_tui.screens.view import View
from chartinsight_tui.state_line import alert_title, state_line
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
_LABEL = 8
_COLUMNS = ((60, (8, 5, 5)), (55, (5, 4, 4)), (0, (5, 4)))
"""From which width on the newest candle, what is late, and the gaps have how many cells."""
_RANK = "■?△▲"
"""Marks of the freshness map, the worst last."""
_COLOURS = {"■": "good", "?": "dim", "△": "warn", "▲": "warn"}
_MOST_LEFT = 70
"""Cells of the left column; what is more goes to prices and alerts."""
_LEAST_LEFT, _LEAST_RIGHT = 51, 26
"""Cells in which the freshness map shows thirty stocks, and a price stands behind a short name."""
_TALL = 32
"""Above this height an empty line stands below the verdict."""
_SHORT_BELOW = 30
"""Width below which what comes is said in a word."""
_RECORD_FROM = 100
"""Width from which alerts have room in the right column, and the record of the day below both."""
_LEAST_RECORD = 3
_MOST_ALERTS = 12
_MOST_JOBS = 8
_DAY_LINES = 4
"""Lines of the day below its heading."""
_LEAST_PRICES = 5


class OverviewView(View, can_focus=True):
    """Session, freshness, request limits, jobs, links, alerts and what happened today, without boxes."""

    PARTS: ClassVar[frozenset[Part]] = frozenset(
        {Part.STATUS, Part.LINK, Part.JOBS, Part.COVERAGE, Part.WATCH, Part.QUOTES}
    )
    QUOTES_EVERY_S: ClassVar[float] = 2.0
    """As often as the status: at rest the home screen may cost no more than before it had prices."""
    FILTERS: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "key.open_alerts"),
        Binding("left", "move(-1)", "key.day_left", show=False),
        Binding("right", "move(1)", "key.day_right", show=False),
        Binding("P", "app.pause", "key.pause"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._pane = Pane(self._draw, lambda: self.palette, id="home")
        self._day = DayTracks(context)
        self._told: tuple[str, ...] = ()
        """What the countdowns said last."""

    def compose(self) -> ComposeResult:
        """Lay out the one pane; its columns depend on the terminal's size."""
        yield self._pane

    def main_widget(self) -> Widget:
        """Return the view itself."""
        return self

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Draw what changed; the way of the price is asked for of the stocks that have room."""
        del changed
        self.store.trend_of = tuple(watched(self.store)[: self.size.height])
        self._pane.update()

    def tick(self) -> None:
        """Draw the countdowns, when one of them says something else than before."""
        status, now = self.store.status, self.context.now()
        if status is None or now is None:
            return
        session, coming = status.session, status.verdict.next_at
        ends = (coming, session.opens_at, session.closes_at, session.ends_at)
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
        """Replay the moment under the cursor of the day; without one go to the alerts."""
        moment = self._day.moment
        self.post_message(ShowScreen("alerts") if moment is None else ShowMoment(moment))

    def action_move(self, cells: int) -> None:
        """Move the cursor of the day."""
        self._day.move(cells)
        self._pane.update()

    def action_leave_filter(self) -> None:
        """Take the cursor of the day away; without one, go back to where one came from."""
        if self._day.moment is None:
            self.post_message(StepBack())
        self._day.leave()
        self._pane.update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the cursor of the day only on the present: elsewhere these keys lead through time."""
        if action == "move":
            return not self.context.is_past
        return super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """Choose the moment of the day that was clicked; a second click replays it."""
        if event.y > _DAY_LINES or self.context.is_past:
            return
        before = self._day.moment
        self._day.put(event.x)
        if before is not None and before == self._day.moment:
            self.action_open()
        self._pane.update()

    # layout

    def _draw(self, width: int, height: int) -> Sequence[Line]:
        status = self.store.status
        if status is None and (picture := self._last_picture(width)):
            return picture
        if status is None:
            said = wrapped(self.what_is_missing(Part.STATUS), width - 2, self.palette.dim)
            return [[], *([(" ", self.palette.dim), *line] for line in said)]
        if width < _SMALL[0] or height < _SMALL[1]:
            return self._small(status, width, height)
        day = [*[[]] * (height > _TALL), *self._day.lines(status, width), []]
        if width < _TWO_COLUMNS:
            return [*day, *column(self._one_column(status, width), height - len(day))]
        return [*day, *self._columns(status, width, height - len(day))]

    def _last_picture(self, width: int) -> Sequence[Line]:
        """Return what was seen last time, all of it dim; nothing where it is wider than the terminal."""
        picture = self.context.last_picture
        if picture is None or picture.width > width:
            return []
        return [[(line, self.palette.dim)] for line in picture.lines]

    def _small(self, status: Status, width: int, height: int) -> Sequence[Line]:
        """Return what wants a person, what comes next, and what is late."""
        fresh = list(self._small_freshness(status, width))
        room = height - len(fresh)
        said = [*self._alerts(status, width, max(1, room - 1))[1:], *self._small_next()]
        blank: list[Line] = [[]]
        return [*blank * (room - len(said) > 1), *said, *blank * (room > len(said)), *fresh]

    def _small_next(self) -> Iterator[Line]:
        """Yield what happens next, without the key that helps."""
        coming, _, _ = state_line(self.store, self.words, self.context.now()).coming.partition(" · ")
        if coming:
            yield [(f"   {coming}", self.palette.dim)]

    def _one_column(self, status: Status, width: int) -> list[Block]:
        fresh = self._freshness(status, width)
        return [
            Block(draw=lambda most: fresh[:most], least=len(fresh), most=len(fresh)),
            self._alert_block(status, width),
            self._price_block(width),
            Block(draw=lambda most: self._coming(status, width)[:most], least=2, most=4),
        ]

    def _columns(self, status: Status, width: int, height: int) -> Sequence[Line]:
        """Return two columns above what has the whole width: the record of the day, or the alerts."""
        gap = 4 if width >= _WIDE else 3
        left = min(_MOST_LEFT, (width - gap) * (55 if width >= _WIDE else 59) // 100)
        left = max(left, min(_LEAST_LEFT, width - gap - _LEAST_RIGHT))
        right = width - left - gap
        is_wide = width >= _RECORD_FROM
        below = self._record_block(status, width) if is_wide else self._alert_block(status, width)
        room = height - below.least - 1
        sides = beside(
            column(self._left_column(status, left), room),
            column(self._right_column(status, right, has_alerts=is_wide), room),
            left,
            gap,
        )
        return [*sides, [], *below.draw(height - len(sides) - 1)]

    def _left_column(self, status: Status, width: int) -> list[Block]:
        fresh, links = self._freshness(status, width), self._links(status, width)
        return [
            Block(draw=lambda most: fresh[:most], least=len(status.freshness) + 1, most=len(fresh)),
            Block(draw=lambda most: self._gate(status, width, most), least=3, most=len(status.gate) + 2),
            Block(draw=lambda most: self._jobs(width, most - 1), least=2, most=_MOST_JOBS + 1),
            Block(draw=lambda _: links, least=len(links), most=len(links)),
        ]

    def _right_column(self, status: Status, width: int, *, has_alerts: bool) -> list[Block]:
        coming = Block(draw=lambda most: self._coming(status, width)[:most], least=3, most=5)
        alerts = [self._alert_block(status, width)] if has_alerts else []
        return [self._price_block(width), *alerts, coming]

    def _price_block(self, width: int) -> Block:
        most = max(_LEAST_PRICES, len(watched(self.store)))
        return Block(
            draw=lambda lines: price_lines(self.context, width, lines),
            least=_LEAST_PRICES + 1,
            most=most + 1,
        )

    def _alert_block(self, status: Status, width: int) -> Block:
        return Block(
            draw=lambda most: self._alerts(status, width, most - 1),
            least=3,
            most=min(_MOST_ALERTS, len(status.alerts) + 1) + 1,
        )

    def _record_block(self, status: Status, width: int) -> Block:
        return Block(draw=lambda most: self._today(status, width, most - 1), least=_LEAST_RECORD, most=999)

    # panes

    def _freshness(self, status: Status, width: int) -> list[Line]:
        words = self.words
        cells = _columns_of(width)
        titles = zip(("home.newest", "home.late", "home.gaps"), (max(7, cells[0]), *cells[1:]), strict=False)
        head = " ".join(fit(words[key], room, "right") for key, room in titles)
        lines: list[Line] = [heading(words["home.freshness"], width, self.palette, head)]
        if not status.freshness:
            return [*lines, [(f" {words['freshness.none']}", self.palette.dim)]]
        fresh = [self._fresh(one, status.tracked, width) for one in status.freshness]
        return [*lines, *fresh, *self._universe(status, width), *self._analysis(status)]

    def _universe(self, status: Status, width: int) -> Iterator[Line]:
        """Yield how fresh the stocks beside the targets are: of a timeframe the most are late in."""
        universe = status.universe
        if universe is None or not universe.freshness:
            return
        worst = max(universe.freshness, key=lambda one: one.late)
        each = max(1, -(-universe.members // _MOST_CELLS))
        late = -(-worst.late // each) if self.store.is_online else 0
        cells = -(-universe.members // each)
        sign, style = ("▪", "good") if self.store.is_online else ("?", "dim")
        marks = _in_tens([("▲", "warn")] * late + [(sign, style)] * (cells - late))
        pieces = [(mark, self.palette.of(style)) for mark, style in marks]
        yield self._freshness_row(self.words["home.universe"], pieces, worst, None, width)

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
        label = fit(words["home.analysis"], 8)
        pieces: list[Piece] = [(f" {label} ", palette.dim), (done, palette.text)]
        for key, count in (("home.analysis_left", found.left), ("home.analysis_failed", found.failed)):
            if count and self.store.is_online:
                pieces.append((f"  {words.put(key, count=number(count))}", palette.warn))
        yield pieces

    def _fresh(self, one: Freshness, tracked: int, width: int) -> Line:
        name = one.timeframe.value
        missing = sum(row.missing for (_, timeframe), row in self.store.coverage.items() if timeframe == name)
        is_known = self.store.is_online and Part.COVERAGE in self.store.loaded
        room = width - _LABEL - sum(_columns_of(width)) - len(_columns_of(width))
        marks = self._map(one, tracked, room)
        label = self.words[f"timeframe.{name}"]
        return self._freshness_row(label, marks, one, missing if is_known else None, width)

    def _freshness_row(
        self, label: str, marks: list[Piece], one: Freshness, missing: int | None, width: int
    ) -> Line:
        """Return a row of the map with its newest candle, how many are late, and how many gaps there are."""
        palette, (newest, late, *gaps) = self.palette, _columns_of(width)
        is_known = self.store.is_online
        start = self._newest(one)
        tail: list[Piece] = [
            (f"{start:>{newest}} ", palette.text if is_known else palette.dim),
            (
                f"{number(one.late) if is_known else NOTHING:>{late}}",
                palette.warn if one.late else palette.dim,
            ),
        ]
        tail += [(f" {number(missing):>{room}}", palette.warn if missing else palette.dim) for room in gaps]
        head: list[Piece] = [(f" {fit(label, _LABEL - 2)} ", palette.dim)]
        return [*padded([*head, *marks], width - width_of(tail)), *tail]

    def _newest(self, one: Freshness) -> str:
        """Return when the newest candle opened: its time if that was today, else its day."""
        if one.newest_ts is None or self.store.status is None:
            return NOTHING
        is_today = day_of(one.newest_ts) == day_of(self.context.now() or self.store.status.clock.now)
        start = candle_start(one.newest_ts, "5m" if is_today else "1d")
        return start[-5:]

    def _map(self, one: Freshness, tracked: int, room: int) -> list[Piece]:
        """Return a mark for each tracked stock, ten by ten; with many stocks the worst of several."""
        marks = self._marks(one) or ["?"] * tracked
        most = max(1, min(_MOST_CELLS, room - (min(_MOST_CELLS, room) - 1) // _TENS))
        each = -(-len(marks) // most) if marks else 1
        cells = [max(marks[at : at + each], key=_RANK.index) for at in range(0, len(marks), each)]
        return [
            (sign, self.palette.of(style))
            for sign, style in _in_tens([(one, _COLOURS[one]) for one in cells])
        ]

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
            newest = f"{self.words['home.newest']} {self._newest(one)}"
            head = f" {fit(self.words[f'timeframe.{one.timeframe.value}'], 6)} {mark} {fresh}"
            room = max(1, width - cell_len(head) - cell_len(newest) - 1)
            yield [
                (head, self.palette.of(_COLOURS[mark])),
                (" " * room, self.palette.text),
                (newest, self.palette.dim),
            ]

    def _gate(self, status: Status, width: int, most: int) -> list[Line]:
        """Return the limits; the lanes that have most to do where there is no room for all."""
        words = self.words
        head = f"{fit(words['home.per_second'], 7, 'right')} {fit(words['gate.waiting'], 6, 'right')}"
        lines: list[Line] = [heading(words["home.gate"], width, self.palette, head)]
        has_spool = most > len(status.gate) + 1 or bool(status.spool.pages)
        lines += [self._lane(lane, width) for lane in _busiest(status.gate, most - 1 - has_spool)]
        return [*lines, self._spool(status)] if has_spool else lines

    def _spool(self, status: Status) -> Line:
        words, spool = self.words, status.spool
        waiting = words.put("home.spooled", pages=number(spool.pages), size=size(spool.bytes))
        style = self.palette.warn if spool.pages else self.palette.text
        label = fit(words["home.spool"], 14)
        return [
            (f" {label} ", self.palette.dim),
            (waiting if spool.pages else words["gate.spool_empty"], style),
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
        has_details = 2 * len(running) <= most
        return [*lines, *(line for job in running[:most] for line in self._job(job, width, has_details))]

    def _job(self, job: Job, width: int, has_detail: bool) -> Iterator[Line]:
        """Yield what a job is about with its progress, and below it who asked and what it brought."""
        words, palette, progress = self.words, self.palette, job.progress
        about = f"{kind_of(job, words)} {subject(job, words, self.store.name_of)}"
        head: list[Piece] = [
            (f" {f'#{job.id}':<5} ", palette.dim),
            (f"{fit(about, max(9, width - 36))} ", palette.text),
        ]
        yield [*head, *self._progress(job, width - width_of(head))]
        if has_detail:
            pages = f"{number(progress.pages)}/{number(progress.pages_expected or None)}"
            counts = {"pages": pages, "new": number(progress.inserted), "same": number(progress.unchanged)}
            yield [(f"       {words.put('home.job', by=job.requested_by, **counts)}", palette.dim)]

    def _progress(self, job: Job, width: int) -> list[Piece]:
        fraction = job.progress.fraction
        if fraction is None:
            return [(self.words.put("home.rows", count=number(job.progress.rows)), self.palette.dim)]
        left = self.words.duration(job.eta_s) if self.store.is_online else NOTHING
        tail = f" {percent(fraction):>4}% {left}"
        room = max(4, min(14, width - cell_len(tail)))
        filled = round(fraction * room)
        return [
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
        now = self.context.now()
        lines: list[Line] = [heading(self.words["home.coming"], width, self.palette)]
        for at, text in self._events(status, is_short=width < _SHORT_BELOW):
            if at > (now or status.clock.now):
                left = NOTHING if now is None else self.words.duration((at - now).total_seconds())
                lines.append(self._event(clock_time(at)[:5], text, left, width))
        next_session = status.session.next_session
        if next_session is not None and len(lines) < 4:
            lines.append(self._event(f"{next_session:%m-%d}", self.words["coming.session"], "", width))
        return lines if len(lines) > 1 else [*lines, [(f" {NOTHING}", self.palette.dim)]]

    def _events(self, status: Status, *, is_short: bool) -> Iterator[tuple[datetime, str]]:
        """Yield what is read next, and the hours of the session."""
        verdict, session = status.verdict, status.session
        if verdict.next_at is not None:
            told = verdict.next_words
            yield verdict.next_at, told.ko if self.words.language == "ko" else told.en
        hours = {"opens": session.opens_at, "closes": session.closes_at, "ends": session.ends_at}
        for name, at in hours.items():
            if at is not None:
                yield at, self.words[f"coming.{name}.short" if is_short else f"coming.{name}"]

    def _event(self, at: str, text: str, left: str, width: int) -> Line:
        head = f" {at:<{7 if width >= _SHORT_BELOW else 5}}"
        room = max(1, width - cell_len(head) - cell_len(left) - 1)
        shown = fit(f" {text}" if width < _SHORT_BELOW else text, room)
        return [(f"{head}{shown} ", self.palette.text), (left, self.palette.dim)]

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
        """Return what happened today, newest first; of the polls that went well the last one."""
        today = day_of(status.clock.now)
        told: list[tuple[datetime, Line]] = [
            (alert.at, self._alert_record(alert)) for alert in status.alerts if day_of(alert.at) == today
        ]
        told += [(job.finished_at or job.created_at, self._record(job)) for job in self._told_jobs(today)]
        lines = [line for _, line in sorted(told, key=lambda one: one[0], reverse=True)]
        if not lines:
            known = Part.JOBS in self.store.loaded
            lines = [[(f" {self.words['home.nothing_today'] if known else NOTHING}", self.palette.dim)]]
        head = heading(self.words["home.record"], width, self.palette, self.words["home.all_jobs"])
        return [head, *lines[:most]]

    def _told_jobs(self, today: date) -> Iterator[Job]:
        """Yield the jobs of a day: at most one a kind and quarter of an hour, and one quiet poll."""
        told: set[tuple[str, datetime | None]] = set()
        for job in self._ended(today):
            ended = job.finished_at or job.created_at
            quarter = ended.replace(minute=ended.minute // 15 * 15, second=0, microsecond=0)
            is_quiet = job.kind == "poll" and job.state == "done"
            key = (job.kind, None if is_quiet else quarter)
            if key not in told:
                told.add(key)
                yield job

    def _alert_record(self, alert: Alert) -> Line:
        mark, style = ("✕", self.palette.bad) if alert.level == "error" else ("▲", self.palette.warn)
        return [
            (f" {clock_time(alert.at)[:5]}  ", self.palette.dim),
            (f"{mark} ", style),
            (alert_title(alert, self.words), self.palette.text),
        ]

    def _ended(self, today: date) -> Iterable[Job]:
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


def _busiest(lanes: Sequence[GateLane], most: int) -> list[GateLane]:
    """Return at most so many lanes in their order: those where most waits or was sent."""
    chosen = sorted(lanes, key=lambda lane: (-sum(lane.queued.values()), -lane.sent_last_minute))[:most]
    return [lane for lane in lanes if lane in chosen]


def _columns_of(width: int) -> tuple[int, ...]:
    return next(cells for least, cells in _COLUMNS if width >= least)


def _in_tens(cells: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return marks with their colours, a space before every eleventh."""
    return [
        (f" {mark}" if place and place % _TENS == 0 else mark, style)
        for place, (mark, style) in enumerate(cells)
    ]
