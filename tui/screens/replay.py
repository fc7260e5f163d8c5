"""The replay: home, jobs and alerts as they were at a moment of the last month, never to be taken for now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from chartinsight_tui.connection import Connection
from chartinsight_tui.context import Context
from chartinsight_tui.days import day_from
from chartinsight_tui.formatting import NOTHING, clock_time, stamp
from chartinsight_tui.keymap import Keyed
from chartinsight_tui.messages import ShowJob, ShowScreen
from chartinsight_tui.past import events_of, store_of, stretch_at
from chartinsight_tui.screens.alerts import AlertsView
from chartinsight_tui.screens.dialogs import LineDialog
from chartinsight_tui.screens.jobs import JobsView
from chartinsight_tui.screens.overview import OverviewView
from chartinsight_tui.screens.view import View
from chartinsight_tui.state_line import state_line
from chartinsight_tui.store import Failure, Store
from chartinsight_tui.widgets.bars import KeyBar, StateBar, Tab, TopBar
from chartinsight_tui.widgets.pane import Line, Pane, Piece, heading
from chartinsightd.control.protocol.replay import MomentAnswer, TimelineStretch
from chartinsightd.domain.kst import at_kst, day_of, midnight
from chartinsightd.domain.moment import UNKNOWN

STEP = timedelta(seconds=10)
_SPEEDS = (1, 10, 60, 600)
_BEAT_S = 1.0
_VIEWS: dict[str, type[View]] = {"overview": OverviewView, "jobs": JobsView, "alerts": AlertsView}
_MARKS = {
    "well": ("━", "good"),
    "working": ("━", "accent"),
    "attention": ("▲", "warn"),
    "trouble": ("✕", "bad"),
    UNKNOWN: ("?", "dim"),
}
_RANK = ("", "well", "working", UNKNOWN, "attention", "trouble")
"""Of the states in one cell of the day the worst is shown."""


class ReplayScreen(Keyed, Screen[None]):
    """The past on a screen of its own; the dashboard below goes on.

    Args:
        context: the dashboard's.
        at: where to begin; aware.
        present: returns the state of now, in one piece.
        now: returns the daemon's time, as far as is known.
        tabs: returns the tabs of the dashboard.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "key.play"),
        Binding("comma,left", "step(-1)", "key.step_back", key_display=","),
        Binding("full_stop,right", "step(1)", "key.step_on", key_display="."),
        Binding("less_than_sign", "event(-1)", "key.event_before", key_display="<"),
        Binding("greater_than_sign", "event(1)", "key.event_after", key_display=">"),
        Binding("left_square_bracket", "day(-1)", "key.day_before", key_display="["),
        Binding("right_square_bracket", "day(1)", "key.day_after", key_display="]"),
        Binding("plus,equals_sign", "speed(1)", "key.faster", key_display="+"),
        Binding("minus", "speed(-1)", "key.slower", key_display="-"),
        Binding("d", "go", "key.to_moment"),
        Binding("z,escape", "dismiss(None)", "key.now"),
        Binding("y", "copy", "key.copy", show=False),
        Binding("1", "show('overview')", "tab.overview", show=False),
        Binding("6", "show('jobs')", "tab.jobs", show=False),
        Binding("7,exclamation_mark", "show('alerts')", "tab.alerts", show=False),
        Binding("2,3,4,5,8", "not_kept", show=False),
        Binding("question_mark", "app.keys", "key.help", key_display="?"),
    ]

    def __init__(
        self,
        context: Context,
        at: datetime,
        *,
        present: Callable[[], Piece],
        now: Callable[[], datetime],
        tabs: Callable[[], Sequence[Tab]],
    ) -> None:
        super().__init__()
        assert context.connection is not None
        self._connection: Connection = context.connection
        self._live = context.store
        self._present = present
        self._now = now
        self._tabs = tabs
        self.at = at
        self.answer: MomentAnswer | None = None
        self.stretches: Sequence[TimelineStretch] = ()
        """The verdicts of the day that is shown."""
        self.playing = False
        self._speed = _SPEEDS[2]
        self.context = Context(
            store=Store(),
            words=context.words,
            colours=context.colours,
            read_only=True,
            is_past=True,
            now=lambda: self.at if self.context.store.is_online else None,
        )
        palette = lambda: self.context.colours  # noqa: E731 - read again at each drawing
        self._top = TopBar(palette, self._past_tabs, self._news)
        self._state = StateBar(palette, self._state_pieces, keeps_end=lambda: True)
        self._scrubber = Pane(self._draw_scrubber, palette, id="scrubber")
        self._keys = KeyBar(palette, self._shown_keys)
        self._views = {name: kind(f"past-{name}", self.context) for name, kind in _VIEWS.items()}
        self._active = "overview"

    def compose(self) -> ComposeResult:
        """Lay out the bars, the screens that are recorded, and the day below."""
        yield self._top
        yield self._state
        with Container(id="past"):
            yield from self._views.values()
        yield self._scrubber
        yield self._keys

    async def on_mount(self) -> None:
        """Show the home screen of the moment."""
        self.action_show(self._active)
        self.set_interval(_BEAT_S, self._beat)
        self._look(is_new_day=True)

    # what is seen

    def _draw(self) -> None:
        self.view.refresh_data(frozenset(self.view.PARTS))
        self._state.fit_height(self.size.width)
        for part in (self._top, self._state, self._scrubber, self._keys):
            part.update()

    @property
    def view(self) -> View:
        """The screen that is shown."""
        return self._views[self._active]

    def _past_tabs(self) -> Sequence[Tab]:
        return [Tab(name=one.name, key=one.key, title=one.title) for one in self._tabs()]

    def _news(self) -> Iterator[Piece]:
        past = self.context.colours.of("ground", "past", bold=True)
        yield f" {self.context.words['replay.top']} ", past
        yield stamp(self.at), self.context.colours.of("past", bold=True)

    def _state_pieces(self) -> tuple[Piece, Piece, Piece]:
        words, palette = self.context.words, self.context.colours
        badge = f"◀◀ {words['replay.badge']}", palette.of("ground", "past", bold=True)
        state, style = self._present()
        coming = words.put("replay.now", state=state)
        return badge, (self._said(), palette.of("past")), (coming, style)

    def _said(self) -> str:
        words, at = self.context.words, stamp(self.at)
        if self.answer is None:
            return words.put("replay.reading", at=at)
        if self.answer.recorded is None:
            return words.put("replay.unknown", at=at)
        line = state_line(self.context.store, words, self.at)
        return words.put("replay.then", at=at, state=words[f"line.kind.{line.kind}"], facts=line.facts)

    def _shown_keys(self) -> Sequence[tuple[str, str, str]]:
        found: dict[str, tuple[str, str, str]] = {}
        for active in self.active_bindings.values():
            binding = active.binding
            words = self.context.words.get(binding.description, "")
            if active.node is self and binding.show and words:
                found.setdefault(binding.action, (binding.key, self.app.get_key_display(binding), words))
        return list(found.values())

    def _draw_scrubber(self, width: int, height: int) -> Sequence[Line]:
        del height
        words, palette = self.context.words, self.context.colours
        title = words.put(
            "replay.day", day=f"{day_of(self.at):%Y-%m-%d}", count=len(events_of(self.stretches))
        )
        playing = words.put("replay.playing" if self.playing else "replay.standing", speed=self._speed)
        room = max(10, width - 2)
        return [
            heading(words["replay.badge"], width, palette, f"{title} "),
            [(" ", palette.text), *self._bar(room)],
            [(" ", palette.text), (_hours(room), palette.dim)],
            [(f" {playing}  ", palette.of("past", bold=True)), (self._stretch_said(), palette.text)],
        ]

    def _bar(self, room: int) -> list[Piece]:
        """Return the day, a cell for some minutes with the worst that it held; the moment stands out."""
        begun, palette = midnight(day_of(self.at)), self.context.colours
        cell = timedelta(days=1) / room
        states = [self._worst(begun + place * cell, begun + (place + 1) * cell) for place in range(room)]
        here = min(room - 1, int((self.at - begun) / cell))
        pieces: list[Piece] = []
        for place, state in enumerate(states):
            mark, colour = _MARKS.get(state, ("·", "faint"))
            pieces.append(
                ("●", palette.of("past", bold=True)) if place == here else (mark, palette.of(colour))
            )
        return pieces

    def _worst(self, since: datetime, until: datetime) -> str:
        if since >= self._now():
            return ""
        found = [one.state for one in self.stretches if one.from_at < until and one.to_at > since]
        return max(found, key=_RANK.index, default="")

    def _stretch_said(self) -> str:
        one, words = stretch_at(self.stretches, self.at), self.context.words
        if one is None:
            return NOTHING
        causes = ", ".join(words.get(f"alert.{kind}", kind) for kind in one.causes)
        return words.put(
            "replay.stretch",
            since=clock_time(one.from_at)[:5],
            until=clock_time(one.to_at)[:5],
            state=words[f"line.kind.{one.state}"],
            causes=causes,
        ).rstrip()

    # reading

    def _look(self, *, is_new_day: bool = False) -> None:
        """Ask for the moment; while it is on its way the one before stays, and the banner says so."""
        self.run_worker(self._read(self.at, is_new_day=is_new_day), group="moment", exclusive=True)

    async def _read(self, at: datetime, *, is_new_day: bool) -> None:
        if is_new_day:
            begun = midnight(day_of(at))
            timeline = await self._connection.timeline(begun, begun + timedelta(days=1))
            self.stretches = () if isinstance(timeline, Failure) else timeline.items
        answer = await self._connection.moment(at)
        if isinstance(answer, Failure):
            self._fail(at, answer)
            return
        jobs = await self._connection.jobs_until(at)
        self.answer = answer
        known_jobs = None if isinstance(jobs, Failure) else jobs.items
        self.context.store = store_of(answer, known_jobs, self._live.names, self._why_unknown(answer))
        self._draw()

    def _fail(self, at: datetime, failure: Failure) -> None:
        """Show nothing of before where the moment cannot be had."""
        self.answer = MomentAnswer(at=at)
        self.context.store = store_of(self.answer, None, {}, str(failure))
        self._draw()

    def _why_unknown(self, answer: MomentAnswer) -> str:
        words = self.context.words
        said = [words["replay.no_record"]]
        if answer.known_until is not None:
            said.append(words.put("replay.known_until", at=stamp(answer.known_until)))
        if answer.known_from is not None:
            said.append(words.put("replay.known_from", at=stamp(answer.known_from)))
        return " ".join(said)

    def _beat(self) -> None:
        if self.playing:
            self._go_to(self.at + timedelta(seconds=self._speed * _BEAT_S))
        else:
            self._state.update()

    def _go_to(self, at: datetime) -> None:
        """Go to a moment; the present is the end."""
        if at > self._now():
            self.playing = False
            self.notify(self.context.words["replay.no_more"], timeout=3)
            at = self._now()
        is_new_day = day_of(at) != day_of(self.at)
        self.at = at
        self._look(is_new_day=is_new_day)

    # keys

    @on(ShowScreen)
    def _show_screen(self, event: ShowScreen) -> None:
        event.stop()
        self.action_show(event.name)

    @on(ShowJob)
    def _show_job(self, event: ShowJob) -> None:
        event.stop()
        self.action_show("jobs")

    @on(TopBar.TabClicked)
    def _show_clicked(self, event: TopBar.TabClicked) -> None:
        event.stop()
        self.action_show(event.name)

    @on(KeyBar.KeyClicked)
    def _press(self, event: KeyBar.KeyClicked) -> None:
        event.stop()
        self.app.simulate_key(event.key)

    def action_show(self, name: str) -> None:
        """Show a screen that is recorded."""
        if name not in self._views:
            self.action_not_kept()
            return
        self._active = name
        for known, view in self._views.items():
            view.display = known == name
        self._top.show(name)
        self._draw()
        self.view.main_widget().focus()

    def action_not_kept(self) -> None:
        """Say which screens are recorded."""
        self.notify(self.context.words["replay.not_kept"], timeout=4)

    def action_play(self) -> None:
        """Let the time go on, or stop it."""
        self.playing = not self.playing
        self._draw()

    def action_step(self, steps: int) -> None:
        """Go some steps on or back."""
        self.playing = False
        self._go_to(self.at + steps * STEP)

    def action_day(self, days: int) -> None:
        """Go to the same time of another day."""
        self.playing = False
        self._go_to(self.at + timedelta(days=days))

    def action_event(self, way: int) -> None:
        """Go to where the verdict or its causes became others, on this day."""
        self.playing = False
        events = events_of(self.stretches)
        later = [at for at in events if self.at < at <= self._now()]
        before = [at for at in events if at < self.at]
        if found := later[:1] if way > 0 else before[-1:]:
            self._go_to(found[0])
        else:
            self.notify(self.context.words["replay.no_event"], timeout=3)

    def action_speed(self, change: int) -> None:
        """Let the time go faster or slower."""
        place = _SPEEDS.index(self._speed) + change
        self._speed = _SPEEDS[max(0, min(len(_SPEEDS) - 1, place))]
        self._scrubber.update()

    def action_go(self) -> None:
        """Ask for a time, and go there."""
        self.app.push_screen(LineDialog(self.context.words["replay.to"]), self._go_to_typed)

    def _go_to_typed(self, text: str | None) -> None:
        if not text:
            return
        try:
            self._go_to(_moment_from(text, self.at))
        except ValueError:
            self.notify(
                self.context.words.put("replay.wrong_time", text=text), severity="warning", markup=False
            )

    def action_copy(self) -> None:
        """Copy what is shown, with the banner that says when it was."""
        banner = f"{self.context.words['replay.badge']} {self._said()}"
        self.app.copy_to_clipboard(f"{banner}\n\n{self.view.copy_text()}")


def _hours(room: int) -> str:
    """Return the hours below a bar of the day."""
    line = [" "] * room
    for hour in range(0, 24, 2 if room >= 72 else 4):
        at = hour * room // 24
        line[at : at + 2] = f"{hour:02}"
    return "".join(line)[:room]


def _moment_from(text: str, at: datetime) -> datetime:
    """Return the moment that a text means: a time, with a day before it where it is another one.

    Raises:
        ValueError: it means none.
    """
    *days, clock = text.split()
    day = day_from(days[0], day_of(at)) if days else day_of(at)
    if len(days) > 1:
        raise ValueError("too many words")
    return at_kst(day, time.fromisoformat(clock))
