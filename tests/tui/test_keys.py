"""Every key does what `?` says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from chartinsight_tui.app import KEYS, VIEWS, Dashboard
from chartinsight_tui.screens.alerts import AlertsView
from chartinsight_tui.screens.backfill import BackfillDialog
from chartinsight_tui.screens.chart import ChartView
from chartinsight_tui.screens.dialogs import ConfirmDialog, KeysDialog, StockDialog, TextDialog
from chartinsight_tui.screens.log import LogView
from chartinsight_tui.screens.watch import WatchView
from chartinsight_tui.widgets.candle_chart import CandleChart
from chartinsight_tui.widgets.row_table import RowTable
from chartinsightd.control.protocol.jobs import JobState
from chartinsightd.facts.krx import KST
from tests.support.fake_backend import Scene
from tests.tui.dashboards import Daemon, connected, dashboard, idle, settled, shown, until


@asynccontextmanager
async def on_screen(
    name: str, daemon: Daemon | None = None, **options: object
) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    """Run a dashboard that shows a screen and has read its data."""
    app = dashboard((daemon or Daemon()).open, **options)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await app.action_show(name)
        await connected(pilot)
        await idle(pilot)
        await pilot.pause()
        yield app, pilot


def table(app: Dashboard) -> RowTable:
    """Return the table of the screen that is shown."""
    return app.view.query_one(RowTable)


async def test_number_keys_show_screens() -> None:
    """Each screen has its digit; each says in the bar below what its keys do."""
    async with on_screen("overview") as (app, pilot):
        for name, key in KEYS.items():
            await pilot.press(key)
            assert app.view.id == name
            assert "help" in shown(app).splitlines()[-1]


async def test_a_click_on_a_tab_shows_its_screen() -> None:
    """The mouse does what the digits do; so it does with the keys below."""
    async with on_screen("overview") as (app, pilot):
        await pilot.click("TopBar", offset=(shown(app).splitlines()[0].index("5 Data"), 0))
        assert app.view.id == "coverage"
        await pilot.click("KeyBar", offset=(shown(app).splitlines()[-1].index("? help"), 0))
        await until(pilot, lambda: isinstance(app.screen, KeysDialog))


async def test_question_mark_shows_keys() -> None:
    """The help names every key that works on the screen below."""
    async with on_screen("coverage") as (app, pilot):
        await pilot.press("question_mark")
        text = shown(app)
        assert all(words in text for words in ("faults only", "verify", "screen before", "find"))
        await pilot.press("escape")
        assert not isinstance(app.screen, KeysDialog)


async def test_filter_and_selection_survive_a_refresh() -> None:
    """What is typed after / holds, and the cursor stays on its stock, when the data is read anew."""
    async with on_screen("symbols") as (app, pilot):
        await pilot.press("s", "s", "s", "slash", *"삼성", "enter", "down")
        rows, chosen = table(app).row_count, table(app).row_id
        assert rows < 10
        app.action_read_again()
        await idle(pilot)
        await pilot.press("1", "2", "r")
        assert (table(app).row_count, table(app).row_id) == (rows, chosen)
        await pilot.press("slash", "escape")
        assert table(app).row_count == 40


async def test_first_consonants_filter() -> None:
    """ㅅㅅㅈㅈ finds 삼성전자."""
    async with on_screen("symbols") as (app, pilot):
        await pilot.press("slash", *"ㅅㅅㅈㅈ", "enter")
        assert app.view.wanted().symbols == ("005930",)


async def test_copy_sends_text_to_the_terminal() -> None:
    """y copies what the cursor is on, by OSC 52."""
    async with on_screen("symbols") as (app, pilot):
        for name in VIEWS:
            await app.action_show(name)
            await connected(pilot)
            await idle(pilot)
            await pilot.pause()
            app.copy_to_clipboard("")
            app.action_copy()
            assert app.clipboard, name
        await pilot.press("y")
        assert app.clipboard.startswith("2026-10-14T")


async def test_themes_and_price_colours() -> None:
    """t goes through all themes and back; the palette changes the colour of rise."""
    async with on_screen("chart") as (app, pilot):
        seen = []
        for _ in range(4):
            await pilot.press("t")
            seen.append(app.palette.colours.name)
        assert sorted(seen) == ["colour-blind", "contrast", "dark", "light"]
        red = app.palette.colour("rise")
        app.action_swap_colours()
        assert app.palette.colour("rise") == app.palette.colours.green != red


async def test_the_command_palette_has_our_commands() -> None:
    """: opens the palette; it shows screens by name."""
    async with on_screen("overview") as (app, pilot):
        await pilot.press("colon", *"Watch")
        await until(pilot, lambda: "Show this screen" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.view.id == "symbols")


async def test_pausing_asks_first() -> None:
    """P asks; No changes nothing, Yes pauses, and P again lets go on."""
    daemon = Daemon()
    async with on_screen("overview", daemon) as (app, pilot):
        await pilot.press("P", "n")
        assert daemon.backend.asked == []
        await pilot.press("P", "y")
        await until(pilot, lambda: "P resume" in shown(app))
        await pilot.press("P", "y")
        await until(pilot, lambda: "P resume" not in shown(app))
        assert [verb for verb, _ in daemon.backend.asked] == ["pause", "resume"]


async def test_read_only_offers_no_change() -> None:
    """With --read-only no key changes the daemon, and none is offered."""
    daemon = Daemon()
    async with on_screen("symbols", daemon, read_only=True) as (app, pilot):
        assert "read-only" in shown(app)
        for name, keys in {"overview": "Pb", "jobs": "x", "symbols": "bw", "coverage": "v"}.items():
            await app.action_show(name)
            await pilot.press(*keys, "space")
            assert len(app.screen_stack) == 1
            assert "backfill" not in shown(app).splitlines()[-1]
        assert daemon.backend.asked == []


async def test_tracking_asks_first() -> None:
    """Space collects the stock under the cursor, or no longer."""
    daemon = Daemon()
    async with on_screen("symbols", daemon) as (app, pilot):
        await pilot.press("s", "s", "s", "down", "space")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: app.store.stocks["900008"].tracked)
        await pilot.press("space", "y")
        await until(pilot, lambda: not app.store.stocks["900008"].tracked)


async def test_scopes_and_orders_of_prices() -> None:
    """s goes on to what is collected and to every stock, o orders; a click on a title does too."""
    async with on_screen("symbols") as (app, pilot):
        assert table(app).row_count == 10  # two groups with their headings
        await pilot.press("s")
        assert table(app).row_count == 30
        await pilot.press("s", "s")
        assert table(app).row_count == 40
        await pilot.press("slash", *"kospi", "enter")
        assert 0 < table(app).row_count < 40
        await pilot.click(RowTable, offset=(shown(app).splitlines()[3].index("%"), 0))
        assert isinstance(app.view, WatchView)
        assert app.view._order == "percent"
        percents = [
            app.store.quotes[symbol].percent for _, symbol in app.view._rows() if symbol in app.store.quotes
        ]
        assert percents == sorted(percents, key=lambda one: -(one or 0.0))


async def test_the_stock_list_is_read_again() -> None:
    """The palette's action asks, then starts the job."""
    daemon = Daemon()
    async with on_screen("symbols", daemon) as (app, pilot):
        app.action_sync()
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: bool(daemon.backend.asked))


