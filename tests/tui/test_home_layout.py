"""Which parts of the home screen have room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from chartinsight_tui.screens.home_layout import Block, column


def block(name: str, least: int, most: int) -> Block:
    """Return a part whose lines say its name."""
    return Block(draw=lambda lines: [[(name, Style.null())]] * lines, least=least, most=most)


BLOCKS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 9)), max_size=5)


@given(sizes=BLOCKS, height=st.integers(0, 60))
def test_a_column_is_never_higher_than_its_room(sizes: list[tuple[int, int]], height: int) -> None:
    """Each part that is shown has its least lines, and the first ones stay longest."""
    blocks = [block(str(number), least, least + more) for number, (least, more) in enumerate(sizes)]
    lines = column(blocks, height)
    assert len(lines) <= height
    shown = [line[0][0] for line in lines if line]
    counts = [shown.count(str(number)) for number in range(len(blocks))]
    kept = sum(count > 0 for count in counts)
    assert counts[kept:] == [0] * (len(blocks) - kept)
    assert all(
        least <= count <= least + more for count, (least, more) in zip(counts[:kept], sizes, strict=False)
    )


def test_room_goes_to_empty_lines_first_and_then_to_the_first_parts() -> None:
    """Parts apart are easier to read than more rows of one."""
    lines = column([block("a", 2, 9), block("b", 2, 9)], 7)
    assert ["".join(text for text, _ in line) for line in lines] == ["a", "a", "a", "a", "", "b", "b"]
