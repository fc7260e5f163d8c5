"""What the screens look like: a picture a screen and state. `pytest --snapshot-update` makes them anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from chartinsight_tui.app import VIEWS, Dashboard
from chartinsight_tui.store import Part
from tests.support.fake_backend import Scene
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
    with_polls,
)

PICTURES = Path(__file__).parent / "__snapshots__" / "test_screens"
MAX_PICTURE_BYTES = 60_000
SMALL, GOOD, LARGE = (80, 24), (120, 40), (200, 60)

Compare = Callable[..., bool]
Before = Callable[[Pilot[None]], Awaitable[None]]
SCREENS = pytest.mark.parametrize("name", VIEWS)


def full(name: str, *keys: str, then: str = "") -> Before:
    """Return what goes to a screen, presses keys and waits until words are there."""

    async def go(pilot: Pilot[None]) -> None:
        app = await connected(pilot)
        if app.store.quotes and app.store.watch_groups:
            await until(pilot, lambda: bool(app.store.trends))  # they come last
        await app.action_show(name)
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
def test_full(name: str, snap_compare: Compare) -> None:
    """With thirty symbols at work, in the smallest terminal that is supported."""
    assert snap_compare(of(Scene.FULL), run_before=full(name), terminal_size=SMALL)


@SCREENS
def test_empty(name: str, snap_compare: Compare) -> None:
    """Just started and nothing tracked: each screen says what is missing, and how to begin."""
    assert snap_compare(of(Scene.EMPTY), run_before=full(name), terminal_size=SMALL)


@SCREENS
def test_loading(name: str, snap_compare: Compare) -> None:
    """Before the daemon answered."""

    async def go(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Dashboard)
        await app.action_show(name)
        await settled(pilot)

    assert snap_compare(dashboard(never), run_before=go, terminal_size=SMALL)


@SCREENS
def test_offline(name: str, snap_compare: Compare) -> None:
    """The daemon went away: its data is still there, and a banner says how old it is."""
    daemon = Daemon()

    async def go(pilot: Pilot[None]) -> None:
        await full(name)(pilot)
        daemon.kill()
        app = await offline(pilot)
        await until(pilot, lambda: str(NOWHERE) in app.store.link.reason)
        await settled(pilot)

    assert snap_compare(dashboard(daemon.open), run_before=go, terminal_size=SMALL)


@SCREENS
def test_error(name: str, snap_compare: Compare) -> None:
    """The database is away and the token refused: what is wrong, and what to do."""

    async def go(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Dashboard)
        await app.action_show(name)
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
    assert snap_compare(app, run_before=full("jobs"), terminal_size=SMALL)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5], ids=["gaps", "seals", "revisions", "quarantine", "plan"])
def test_views_of_the_data(steps: int, snap_compare: Compare) -> None:
    """What is missing, the daily closing, what was revised or set aside, and what waits for its turn."""
    app = of(Scene.FULL, language="ko")
    assert snap_compare(app, run_before=full("coverage", *["tab"] * steps), terminal_size=SMALL)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_home_is_complete_in_a_good_terminal(language: str, snap_compare: Compare) -> None:
    """State, day, freshness, prices, limits, jobs, links, what comes, alerts and the record of the day."""
    app = dashboard(with_polls(Daemon()).open, language=language)
    assert snap_compare(app, run_before=full("overview"), terminal_size=(110, 33))


def test_home_of_a_tiny_terminal(snap_compare: Compare) -> None:
    """At 40 columns the state, the open alerts and what is late are still there."""
    app = of(Scene.ERROR, language="ko")

    async def go(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.store.is_online and Part.JOBS in app.store.loaded)
        await settled(pilot)

    assert snap_compare(app, run_before=go, terminal_size=(40, 12))


def test_candles_near(snap_compare: Compare) -> None:
    """Zoomed in: boxes for falling candles, wicks in the middle; high contrast."""
    app = of(Scene.FULL, colours="contrast")
    assert snap_compare(app, run_before=full("chart", "plus", "plus", "left", "left"), terminal_size=SMALL)


def test_candles_without_red_and_green(snap_compare: Compare) -> None:
    """The colour-blind safe theme."""
    app = of(Scene.FULL, colours="colour-blind")
    assert snap_compare(app, run_before=full("chart", "minus"), terminal_size=SMALL)


def test_light(snap_compare: Compare) -> None:
    """The light theme, read-only."""
    app = of(Scene.FULL, colours="light", read_only=True)
    assert snap_compare(app, run_before=full("symbols"), terminal_size=SMALL)


def test_watchlist_in_korean(snap_compare: Compare) -> None:
    """With all columns, and the chosen stock below: where its price is from, and its five minutes."""

    async def go(pilot: Pilot[None]) -> None:
        await full("symbols", "slash", "ㅅ", "enter")(pilot)
        app = pilot.app
        assert isinstance(app, Dashboard)
        await until(pilot, lambda: not app.view.is_resting)
        await settled(pilot)

    assert snap_compare(of(Scene.FULL, language="ko"), run_before=go, terminal_size=(112, 34))


def test_backfill(snap_compare: Compare) -> None:
    """The dialog for a new backfill, with its cost."""
    app = of(Scene.FULL, language="ko")
    assert snap_compare(app, run_before=full("coverage", "b", then="요청"), terminal_size=SMALL)


def test_keys(snap_compare: Compare) -> None:
    """All keys."""
    assert snap_compare(of(Scene.FULL), run_before=full("chart", "question_mark"), terminal_size=SMALL)


def test_question(snap_compare: Compare) -> None:
    """What changes the daemon asks first."""
    assert snap_compare(of(Scene.FULL), run_before=full("symbols", "space"), terminal_size=SMALL)


@pytest.mark.parametrize("size", [GOOD, LARGE], ids=["good", "large"])
async def test_larger_terminals_show_more(size: tuple[int, int]) -> None:
    """More room shows more: the record of the day on the first screen, forty trading days on the data."""
    app = of(Scene.FULL)
    async with app.run_test(size=size) as pilot:
        await full("overview")(pilot)
        assert "Kiwoom has no such symbol: 0126Z0 (1901)." in shown(app)
        await full("coverage")(pilot)
        assert "08-20 → 10-14" in shown(app)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("size", [(40, 12), SMALL, GOOD, (133, 37)], ids=str)
async def test_every_row_is_as_wide_as_the_terminal(size: tuple[int, int], language: str) -> None:
    """In both languages and at any size nothing is pushed out of its row, and no Hangul is split."""
    app = of(Scene.FULL, language=language)
    async with app.run_test(size=size) as pilot:
        for name in VIEWS:
            await full(name)(pilot)
            assert {cell_len(line) for line in shown(app).splitlines()} == {size[0]}, name


def test_pictures_are_small() -> None:
    """No picture is larger than 60 kB, so that a change of one can be read."""
    sizes = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    assert {name: size for name, size in sizes.items() if size > MAX_PICTURE_BYTES} == {}
