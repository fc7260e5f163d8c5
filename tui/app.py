"""The dashboard: what holds the screens together. Its first picture needs no network and no HTTP client."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.filter import LineFilter
from textual.widgets import Input

from chartinsight_tui import theme
from chartinsight_tui.asking import AskingApp
from chartinsight_tui.causes import place_of_cause
from chartinsight_tui.clock import Clock
from chartinsight_tui.context import Context
from chartinsight_tui.hangul import letters_of
from chartinsight_tui.headline import Headline
from chartinsight_tui.keymap import Keyed
from chartinsight_tui.last_picture import LastPicture
from chartinsight_tui.messages import (
    ReadAgain,
    RunAction,
    ShowChart,
    ShowDay,
    ShowJob,
    ShowMoment,
    ShowScreen,
    StepBack,
)
from chartinsight_tui.moment import Moment
from chartinsight_tui.screens.overview import OverviewView
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import LinkState, Part, Store
from chartinsight_tui.text import Words
from chartinsight_tui.told import told
from chartinsight_tui.widgets.bars import KeyBar, StateBar, TopBar
from chartinsight_tui.widgets.hints import Hints
from chartinsight_tui.widgets.notice import Notice
from chartinsightd.domain.foreign_text import printable, printable_lines
from chartinsightd.domain.language import Language

if TYPE_CHECKING:
    from textual.command import Provider

    from chartinsight_tui.answers import Answer
    from chartinsight_tui.connection import Connection
    from chartinsightd.control.client import ControlClient

OpenClient = Callable[[], "AbstractAsyncContextManager[ControlClient]"]
Remember = Callable[[str, str], None]
"""Called with the name of the theme and the colour of rising prices (`red` or `green`)."""
KEYS = {
    "overview": "1",
    "symbols": "2",
    "chart": "3",
    "screener": "4",
    "coverage": "5",
    "jobs": "6",
    "alerts": "7",
    "log": "8",
}
"""The screens in their order, each with its digit."""
VIEWS = tuple(KEYS)
_CLASSES = {
    "symbols": ("watch", "WatchView"),
    "chart": ("chart", "ChartView"),
    "screener": ("screener", "ScreenerView"),
    "coverage": ("data.view", "DataView"),
    "jobs": ("jobs", "JobsView"),
    "alerts": ("alerts", "AlertsView"),
    "log": ("log", "LogView"),
}
_MUTATIONS = {"backfill", "pause", "cancel_job", "track", "sync", "verify"}
_TOLD_BY_BARS = {Part.LINK, Part.STATUS}
"""What the rows around a screen tell; each second they are drawn anyhow."""
_OF_NOW = {"command_palette", "export", "freeze", "next_theme", "place_before", "read_again"}
"""What has no meaning while the past is on the screen."""
_OF_FROZEN = ("freeze", "look_back", "copy", "export", "command_palette", "keys")
"""What the row of keys offers while the screens are frozen."""
_LONGEST_TRAIL = 20
_RIGHT_BUTTON = 3
_PICTURE_S = 30.0
_SETTLE_S = 0.25
"""Changes within this time are drawn together: at most four times a second."""


def _palette_commands() -> type[Provider]:
    """Return who finds things for the palette; its code is loaded only when that is opened."""
    from chartinsight_tui.screens.palette import PaletteCommands

    return PaletteCommands


def _forget(theme_name: str, rise: str) -> None:
    """Remember nothing."""


class Dashboard(Keyed, AskingApp):
    """The dashboard.

    Args:
        open_client: makes a client of the control API; first called after the first picture.
        clock: this machine's time.
        language: of all texts.
        colours: name of the theme.
        rise_is_red: price colours as in Korea; otherwise rise is green.
        read_only: nothing that changes the daemon is offered.
        keys: other keys than ours, by the names of `keymap`.
        signs: what redraws lines for a terminal that lacks our signs.
        remember: called when a person chose other colours.
        last_picture: what the home screen showed last time.
        keep_picture: called now and then, and at the end, with what it shows.
        has_hints: the hints of the first minute are shown.
        end_hints: called when a person closed them.
    """

    TITLE = "ChartInsight"
    CSS_PATH = "dashboard.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (150, "-wide")]  # noqa: RUF012 - as in App
    VERTICAL_BREAKPOINTS = [(0, "-h-tiny"), (32, "-h-normal"), (50, "-h-tall")]  # noqa: RUF012 - as in App
    COMMANDS = {_palette_commands}  # noqa: RUF012 - as in App
    BINDINGS: ClassVar[list[BindingType]] = [
        *[Binding(key, f"show('{name}')", f"tab.{name}", show=False) for name, key in KEYS.items()],
        Binding("exclamation_mark", "cause", "key.cause", show=False, key_display="!"),
        Binding("grave_accent", "place_before", "key.place_before", show=False, key_display="`"),
        Binding("z", "freeze", "key.freeze", show=False),
        Binding("comma,left", "look_back", "key.replay", show=False, key_display=","),
        Binding("P", "pause", "key.pause", show=False),
        Binding("y", "copy", "key.copy", show=False),
        Binding("E", "export", "key.export", show=False),
        Binding("r", "read_again", "key.read_again", show=False),
        Binding("ctrl+r", "read_again", show=False),
        Binding("t", "next_theme", "key.theme", show=False),
        Binding("b", "backfill", "key.backfill"),
        Binding("m", "menu", "key.menu"),
        Binding("colon", "command_palette", "key.palette", key_display=":"),
        Binding("question_mark", "keys", "key.help", key_display="?"),
        Binding("q", "quit", "key.quit", show=False),
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
        keys: Mapping[str, str] | None = None,
        signs: LineFilter | None = None,
        remember: Remember = _forget,
        last_picture: LastPicture | None = None,
        keep_picture: Callable[[LastPicture], None] = lambda _: None,
        has_hints: bool = False,
        end_hints: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._open_client = open_client
        self._clock = clock
        self._remember = remember
        self._signs = signs
        self._own_keys = keys or {}
        self._dirty: set[Part] = set()
        self._is_settling = False
        self._views: dict[str, View] = {}
        self._active = VIEWS[0]
        self._trail: list[str] = []
        """The screens that led to the one that is shown, the last one last."""
        self.recent: list[str] = []
        """What was typed into the palette when something was chosen, oldest first."""
        self.screens = VIEWS
        self._said_hangul = False
        self._terminal_title = ""
        self._moment = Moment(Store(), clock)
        self._is_replaying = False
        self._read_only = read_only
        for one in theme.ALL:
            self.register_theme(theme.textual_theme(one))
        self.theme = colours
        self.context = Context(
            store=self._moment.live,
            words=Words(language),
            colours=theme.Palette(colours=_colours(colours), rise_is_red=rise_is_red),
            read_only=read_only,
            now=self._shown_now,
            last_picture=last_picture,
        )
        self._keep_picture = keep_picture
        self._has_hints = has_hints
        self._end_hints = end_hints
        palette = lambda: self.context.palette  # noqa: E731 - read again at each drawing
        self._headline = Headline(
            self.context,
            self._moment,
            keys=KEYS,
            pictured_at=self._pictured_at,
            show_title=self._show_title,
        )
        self._top = TopBar(palette, self._headline.tabs, self._headline.news)
        self._state = StateBar(palette, self._headline.state, keeps_end=lambda: self._moment.is_frozen)
        self._notice = Notice(palette)
        self._hints = Hints(palette, self.words)
        self._keys = KeyBar(palette, self._shown_keys)

    @property
    def store(self) -> Store:
        """The last known data."""
        return self.context.store

    @property
    def words(self) -> Words:
        """Texts in the language of the user."""
        return self.context.words

    @property
    def palette(self) -> theme.Palette:
        """The colours of the moment."""
        return self.context.palette

    def compose(self) -> ComposeResult:
        """Lay out the bars and the body; the first screen fills the body at once."""
        yield self._top
        yield self._state
        yield self._notice
        with Container(id="body"):
            self._views[VIEWS[0]] = OverviewView(VIEWS[0], self.context)
            yield self._views[VIEWS[0]]
        yield self._keys
        yield self._hints

    def on_mount(self) -> None:
        """Begin to connect once the first picture is drawn."""
        if self._own_keys:
            self.set_keymap(self._own_keys)
        self.view.main_widget().focus()
        self._top.show(self._active)
        if self._has_hints:
            self.action_hints()
        self.set_interval(1.0, self._tick)
        self.set_interval(_PICTURE_S, self._take_picture)
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._keys.update())
        self.call_after_refresh(lambda: self.run_worker(self._connect(), name="connection"))

    async def _connect(self) -> None:
        """Load the connection's code beside the running loop, then stay connected."""
        self.context.connection = await asyncio.to_thread(self._load_connection)
        gc.freeze()  # code that is loaded stays: each search for garbage would walk over all of it
        gc.enable()
        for view in self._views.values():
            self._need(view)
        self._follow_quotes()
        await self.context.connection.run()

    def _load_connection(self) -> Connection:
        from chartinsight_tui.connection import Connection

        return Connection(self._open_client, self._moment.live, self._clock, self._changed)

    # time

    def _shown_now(self) -> datetime | None:
        """Return the daemon's time of what is shown, UTC; None while it is away."""
        return self._moment.shown_now(self.store)

    def _tick(self) -> None:
        self._draw_bars()
        if self.store.is_online:
            self.view.tick()

    def _draw_bars(self) -> None:
        self._state.fit_height(self.size.width)
        self._top.update()
        self._state.update()

    def _take_picture(self) -> None:
        """Keep what the home screen shows for the next start, while it is seen and true."""
        home, is_seen = self._views[VIEWS[0]], self._active == VIEWS[0] and not self._moment.is_frozen
        picture = home.picture() if is_seen and isinstance(home, OverviewView) else None
        if picture is not None:
            self._keep_picture(picture)

    async def action_quit(self) -> None:
        """Leave; the next start begins with what is seen now."""
        self._take_picture()
        await super().action_quit()

    # screens

    @property
    def view(self) -> View:
        """The screen that is shown."""
        return self._views[self._active]

    async def action_show(self, name: str) -> None:
        """Show a screen; made when it is first asked for, kept from then on. The chosen stock goes along."""
        await self._show(name, self.view.wanted())

    async def _show(self, name: str, wanted: Wanted) -> None:
        if name not in self._views:
            view = self._views[name] = _make_view(name, self.context)
            await self.query_one("#body").mount(view)
            self._need(view)
        if name != self._active:
            self._trail = [*self._trail[-_LONGEST_TRAIL:], self._active]
            self._active = name
            self._hints.done(name)
        for known, view in self._views.items():
            view.display = known == name
        self._top.show(name)
        self._follow_quotes()
        if wanted.symbols:
            await self.view.go_to(wanted)
        self.view.refresh_data(self.view.PARTS)
        self.view.main_widget().focus()

    def _follow_quotes(self) -> None:
        """Ask for prices only while a screen shows them."""
        if self.context.connection is not None:
            shows_quotes = Part.QUOTES in self.view.PARTS
            self.context.connection.follow_quotes(self.view.QUOTES_EVERY_S if shows_quotes else None)

    async def action_place_before(self) -> None:
        """Go back to the screen before this one, as it was left; once more returns."""
        if self._trail:
            await self._show(self._trail[-1], Wanted())

    @on(StepBack)
    async def _step_back(self) -> None:
        """Close the hints; without them go one screen back on the way that led here, as it was left."""
        if self._hints.display:
            self._hints.display = False
            self._end_hints()
        elif self._trail:
            *trail, before = self._trail
            await self._show(before, Wanted())
            self._trail = trail

    async def action_cause(self) -> None:
        """Go to what shows the first cause of the verdict; while the daemon is away, say what helps."""
        status = self.store.status
        if self.store.link.state is LinkState.OFFLINE or status is None:
            self._say_link()
        else:
            await self._show_screen(place_of_cause(status))

    @on(ShowScreen)
    async def _show_screen(self, event: ShowScreen) -> None:
        if event.symbol:
            await self._show(event.name, Wanted(symbols=(event.symbol,)))
            if event.name == "jobs":
                self.view.filter_by(self.store.name_of(event.symbol) or event.symbol)
        else:
            await self.action_show(event.name)
        if event.page:
            self.view.show_page(event.page)
        if event.symbol or event.event:
            await self.view.go_to(Wanted(symbols=tuple(filter(None, [event.symbol])), event=event.event))

    @on(StateBar.Clicked)
    async def _show_cause(self) -> None:
        await self.action_cause()

    @on(ShowJob)
    async def _show_job(self, event: ShowJob) -> None:
        await self._show("jobs", Wanted())
        await self.view.go_to(Wanted(job=event.job_id))

    @on(ShowDay)
    async def _show_day(self, event: ShowDay) -> None:
        await self._show("coverage", Wanted())
        symbols = (event.symbol,) if event.symbol else ()
        await self.view.go_to(Wanted(symbols=symbols, from_day=event.day))

    @on(ShowChart)
    async def _show_chart(self, event: ShowChart) -> None:
        await self._show("chart", Wanted(symbols=(event.symbol,), timeframes=(event.timeframe,)))

    def _need(self, view: View) -> None:
        if self.context.connection is not None:
            for part in sorted(view.PARTS - {Part.STATUS, Part.LINK, Part.CANDLE, Part.QUOTES}):
                self.context.connection.need(part)

    @on(TopBar.TabClicked)
    async def _show_clicked(self, event: TopBar.TabClicked) -> None:
        await self.action_show(event.name)

    # data

    @property
    def is_drawing(self) -> bool:
        """Whether something changed that is not drawn yet."""
        return self._is_settling

    def _changed(self, part: Part) -> None:
        """Note a change; changes of a moment are drawn together."""
        self._moment.missed += 1
        self._dirty.add(part)
        if not self._is_settling:
            self._is_settling = True
            self.set_timer(_SETTLE_S, self._draw_changes)

    def _draw_changes(self) -> None:
        self._is_settling = False
        changed, self._dirty = self._dirty, set()
        if Part.LINK in changed:
            self._say_link()
            changed |= self.view.PARTS
        if self._moment.is_frozen:
            changed = set()
        if shown := frozenset(changed & self.view.PARTS):
            self.view.refresh_data(shown)
        if changed & _TOLD_BY_BARS:
            self._draw_bars()
            self._keys.update()

    def _say_link(self) -> None:
        """While the daemon is away: why, and what to do."""
        link = self._moment.live.link
        if link.state is LinkState.OFFLINE:
            self._notice.say(f"{told(link.reason, self.words)} {told(link.remedy, self.words)}")
        else:
            self._notice.say("")

    def _pictured_at(self) -> datetime | None:
        """Return the time of the last picture where that is what is seen; a wider one is not shown."""
        picture = self.context.last_picture
        is_seen = picture is not None and self._active == VIEWS[0] and picture.width <= self.size.width
        return picture.at if picture is not None and is_seen else None

    def _show_title(self, title: str) -> None:
        """Say the same in the title of the terminal (OSC 2), which a tab or a task bar shows."""
        if title != self._terminal_title and self._driver is not None:
            self._terminal_title = title
            self._driver.write(f"\x1b]2;{printable(title)}\x07")

    # other times than now

    def action_freeze(self) -> None:
        """Let the screens stand as they are, while the data goes on; or let them go on."""
        self._hints.done("replay")
        if self._moment.is_frozen:
            self._back_to_now()
        elif self._moment.live.status is not None:
            self.context.store = self._moment.freeze()
            self.context.read_only = self.context.is_past = True
            self._draw_bars()
            self.refresh_bindings()

    def _back_to_now(self) -> None:
        self._moment.thaw()
        self._is_replaying = False
        self.context.store = self._moment.live
        self.context.read_only = self._read_only
        self.context.is_past = False
        self.refresh_bindings()
        self.view.refresh_data(frozenset(self.view.PARTS))
        self._draw_bars()
        self._keys.update()

    @on(ShowMoment)
    def _show_moment(self, event: ShowMoment) -> None:
        self.action_replay(event.at)

    def action_replay(self, at: datetime | None = None) -> None:
        """Leave now: show a moment, or that at which the screens stand; from there one goes back and on."""
        if self.context.connection is None or self._is_replaying:
            return
        from chartinsight_tui.screens.replay import ReplayScreen

        moment, headline = self._moment, self._headline
        at = at or moment.frozen_at or moment.daemon_time()
        self._back_to_now()
        self._is_replaying = self.context.read_only = True
        past = ReplayScreen(
            self.context, at, present=headline.present, now=moment.daemon_time, tabs=headline.tabs
        )
        self.push_screen(past, lambda _: self._back_to_now())

    def action_look_back(self) -> None:
        """Go from the frozen screen a step back."""
        self.action_replay()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what lines pass before they are drawn; the set of signs comes last."""
        filters = super().get_line_filters()
        return [*filters, self._signs] if self._signs is not None else filters

    # keys

    async def on_event(self, event: events.Event) -> None:
        """Take keys of the Hangul mode for the letters on them, except where a text is typed."""
        is_new_key = isinstance(event, events.Key) and not event.is_forwarded
        if is_new_key and not isinstance(self.focused, Input):
            assert isinstance(event, events.Key)
            if letters := letters_of(event.character or ""):
                await self._press_letters(letters)
                return
        await super().on_event(event)

    async def _press_letters(self, letters: str) -> None:
        if not self._said_hangul:
            self._said_hangul = True
            self.notify(self.words["hangul.works"], timeout=3)
        for letter in letters:
            key = "grave_accent" if letter == "`" else letter
            await super().on_event(events.Key(key, letter))

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
        keys = self.active_keys()
        if not self._moment.is_frozen:
            return [(binding.key, name, words) for binding, name, words in keys if binding.show]
        labels = {"freeze": self.words["frozen.go_on"]}
        known = {
            binding.action: (binding.key, name, labels.get(binding.action, words))
            for binding, name, words in keys
        }
        return [known[action] for action in _OF_FROZEN if action in known]

    @on(KeyBar.KeyClicked)
    def _press(self, event: KeyBar.KeyClicked) -> None:
        self.simulate_key(event.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that changes the daemon when that was ruled out, or what is shown is not now."""
        del parameters
        if action == "look_back":
            return self._moment.is_frozen
        if self._is_replaying and action in _OF_NOW:
            return False
        return not (self.context.read_only and action in _MUTATIONS)

    def action_keys(self) -> None:
        """Show all keys."""
        from chartinsight_tui.screens.dialogs import KeysDialog

        self.push_screen(KeysDialog(self.words, self.palette, self.active_keys()))

    def action_menu(self) -> None:
        """Show all that can be done here with what is chosen, and why something cannot."""
        from chartinsight_tui.screens.menu import MenuDialog, entries

        title = f"{self.words[f'tab.{self._active}']}  {self._chosen()}".rstrip()
        active = {binding.action: (binding.key, name) for binding, name, _ in self.active_keys()}
        found = entries((type(self.view), type(self)), active, self.words, self._why_not)
        self.push_screen(MenuDialog(title, found, self.palette), self._press_chosen)

    def on_click(self, event: events.Click) -> None:
        """Open the menu where the right button was pressed."""
        if event.button == _RIGHT_BUTTON and len(self.screen_stack) == 1:
            self.action_menu()

    def _chosen(self) -> str:
        """Return what is chosen on the screen, in words."""
        wanted = self.view.wanted()
        names = [self.store.name_of(one) or one for one in wanted.symbols[:1]]
        frames = [self.words.get(f"timeframe.{one}", one) for one in wanted.timeframes[:1]]
        return " ".join([*names, *frames, *([f"{wanted.from_day}"] if wanted.from_day else [])])

    def _why_not(self, action: str) -> str:
        is_ruled_out = self.context.read_only and action in _MUTATIONS
        return self.words["menu.read_only" if is_ruled_out else "menu.not_here"]

    def _press_chosen(self, key: str | None) -> None:
        if key:
            self.simulate_key(key)

    def action_copy(self) -> None:
        """Copy what is shown to the terminal's clipboard (OSC 52)."""
        if text := printable_lines(self.view.copy_text()):
            self.copy_to_clipboard(text)
            self.notify(self.words.put("copied", count=len(text.splitlines())), timeout=2)

    def action_export(self) -> None:
        """Write what is shown to files of the working folder: rows, text and a picture."""
        from chartinsight_tui import exporting

        files = exporting.contents(self.view, self.export_screenshot(title=self.words[f"tab.{self._active}"]))
        stem = exporting.file_stem(self._active, self._moment.daemon_time())
        try:
            names = exporting.write(Path.cwd(), stem, files)
        except OSError as error:
            self.notify(printable_lines(str(error)), severity="error", timeout=8, markup=False)
        else:
            self.notify(self.words.put("exported", names=", ".join(names)), timeout=5, markup=False)

    @on(ReadAgain)
    def action_read_again(self) -> None:
        """Ask for everything that is shown now."""
        if self.context.connection is not None:
            self.context.connection.refresh()

    # colours

    def action_hints(self) -> None:
        """Show the hints of the first minute."""
        self._hints.begin()

    def on_resize(self) -> None:
        """Give the hints the room there is."""
        if self._hints.display:
            self._hints.fit_size()

    def action_next_theme(self) -> None:
        """Take the next theme."""
        name = self.context.colours.colours.name
        self.use_theme(theme.NAMES[(theme.NAMES.index(name) + 1) % len(theme.NAMES)])

    def use_theme(self, name: str) -> None:
        """Take a theme by name."""
        self.theme = name
        self._choose(theme.Palette(colours=_colours(name), rise_is_red=self.context.colours.rise_is_red))

    def action_swap_colours(self) -> None:
        """Change between red for rise, as in Korea, and green for rise."""
        chosen = self.context.colours
        self._choose(theme.Palette(colours=chosen.colours, rise_is_red=not chosen.rise_is_red))

    def _choose(self, palette: theme.Palette) -> None:
        self.context.colours = palette
        self._remember(palette.colours.name, "red" if palette.rise_is_red else "green")
        self.view.refresh_data(frozenset(self.view.PARTS))
        self._draw_bars()
        self._keys.update()
        for widget in self.screen.query("*"):
            widget.refresh()

    def action_command_palette(self) -> None:
        """Open the palette: stocks by name, code or first consonants, jobs, days, screens, commands."""
        from chartinsight_tui.screens.palette import PaletteScreen

        if self.context.connection is not None:
            self.context.connection.need(Part.STOCKS)
        self._hints.done("palette")
        if not isinstance(self.screen, PaletteScreen):
            self.push_screen(PaletteScreen(placeholder=self.words["palette.hint"]))

    def choose(self, typed: str, answer: Answer) -> None:
        """Do what was chosen in the palette, and remember what was typed."""
        self.recent.append(typed)
        self.post_message(answer.does)

    @on(RunAction)
    async def _run_action(self, event: RunAction) -> None:
        await self.run_action(event.action)

    def action_use_theme(self, name: str) -> None:
        """Take a theme by name."""
        self.use_theme(name)


def _colours(name: str) -> theme.Colours:
    return next(colours for colours in theme.ALL if colours.name == name)


def _make_view(name: str, context: Context) -> View:
    """Make a screen; its code is loaded only now."""
    module, kind = _CLASSES[name]
    found = getattr(import_module(f"chartinsight_tui.screens.{module}"), kind)
    view: View = found(name, context)
    return view