async def test_coverage_shows_the_reason_of_a_gap() -> None:
    """The detail names each gap of the series under the cursor; the arrows go from cell to cell."""
    async with on_screen("coverage") as (app, pilot):
        await until(pilot, lambda: "10-13 09:00–15:30  halted" in shown(app))
        await pilot.press("right")
        assert "No gaps, as of 10:07:30." in shown(app)


async def test_coverage_narrows_to_faults() -> None:
    """The worst comes first; f leaves out what is complete, and says so above."""
    async with on_screen("coverage") as (app, pilot):
        assert "93.0" in shown(app).splitlines()[4]
        await pilot.press("f")
        assert 0 < table(app).row_count < 30
        assert "faults only" in shown(app).splitlines()[2]


async def test_coverage_shows_the_days_of_the_timeframe_under_the_cursor() -> None:
    """Brackets and arrows change the timeframe; its trading days are read then."""
    async with on_screen("coverage") as (app, pilot):
        assert "5m sessions 08-20 → 10-14" in shown(app)
        await pilot.press("right_square_bracket")
        await settled(pilot)
        await until(pilot, lambda: "30m sessions 08-20 → 10-14" in shown(app))
        assert app.view.wanted().timeframes == ("30m",)
        await pilot.press("left_square_bracket")
        assert app.view.wanted().timeframes == ("5m",)


