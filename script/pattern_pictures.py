"""Draws docs/images/patterns/*.svg: for each pattern one that the analyser found in a made-up walk.

    python script/pattern_pictures.py

Candles, points, neckline and states are what `chartinsightd.analysis` says; nothing is drawn by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # walks are those of the tests

from chartinsightd.analysis.adjusted import AdjustedCandle  # noqa: E402
from chartinsightd.analysis.analyser import analyse  # noqa: E402
from chartinsightd.analysis.patterns.life import PatternEvent, PatternKind, PatternState  # noqa: E402
from tests.analysis.made_up import rows, walk  # noqa: E402

FOLDER = ROOT / "docs" / "images" / "patterns"
LENGTH = 400
MOST_CANDLES = 45
"""From the first point to the candle that completes: more would be hard to read."""
BEFORE, AFTER = 6, 4
"""Candles drawn beside the pattern."""
STEP, BODY, HEIGHT, TOP, BOTTOM = 14, 8, 270, 44, 30
LABEL = 12
"""Pixels from one label of a level to the next."""
RISE, FALL, INK, LINE = "#d24f45", "#3b6fd4", "#30343c", "#8a6d3b"


def found(kind: PatternKind) -> tuple[list[AdjustedCandle], PatternEvent]:
    """Return the first walk with a short completed pattern of a kind, and that pattern."""
    for seed in range(1_000):
        candles = rows(walk(seed, LENGTH))
        places = {candle.ts: place for place, candle in enumerate(candles)}
        for event in analyse(candles).patterns:
            length = event.known - places[event.points[0].ts] if event.kind is kind else LENGTH
            if event.state is PatternState.COMPLETED and length <= MOST_CANDLES:
                return candles, event
    raise LookupError(f"no walk has a {kind}")


def picture(kind: PatternKind) -> str:
    """Return a picture as SVG."""
    candles, event = found(kind)
    places = {candle.ts: place for place, candle in enumerate(candles)}
    first = max(0, places[event.points[0].ts] - BEFORE)
    shown = candles[first : event.known + 1 + AFTER]
    high, low = max(one.high for one in shown), min(one.low for one in shown)
    width = STEP * len(shown) + 150

    def x(ts: int) -> float:
        return 20 + STEP * (places[ts] - first) + STEP / 2

    def y(price: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - price) / (high - low)

    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" font-size="11" fill="{INK}">'
    )
    lines = [
        frame,
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="20" y="16" font-weight="bold">{kind.replace("_", " ")}, {event.state}</text>',
        *(
            line
            for candle in shown
            for line in _candle(candle, x(candle.ts), y(candle.open), y(candle.close), y)
        ),
    ]
    corners = " ".join(f"{x(point.ts):.1f},{y(point.price):.1f}" for point in event.points)
    lines.append(f'<polyline points="{corners}" fill="none" stroke="{INK}" stroke-dasharray="3 3"/>')
    is_top = "inverse" not in kind and "bottom" not in kind
    for place, point in enumerate(event.points):
        is_above = (place % 2 == 0) == is_top if "retest" not in kind else (point.role != "turn") == is_top
        down = -8 if is_above else 16
        lines.append(f'<circle cx="{x(point.ts):.1f}" cy="{y(point.price):.1f}" r="3" fill="{INK}"/>')
        label = f"{point.role.replace('_', ' ')} {point.price:,}"
        lines.append(
            f'<text x="{x(point.ts):.1f}" y="{y(point.price) + down:.1f}" text-anchor="middle">{label}</text>'
        )
    lines += _levels(event, width, y, low, high)
    done = candles[event.known]
    lines.append(
        f'<text x="{x(done.ts):.1f}" y="{HEIGHT - 8}" text-anchor="middle">✓ close {done.close:,.0f}</text>'
    )
    lines.append(
        f'<line x1="{x(done.ts):.1f}" x2="{x(done.ts):.1f}" y1="{TOP}" y2="{HEIGHT - 20}" '
        f'stroke="{LINE}" stroke-dasharray="2 4"/>'
    )
    return "\n".join([*lines, "</svg>", ""])


def _candle(
    candle: AdjustedCandle, x: float, y_open: float, y_close: float, y: Callable[[float], float]
) -> Iterator[str]:
    colour = RISE if candle.close >= candle.open else FALL
    yield (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y(candle.high):.1f}" y2="{y(candle.low):.1f}" '
        f'stroke="{colour}"/>'
    )
    top, height = min(y_open, y_close), max(1.0, abs(y_open - y_close))
    yield (
        f'<rect x="{x - BODY / 2:.1f}" y="{top:.1f}" width="{BODY}" height="{height:.1f}" '
        f'fill="{colour}" fill-opacity="0.55"/>'
    )


def _levels(
    event: PatternEvent, width: int, y: Callable[[float], float], low: float, high: float
) -> Iterator[str]:
    """Yield the levels of the completing candle that lie within the picture."""
    written: list[float] = []
    for name, price in sorted(event.levels.items(), key=lambda level: -level[1]):
        if not low <= price <= high:
            continue
        at = y(price)
        label = max([at, *(one + LABEL for one in written)])
        written.append(label)
        yield (
            f'<line x1="20" x2="{width - 120}" y1="{at:.1f}" y2="{at:.1f}" '
            f'stroke="{LINE}" stroke-opacity="0.7"/>'
        )
        yield f'<text x="{width - 115}" y="{label + 4:.1f}" fill="{LINE}">{name} {price:,.0f}</text>'


def pictures() -> Sequence[tuple[Path, str]]:
    """Return every picture with its file."""
    return [(FOLDER / f"{kind}.svg", picture(kind)) for kind in PatternKind]


def main() -> None:
    """Write the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, text in pictures():
        file.write_text(text, encoding="utf-8")
        print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
