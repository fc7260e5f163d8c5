"""Lines that are drawn cell by cell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from chartinsight_tui.widgets.pane import beside, padded, to_strip, width_of, wrapped

PLAIN = Style.null()
words = st.text(st.sampled_from("가나 abc1▲…\x1b\u202e"), max_size=30)
lines = st.lists(words.map(lambda text: (text, PLAIN)), max_size=5)


@given(lines, st.integers(0, 40))
def test_a_line_fills_exactly_its_width(line: list[tuple[str, Style]], width: int) -> None:
    """Too short is filled, too long ends with an ellipsis; a wide character is never split."""
    strip = to_strip(line, width, PLAIN)
    assert strip.cell_length == cell_len(strip.text) == width
    if width and width_of(line) > width:
        assert strip.text.endswith("…")


@given(st.lists(lines, max_size=4), st.lists(lines, max_size=4), st.integers(5, 20))
def test_two_columns_stand_side_by_side(left: list, right: list, width: int) -> None:  # type: ignore[type-arg]
    """The right one begins in the same cell of each row, and there are as many rows as the longer one has."""
    rows = beside(left, right, width, 2)
    assert len(rows) == max(len(left), len(right))
    for row, other in zip(rows, right, strict=False):
        assert width_of(row) - width_of(other) == width + 2


@given(words, st.integers(2, 20))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Every sign but blanks is there, and no line is wider than asked."""
    found = wrapped(text, width, PLAIN)
    assert all(width_of(line) <= width for line in found)
    joined = "".join(piece for line in found for piece, _ in line)
    assert joined.replace(" ", "") == "".join(piece for piece, _ in padded([(text, PLAIN)], 400)).replace(
        " ", ""
    )