async def test_the_views_of_the_data() -> None:
    """Tab goes from coverage to gaps and to seals; each keeps its cursor; b is about what is chosen."""
    async with on_screen("coverage") as (app, pilot):
        await pilot.press("tab", "down")
        gap = app.store.gaps[int(str(table(app).row_id))]
        assert app.view.wanted().symbols == (gap.symbol,)
        assert "no data served" in shown(app)
        await pilot.press("tab")
        assert "withheld" in shown(app)
        assert str(app.view.wanted().from_day) == "2026-10-13"
        await pilot.press("shift+tab")
        assert app.view.wanted().symbols == (gap.symbol,)


async def test_enter_goes_from_a_series_to_its_gaps_and_to_the_chart() -> None:
    """From a red cell to its evidence and to its candles: one key each."""
    async with on_screen("coverage") as (app, pilot):
        await pilot.press("enter")
        assert "evidence" in shown(app)
        assert app.view.wanted().symbols == ("005930",)
        await pilot.press("enter")
        await until(pilot, lambda: app.view.id == "chart" and app.view.wanted().symbols == ("005930",))


async def test_a_verification_asks_first() -> None:
    """v reads a series again; the question names the stock and what happens."""
    daemon = Daemon()
    async with on_screen("coverage", daemon) as (app, pilot):
        await pilot.press("v")
        assert "Verify 삼성전자 5m" in shown(app)
        await pilot.press("y")
        await until(pilot, lambda: any(verb == "verify" for verb, _ in daemon.backend.asked))


async def test_the_chosen_stock_travels() -> None:
    """Enter shows a stock's chart; another screen begins at the stock that was chosen, and ` leads back."""
    async with on_screen("symbols") as (app, pilot):
        await pilot.press("s", "down", "down", "enter")
        await until(pilot, lambda: app.view.id == "chart")
        (symbol,) = app.view.wanted().symbols
        await pilot.press("5")
        await connected(pilot)
        assert app.view.wanted().symbols == (symbol,)
        await pilot.press("grave_accent")
        assert app.view.id == "chart"


async def test_jobs_filter_and_cancel() -> None:
    """f leaves failed jobs; x asks, then ends the job under the cursor; one that is over says so."""
    daemon = Daemon()
    async with on_screen("jobs", daemon) as (app, pilot):
        assert table(app).row_count == 7
        await pilot.press("home", "x", "y")
        await until(pilot, lambda: app.store.jobs[7].state.is_over)
        await pilot.press("f")
        assert table(app).row_count == 2
        assert "faults only" in shown(app)
        await pilot.press("x")
        assert len(app.screen_stack) == 1


async def test_polls_that_went_well_are_folded() -> None:
    """They would bury all other jobs; the line above says how many there are, and s shows them."""
    daemon = Daemon()
    for number in (1, 3, 5):
        job = daemon.backend._jobs[number]
        daemon.backend._jobs[number] = job.model_copy(update={"kind": "poll", "state": JobState.DONE})
    async with on_screen("jobs", daemon) as (app, pilot):
        assert table(app).row_count == 4
        assert "3 polls folded" in shown(app)
        await pilot.press("s")
        assert table(app).row_count == 7


async def test_a_job_shows_its_error_and_its_log() -> None:
    """The detail of a failed job has the reason and what the log says of it."""
    async with on_screen("jobs") as (app, pilot):
        await pilot.press("down", "down", "down", "enter")
        await idle(pilot)
        assert "cause  Kiwoom has no such symbol: 0126Z0 (1901)." in shown(app)
        assert "backfill.failed" in shown(app)


async def test_a_filter_of_jobs() -> None:
    """Words find jobs by kind and by who asked."""
    async with on_screen("jobs") as (app, pilot):
        await pilot.press("slash", *"yuna", "enter")
        assert table(app).row_count == 3


async def test_log_levels_filter_and_pause() -> None:
    """s raises the level, / narrows, space holds what is shown while lines go on coming."""
    daemon = Daemon()
    async with on_screen("log", daemon) as (app, pilot):
        count = table(app).row_count
        await pilot.press("s")
        assert table(app).row_count < count
        await pilot.press("s", "s", "s", "space")
        held = table(app).row_count
        daemon.backend.log("error", "later.line")
        await until(pilot, lambda: any(line.event == "later.line" for line in app.store.logs))
        await until(pilot, lambda: not app.is_drawing)
        assert table(app).row_count == held
        await pilot.press("space")
        assert "later.line" in shown(app)
        await pilot.press("slash", *"later", "enter")
        assert table(app).row_count == 1


