"""The screener by its keys: conditions, matches with the new ones first, one key to the chart; necklines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from chartinsight_tui.screens.chart import ChartView, neckline
from chartinsight_tui.screens.screener import ScreenerView
from chartinsight_tui.theme import DARK, Palette
from chartinsight_tui.widgets.candle_chart import CandleChart, Level
from chartinsightd.control.protocol.analysis import PatternPointRow, PatternRow
from chartinsightd.domain.timeframe import Timeframe
from tests.support.fake_backend import Scene
from tests.tui.dashboards import Daemon, connected, dashboard, settled, shown, until

START = datetime(2026, 9, 1, tzinfo=UTC)


async def test_a_match_is_one_key_from_its_chart() -> None:
    """A match comes with its figures, the sum and who was left out; Enter shows its chart."""
    app = dashboard(Daemon(Scene.FULL).open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("4")
        await until(pilot, lambda: "evaluated 1 + left out 1 = 2" in shown(app))
        for words in ("morning", "+1", "◆", "삼성전자", "rise 3.2%", "too few candles 1"):
            assert words in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.view, ChartView)
        assert app.view.wanted().symbols == ("005930",)


async def test_conditions_are_asked_when_the_cursor_rests() -> None:
    """A strategy is evaluated when it is chosen; Tab goes to its matches; f leaves the new ones."""
    app = dashboard(Daemon(Scene.FULL).open, language="ko")
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("4")
        await until(pilot, lambda: "상승 추세" in shown(app))
        await pilot.press("down")
        view = app.view
        assert isinstance(view, ScreenerView)
        await until(pilot, lambda: shown(app).count("+1") == 2)
        await pilot.press("tab", "f")
        assert "편입만" in shown(app)
        assert app.focused is not None
        assert app.focused.id == "matches"


@dataclass(frozen=True)
class Candle:
    """A candle of one price, with a wick up and down."""

    ts: datetime
    open: int = 100
    high: int = 110
    low: int = 90
    close: int = 100
    volume: int = 1
    final: bool = True


def row(*points: tuple[str, int, int], **levels: float) -> PatternRow:
    """A pattern with points (role, day, price), made on the twentieth day."""
    return PatternRow(
        pattern_id="1",
        symbol="005930",
        timeframe=Timeframe.D1,
        kind="double_top",
        state="completed",
        at=START + timedelta(days=20),
        confirmed_at=START + timedelta(days=20),
        points=tuple(
            PatternPointRow(role=role, ts=START + timedelta(days=day), price=price)
            for role, day, price in points
        ),
        levels=levels,
    )


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (row(("first", 5, 110), ("neckline", 8, 94), ("second", 12, 110), neckline=94.0), (8, 94, 20, 94)),
        (row(("left_neckline", 4, 92), ("head", 8, 120), ("right_neckline", 12, 96)), (4, 92, 12, 96)),
        (row(("first", 5, 110), band=106.0), (5, 106, 20, 106)),
    ],
)
def test_the_line_of_a_pattern(pattern: PatternRow, line: tuple[int, int, int, int]) -> None:
    """One neck makes a level line from its candle on, two make a slope, a retest has its band."""
    days = [START + timedelta(days=day) for day in range(21)]
    first, price, last, end = line
    assert neckline(pattern) == Level(days[first], price, days[last], end, days[20])


def test_a_pattern_without_levels_has_no_line() -> None:
    """Nothing is drawn where nothing is known."""
    assert neckline(row()) is None


async def test_a_level_is_drawn_between_its_candles() -> None:
    """The line begins at its first candle, ends at its last one, and hides no candle."""
    chart = CandleChart(lambda: Palette(colours=DARK, rise_is_red=True), lambda: "")
    days = [START + timedelta(days=day) for day in range(40)]
    app = dashboard(Daemon(Scene.EMPTY).open)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.mount(chart)
        chart.styles.height = 20
        chart.show([Candle(ts=day) for day in days], "1d")
        chart.set_levels([Level(days[10], 96, days[20], 96, days[20])])
        await settled(pilot)
        lines = [chart.render_line(y).text for y in range(20)]
        drawn = [line for line in lines if "╌" in line]
        assert len(drawn) == 1
        first, last = drawn[0].index("╌"), drawn[0].rindex("╌")
        assert 0 < last - first <= 2 * 11
