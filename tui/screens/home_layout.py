"""Which parts of the home screen have room, and how many lines each of them gets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chartinsight_tui.widgets.pane import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a column: a heading with lines below."""

    draw: Callable[[int], Sequence[Line]]
    """Returns at most this many lines, the heading among them."""
    least: int
    """With fewer lines it says nothing, and is left out."""
    most: int


def column(blocks: Sequence[Block], height: int) -> list[Line]:
    """Return blocks one below the other; the last ones are left out where there is no room for all.

    Room beyond the least goes to empty lines between them, then to the blocks in their order.
    """
    kept = list(blocks)
    while kept and sum(block.least for block in kept) > height:
        kept.pop()
    spare = height - sum(block.least for block in kept)
    between = max(0, min(spare, len(kept) - 1))
    spare -= between
    lines: list[Line] = []
    for place, block in enumerate(kept):
        more = min(spare, block.most - block.least)
        spare -= more
        lines += block.draw(block.least + more)
        lines += [[]] if place < between else []
    return lines