async def test_the_log_follows_its_end() -> None:
    """At the end new lines pull the cursor along; elsewhere it stays."""
    daemon = Daemon()
    async with on_screen("log", daemon) as (app, pilot):
        daemon.backend.log("info", "first.new")
        await until(pilot, lambda: "first.new" in shown(app))
        await pilot.press("up", "up")
        stays = table(app).row_id
        daemon.backend.log("info", "second.new")
        await until(pilot, lambda: app.store.logs[-1].event == "second.new" and not app.is_drawing)
        assert table(app).row_id == stays
        assert isinstance(app.view, LogView)


async def test_a_log_line_opens() -> None:
    """Enter shows every field of a line."""
    async with on_screen("log") as (app, pilot):
        await pilot.press("enter")
        assert isinstance(app.screen, TextDialog)
        assert "error         Kiwoom has no such symbol (1901)." in shown(app)
        await pilot.press("y", "escape")
        assert "backfill.failed" in app.clipboard


async def test_the_chart_zooms_scrolls_and_crosses() -> None:
    """Arrows move the crosshair, + and - zoom, End returns to the newest; older candles are read then."""
    async with on_screen("chart") as (app, pilot):
        chart = app.view.query_one(CandleChart)
        await pilot.press("left", "left")
        pointed = chart.pointed()
        assert pointed is not None
        assert pointed[0] == chart.candles[-2]
        before = len(chart.candles)
        await pilot.press("minus", "minus", "home")
        await idle(pilot)
        assert len(chart.candles) > before
        await pilot.press("end", "plus", "plus", "plus", "pageup", "pagedown")
        assert "C 1" in shown(app)


async def test_the_chart_changes_series() -> None:
    """Brackets change the timeframe, braces the stock, u the adjustment."""
    async with on_screen("chart") as (app, pilot):
        await pilot.press("right_square_bracket")
        await idle(pilot)
        assert app.view.wanted().timeframes == ("1w",)
        symbol = app.view.wanted().symbols
        await pilot.press("right_curly_bracket")
        await idle(pilot)
        assert app.view.wanted().symbols != symbol
        await pilot.press("left_curly_bracket", "u")
        await idle(pilot)
        assert app.view.wanted().symbols == symbol
        assert "adjusted" in shown(app)


async def test_the_forming_candle_lives() -> None:
    """The newest candle changes while one looks at it."""
    daemon = Daemon()
    async with on_screen("chart", daemon) as (app, pilot):
        assert isinstance(app.view, ChartView)
        await app.view.show_series("005930", "5m")
        await idle(pilot)
        count = len(app.view.query_one(CandleChart).candles)
        daemon.backend.clock.advance(300)
        daemon.backend.tick()
        await until(pilot, lambda: len(app.view.query_one(CandleChart).candles) == count + 1)
        assert "forming" in shown(app)


async def test_a_stock_is_picked_by_name() -> None:
    """/ opens the search; Enter takes the first that is found."""
    async with on_screen("chart") as (app, pilot):
        await pilot.press("slash")
        assert isinstance(app.screen, StockDialog)
        await pilot.press(*"카카오", "enter")
        await until(pilot, lambda: app.view.wanted().symbols == ("035720",))


async def test_a_backfill_shows_its_cost_before_it_starts() -> None:
    """b begins with what is under the cursor; Start waits for the cost; the job appears."""
    daemon = Daemon()
    async with on_screen("coverage", daemon) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, BackfillDialog))
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled)
        assert "requests (ka10080" in shown(app)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: 8 in app.store.jobs)
        assert app.store.jobs[8].params["symbols"] == ["005930"]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-13-01", "", "A day is written 2026-01-31"),
        ("2026-05-02", "2026-05-01", "The first day is after the last."),
    ],
)
async def test_a_wrong_backfill_is_told_at_once(first: str, last: str, words: str) -> None:
    """What is wrong with the form is said before the daemon is asked; Start stays off."""
    async with on_screen("coverage") as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, BackfillDialog))
        app.screen.query_one("#from", Input).value = first
        app.screen.query_one("#to", Input).value = last
        await until(pilot, lambda: words in shown(app))
        await pilot.press("ctrl+s")
        assert isinstance(app.screen, BackfillDialog)


