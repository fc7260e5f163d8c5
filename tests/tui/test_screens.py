"""What the screens look like: a picture a screen and state. `pytest --snapshot-update` makes them anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from chartinsight_tui.app import VIEWS, Dashboard
from chartinsight_tui.store import Part
from tests.control.fake_backend import Scene
from tests.tui.dashboards import (
    NOWHERE,
    Daemon,
    connected,
    dashboard,
    never,
    nowhere,
    offline,
    settled,
    shown,
    until,
)

PICTURES = Path(__file__).parent / "__snapshots__" / "test_screens"
MAX_PICTURE_BYTES = 60_000
SMALL, GOOD, LARGE = (80, 24), (120, 40), (200, 60)

Compare = Callable[..., bool]
Before = Callable[[Pilot[None]], Awaitable[None]]
SCREENS = pytest.mark.parametrize("number", range(1, 7), ids=VIEWS)


def full(number: int, *keys: str, then: str = "") -> Before:
    """Return what goes to a screen, presses keys and waits until words are there."""

    async def go(pilot: Pilot[None]) -> None:
        app = await connected(pilot)
        await app.action_show(VIEWS[number - 1])
        await connected(pilot)
        await settled(pilot)
        if keys:
            await pilot.press(*keys)
            await until(pilot, lambda: then in shown(app))
            await settled(pilot)

    return go


def of(scene: Scene, **options: Any) -> Dashboard:
    """Return a dashboard of a daemon in a scene."""
    return dashboard(Daemon(scene).open, **options)


@SCREENS
def test_full(number: int, snap_compare: Compare) -> None:
    """With thirty symbols at work, in the smallest terminal that is supported."""
    assert snap_compare(of(Scene.FULL), run_before=full(number), terminal_size=SMALL)


@SCREENS
def test_empty(number: int, snap_compare: Compare) -> None:
    """Just started and nothing tracked: each screen says what is missing, and how to begin."""
    assert snap_compare(of(Scene.EMPTY), run_before=full(number), terminal_size=SMALL)


@SCREENS
def test_loading(number: int, snap_compare: Compare) -> None:
    """Before the daemon answered."""

    async def go(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Dashboard)
        await app.action_show(VIEWS[number - 1])
        await settled(pilot)

    assert snap_compare(dashboard(never), run_before=go, terminal_size=SMALL)


@SCREENS
def test_offline(number: int, snap_compare: Compare) -> None:
    """The daemon went away: its data is still there, and a banner says how old it is."""
    daemon = Daemon()

    async def go(pilot: Pilot[None]) -> None:
        await full(number)(pilot)
        daemon.kill()
        app = await offline(pilot)
        await until(pilot, lambda: str(NOWHERE) in app.store.link.reason)
        await settled(pilot)

    assert snap_compare(dashboard(daemon.open), run_before=go, terminal_size=SMALL)


@SCREENS
def test_error(number: int, snap_compare: Compare) -> None:
    """The database is away and the token refused: what is wrong, and what to do."""

    async def go(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Dashboard)
        await app.action_show(VIEWS[number - 1])
        needed = app.view.PARTS & {Part.COVERAGE, Part.STOCKS}
        await until(pilot, lambda: app.store.is_online and needed <= set(app.store.failures))
        await until(pilot, lambda: {Part.JOBS, Part.LOGS} <= app.store.loaded)
        await settled(pilot)

    assert snap_compare(of(Scene.ERROR), run_before=go, terminal_size=SMALL)


def test_never_heard(snap_compare: Compare) -> None:
    """No daemon from the start."""

    async def go(pilot: Pilot[None]) -> None:
        await offline(pilot)

    assert snap_compare(dashboard(nowhere), run_before=go, terminal_size=SMALL)


def test_korean(snap_compare: Compare) -> None:
    """In Korean everything stands in its column: Hangul takes two cells."""
    app = of(Scene.FULL, language="ko")
    assert snap_compare(app, run_before=full(3), terminal_size=SMALL)


def test_days_of_a_timeframe(snap_compare: Compare) -> None:
    """Symbols by trading days."""
    assert snap_compare(of(Scene.FULL), run_before=full(2, "s", then="14"), terminal_size=SMALL)


def test_candles_near(snap_compare: Compare) -> None:
    """Zoomed in: boxes for falling candles, wicks in the middle; high contrast."""
    app = of(Scene.FULL, colours="contrast")
    assert snap_compare(app, run_before=full(4, "plus", "plus", "left", "left"), terminal_size=SMALL)


def test_candles_without_red_and_green(snap_compare: Compare) -> None:
    """The colour-blind safe theme."""
    app = of(Scene.FULL, colours="colour-blind")
    assert snap_compare(app, run_before=full(4, "minus"), terminal_size=SMALL)


def test_light(snap_compare: Compare) -> None:
    """The light theme, read-only."""
    app = of(Scene.FULL, colours="light", read_only=True)
    assert snap_compare(app, run_before=full(5), terminal_size=SMALL)


def test_backfill(snap_compare: Compare) -> None:
    """The dialog for a new backfill, with its cost."""
    app = of(Scene.FULL, language="ko")
    assert snap_compare(app, run_before=full(2, "b", then="요청"), terminal_size=SMALL)


def test_keys(snap_compare: Compare) -> None:
    """All keys."""
    assert snap_compare(of(Scene.FULL), run_before=full(4, "question_mark"), terminal_size=SMALL)


def test_question(snap_compare: Compare) -> None:
    """What changes the daemon asks first."""
    assert snap_compare(of(Scene.FULL), run_before=full(5, "space"), terminal_size=SMALL)


@pytest.mark.parametrize("size", [GOOD, LARGE], ids=["good", "large"])
async def test_larger_terminals_show_more(size: tuple[int, int]) -> None:
    """More room shows more: the log on the overview, the detail beside the list."""
    app = of(Scene.FULL)
    async with app.run_test(size=size) as pilot:
        await full(1)(pilot)
        assert "backfill.failed" in shown(app)
        await full(2)(pilot)
        detail, table = app.view.query_one("#coverage-detail"), app.view.query_one("RowTable")
        assert (detail.region.x > table.region.x) == (size == LARGE)


def test_pictures_are_small() -> None:
    """No picture is larger than 60 kB, so that a change of one can be read."""
    sizes = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    assert {name: size for name, size in sizes.items() if size > MAX_PICTURE_BYTES} == {}
