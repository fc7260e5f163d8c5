"""From what one sees one key goes deeper or acts: history, retry, alarms."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from chartinsight_tui.alarm_words import wanted_alarm
from chartinsight_tui.store import Part
from chartinsightd.domain.alarm_text import NotAnAlarm
from tests.tui.dashboards import Daemon, connected, dashboard, settled, shown, until


async def test_one_key_shows_the_history_of_a_candle() -> None:
    """From the chart, from a gap and from a revision; Esc leads back to the same screen."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        for keys in (["3"], ["5", "tab"], ["tab", "tab"]):
            for key in keys:
                await pilot.press(key)
                await connected(pilot)
            await settled(pilot)
            await pilot.press("e")
            await until(pilot, lambda: "chartinsightctl explain" in shown(app))
            await pilot.press("escape")
            await until(pilot, lambda: "chartinsightctl explain" not in shown(app))


async def test_a_gap_is_asked_for_now_after_a_question() -> None:
    """The question names the series; nothing is asked before the answer, and read-only there is no key."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("5", "tab")
        await connected(pilot)
        await settled(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "Ask Kiwoom now for" in shown(app))
        assert daemon.backend.asked == []
        await pilot.press("y")
        await until(pilot, lambda: [name for name, _ in daemon.backend.asked] == ["backfill"])


async def test_an_alarm_is_typed_seen_and_removed() -> None:
    """In a person's words; what says no alarm stays in the line with examples."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("7", "n")
        await until(pilot, lambda: bool(app.screen.query(Input)) and "New alarm" in shown(app))
        app.screen.query_one(Input).value = "삼성전자 soon"
        await pilot.press("enter")
        await until(pilot, lambda: "Name one stock" in shown(app))
        app.screen.query_one(Input).value = "삼성전자 > 7.3만"
        await pilot.press("enter")
        await until(pilot, lambda: "≥ 73,000" in shown(app))
        await settled(pilot)
        await pilot.press("x")
        await until(pilot, lambda: "Remove the alarm" in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: "No alarm is set" in shown(app))


async def test_a_typed_alarm_means_one_stock_or_is_refused() -> None:
    """A name with blanks, a code, a screen alone; several stocks and none are no alarm."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("2")
        await until(pilot, lambda: Part.STOCKS in app.store.loaded)
        store = app.store
        assert wanted_alarm("005930 volume 3x", store).symbol == "005930"
        assert wanted_alarm("조건 morning 편입", store).screen == "morning"
        assert wanted_alarm("삼성전자 screen morning", store).symbol == "005930"
        for text in ("", "> 5", "삼성 > 5", "없는종목 > 5", "005930"):
            with pytest.raises(NotAnAlarm):
                wanted_alarm(text, store)
