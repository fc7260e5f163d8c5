"""The watchlist on the dashboard: groups that a person orders, prices that move, and how old they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from chartinsight_tui.app import Dashboard
from chartinsight_tui.quotes import Quote, mean_percent, range_bar, trend_line
from chartinsight_tui.screens.watch import WatchView
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.row_table import RowTable
from tests.tui.dashboards import Daemon, connected, dashboard, settled, shown, until

prices = st.integers(1, 10_000)


def quote(price: int = 100, base: int | None = 100, low: int | None = 90, high: int | None = 110) -> Quote:
    """Return a quote of a stock."""
    return Quote("005930", price, base, 100, high, low, 5, 6, 7, 8, True)


@given(prices, prices, st.lists(prices, min_size=1, max_size=4), st.integers(2, 40))
def test_the_range_of_the_day_marks_now(price: int, base: int, more: list[int], width: int) -> None:
    """The bar is as wide as its column; `●` stands at its right end for the highest price alone."""
    low, high = min(price, *more), max(price, *more)

    bar = range_bar(quote(price, base, low, high), width)

    assert len(bar) == width
    if low < high:
        assert bar.count("●") == 1
        assert (bar[-1] == "●") == (price == high)
    assert "●" in bar or low == high


@given(st.lists(prices, max_size=40), st.integers(1, 20))
def test_the_way_of_the_price_is_its_newest_closes(closes: list[int], width: int) -> None:
    """As many as fit, the newest on the right; the highest reaches the top."""
    line = trend_line(closes, width)

    shown = closes[-width:]
    assert len(line) == (width if shown else 0)
    if len(set(shown)) > 1:
        assert line[width - len(shown) + shown.index(max(shown))] == "█"


def test_a_mean_is_one_of_known_changes() -> None:
    """A stock without a price, or without what its change refers to, does not count as zero."""
    assert mean_percent([quote(110), quote(130), quote(base=None), None]) == 20.0
    assert mean_percent([None]) is None


@asynccontextmanager
async def watching(
    daemon: Daemon | None = None, **options: bool
) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    """Open the watchlist, and wait until its prices are there."""
    app = dashboard((daemon or Daemon()).open, **options)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await app.action_show("symbols")
        await connected(pilot)
        await until(pilot, lambda: bool(app.store.quotes))
        await settled(pilot)
        yield app, pilot


def groups(app: Dashboard) -> Sequence[tuple[str, list[str]]]:
    """Return the groups as the dashboard knows them."""
    return [(group.name, [one.symbol for one in group.stocks]) for group in app.store.watch_groups]


async def test_a_trade_is_seen_within_a_second() -> None:
    """The row changes by itself; the price lies on a lighter ground for a moment."""
    daemon = Daemon()
    async with watching(daemon) as (app, pilot):
        daemon.backend.watching.moved("005930", 123_456)
        async with asyncio.timeout(1):
            await until(pilot, lambda: "123,456" in shown(app))


async def test_rows_and_groups_are_moved_by_keys() -> None:
    """⇧↓ takes a stock along, into the next group too; on a heading the group itself. Both are kept."""
    async with watching() as (app, pilot):
        first = groups(app)[0][1][0]
        await pilot.press("shift+down")
        await until(pilot, lambda: groups(app)[0][1][1] == first)
        await pilot.press("shift+down")
        await until(pilot, lambda: groups(app)[0][1][2] == first)
        await pilot.press("shift+down")
        await until(pilot, lambda: groups(app)[1][1][0] == first)
        await until(pilot, lambda: app.view.wanted().symbols == (first,))
        await pilot.press("up", "shift+up")
        await until(pilot, lambda: groups(app)[0][0] == "플랫폼")


async def test_stocks_go_in_and_out_by_one_key() -> None:
    """w takes the stock out of its group, and puts a stock of the market into the first one."""
    async with watching() as (app, pilot):
        await pilot.press("w")
        await until(pilot, lambda: "005930" not in dict(groups(app))["반도체"])
        await pilot.press("s", "s", "s", "slash", *"ㅅㅅㅈㅈ", "enter", "w")
        await until(pilot, lambda: dict(groups(app))["반도체"][-1] == "005930")


async def test_a_group_is_named_and_removed() -> None:
    """n puts the stock into a new group, or renames the group; x removes it after a question."""
    async with watching() as (app, pilot):
        await pilot.press("n", *"chips", "enter")
        await until(pilot, lambda: dict(groups(app)).get("chips") == ["005930"])
        assert isinstance(app.view, WatchView)
        app.view.query_one(RowTable).go_to(("chips", ""))
        await pilot.press("n", *"big", "enter")
        await until(pilot, lambda: dict(groups(app)).get("big") == ["005930"])
        app.view.query_one(RowTable).go_to(("big", ""))
        await pilot.press("x", "y")
        await until(pilot, lambda: "big" not in dict(groups(app)))


async def test_prices_are_asked_for_only_while_they_are_shown() -> None:
    """Another screen costs the daemon nothing; back here they move again."""
    daemon = Daemon()
    async with watching(daemon) as (app, pilot):
        await pilot.press("7")
        await asyncio.sleep(0)
        before = app.store.quotes["005930"]
        daemon.backend.watching.moved("005930", 123_456)
        await pilot.press("2")
        await until(pilot, lambda: app.store.quotes["005930"] != before)


async def test_read_only_moves_nothing() -> None:
    """Neither the watchlist nor what is collected changes by a key."""
    async with watching(read_only=True) as (app, pilot):
        before = groups(app)
        await pilot.press("w", "shift+down", "n", "x", "space")
        await settled(pilot)
        assert groups(app) == before
        assert len(app.screen_stack) == 1


async def test_old_prices_are_marked() -> None:
    """A swept price older than half a minute says its age; without a daemon every age is unknown."""
    daemon = Daemon()
    async with watching(daemon) as (app, pilot):
        assert Part.QUOTES in app.store.loaded
        assert isinstance(app.view, WatchView)
        old = next(one for one in app.store.quotes.values() if not one.is_live and one.read_at < NOW_S - 40)
        text, style = app.view._age(old)
        assert text == f"{NOW_S - old.read_at}s"
        assert style == app.palette.warn
        daemon.kill()
        await until(pilot, lambda: not app.store.is_online)
        assert app.view._age(old)[0] == "–"


NOW_S = 1_791_940_050
"""The made-up daemon's time."""
