"""The candlestick chart: candles, volume, price axis with the last price, crosshair, zoom and scroll."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, groupby
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chartinsight_tui.charting import (
    BLANK,
    PITCHES,
    CandleLike,
    Cell,
    MissingCandle,
    PriceScale,
    body_width,
    draw_candles,
    draw_volume,
    time_labels,
    with_missing,
)
from chartinsight_tui.formatting import fit, number
from chartinsight_tui.keymap import Keyed
from chartinsight_tui.theme import Palette

_OLDER_WHEN = 60
"""Older candles are asked for when fewer than this are left of what one sees."""
_STYLES = {
    "mark": "accent",
    "doubt": "warn",
    "rise": "rise",
    "fall": "fall",
    "flat": "text",
    "line": "line",
    "": "text",
    "cross": "dim",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign above or below a candle."""

    sign: str
    is_above: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A straight line through two prices, each at the candle that opens then, drawn up to a third one."""

    from_ts: datetime
    from_price: float
    to_ts: datetime
    to_price: float
    ends_at: datetime


@dataclass(slots=True)
class _Picture:
    """What was drawn last, row by row, until something changes."""

    size: tuple[int, int]
    rows: list[list[Cell]]
    scale: PriceScale
    shown: Sequence[CandleLike]
    axis: int
    volume_rows: int
    labels: str
    ticks: dict[int, str] = field(default_factory=dict)


def _or_before(before: str, kind: str) -> str:
    return kind or before


class CandleChart(Keyed, Widget, can_focus=True):
    """A candlestick chart of one series.

    Args:
        palette: returns the colours of the moment.
        empty: returns what stands in the middle when there are no candles.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "cross(-1)", "key.candle_left", show=False),
        Binding("right,l", "cross(1)", "key.candle_right", show=False),
        Binding("pageup,shift+left", "scroll_page(-1)", "key.older", show=False),
        Binding("pagedown,shift+right", "scroll_page(1)", "key.newer", show=False),
        Binding("home,g", "oldest", "key.oldest", show=False),
        Binding("end,G", "newest", "key.newest", show=False),
        Binding("plus,equals_sign", "zoom(1)", "key.zoom_in", key_display="+"),
        Binding("minus", "zoom(-1)", "key.zoom_out", key_display="-"),
    ]

    @dataclass
    class CrossMoved(Message):
        """The crosshair stands on another candle, or on none."""

    @dataclass
    class OlderWanted(Message):
        """What one sees comes near the oldest candle there is."""

    def __init__(self, palette: Callable[[], Palette], empty: Callable[[], str]) -> None:
        super().__init__()
        self._palette = palette
        self._empty = empty
        self._candles: list[CandleLike] = []
        self._timeframe = "1d"
        self._end = 0
        self._zoom = 1
        self._cross: int | None = None
        self._picture: _Picture | None = None
        self._marks: Mapping[datetime, Mark] = {}
        self._levels: Sequence[Level] = ()
        self._doubts: Mapping[datetime, str] = {}

    # what its owner says and asks

    def show(self, candles: Sequence[CandleLike], timeframe: str) -> None:
        """Show other candles, oldest first, and of these the newest."""
        self._candles, self._timeframe = list(candles), timeframe
        self._end, self._cross = len(self._candles), None
        self._redraw()

    def set_marks(self, marks: Mapping[datetime, Mark]) -> None:
        """Put signs at candles, by when these open; they replace those before."""
        self._marks = marks
        self._redraw()

    def set_doubts(self, doubts: Mapping[datetime, str]) -> None:
        """Put signs into a row below the volume, by when candles open; none: the row is not there."""
        self._doubts = doubts
        self._redraw()

    def set_missing(self, starts: Iterable[datetime]) -> None:
        """Give a column to each candle that is not stored; what one sees, and the crosshair, stay."""
        if not self._candles:
            return
        end, cross = self._candles[self._end - 1].ts, self._cross
        pointed = None if cross is None else self._candles[cross].ts
        self._candles = with_missing(self.candles, starts)
        places = [candle.ts for candle in self._candles]
        self._end = bisect_right(places, end)
        self._cross = None if pointed is None else max(0, bisect_right(places, pointed) - 1)
        self._redraw()

    def set_levels(self, levels: Sequence[Level]) -> None:
        """Draw lines behind the candles; they replace those before."""
        self._levels = levels
        self._redraw()

    def prepend(self, older: Sequence[CandleLike]) -> None:
        """Put older candles before what there is; what one sees stays."""
        self._candles[:0] = older
        self._end += len(older)
        if self._cross is not None:
            self._cross += len(older)
        self._redraw()

    def put_newest(self, candle: CandleLike) -> None:
        """Take the newest candle over: the one that forms, or a new one."""
        if self._candles and self._candles[-1].ts > candle.ts:
            return
        was_at_end = self._end == len(self._candles)
        if self._candles and self._candles[-1].ts == candle.ts:
            self._candles[-1] = candle
        else:
            self._candles.append(candle)
        if was_at_end:
            self._end = len(self._candles)
        self._redraw()

    @property
    def candles(self) -> Sequence[CandleLike]:
        """All candles there are, oldest first."""
        return [candle for candle in self._candles if not isinstance(candle, MissingCandle)]

    @property
    def columns(self) -> Sequence[CandleLike]:
        """The same, with those that are missing."""
        return self._candles

    def pointed(self) -> tuple[CandleLike, CandleLike | None] | None:
        """Return the candle under the crosshair, else the newest, and the one before it."""
        if not self._candles:
            return None
        index = len(self._candles) - 1 if self._cross is None else self._cross
        return self._candles[index], self._candles[index - 1] if index else None

    # keys and mouse

    def action_cross(self, candles: int) -> None:
        """Move the crosshair; it appears at the newest candle one sees."""
        if not self._candles:
            return
        start = self._end - 1 if self._cross is None else self._cross + candles
        self._put_cross(max(0, min(start, len(self._candles) - 1)))

    def action_scroll_page(self, pages: int) -> None:
        """Scroll by half of what one sees."""
        self._scroll(pages * max(1, self._capacity() // 2))

    def action_oldest(self) -> None:
        """Show the oldest candles there are."""
        self._scroll(-len(self._candles))

    def action_newest(self) -> None:
        """Show the newest candles, without a crosshair."""
        self._cross = None
        self._scroll(len(self._candles))
        self.post_message(self.CrossMoved())

    def action_zoom(self, steps: int) -> None:
        """Zoom in; negative: out."""
        self._zoom = max(0, min(self._zoom + steps, len(PITCHES) - 1))
        self._scroll(0)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Let the crosshair follow the mouse."""
        picture = self._picture
        if picture is None or event.x >= self.size.width - picture.axis:
            return
        back = (self.size.width - picture.axis - 1 - event.x) // PITCHES[self._zoom]
        if back < len(picture.shown):
            self._put_cross(self._end - 1 - back)

    def on_leave(self) -> None:
        """Take the crosshair away with the mouse."""
        self._cross = None
        self._redraw()
        self.post_message(self.CrossMoved())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in with Ctrl, else scroll to older candles."""
        event.stop()
        self.action_zoom(1) if event.ctrl else self._scroll(-5)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out with Ctrl, else scroll to newer candles."""
        event.stop()
        self.action_zoom(-1) if event.ctrl else self._scroll(5)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._scroll(0)

    # drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        return self._draw_line(y).apply_style(self._palette().of("text", "ground")).simplify()

    def _draw_line(self, y: int) -> Strip:
        width = self.size.width
        picture = self._drawn()
        if picture is None:
            text = self._empty() if y == self.size.height // 2 else ""
            return Strip([Segment(fit(text, width, "center"), self._palette().dim)], width)
        if y == len(picture.rows):
            return self._time_axis(picture, width)
        if y > len(picture.rows):
            return Strip.blank(width)
        return Strip([*self._cells(picture, y), *self._price_axis(picture, y)], width)

    def _cells(self, picture: _Picture, y: int) -> list[Segment]:
        row = list(picture.rows[y])
        cross = self._cross_column(picture)
        if y in picture.ticks:
            row = [("┈", "line") if cell == BLANK else cell for cell in row]
        if cross is not None and row[cross][1] in {"", "line"}:
            row[cross] = ("┊", "cross")
        palette = self._palette()
        # A blank looks the same in any style: as part of the run before it, it saves a segment.
        kinds: list[str] = list(accumulate((kind for _, kind in row), _or_before))
        runs = groupby(zip(row, kinds, strict=True), key=lambda pair: pair[1])
        return [
            Segment("".join(char for (char, _), _ in cells), palette.of(_STYLES[kind]))
            for kind, cells in runs
        ]

    def _price_axis(self, picture: _Picture, y: int) -> list[Segment]:
        palette, width = self._palette(), picture.axis
        last = self._candles[-1]
        tags: list[tuple[int, str, Style]] = []
        if self._cross is not None:
            price = self._candles[self._cross].close
            tags.append((picture.scale.row(price), number(price), palette.of("ground", "text")))
        kind = "fall" if last.close < last.open else "rise"
        if picture.scale.low <= last.close <= picture.scale.high:
            tags.append(
                (picture.scale.row(last.close), number(last.close), palette.of("ground", kind, bold=True))
            )
        for row, text, style in tags:
            if row == y:
                return [Segment("◂", style.without_color), Segment(fit(text, width - 1, "right"), style)]
        return [Segment(fit("│ " + picture.ticks.get(y, ""), width), palette.dim)]

    def _time_axis(self, picture: _Picture, width: int) -> Strip:
        cross = self._cross_column(picture)
        line = fit(picture.labels, width)
        if cross is None:
            return Strip([Segment(line, self._palette().dim)], width)
        mark = self._palette().of("ground", "text")
        segments = [
            (line[:cross], self._palette().dim),
            ("▲", mark),
            (line[cross + 1 :], self._palette().dim),
        ]
        return Strip([Segment(*segment) for segment in segments], width)

    def _drawn(self) -> _Picture | None:
        size = (self.size.width, self.size.height)
        if not self._candles or size[1] < 4 or size[0] < 20:
            return None
        if self._picture is None or self._picture.size != size:
            self._picture = self._draw(*size)
        return self._picture

    def _draw(self, width: int, height: int) -> _Picture:
        axis, volume_rows = self._axis(), max(1, height // 6)
        columns, pitch = width - axis, PITCHES[self._zoom]
        shown = self._candles[max(0, self._end - columns // pitch) : self._end]
        doubts = self._doubt_row(shown, columns)
        scale = PriceScale.of(shown, height - 1 - volume_rows - len(doubts))
        if self._marks:
            scale = scale.with_margin()
        rows = draw_candles(shown, scale, pitch, columns) + draw_volume(shown, volume_rows, pitch, columns)
        rows += doubts
        self._draw_levels(rows, shown, scale, columns)
        self._draw_marks(rows, shown, scale, columns)
        return _Picture(
            size=(width, height),
            rows=rows,
            scale=scale,
            shown=shown,
            axis=axis,
            volume_rows=volume_rows,
            labels=time_labels(shown, self._timeframe, pitch, columns),
            ticks={scale.row(price): number(price) for price in scale.ticks()},
        )

    def _draw_levels(
        self, rows: list[list[Cell]], shown: Sequence[CandleLike], scale: PriceScale, columns: int
    ) -> None:
        """Draw the levels where nothing else is."""
        pitch = PITCHES[self._zoom]
        first_column = columns - len(shown) * pitch
        places = {candle.ts: place for place, candle in enumerate(self._candles)}
        first = self._end - len(shown)
        for level in self._levels:
            if not {level.from_ts, level.to_ts, level.ends_at} <= places.keys():
                continue  # its candles are not loaded
            start, end = places[level.from_ts], places[level.ends_at]
            span = max(1, places[level.to_ts] - start)
            for column in range(max(0, first_column), columns):
                place = first + (column - first_column) // pitch
                price = level.from_price + (level.to_price - level.from_price) * (place - start) / span
                if start <= place <= end and scale.low <= price <= scale.high:
                    row = scale.row(price)
                    if rows[row][column] == BLANK:
                        rows[row][column] = ("╌", "mark")

    def _draw_marks(
        self, rows: list[list[Cell]], shown: Sequence[CandleLike], scale: PriceScale, columns: int
    ) -> None:
        pitch = PITCHES[self._zoom]
        for back, candle in enumerate(reversed(shown), 1):
            if (mark := self._marks.get(candle.ts)) is None:
                continue
            column = columns - back * pitch + body_width(pitch) // 2
            row = scale.row(candle.high) - 1 if mark.is_above else scale.row(candle.low) + 1
            if 0 <= row < scale.rows and column >= 0:
                rows[row][column] = (mark.sign, "mark")

    def _doubt_row(self, shown: Sequence[CandleLike], columns: int) -> list[list[Cell]]:
        """Return the row of signs below the volume, where a candle in sight has one."""
        pitch, row = PITCHES[self._zoom], [BLANK] * columns
        for back, candle in enumerate(reversed(shown), 1):
            column = columns - back * pitch + body_width(pitch) // 2
            if candle.ts in self._doubts and column >= 0:
                row[column] = (self._doubts[candle.ts], "doubt")
        return [row] if any(cell != BLANK for cell in row) else []

    def _redraw(self) -> None:
        self._picture = None
        self.refresh()

    # where things are

    def _axis(self) -> int:
        return len(number(max(candle.high for candle in self._candles[-2_000:]))) + 3

    def _capacity(self) -> int:
        """Return how many candles fit."""
        axis = self._axis() if self._candles else 10
        return max(1, (self.size.width - axis) // PITCHES[self._zoom])

    def _cross_column(self, picture: _Picture) -> int | None:
        if self._cross is None:
            return None
        pitch = PITCHES[self._zoom]
        back = self._end - self._cross
        column = picture.size[0] - picture.axis - back * pitch + body_width(pitch) // 2
        return column if 0 <= column < picture.size[0] - picture.axis and back > 0 else None

    def _put_cross(self, index: int) -> None:
        self._cross = index
        if index < self._end - self._capacity():
            self._end = index + self._capacity()
        self._end = max(self._end, index + 1)
        self._redraw()
        self._ask_for_older()
        self.post_message(self.CrossMoved())

    def _scroll(self, candles: int) -> None:
        least = min(len(self._candles), self._capacity())
        self._end = max(least, min(self._end + candles, len(self._candles)))
        self._redraw()
        self._ask_for_older()

    def _ask_for_older(self) -> None:
        if self._candles and self._end - self._capacity() < _OLDER_WHEN:
            self.post_message(self.OlderWanted())
