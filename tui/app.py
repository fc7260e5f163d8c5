"""The dashboard: what holds the screens together. Its first picture needs no network and no HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from chartinsight_tui import theme
from chartinsight_tui.clock import Clock
from chartinsight_tui.formatting import clock_time, countdown, stamp
from chartinsight_tui.screens.overview import OverviewView
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import Failure, LinkState, Part, Store
from chartinsight_tui.text import Language, Words
from chartinsight_tui.widgets.bars import Banner, KeyBar, Piece, TopBar

if TYPE_CHECKING:
    from chartinsight_tui.connection import Connection
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.jobs import Outcome

OpenClient = Callable[[], "AbstractAsyncContextManager[ControlClient]"]
Remember = Callable[[str, str], None]
"""Called with the name of the theme and the colour of rising prices (`red` or `green`)."""
VIEWS = ("overview", "coverage", "jobs", "chart", "symbols", "log")
_MUTATIONS = {"backfill", "pause", "cancel_job", "track", "sync"}
_SETTLE_S = 0.1
"""Changes within this time are drawn together."""


def _forget(theme_name: str, rise: str) -> None:
    """Remember nothing."""


class Dashboard(App[None]):
    """The dashboard.

    Args:
        open_client: makes a client of the control API; first called after the first picture.
        clock: this machine's time.
        language: of all texts.
        colours: name of the theme.
        rise_is_red: price colours as in Korea; otherwise rise is green.
        read_only: nothing that changes the daemon is offered.
        remember: told when a person chose other colours.
    """

    TITLE = "ChartInsight"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (150, "-wide")]  # noqa: RUF012 - as in App
    VERTICAL_BREAKPOINTS = [(0, "-h-tiny"), (32, "-h-normal"), (50, "-h-tall")]  # noqa: RUF012 - as in App
    CSS = """
    #body { height: 1fr; }
    Toast { padding: 0 1; width: auto; max-width: 70%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *[
            Binding(str(number), f"show('{name}')", f"tab.{name}", show=False)
            for number, name in enumerate(VIEWS, 1)
        ],
        Binding("b", "backfill", "key.backfill"),
        Binding("y", "copy", "key.copy"),
        Binding("r", "refresh_all", "key.refresh", show=False),
        Binding("t", "next_theme", "key.theme", show=False),
        Binding("u", "swap_colours", "key.colours", show=False),
        Binding("colon", "command_palette", "key.palette", show=False, key_display=":"),
        Binding("question_mark", "keys", "key.help", key_display="?"),
        Binding("q", "quit", "key.quit"),
    ]

    def __init__(
        self,
        open_client: OpenClient,
        clock: Clock,
        *,
        language: Language = "en",
        colours: str = theme.DARK.name,
        rise_is_red: bool = True,
        read_only: bool = False,
        remember: Remember = _forget,
    ) -> None:
        super().__init__()
        self._open_client = open_client
        self._clock = clock
        self._remember = remember
        self.words = Words(language)
        self.store = Store()
        self.connection: Connection | None = None
        self.read_only = read_only
        self._dirty: set[Part] = set()
        self._is_settling = False
        self._active = VIEWS[0]
        self._views: dict[str, View] = {}
        self._stale: dict[str, set[Part]] = {}
        for one in theme.ALL:
            self.register_theme(theme.textual_theme(one))
        self.palette = theme.Palette(colours=_colours(colours), rise_is_red=rise_is_red)
        self.theme = colours
        self._top = TopBar(lambda: self.palette, [self.words[f"tab.{name}"] for name in VIEWS], self._news)
        self._banner = Banner()
        self._keys = KeyBar(lambda: self.palette, self._shown_keys)

    def compose(self) -> ComposeResult:
        """Lay out bars and body; the first screen fills the body at once."""
        yield self._top
        yield self._banner
        with Container(id="body"):
            self._views[VIEWS[0]] = OverviewView(VIEWS[0])
            yield self._views[VIEWS[0]]
        yield self._keys

    def on_mount(self) -> None:
        """Begin to connect once the first picture is drawn."""
        self.view.focus()
        self.set_interval(1.0, self._tick)
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._keys.refresh())
        self.call_after_refresh(lambda: self.run_worker(self._connect(), name="connection"))

    async def _connect(self) -> None:
        """Load the connection's code beside the running loop, then stay connected."""
        self.connection = await asyncio.to_thread(self._load_connection)
        for view in self._views.values():
            self._need(view)
        await self.connection.run()

    def _load_connection(self) -> Connection:
        from chartinsight_tui.connection import Connection

        return Connection(self._open_client, self.store, self._clock, self._changed)

    # time

    def daemon_now(self) -> datetime | None:
        """Return the daemon's time of this moment, UTC; None while it is away."""
        return self._daemon_time(self._clock.now()) if self.store.is_online else None

    def _daemon_time(self, at: datetime) -> datetime:
        """Return what the daemon's clock shows at an instant of this machine's, as far as is known."""
        status = self.store.status
        if status is None:
            return at
        since_status_s = self._clock.monotonic() - self.store.status_at
        passed = timedelta(seconds=since_status_s) - (self._clock.now() - at)
        return status.clock.now + passed * status.clock.speed

    def _tick(self) -> None:
        self._top.refresh()
        if self._active == VIEWS[0] and self.store.is_online:
            self.view.refresh_data(frozenset({Part.STATUS}))

    # screens

    @property
    def view(self) -> View:
        """The screen that is shown."""
        return self._views[self._active]

    async def action_show(self, name: str) -> None:
        """Show a screen; made when it is first asked for, kept from then on."""
        if name not in self._views:
            view = self._views[name] = _make_view(name)
            await self.query_one("#body").mount(view)
            self._need(view)
        self._active = name
        for known, view in self._views.items():
            view.display = known == name
        self._top.show(VIEWS.index(name))
        parts = self._stale.pop(name, set()) | self.view.PARTS
        self.view.refresh_data(frozenset(parts))
        self.view.main_widget().focus()

    async def show_chart(self, symbol: str, timeframe: str) -> None:
        """Show a series on the chart screen."""
        from chartinsight_tui.screens.chart import ChartView

        await self.action_show("chart")
        assert isinstance(self.view, ChartView)
        await self.view.show_series(symbol, timeframe)

    def _need(self, view: View) -> None:
        if self.connection is not None:
            for part in view.PARTS & {Part.COVERAGE, Part.STOCKS}:
                self.connection.need(part)

    @on(TopBar.TabClicked)
    async def _show_clicked(self, event: TopBar.TabClicked) -> None:
        await self.action_show(VIEWS[event.index])

    # data

    @property
    def is_drawing(self) -> bool:
        """Whether something changed that is not drawn yet."""
        return self._is_settling

    def _changed(self, part: Part) -> None:
        """Note a change; changes of a moment are drawn together."""
        self._dirty.add(part)
        if not self._is_settling:
            self._is_settling = True
            self.set_timer(_SETTLE_S, self._draw_changes)

    def _draw_changes(self) -> None:
        self._is_settling = False
        changed, self._dirty = self._dirty, set()
        for name, view in self._views.items():
            if name != self._active:
                self._stale.setdefault(name, set()).update(changed & view.PARTS)
        if shown := frozenset(changed & self.view.PARTS):
            self.view.refresh_data(shown)
        self._top.refresh()
        if Part.LINK in changed:
            self._say_link()

    def _say_link(self) -> None:
        link, words = self.store.link, self.words
        if link.state is not LinkState.OFFLINE:
            self._banner.say("")
        elif link.heard_at is None:
            self._banner.say(words.put("banner.never", reason=link.reason, remedy=link.remedy))
        else:
            since = None if link.since is None else self._daemon_time(link.since)
            times = {"since": clock_time(since), "data": stamp(self._daemon_time(link.heard_at))}
            self._banner.say(words.put("banner.offline", **times, reason=link.reason, remedy=link.remedy))
        self._keys.refresh()

    def _news(self) -> Iterator[Piece]:
        """Yield what the top bar says on the right, the least important first."""
        status, palette, words = self.store.status, self.palette, self.words
        if status is not None:
            yield f"{words[f'mode.{status.daemon.mode}']} {status.daemon.environment}", palette.faint
            if lasting := sum(alert.ended_at is None for alert in status.alerts):
                yield words.put("top.alerts", count=lasting), palette.of("bad", bold=True)
            yield self._left(), palette.dim
        if self.read_only:
            yield words["top.read_only"], palette.warn
        yield self._link_news()
        now = self._daemon_time(self._clock.now())
        yield clock_time(now), palette.strong if self.store.is_online else palette.faint

    def _left(self) -> str:
        status, now = self.store.status, self.daemon_now()
        if status is None or now is None or status.session.next_change_at is None:
            return ""
        phase = self.words[f"phase.{status.session.phase}"]
        return f"{phase} {countdown((status.session.next_change_at - now).total_seconds())}"

    def _link_news(self) -> Piece:
        state, status = self.store.link.state, self.store.status
        if state is not LinkState.ONLINE or status is None:
            style = self.palette.warn if state is LinkState.CONNECTING else self.palette.of("bad", bold=True)
            return f"○ {self.words[f'link.{state}']}", style
        daemon = status.daemon.state
        return (
            f"● {self.words[f'state.{daemon}']}",
            self.palette.good if daemon == "running" else self.palette.warn,
        )

    # keys

    def active_keys(self) -> list[tuple[Binding, str, str]]:
        """Return the bindings that work now, each with its key's name and its words."""
        found: dict[str, tuple[Binding, str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            words = self.words.get(binding.description, "")
            if words and active.enabled and binding.action not in found:
                found[binding.action] = (binding, self.get_key_display(binding), words)
        return list(found.values())

    def _shown_keys(self) -> Sequence[tuple[str, str, str]]:
        return [(binding.key, name, words) for binding, name, words in self.active_keys() if binding.show]

    @on(KeyBar.KeyClicked)
    def _press(self, event: KeyBar.KeyClicked) -> None:
        self.simulate_key(event.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that changes the daemon when that was ruled out."""
        del parameters
        return not (self.read_only and action in _MUTATIONS)

    def action_keys(self) -> None:
        """Show all keys."""
        from chartinsight_tui.screens.dialogs import KeysDialog

        self.push_screen(KeysDialog(self.words, self.palette, self.active_keys()))

    def action_copy(self) -> None:
        """Copy what is shown to the terminal's clipboard (OSC 52)."""
        if text := self.view.copy_text():
            self.copy_to_clipboard(text)
            self.notify(self.words.put("copied", count=len(text.splitlines())), timeout=2)

    def action_refresh_all(self) -> None:
        """Read everything that is shown anew."""
        if self.connection is not None:
            self.connection.refresh()

    # colours

    def action_next_theme(self) -> None:
        """Take the next theme."""
        self.use_theme(theme.NAMES[(theme.NAMES.index(self.palette.colours.name) + 1) % len(theme.NAMES)])

    def use_theme(self, name: str) -> None:
        """Take a theme by name."""
        self.theme = name
        self._choose(theme.Palette(colours=_colours(name), rise_is_red=self.palette.rise_is_red))

    def action_swap_colours(self) -> None:
        """Change between red for rise, as in Korea, and green for rise."""
        self._choose(theme.Palette(colours=self.palette.colours, rise_is_red=not self.palette.rise_is_red))

    def _choose(self, palette: theme.Palette) -> None:
        self.palette = palette
        self._remember(palette.colours.name, "red" if palette.rise_is_red else "green")
        self.view.refresh_data(frozenset(self.view.PARTS))
        for widget in self.screen.query("*"):
            widget.refresh()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the palette's commands: screens, themes and what keys do."""
        del screen
        words = self.words
        for name in VIEWS:
            yield SystemCommand(words[f"tab.{name}"], words["palette.show"], lambda name=name: self._go(name))
        for name in theme.NAMES:
            title = words.put("palette.theme", name=words[f"theme.{name}"])
            yield SystemCommand(title, words["palette.theme_help"], lambda name=name: self.use_theme(name))
        actions = ("swap_colours", "refresh_all", "copy", "keys", "backfill", "pause", "sync", "quit")
        for action in actions:
            if self.check_action(action, ()):
                run = lambda action=action: self.run_worker(self.run_action(action))  # noqa: E731
                yield SystemCommand(words[f"palette.{action}"], words[f"palette.{action}_help"], run)

    def _go(self, name: str) -> None:
        self.run_worker(self.action_show(name))

    # what changes the daemon: asked first

    def action_backfill(self) -> None:
        """Open the dialog for a new backfill about what is under the cursor."""
        self.open_backfill(self.view.wanted())

    def open_backfill(self, wanted: Wanted) -> None:
        """Open the dialog for a new backfill."""
        from chartinsight_tui.screens.backfill import BackfillDialog

        if self.connection is None:
            return
        self.connection.need(Part.STOCKS)
        self.push_screen(BackfillDialog(self.words, self.store, self.connection, wanted), self._tell)

    async def action_pause(self) -> None:
        """Pause the daemon, or let it go on."""
        status = self.store.status
        if status is None:
            return
        paused = status.daemon.state != "paused"
        question = self.words["ask.pause" if paused else "ask.resume"]
        self.confirm(question, lambda connection: connection.set_paused(paused))

    async def action_sync(self) -> None:
        """Read the stock list of both markets anew."""
        self.confirm(self.words["ask.sync"], lambda connection: connection.sync())

    def confirm(self, question: str, do: Callable[[Connection], Awaitable[Outcome | Failure]]) -> None:
        """Ask; do it when the answer is yes, and tell what came of it."""
        from chartinsight_tui.screens.dialogs import ConfirmDialog

        def answered(yes: bool | None) -> None:
            if yes and self.connection is not None:
                self.run_worker(self._do(do(self.connection)))

        self.push_screen(ConfirmDialog(self.words, question), answered)

    async def _do(self, work: Awaitable[Outcome | Failure]) -> None:
        self._tell(await work)

    def _tell(self, outcome: Outcome | Failure | None) -> None:
        """Tell what came of a change."""
        if isinstance(outcome, Failure):
            self.notify(str(outcome), severity="error", timeout=8)
        elif outcome is not None:
            job = self.words.put("outcome.job", id=outcome.job_id) if outcome.job_id is not None else ""
            text = f"{self.words[f'outcome.{outcome.state}']} {job} {outcome.detail}".strip()
            self.notify(text, severity="information" if outcome.changed else "warning")


def _colours(name: str) -> theme.Colours:
    return next(colours for colours in theme.ALL if colours.name == name)


def _make_view(name: str) -> View:
    """Make a screen; its code is loaded only now."""
    if name == "coverage":
        from chartinsight_tui.screens.coverage import CoverageView

        return CoverageView(name)
    if name == "jobs":
        from chartinsight_tui.screens.jobs import JobsView

        return JobsView(name)
    if name == "chart":
        from chartinsight_tui.screens.chart import ChartView

        return ChartView(name)
    if name == "symbols":
        from chartinsight_tui.screens.symbols import SymbolsView

        return SymbolsView(name)
    from chartinsight_tui.screens.log import LogView

    return LogView(name)
