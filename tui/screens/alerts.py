"""Screen 7: what wants a person, what was, and through which channels people are told."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.alarm_words import rule_words
from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, clock_time, fit, number, stamp
from chartinsight_tui.messages import Confirm
from chartinsight_tui.screens.alarm_dialog import ask_for_alarm
from chartinsight_tui.screens.alarm_rows import alarm_cells, alarm_columns, alarm_lines
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.state_line import alert_title
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.told import told
from chartinsight_tui.widgets.pane import Line, Pane, heading, wrapped
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.alarms import AlarmRow
    from chartinsightd.control.protocol.status import Alert, ChannelState

_SILENCE_S = 3_600.0


class AlertsView(View):
    """Open alerts first, then past ones; below, the whole text of the chosen one, never cut."""

    PARTS: ClassVar[frozenset[Part]] = frozenset(
        {Part.STATUS, Part.LINK, Part.ALERTS, Part.ALARMS, Part.STOCKS}
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_page", "key.next_page", key_display="Tab"),
        Binding("f", "faults", "key.open_only"),
        Binding("a", "acknowledge", "key.acknowledge"),
        Binding("n", "new_alarm", "key.alarm"),
        Binding("x", "remove_alarm", "key.remove_alarm"),
        Binding("i", "silence", "key.silence"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._faults = False
        self._alerts: list[Alert] = []
        self._past: Sequence[Alert] | None = None
        """Of the last thirty days; None while the current ones are shown."""
        self._is_mine = False
        """Whether the alarms that people set are shown."""
        self._table = RowTable(lambda: self.palette, self._row_cells, self._missing)
        self._detail = Pane(self._draw_detail, lambda: self.palette, id="alert-detail")

    def compose(self) -> ComposeResult:
        """Lay out the list above the text."""
        yield self.trail
        yield self._table
        yield self._detail
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        self._set_columns()

    def _set_columns(self) -> None:
        words = self.words
        self._table.set_columns(
            alarm_columns(words)
            if self._is_mine
            else [
                Column(title="", width=1),
                Column(title=words["column.started"], width=14),
                Column(title=words["column.lasted"], width=13),
                Column(title=words["column.what"], width=30, flex=1),
            ]
        )

    def main_widget(self) -> Widget:
        """Return the list."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the alerts; the cursor stays on its alert."""
        if self._is_mine:
            self._table.set_rows([alarm.id for alarm in self._wanted_alarms()])
        elif changed - {Part.STATUS}:
            self._alerts = sorted(self._wanted_alerts(), key=lambda alert: alert.ended_at is not None)
            self._table.set_rows(list(range(len(self._alerts))))
        self._table.refresh()
        self._detail.update()
        self.trail.update()

    def tick(self) -> None:
        """Draw how long alerts last by now."""
        if not self._is_mine and any(alert.ended_at is None for alert in self._alerts):
            self._table.refresh()

    @property
    def is_past(self) -> bool:
        """Whether the last thirty days are shown."""
        return self._past is not None

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on the newest alert of a kind, among those of now."""
        if not wanted.event:
            return
        self.show_page("now")
        row = next((row for row, alert in enumerate(self._alerts) if alert.event == wanted.event), None)
        if row is not None:
            self._table.go_to(row)

    def trail_pieces(self) -> Line:
        """Return the two views: what is now, and the last thirty days."""
        on, off = self.palette.of("text", "cursor", bold=True), self.palette.dim
        return [
            (" ", self.palette.text),
            (f" {self.words['alerts.page.now']} ", off if self.is_past or self._is_mine else on),
            (f" {self.words['alerts.page.past']} ", on if self.is_past else off),
            (f" {self.words['alerts.page.mine']} ", on if self._is_mine else off),
        ]

    def faults_only(self) -> bool:
        """Whether only open alerts are shown."""
        return self._faults

    def aged_part(self) -> Part | None:
        """Return what is listed: it is as old as the last answer."""
        return Part.ALARMS if self._is_mine else Part.ALERTS

    def trail_end(self) -> str:
        """Return how many there are, and how many of them are open."""
        if self._is_mine:
            return self.words.put("list.count", count=number(len(self.store.alarms)))
        lasting = sum(alert.ended_at is None for alert in self._alerts)
        counts = {"open": number(lasting), "over": number(len(self._alerts) - lasting)}
        return self.words.put("alerts.counts", **counts) if self.store.alerts is not None else ""

    def copy_text(self) -> str:
        """Return the whole text of the alert under the cursor."""
        return self._detail.plain()

    def _wanted_alerts(self) -> list[Alert]:
        known = self._known()
        return [
            alert
            for alert in known
            if not (self._faults and alert.ended_at is not None)
            and self.filter_text
            in f"{alert.event} {alert.message} {alert_title(alert, self.words)}".casefold()
        ]

    def _known(self) -> Sequence[Alert]:
        if self._past is not None:
            return self._past
        return () if self.store.alerts is None else self.store.alerts.items

    def _missing(self) -> str:
        status = self.store.status
        if not self.store.is_online and not self._is_mine and self._past is None and status is not None:
            return "? " + self.words.put("line.unknown_since", at=clock_time(status.clock.now))
        return self.what_is_missing(Part.ALARMS if self._is_mine else Part.ALERTS)

    def _wanted_alarms(self) -> list[AlarmRow]:
        return [
            alarm
            for alarm in self.store.alarms
            if self.filter_text in f"{alarm.symbol} {alarm.name} {alarm.screen}".casefold()
        ]

    def _alarm(self) -> AlarmRow | None:
        return next((one for one in self.store.alarms if one.id == self._table.row_id), None)

    def _row_cells(self, row: Hashable) -> Cells:
        if not self._is_mine:
            return self._cells(row)
        alarm = next((one for one in self.store.alarms if one.id == row), None)
        return [] if alarm is None else alarm_cells(alarm, self.words, self.palette)

    def _cells(self, row: Hashable) -> Cells:
        alert, palette = self._alerts[cast("int", row)], self.palette
        over = alert.ended_at is not None
        style = palette.dim if over else palette.text
        return [
            (mark_of(alert), self._style(alert)),
            (self._began(alert), style),
            (self._lasted(alert), style),
            (alert_title(alert, self.words), style),
        ]

    def _style(self, alert: Alert) -> Style:
        if alert.ended_at is not None:
            return self.palette.dim
        return self.palette.bad if alert.level == "error" else self.palette.warn

    def _began(self, alert: Alert) -> str:
        now = self.context.now()
        is_today = now is not None and day_of(alert.at) == day_of(now)
        return clock_time(alert.at) if is_today else stamp(alert.at)

    def _lasted(self, alert: Alert) -> str:
        now = alert.ended_at or self.context.now()
        if now is None:
            return NOTHING
        time = self.words.duration((now - alert.at).total_seconds())
        return time if alert.ended_at else self.words.put("alerts.for", time=time)

    # the whole text

    def _alert(self) -> Alert | None:
        row = self._table.row_id
        if self._is_mine:
            return None
        return self._alerts[row] if isinstance(row, int) and row < len(self._alerts) else None

    def _draw_detail(self, width: int, height: int) -> Sequence[Line]:
        lines: list[Line] = []
        if self._is_mine:
            alarm = self._alarm()
            lines += [] if alarm is None else alarm_lines(alarm, width, self.words, self.palette)
        elif (alert := self._alert()) is not None:
            lines += self._text(alert, width)
        channels = self._channels(width)
        return [*lines[: max(3, height - len(channels))], *channels]

    def _text(self, alert: Alert, width: int) -> list[Line]:
        words, palette = self.words, self.palette
        state = words["alerts.over"] if alert.ended_at else words[f"level.{alert.level}"]
        title = alert_title(alert, words)
        lines: list[Line] = [heading(title, width, palette, f"{mark_of(alert)} {state} · {alert.event}")]
        lines += [[(f" {note}", palette.dim)] for note in self._notes(alert)]
        parts = [("alerts.to_do", words.get(f"alert.{alert.event}.do", alert.remedy))]
        if title != alert.message or words.language == "en":
            parts.insert(0, ("alerts.details", told(alert.message, words)))
        if alert.remedy and alert.remedy != parts[-1][1]:
            parts.append(("alerts.remedy", told(alert.remedy, words)))
        for key, text in parts:
            label = words[key]
            body = wrapped(text, max(10, width - 12), palette.text)
            lines += [[(f" {_label(label, place)} ", palette.dim), *line] for place, line in enumerate(body)]
        return lines

    def _notes(self, alert: Alert) -> Iterator[str]:
        """Yield who took note of the alert, and until when its kind is not sent."""
        if alert.acknowledged_at is not None:
            at = clock_time(alert.acknowledged_at)[:5]
            yield self.words.put("alerts.known", name=alert.acknowledged_by, at=at)
        if (until := self._silenced_until(alert)) is not None:
            yield self.words.put("alerts.silenced", at=stamp(until)[:-3])

    def _silenced_until(self, alert: Alert) -> datetime | None:
        silences = () if self.store.alerts is None else self.store.alerts.silences
        return next((one.until for one in silences if one.event == alert.event), None)

    def _channels(self, width: int) -> list[Line]:
        words, palette = self.words, self.palette
        lines: list[Line] = [[], heading(words["alerts.channels"], width, palette)]
        if self.store.alerts is None:
            return [*lines, [(f" {NOTHING}", palette.dim)]]
        if not self.store.alerts.channels:
            return [*lines, [(f" ? {words['alerts.no_channel']}", palette.warn)]]
        return [*lines, *(line for one in self.store.alerts.channels for line in self._channel(one, width))]

    def _channel(self, one: ChannelState, width: int) -> list[Line]:
        palette = self.palette
        waiting = self.words.put("alerts.waiting", count=one.waiting) if one.waiting else ""
        mark, style = ("●", palette.good) if one.ok else ("✕", palette.warn)
        parts = (told(one.detail, self.words), told(one.remedy, self.words), waiting)
        text = " · ".join(part for part in parts if part)
        head: Line = [(f" {mark} ", style), (f"{one.channel} ", palette.text)]
        body = wrapped(text, max(10, width - 6), palette.dim)
        return [head, *([("   ", palette.text), *line] for line in body)]

    # keys

    @on(RowTable.Moved)
    def _show_text(self) -> None:
        self._detail.update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to acknowledge and to silence only where changes are allowed."""
        if action in {"acknowledge", "silence"}:
            return not self.context.read_only and not self._is_mine
        if action == "new_alarm":
            return not self.context.read_only
        if action == "remove_alarm":
            return not self.context.read_only and self._is_mine
        return super().check_action(action, parameters)

    def action_next_page(self) -> None:
        """Show what is now, the last thirty days, or the alarms that people set."""
        if self._is_mine:
            self._show(is_mine=False)
        elif self._past is not None:
            self._past = None
            self._show(is_mine=True)
        else:
            self.run_worker(self._load_past(), group="alert-history", exclusive=True)

    def show_page(self, name: str) -> None:
        """Show one of the views by name."""
        self._past = None
        self._show(is_mine=name == "mine")

    def _show(self, *, is_mine: bool) -> None:
        self._is_mine = is_mine
        self._set_columns()
        self.refresh_data(self.PARTS)
        self.app.refresh_bindings()

    def action_new_alarm(self) -> None:
        """Set an alarm; the list of alarms is shown."""
        self.show_page("mine")
        ask_for_alarm(self)

    def action_remove_alarm(self) -> None:
        """Remove the alarm under the cursor, after a question."""
        if (alarm := self._alarm()) is None:
            return
        words = f"{alarm.name or alarm.symbol or self.words['alarm.any']} {rule_words(alarm, self.words)}"
        question = self.words.put("ask.remove_alarm", words=words)
        self.post_message(Confirm(question, lambda connection: connection.remove_alarm(alarm.id)))

    async def _load_past(self) -> None:
        if self.context.connection is None:
            return
        found = await self.context.connection.alert_history()
        if isinstance(found, Failure):
            self.notify(told(str(found), self.words), severity="error", markup=False)
            return
        self._past = found.items
        self.refresh_data(self.PARTS)

    def action_acknowledge(self) -> None:
        """Note that the alert under the cursor is known, after a question."""
        alert = self._alert()
        if alert is None or alert.ended_at is not None or alert.acknowledged_at is not None:
            return
        question = self.words.put("ask.acknowledge", title=alert_title(alert, self.words))
        self.post_message(Confirm(question, lambda connection: connection.acknowledge(alert.event)))

    def action_silence(self) -> None:
        """Send no alerts of the kind under the cursor for an hour, or again, after a question."""
        if (alert := self._alert()) is None:
            return
        is_silenced = self._silenced_until(alert) is not None
        question = "ask.unsilence" if is_silenced else "ask.silence"
        seconds = 0.0 if is_silenced else _SILENCE_S
        self.post_message(
            Confirm(
                self.words.put(question, title=alert_title(alert, self.words)),
                lambda connection: connection.silence(alert.event, seconds),
            )
        )

    def action_faults(self) -> None:
        """Show only open alerts, or all."""
        self._faults = not self._faults
        self.refresh_data(self.PARTS)


def mark_of(alert: Alert) -> str:
    """Return the mark of an alert: over, trouble, attention."""
    return "✓" if alert.ended_at is not None else "✕" if alert.level == "error" else "▲"


def _label(text: str, place: int) -> str:
    return fit(text if place == 0 else "", 8)
