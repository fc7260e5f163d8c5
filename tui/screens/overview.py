"""Screen 1: whether all is well, at one look."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.widget import Widget

from chartinsight_tui.formatting import (
    NOTHING,
    bar,
    candle_start,
    clock_time,
    countdown,
    duration,
    fit,
    number,
    percent,
    short_stamp,
    size,
    sparkline,
    stamp,
)
from chartinsight_tui.screens.view import View
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job
    from chartinsightd.control.protocol.rows import LogLine
    from chartinsightd.control.protocol.status import Alert, Freshness, GateLane, SessionStatus, Status

_WIDE_ENOUGH = 60
"""Below this width notes of the daemon do not fit into its own box, and are written out among the alerts."""
_PANELS = ("daemon", "session", "gate", "freshness", "jobs", "alerts", "log")


class OverviewView(View):
    """Daemon, session, gate, freshness, running jobs, alerts and the last log lines in small boxes."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.JOBS, Part.LOGS})
    FILTERS: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("P", "app.pause", "key.pause")]
    SCOPED_CSS: ClassVar[bool] = False  # its rules look at the size classes of the screen above
    DEFAULT_CSS = """
    OverviewView { height: 1fr; }
    OverviewView > Grid { grid-size: 2; grid-columns: 1fr 1fr; grid-rows: 7 7 1fr; height: 1fr; }
    OverviewView #box-log { display: none; }
    .-h-normal OverviewView > Grid { grid-rows: 7 8 1fr 1.5fr; }
    .-h-normal OverviewView #box-log { display: block; column-span: 2; }
    .-h-tall OverviewView #box-log { display: block; column-span: 2; }
    .-h-tall OverviewView > Grid { grid-rows: 9 9 1fr 1.5fr; }
    .-wide OverviewView > Grid { grid-size: 3; grid-columns: 1fr 1fr 1fr; grid-rows: 9 9 1fr; }
    .-wide OverviewView #box-log { display: block; column-span: 3; }
    .-wide.-h-tiny OverviewView #box-log { display: none; }
    """

    can_focus = True

    def compose(self) -> ComposeResult:
        """Lay the boxes out; which are seen depends on the terminal's size."""
        with Grid():
            for name in _PANELS:
                yield Panel(self.words[f"overview.{name}"], getattr(self, f"_draw_{name}"), id=f"box-{name}")
        yield self.filter_input

    def main_widget(self) -> Widget:
        """Return the view itself: boxes take no keys."""
        return self

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Draw the boxes anew."""
        del changed
        for panel in self.query(Panel):
            panel.refresh()

    def copy_text(self) -> str:
        """Return all boxes as plain text."""
        panels = [panel for panel in self.query(Panel) if panel.display]
        return "\n\n".join(
            f"{str(panel.border_title).strip()}\n{panel.render().plain.rstrip()}" for panel in panels
        )

    # boxes

    def _status(self) -> Status | None:
        return self.store.status

    def _nothing(self) -> Text:
        return Text(self.what_is_missing(Part.STATUS), self.palette.dim)

    def _draw_daemon(self, width: int, height: int) -> Text:
        del height
        if (status := self._status()) is None:
            return self._nothing()
        daemon, token, database = status.daemon, status.token, status.database
        lines = [
            self._row("daemon", self._state(status)),
            self._row("uptime", Text(f"{duration(daemon.uptime_s)} · {daemon.version} · pid {daemon.pid}")),
            self._row("database", self._health(database.reachable, self._database(status), database.note)),
            self._row("token", self._health(token.state == "valid", self._token(status), token.note)),
            self._row("rows", self._rows_today(status)),
            *(Text(note, self.palette.warn) for note in daemon.notes),
        ]
        return _lines(lines, width)

    def _draw_session(self, width: int, height: int) -> Text:
        del height
        if (status := self._status()) is None:
            return self._nothing()
        session, now = status.session, self.dash.daemon_now() or status.clock.now
        hours = f"{_hm(session.opens_at)}–{_hm(session.closes_at)}, {_hm(session.ends_at)}"
        lines = [
            self._row("phase", Text(self.words[f"phase.{session.phase}"], self.palette.strong)),
            self._row("next", self._next_change(session, now)),
            Text(bar(_passed(session, now), max(1, width)), self.palette.of("accent", "raised")),
            self._row("hours", Text(hours if session.day else NOTHING)),
            self._row("following", Text(f"{session.next_session or NOTHING}")),
        ]
        return _lines(lines, width)

    def _draw_gate(self, width: int, height: int) -> Text:
        if (status := self._status()) is None:
            return self._nothing()
        queue = "  ".join(
            f"{self.words.get(f'priority.{name}', name)} {number(count)}"
            for name, count in status.queue.items()
            if count
        )
        lines = [self._lane(lane, width) for lane in status.gate[: max(1, height - 2)]]
        lines.append(self._row("queue", Text(queue or self.words["gate.nothing_queued"])))
        spool = status.spool
        waiting = f"{number(spool.pages)} · {size(spool.bytes)} · {stamp(spool.oldest_at)}"
        style = self.palette.warn if spool.pages else self.palette.text
        lines.append(
            self._row("spool", Text(waiting if spool.pages else self.words["gate.spool_empty"], style))
        )
        return _lines(lines, width)

    def _draw_freshness(self, width: int, height: int) -> Text:
        del height
        if (status := self._status()) is None:
            return self._nothing()
        if not status.freshness:
            return Text(self.words["freshness.none"], self.palette.dim)
        words = self.words
        head = (words["freshness.worst"], words["freshness.median"], words["freshness.late"])
        titles = "".join(fit(title, 7, "right") for title in head)
        heading = f"{'':3}{titles}  {words['freshness.newest']}"
        lines = [Text(heading, self.palette.dim), *(self._fresh(one, width) for one in status.freshness)]
        return _lines(lines, width)

    def _draw_jobs(self, width: int, height: int) -> Text:
        jobs = self.store.jobs.values()
        running = [job for job in jobs if job.state in {"running", "queued"}]
        if not running:
            is_known = Part.JOBS in self.store.loaded
            return Text(
                self.words["jobs.none_run"] if is_known else self.what_is_missing(Part.JOBS), self.palette.dim
            )
        running.sort(key=lambda job: (job.progress.fraction is None, -job.id))
        lines = [line for job in running[:height] for line in self._job(job, width)]
        return _lines(lines[:height], width)

    def _draw_alerts(self, width: int, height: int) -> Text:
        if (status := self._status()) is None:
            return self._nothing()
        notes = [status.token.note, *status.daemon.notes] if width < _WIDE_ENOUGH else []
        lines = [Text(line, self.palette.warn) for note in notes for line in _wrapped(note, width)]
        lines += [line for alert in status.alerts for line in self._alert(alert)]
        return _lines(lines[:height], width) if lines else Text(self.words["alerts.none"], self.palette.good)

    def _draw_log(self, width: int, height: int) -> Text:
        if not self.store.logs:
            return Text(self.what_is_missing(Part.LOGS), self.palette.dim)
        return _lines([self._log_line(line) for line in list(self.store.logs)[-height:]], width)

    # lines

    def _row(self, key: str, value: Text) -> Text:
        label = fit(self.words[f"label.{key}"], 8)
        return Text.assemble((f"{label} ", self.palette.dim), value)

    def _state(self, status: Status) -> Text:
        state = status.daemon.state
        style = self.palette.good if state == "running" else self.palette.warn
        ready = "" if status.daemon.ready else f" · {self.words['daemon.not_ready']}"
        where = f"{self.words[f'mode.{status.daemon.mode}']}/{status.daemon.environment}"
        return Text.assemble((f"● {self.words[f'state.{state}']}{ready}", style), f"  {where}")

    def _health(self, is_well: bool, words: str, note: str) -> Text:
        mark, style = ("●", self.palette.good) if is_well else ("▲", self.palette.bad)
        return Text.assemble((f"{mark} ", style), (note or words, self.palette.text if is_well else style))

    def _database(self, status: Status) -> str:
        database = status.database
        return f"{database.schema_} {size(database.size_bytes)} · PostgreSQL {database.version}"

    def _token(self, status: Status) -> str:
        token = status.token
        until = self.words.put("token.until", at=short_stamp(token.expires_at)) if token.expires_at else ""
        return f"{self.words[f'token.{token.state}']} {until}"

    def _rows_today(self, status: Status) -> Text:
        rows = status.rows_today
        text = Text(f"+{number(rows.inserted)} ~{number(rows.changed)} ={number(rows.unchanged)}")
        return text.append(f" !{rows.quarantined}", self.palette.warn) if rows.quarantined else text

    def _next_change(self, session: SessionStatus, now: datetime) -> Text:
        closes = session.closes_at if session.closes_at and session.closes_at > now else None
        at = closes if session.phase == "regular" and closes else session.next_change_at
        if at is None:
            return Text(NOTHING)
        key = "session.closes_in" if at == closes else "session.changes_in"
        left = countdown((at - now).total_seconds())
        return Text.assemble((f"{left} ", self.palette.strong), (self.words[key], self.palette.dim))

    def _lane(self, lane: GateLane, width: int) -> Text:
        waiting = sum(lane.queued.values())
        style = self.palette.warn if lane.limit < lane.ceiling else self.palette.text
        figures = (
            f"{lane.limit:g}/s {lane.utilisation * 100:3.0f}%  {self.words['gate.waiting']} {number(waiting)}"
        )
        text = Text.assemble((f"{lane.api_id} ", self.palette.dim), (figures, style), "  ")
        room = max(0, min(60, width - text.cell_len - 1))
        return text.append(sparkline(lane.recent, room, max(lane.ceiling, 1)), self.palette.accent)

    def _fresh(self, one: Freshness, width: int) -> Text:
        style = self.palette.warn if one.late else self.palette.text
        worst = f"{duration(one.worst_age_s):>7}"
        text = Text.assemble((f"{one.timeframe.value:<3}", self.palette.dim), (worst, style))
        text.append(f"{duration(one.median_age_s):>7}").append(f"{one.late or '·':>7}", style)
        text.append(f"  {candle_start(one.newest_ts, one.timeframe.value)}", self.palette.dim)
        if one.worst_symbol and text.cell_len + 8 <= width:
            text.append(f"  {one.worst_symbol}", self.palette.warn)
        return text

    def _job(self, job: Job, width: int) -> Iterable[Text]:
        progress, fraction = job.progress, job.progress.fraction
        kind = self.words.get(f"job.kind.{job.kind}", job.kind)
        head = Text.assemble((f"{job.id:>4} ", self.palette.dim), f"{fit(kind, 10)} ")
        if job.state == "queued" or fraction is None or job.eta_s is None:
            yield head.append(f"{number(progress.rows)} {self.words['jobs.rows']}", self.palette.dim)
            return
        left = duration(job.eta_s)
        left = self.words.put("jobs.left", time=left) if width >= 50 else left
        end = f" {percent(fraction):>4}%  {left}"
        room = max(4, min(60, width - 16 - cell_len(end)))
        yield head.append(bar(fraction, room), self.palette.of("accent", "raised")).append(end)

    def _alert(self, alert: Alert) -> Iterable[Text]:
        over = alert.ended_at is not None
        style = (
            self.palette.dim if over else self.palette.bad if alert.level == "error" else self.palette.warn
        )
        end = f" → {clock_time(alert.ended_at)}" if over else ""
        mark = "✓" if over else "▲"
        yield Text(f"{mark} {clock_time(alert.at)}{end} {alert.event}", style)
        yield Text(f"  {alert.message}", style)
        if alert.remedy and not over:
            yield Text(f"  {alert.remedy}", self.palette.text)

    def _log_line(self, line: LogLine) -> Text:
        style = self._level(line.level)
        fields = " ".join(f"{key}={value}" for key, value in line.fields.items())
        text = Text.assemble((f"{clock_time(line.at)} ", self.palette.faint), (f"{line.event}", style))
        return text.append(f" {line.symbol} {fields}".rstrip(), self.palette.dim)

    def _level(self, level: str) -> Style:
        if level in {"error", "critical"}:
            return self.palette.bad
        return self.palette.warn if level == "warning" else self.palette.text


def _lines(lines: Iterable[Text], width: int) -> Text:
    """Join lines, each cut to the width."""
    kept = []
    for line in lines:
        if line.cell_len > width:
            line.truncate(width, overflow="ellipsis")
        kept.append(line)
    return Text("\n").join(kept)


def _wrapped(words: str, width: int) -> list[str]:
    """Return words in lines of at most a width where a word is not longer."""
    lines: list[str] = []
    for word in words.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _hm(instant: datetime | None) -> str:
    return clock_time(instant)[:5]


def _passed(session: SessionStatus, now: datetime) -> float:
    """Return how much of the regular session is over, 0 to 1."""
    if session.opens_at is None or session.closes_at is None:
        return 0.0
    whole = (session.closes_at - session.opens_at).total_seconds()
    return max(0.0, min(1.0, (now - session.opens_at).total_seconds() / whole)) if whole else 0.0