async def test_symbols_of_a_backfill_are_found_by_korean_name() -> None:
    """Typed Hangul finds stocks; Enter takes the marked one, and again takes it out."""
    async with on_screen("overview") as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, BackfillDialog) and bool(app.store.stocks))
        assert "Choose at least one symbol." in shown(app)
        await pilot.press(*"ㅅㅅSDI", "enter")
        await until(pilot, lambda: "006400 삼성SDI" in shown(app))
        await pilot.press(*"006400", "enter", "down", "escape")
        assert not isinstance(app.screen, BackfillDialog)


async def test_keys_work_in_hangul_mode() -> None:
    """The letters of a Korean keyboard do what is printed on their keys, in questions too."""
    daemon = Daemon()
    async with on_screen("coverage", daemon) as (app, pilot):
        await pilot.press("ㄹ")
        assert "faults only" in shown(app)
        await pilot.press("ㅍ")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("ㅛ")
        await until(pilot, lambda: any(verb == "verify" for verb, _ in daemon.backend.asked))


async def test_a_text_being_typed_in_hangul_stays_as_it_is() -> None:
    """In a text field nothing is mapped."""
    async with on_screen("symbols") as (app, pilot):
        await pilot.press("slash", *"카카", "enter")
        assert app.view.filter_text == "카카"


async def test_the_palette_finds_stocks() -> None:
    """A stock is found by the first consonants of its name; the last word may name the timeframe."""
    async with on_screen("symbols") as (app, pilot):
        await pilot.press("colon", *"ㅅㅅㅈㅈ 5")
        await until(pilot, lambda: "삼성전자  005930" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.view.id == "chart")
        await until(pilot, lambda: app.view.wanted().timeframes == ("5m",))


async def test_the_cause_is_one_key_away() -> None:
    """! goes from any screen to the alerts, where the first cause stands in full."""
    async with on_screen("log", Daemon(Scene.ERROR)) as (app, pilot):
        await pilot.press("exclamation_mark")
        await connected(pilot)
        await until(pilot, lambda: "Is it running? See database.dsn." in shown(app))
        assert app.view.id == "alerts"


async def test_days_of_a_backfill_may_be_short() -> None:
    """-1y and month-day are days too; a day that is not whole yet keeps its text and says what is wrong."""
    async with on_screen("coverage") as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, BackfillDialog))
        field = app.screen.query_one("#from", Input)
        field.value = "-1y"
        dialog = app.screen
        assert isinstance(dialog, BackfillDialog)
        await until(pilot, lambda: str(getattr(dialog.request(), "from_day", "")) == "2025-10-14")
        field.value = "2025-1"
        await until(pilot, lambda: "A day is written" in shown(app))
        assert "2025-1" in shown(app)


async def test_the_chart_shows_points_and_when_they_were_known() -> None:
    """Peaks and valleys stand at their candles; the crosshair names one and the close that confirmed it."""
    async with on_screen("chart") as (app, pilot):
        assert isinstance(app.view, ChartView)
        await app.view.show_series("005930", "1d")
        await until(pilot, lambda: "▲" in chart_rows(app))
        chart = app.view.query_one(CandleChart)
        days = [f"{candle.ts.astimezone(KST):%m-%d}" for candle in chart.candles]
        await pilot.press(*["left"] * (days[::-1].index("09-01") + 1))
        assert "▲ primary valley, known at the close of 09-0" in shown(app)
        await pilot.press("p")
        assert "primary valley" not in shown(app)
        assert "▲" not in "".join(chart_rows(app).splitlines()[:-6])


def chart_rows(app: Dashboard) -> str:
    """Return the candles of the screen, without the lines around and the axis."""
    return "\n".join(shown(app).splitlines()[4:-2])


async def test_alerts_are_acknowledged_and_silenced_after_a_question() -> None:
    """`a` and `i` ask first; `Tab` shows the last thirty days."""
    daemon = Daemon(Scene.ERROR)
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.store.is_online)
        await app.action_show("alerts")
        await connected(pilot)
        await until(pilot, lambda: app.store.alerts is not None and "not reachable" in shown(app))
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: "acknowledge database.away" in dict(daemon.backend.asked))
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog))
        await settled(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: "silence database.away" in dict(daemon.backend.asked))
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog) and "refused 2" in shown(app))
        await pilot.press("f")
        assert "refused 2 requests" not in shown(app)
        await pilot.press("f", "tab")
        view = app.view
        assert isinstance(view, AlertsView)
        await until(pilot, lambda: view.is_past)
