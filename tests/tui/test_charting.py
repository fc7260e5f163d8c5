"""Candles as cells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsight_tui import charting
from chartinsight_tui.charting import PITCHES, PriceScale
from chartinsightd.control.protocol.rows import CandleRow

START = datetime(2026, 10, 13, 0, 0, tzinfo=UTC)
PRICES = st.lists(st.integers(100, 500_000), min_size=4, max_size=4)


def candle(number: int = 0, prices: tuple[int, int, int, int] = (100, 130, 90, 120)) -> CandleRow:
    """Return the candle of a 5-minute series with a number; prices are open, high, low, close."""
    opened, high, low, closed = prices
    ts = START + timedelta(minutes=5 * number)
    return CandleRow(ts=ts, open=opened, high=high, low=low, close=closed, volume=number, final=True)


def ordered(prices: list[int]) -> tuple[int, int, int, int]:
    """Return four prices as open, high, low, close that can be a candle's."""
    return prices[0], max(prices), min(prices), prices[1]


CANDLES = st.lists(PRICES.map(ordered), min_size=1, max_size=30).map(
    lambda rows: [candle(number, prices) for number, prices in enumerate(rows)]
)


@given(CANDLES, st.integers(1, 40), st.sampled_from(PITCHES))
def test_the_picture_has_its_size(candles: list[CandleRow], rows: int, pitch: int) -> None:
    """Any candles at any zoom fill exactly the cells there are, each of one cell's width."""
    columns = len(candles) * pitch + 3
    picture = charting.draw_candles(candles, PriceScale.of(candles, rows), pitch, columns)
    assert [len(row) for row in picture] == [columns] * rows
    volume = charting.draw_volume(candles, 3, pitch, columns)
    assert [len(row) for row in volume] == [columns] * 3


@given(CANDLES, st.integers(2, 40))
def test_extremes_touch_the_edges(candles: list[CandleRow], rows: int) -> None:
    """The highest price is drawn in the top row and the lowest in the bottom row."""
    scale = PriceScale.of(candles, rows)
    if scale.low == min(one.low for one in candles):
        picture = charting.draw_candles(candles, scale, 1, len(candles))
        assert any(char != " " for char, _ in picture[0])
        assert any(char != " " for char, _ in picture[-1])


@given(CANDLES, st.integers(1, 40))
def test_labels_are_within_the_prices(candles: list[CandleRow], rows: int) -> None:
    """Round prices on the axis lie within the prices one sees."""
    scale = PriceScale.of(candles, rows)
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks())


@given(st.floats(0.001, 10**9))
def test_steps_are_round(least: float) -> None:
    """A step is 1, 2 or 5 times a power of ten, and the smallest that is enough."""
    step = charting.nice_step(least)
    assert step >= least
    assert str(step).rstrip("0") in {"1", "2", "5"}


def test_rise_is_filled_and_fall_is_hollow() -> None:
    """Colour never stands alone: the shapes differ at every zoom."""
    rise, fall = candle(prices=(100, 200, 100, 200)), candle(prices=(200, 200, 100, 100))
    scale = PriceScale(100, 200, 4)
    for pitch in PITCHES:
        shapes = [
            {char for row in charting.draw_candle(one, scale, charting.body_width(pitch)) for char, _ in row}
            for one in (rise, fall)
        ]
        assert shapes[0] == {"█"}
        assert shapes[1] <= set("║╨╥┌─┐│└┘ ")


def test_halves_of_a_row() -> None:
    """A body may begin in the middle of a row; its wick goes on as a line."""
    scale = PriceScale(0, 70, 4)
    drawn = charting.draw_candle(candle(prices=(20, 70, 0, 40)), scale, 1)
    assert [row[0][0] for row in drawn] == ["│", "▄", "█", "│"]


def test_a_flat_candle_is_a_line() -> None:
    """A candle that closed where it opened is a line with its wicks."""
    scale = PriceScale(0, 100, 5)
    drawn = charting.draw_candle(candle(prices=(50, 100, 0, 50)), scale, 3)
    assert ["".join(char for char, _ in row) for row in drawn][2] == "─┼─"


def test_days_are_named_where_they_begin() -> None:
    """Under the first candle of each day stands the day; closed hours take no room."""
    night = [candle(number) for number in (0, 1, 2)]
    morning = [candle(number) for number in (288, 289, 290)]
    labels = charting.time_labels([*night, *morning], "5m", 4, 24)
    assert (labels.index("10-13"), labels.index("10-14")) == (0, 12)


@given(CANDLES, st.sampled_from(["5m", "1d", "1w"]), st.sampled_from(PITCHES), st.integers(10, 100))
def test_the_time_axis_has_its_width(
    candles: list[CandleRow], timeframe: str, pitch: int, columns: int
) -> None:
    """The time axis is as wide as the candles above."""
    fitting = candles[-(columns // pitch) :]
    assert len(charting.time_labels(fitting, timeframe, pitch, columns)) == columns
