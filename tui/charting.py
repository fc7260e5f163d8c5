"""Candles as terminal cells: bodies in half blocks, wicks and hollow bodies in box drawing, round prices.

Pure: numbers in, cells out. Candles stand side by side by their place in the series, so closed days and
nights leave no holes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chartinsight_tui.formatting import KST

Cell = tuple[str, str]
"""A character and what it is: `rise`, `fall`, `flat`, `line` or nothing."""
BLANK: Cell = (" ", "")
PITCHES = (1, 2, 4, 6)
"""Columns a candle, its gap included, from the farthest zoom to the nearest."""
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_FILLED = {"bb": "█", "b": "▀", " b": "▄"}
_HOLLOW = {"bb": "║", "b": "╨", " b": "╥"}
_WICK = {"ww": "│", "w ": "╵", " w": "╷", "  ": " "}


class CandleLike(Protocol):
    """What is drawn of a candle. Prices in won."""

    @property
    def ts(self) -> datetime:
        """When it opens; aware."""

    @property
    def open(self) -> int:
        """First price."""

    @property
    def high(self) -> int:
        """Highest price."""

    @property
    def low(self) -> int:
        """Lowest price."""

    @property
    def close(self) -> int:
        """Last price."""

    @property
    def volume(self) -> int:
        """Shares."""

    @property
    def final(self) -> bool:
        """Whether it does not change any more."""


@dataclass(frozen=True, slots=True)
class MissingCandle:
    """The column of a candle that should be there and is not stored: time does not close up over it."""

    ts: datetime
    close: int
    """Of the candle before: nothing is known of its own."""

    @property
    def open(self) -> int:
        """As the close before."""
        return self.close

    @property
    def high(self) -> int:
        """As the close before."""
        return self.close

    @property
    def low(self) -> int:
        """As the close before."""
        return self.close

    @property
    def volume(self) -> int:
        """Not known; nothing is drawn."""
        return 0

    @property
    def final(self) -> bool:
        """It may still come."""
        return False


def with_missing(candles: Sequence[CandleLike], starts: Iterable[datetime]) -> list[CandleLike]:
    """Return candles with a column for each start at which one is missing, from the first to the last one."""
    if not candles:
        return []
    known = {candle.ts for candle in candles}
    wanted = sorted({start for start in starts if candles[0].ts < start < candles[-1].ts} - known)
    found: list[CandleLike] = []
    for candle in candles:
        while wanted and wanted[0] < candle.ts:
            found.append(MissingCandle(wanted.pop(0), found[-1].close))
        found.append(candle)
    return found


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices over rows; the top row holds the highest price. Each row has two halves."""

    low: int
    high: int
    rows: int

    @classmethod
    def of(cls, candles: Sequence[CandleLike], rows: int) -> PriceScale:
        """Return the scale that just holds the candles; they may not be none."""
        low, high = min(candle.low for candle in candles), max(candle.high for candle in candles)
        if low == high:
            low, high = low - max(1, low // 100), high + max(1, high // 100)
        return cls(low, high, max(1, rows))

    def with_margin(self) -> PriceScale:
        """Return a scale with a row to spare above and below."""
        spare = -(-(self.high - self.low) // max(1, self.rows - 2))
        return PriceScale(self.low - spare, self.high + spare, self.rows)

    def half(self, price: float) -> int:
        """Return the half row of a price, counted from the top; prices outside are at the edge."""
        share = (self.high - price) / (self.high - self.low)
        return max(0, min(2 * self.rows - 1, round(share * (2 * self.rows - 1))))

    def row(self, price: float) -> int:
        """Return the row of a price."""
        return self.half(price) // 2

    def ticks(self) -> list[int]:
        """Return round prices to label, lowest first, at least three rows apart."""
        step = nice_step((self.high - self.low) / max(1, self.rows / 3))
        first = -(-self.low // step) * step
        return list(range(first, self.high + 1, step))


def nice_step(least: float) -> int:
    """Return the smallest 1, 2 or 5 times a power of ten that is not below `least`; at least 1."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10


def direction(candle: CandleLike) -> str:
    """Return `rise`, `fall` or `flat`, from open to close."""
    if candle.close == candle.open:
        return "flat"
    return "rise" if candle.close > candle.open else "fall"


def body_width(pitch: int) -> int:
    """Return the columns of a body: what is left of the pitch beside a gap."""
    return pitch if pitch == 1 else pitch - 1


def draw_candle(candle: CandleLike, scale: PriceScale, width: int) -> list[list[Cell]]:
    """Return a candle as rows of `width` cells (odd), top to bottom; one that is missing fills its column."""
    if isinstance(candle, MissingCandle):
        return [[("░", "line")] * width for _ in range(scale.rows)]
    kind = direction(candle)
    if kind == "flat":
        rows = _draw_flat(candle, scale, width)
    elif kind == "fall" and width > 1:
        rows = _draw_box(candle, scale, width)
    else:
        rows = _draw_body(candle, scale, width, _FILLED if kind == "rise" else _HOLLOW)
    return [[(char, kind if char != " " else "") for char in row] for row in rows]


def _halves(candle: CandleLike, scale: PriceScale) -> list[str]:
    """Return for each row two letters, upper and lower half: body, wick or nothing."""
    body = (scale.half(max(candle.open, candle.close)), scale.half(min(candle.open, candle.close)))
    wick = (scale.half(candle.high), scale.half(candle.low))

    def letter(half: int) -> str:
        if body[0] <= half <= body[1]:
            return "b"
        return "w" if wick[0] <= half <= wick[1] else " "

    return [letter(2 * row) + letter(2 * row + 1) for row in range(scale.rows)]


def _draw_body(candle: CandleLike, scale: PriceScale, width: int, shapes: dict[str, str]) -> Iterator[str]:
    """Draw a body column by column in shapes, its wick in the middle column."""
    for halves in _halves(candle, scale):
        if "b" not in halves:
            yield _WICK[halves].center(width)
        elif halves == "bb":
            yield shapes["bb"] * width
        else:
            yield (shapes["b"] if halves[0] == "b" else shapes[" b"]) * width


def _draw_box(candle: CandleLike, scale: PriceScale, width: int) -> Iterator[str]:
    """Draw a hollow body as a box."""
    halves = _halves(candle, scale)
    inside = [row for row, pair in enumerate(halves) if "b" in pair]
    above, below = candle.high > candle.open, candle.low < candle.close
    for row, pair in enumerate(halves):
        if row not in inside:
            yield _WICK[pair].center(width)
        elif len(inside) == 1:
            yield "╞" + "═" * (width - 2) + "╡"
        elif row == inside[0]:
            yield "┌" + ("┴" if above else "─").center(width - 2, "─") + "┐"
        elif row == inside[-1]:
            yield "└" + ("┬" if below else "─").center(width - 2, "─") + "┘"
        else:
            yield "│" + " " * (width - 2) + "│"


def _draw_flat(candle: CandleLike, scale: PriceScale, width: int) -> Iterator[str]:
    """Draw a candle that closed where it opened: a line, crossed by its wick."""
    at = scale.row(candle.open)
    above, below = candle.high > candle.open, candle.low < candle.open
    cross = {(True, True): "┼", (True, False): "┴", (False, True): "┬", (False, False): "─"}[above, below]
    for row, pair in enumerate(_halves(candle, scale)):
        yield cross.center(width, "─") if row == at else _WICK[pair.replace("b", "w")].center(width)


def draw_candles(
    candles: Sequence[CandleLike], scale: PriceScale, pitch: int, columns: int
) -> list[list[Cell]]:
    """Return candles side by side as rows of `columns` cells, the newest at the right edge."""
    width = body_width(pitch)
    rows: list[list[Cell]] = [[] for _ in range(scale.rows)]
    for candle in candles:
        for row, cells in zip(rows, draw_candle(candle, scale, width), strict=True):
            row += cells
            row += [BLANK] * (pitch - width)
    return [([BLANK] * (columns - len(row)) + row)[-columns:] for row in rows]


def draw_volume(candles: Sequence[CandleLike], rows: int, pitch: int, columns: int) -> list[list[Cell]]:
    """Return the volumes as columns in eighths of a row, below each its candle's place."""
    most = max((candle.volume for candle in candles), default=0) or 1
    width = body_width(pitch)
    lines: list[list[Cell]] = [[] for _ in range(rows)]
    for candle in candles:
        eighths = max(round(candle.volume / most * rows * 8), 1 if candle.volume else 0)
        for row, line in enumerate(lines):
            char = _EIGHTHS[max(0, min(8, eighths - (rows - 1 - row) * 8))]
            line += [(char, direction(candle) if char != " " else "")] * width + [BLANK] * (pitch - width)
    return [([BLANK] * (columns - len(line)) + line)[-columns:] for line in lines]


def time_labels(candles: Sequence[CandleLike], timeframe: str, pitch: int, columns: int) -> str:
    """Return the time axis, KST: where a day, a month or a year begins its name, and times between."""
    line = [" "] * columns
    first = columns - len(candles) * pitch
    marks = [
        _mark(before, candle, timeframe) for before, candle in zip([None, *candles], candles, strict=False)
    ]
    for want_major in (True, False):
        for index, (text, is_major) in enumerate(marks):
            at = first + index * pitch
            room = line[max(0, at - 2) : at + len(text) + 2]
            if is_major is want_major and 0 <= at <= columns - len(text) and set(room) == {" "}:
                line[at : at + len(text)] = text
    return "".join(line)


def _mark(before: CandleLike | None, candle: CandleLike, timeframe: str) -> tuple[str, bool]:
    """Return a candle's label, and whether a day (month, year) begins with it."""
    wall = candle.ts.astimezone(KST)
    last = before.ts.astimezone(KST) if before else None
    if timeframe == "1w":
        begins = last is None or last.year != wall.year
        return (f"{wall:%Y}" if begins else f"{wall:%m-%d}"), begins
    if timeframe == "1d":
        begins = last is None or last.month != wall.month
        return (f"{wall:%Y-%m}" if begins else f"{wall:%d}"), begins
    begins = last is None or last.date() != wall.date()
    return (f"{wall:%m-%d}" if begins else f"{wall:%H:%M}"), begins
