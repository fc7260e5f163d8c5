"""Ways through the dashboard: to the cause, back again, through the menu and what was typed before."""

from __future__ import annotations

from datetime import date

import pytest
from textual.widgets import Input

from chartinsight_tui.causes import place_of_cause
from chartinsight_tui.messages import ShowDay, ShowScreen
from chartinsight_tui.screens.menu import MenuDialog
from chartinsight_tui.screens.palette import PaletteScreen
from chartinsightd.control.protocol.status import VerdictCause, Words
from chartinsightd.domain.verdict import VerdictState
from tests.support.fake_backend import FakeBackend
from tests.tui.dashboards import connected, dashboard, settled, shown, until


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("gaps", ShowScreen("coverage", page="gaps")),
        ("seals.broken", ShowScreen("coverage", page="seals")),
        ("rows.refused", ShowScreen("coverage", page="quarantine")),
        ("database.away", ShowScreen("alerts", event="database.away")),
        ("paused", ShowScreen("alerts", event="paused.long")),
    ],
)
async def test_each_cause_has_a_place(kind: str, place: ShowScreen) -> None:
    """Gaps, seals and refused rows are shown by the data, everything else by its alert."""
    status = await FakeBackend().status()
    cause = VerdictCause(kind=kind, state=VerdictState.ATTENTION, words=Words(en="", ko=""))
    verdict = status.verdict.model_copy(update={"causes": (cause,)})
    assert place_of_cause(status.model_copy(update={"verdict": verdict})) == place


async def test_the_way_leads_to_the_cause_and_back_step_by_step() -> None:
    """`!` shows the gaps that are the cause; Esc goes back through every screen to where one began."""
    async with dashboard().run_test(size=(80, 24)) as pilot:
        app = await connected(pilot)
        await pilot.press("8", "exclamation_mark")
        await connected(pilot)
        await until(pilot, lambda: "evidence" in shown(app))
        await pilot.press("2", "escape", "escape", "escape")
        await until(pilot, lambda: "Freshness" in shown(app))
        await pilot.press("escape")
        await settled(pilot)
        assert "Freshness" in shown(app)
        await pilot.press("6", "grave_accent")
        await until(pilot, lambda: "Freshness" in shown(app))


async def test_a_day_is_shown_as_soon_as_its_seals_have_come() -> None:
    """A day asked for before the data screen was ever opened waits for what it is shown with."""
    async with dashboard().run_test(size=(100, 34)) as pilot:
        app = await connected(pilot)
        assert not app.store.seals
        app.post_message(ShowDay(date(2026, 10, 13), "000660"))
        await until(pilot, lambda: "SK하이닉스 10-13 seal" in shown(app))


async def test_the_menu_says_what_can_be_done_and_why_something_cannot() -> None:
    """A key in it does what it does on the screen below."""
    async with dashboard(read_only=True).run_test(size=(100, 34)) as pilot:
        app = await connected(pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MenuDialog))
        await settled(pilot)
        lines = shown(app).splitlines()
        assert any("backfill" in line and "not in read-only mode" in line for line in lines)
        assert any("pause/resume" in line and "not in read-only mode" in line for line in lines)
        await pilot.press("b")
        assert isinstance(app.screen, MenuDialog)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Keys" in shown(app))
        await pilot.press("escape")
        await pilot.click(offset=(20, 12), button=3)
        await until(pilot, lambda: isinstance(app.screen, MenuDialog))


async def test_the_palette_brings_back_what_was_typed() -> None:
    """The newest first, with the key for up."""
    async with dashboard().run_test(size=(80, 24)) as pilot:
        app = await connected(pilot)
        app.recent += ["kakao", "#4"]
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, PaletteScreen))
        await pilot.press("up")
        assert app.screen.query_one(Input).value == "#4"
        await until(pilot, lambda: "backfill" in shown(app))
        await pilot.press("up")
        assert app.screen.query_one(Input).value == "kakao"


async def test_the_hints_of_the_first_minute_tick_themselves_off() -> None:
    """Each that was tried has a tick; Esc ends them for good, and `:first` shows them again."""
    ended: list[bool] = []
    app = dashboard(has_hints=True, end_hints=lambda: ended.append(True))
    async with app.run_test(size=(100, 34)) as pilot:
        await connected(pilot)
        assert "New here? Five keys." in shown(app)
        assert "✓" not in "".join(line[60:] for line in shown(app).splitlines() if "see prices move" in line)
        await pilot.press("2")
        await until(
            pilot, lambda: any("see prices move" in line and "✓" in line for line in shown(app).splitlines())
        )
        await pilot.press("escape")
        await until(pilot, lambda: "New here?" not in shown(app))
        assert ended == [True]
        app.action_hints()
        await until(pilot, lambda: "New here?" in shown(app))


async def test_every_list_says_until_when_it_is_known() -> None:
    """Online that is when the daemon was heard last; a part that cannot be read again says when it was."""
    async with dashboard().run_test(size=(120, 34)) as pilot:
        app = await connected(pilot)
        await pilot.press("6")
        await connected(pilot)
        await until(pilot, lambda: "as of 10:07:30" in shown(app).splitlines()[2])
        await pilot.press("7")
        await connected(pilot)
        await until(pilot, lambda: "as of 10:07:30" in shown(app).splitlines()[2])


def line_of(words: str, screen: str) -> str:
    """Return the end of the line that holds words."""
    return next(line.partition(words)[2] for line in screen.splitlines() if words in line)
