"""The frozen screen loses nothing, and the past cannot be taken for now."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from chartinsight_tui.app import Dashboard
from chartinsight_tui.formatting import clock_time
from chartinsight_tui.screens.replay import ReplayScreen
from chartinsightd.control.protocol.jobs import PauseRequest
from tests.support.fake_backend import CALLER
from tests.tui.dashboards import Daemon, connected, dashboard, idle, settled, shown, until

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize(
    "size", [(120, 40), (80, 24), (40, 12)], ids=lambda size: f"{size[0]}x{size[1]}"
)


async def in_the_past(pilot: Pilot[None], *keys: str) -> ReplayScreen:
    """Freeze, go back, press more keys, and wait until the moment is shown."""
    await connected(pilot)
    await pilot.press("z", "comma")
    await until(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen))
    past = pilot.app.screen
    assert isinstance(past, ReplayScreen)
    for key in keys:
        await idle(pilot)
        await pilot.press(key)
    await idle(pilot)
    await until(pilot, lambda: past.answer is not None and past.answer.at == past.at)
    return past


async def test_a_frozen_screen_stands_while_data_goes_on() -> None:
    """The picture stays, the banner counts what it missed and tells the state of now; then all is there."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("z")
        before = shown(app).splitlines()
        await daemon.backend.pause(PauseRequest(), CALLER)
        await until(pilot, lambda: "changes since" in shown(app) and "0 changes" not in shown(app))
        after = shown(app).splitlines()
        assert after[2:] == before[2:]
        assert "‖ FROZEN  as of 10:07:30" in after[1]
        await pilot.press("z")
        await until(pilot, lambda: "P resume" in shown(app))
        assert "FROZEN" not in shown(app)


async def test_nothing_is_changed_from_a_time_that_is_not_now() -> None:
    """Keys that change the daemon do nothing while the screen is frozen or shows the past, and come back."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        for keys in (["z"], ["comma"]):
            await pilot.press(*keys, "P", "b")
            await pilot.pause()
            assert len(app.screen_stack) == (1 if keys == ["z"] else 2)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert not app.context.read_only
        await pilot.press("P")
        await until(pilot, lambda: len(app.screen_stack) == 2)


async def test_the_past_says_when_it_is_and_how_now_is() -> None:
    """The moment, the verdict of then and that of now stand in the second row, on each recorded screen."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        past = await in_the_past(pilot, "less_than_sign", "less_than_sign")
        for key in ("1", "6", "7"):
            await pilot.press(key)
            row = shown(app).splitlines()[1]
            assert "◀◀ REPLAY  10-14 09:07:30 then ATTENTION: Kiwoom answers slowly" in row
            assert "now ▲ ATTENTION" in row
        await pilot.press("3")
        assert past.view.id == "past-alerts"


async def test_what_was_not_recorded_is_unknown() -> None:
    """No figure of before or after is shown, and the screen says from when on something is known."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        past = await in_the_past(pilot, *["less_than_sign"] * 4)
        text = shown(app)
        assert past.answer is not None
        assert past.answer.recorded is None
        assert "unknown: nothing was recorded" in text
        assert "Known again from 10-14 08:07:30." in " ".join(text.split())
        assert "■" not in text


async def test_time_goes_on_by_keys_and_ends_with_now() -> None:
    """Steps, days, a typed time and play; none of them leads into the future."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        past = await in_the_past(pilot, "comma", "comma", "full_stop")
        assert clock_time(past.at) == "10:07:20"
        await pilot.press("right_square_bracket")
        assert clock_time(past.at) == "10:07:30"
        await pilot.press("d", *"10-13 20:00", "enter")
        await until(pilot, lambda: past.answer is not None and past.answer.at == past.at)
        assert "REPLAY  10-13 20:00:00" in shown(app)
        await pilot.press("plus", "space")
        past._beat()
        assert "▶ ×600" in shown(app)
        assert clock_time(past.at) in {"20:10:00", "20:20:00", "20:30:00"}  # its own beat counts too


async def test_each_row_is_as_wide_as_the_terminal() -> None:
    """On each recorded screen, in the smallest terminal that is supported."""
    app = dashboard(language="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_past(pilot, "less_than_sign")
        for key in ("1", "6", "7"):
            await pilot.press(key)
            assert {cell_len(line) for line in shown(app).splitlines()} == {80}


@SIZES
def test_the_past(size: tuple[int, int], snap_compare: Compare) -> None:
    """In Korean, when something was wrong."""

    async def go(pilot: Pilot[None]) -> None:
        await in_the_past(pilot, "less_than_sign", "less_than_sign")
        await pilot.pause()

    assert snap_compare(dashboard(language="ko"), run_before=go, terminal_size=size)


def test_the_frozen_screen(snap_compare: Compare) -> None:
    """The screen of before, under a banner of another colour."""

    async def go(pilot: Pilot[None]) -> None:
        app: Dashboard = await connected(pilot)
        await until(pilot, lambda: bool(app.store.trends))
        await settled(pilot)
        app.workers.cancel_group(app, "default")  # what is heard meanwhile would count as changes since
        await pilot.press("z")
        await until(pilot, lambda: not app.is_drawing)

    assert snap_compare(dashboard(), run_before=go, terminal_size=(80, 24))
