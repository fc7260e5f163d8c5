"""The table."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from chartinsight_tui.theme import DARK, Palette
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable

PALETTE = Palette(colours=DARK)
ROWS = st.lists(st.integers(0, 60), unique=True, max_size=40)
KEYS = ["up", "down", "pageup", "pagedown", "home", "end", "left", "right"]
ACTIONS = {
    "up": ("move", -1), "down": ("move", 1), "pageup": ("page", -1), "pagedown": ("page", 1),
    "home": ("move", -99), "end": ("move", 99), "left": ("aside", -1), "right": ("aside", 1),
}  # fmt: skip


def cells(row: object) -> Cells:
    """Return a row's cells."""
    return [(str(row), PALETTE.text), ("이름", PALETTE.dim), *[("■", PALETTE.good)] * 8]


class TableApp(App[None]):
    """A table and nothing else."""

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield RowTable(lambda: PALETTE, cells, lambda: "nothing here")

    def on_mount(self) -> None:
        """Name the columns."""
        table = self.query_one(RowTable)
        days = [Column(title=f"{day}", width=2, is_cell=True) for day in range(8)]
        table.set_columns(
            [Column(title="row", width=5), Column(title="name", width=6, flex=1, drop=1), *days]
        )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(ROWS, st.lists(st.sampled_from(KEYS), max_size=6)), max_size=8))
async def test_the_cursor_stays_on_its_row(steps: list[tuple[list[int], list[str]]]) -> None:
    """Whatever rows come and go and whatever is pressed: a row that is still there keeps the cursor, and the
    cursor is always on a row that one sees.
    """
    app = TableApp()
    async with app.run_test(size=(30, 12)):
        table = app.query_one(RowTable)
        for rows, keys in steps:
            before = table.row_id
            table.set_rows(rows)
            assert table.row_id == before or before not in rows
            for key in keys:
                action, value = ACTIONS[key]
                getattr(table, f"action_{action}")(value)
            assert (table.row_id in rows) if rows else (table.row_id is None)
            lines = [table.render_line(y) for y in range(table.size.height)]
            assert {line.cell_length for line in lines} <= {table.size.width}
            assert not rows or any(line.text.strip().startswith(f"▎{table.row_id}") for line in lines)


async def test_the_mouse_chooses() -> None:
    """A click puts the cursor on a row; the wheel scrolls; the heading says which column was meant."""
    app = TableApp()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(RowTable)
        table.set_rows(list(range(50)))
        await pilot.click(RowTable, offset=(2, 4))
        clicked = table.row_id
        table._scroll(30)
        assert (clicked, table.row_id) == (3, 30)
        assert table.render_line(1).text.startswith("▎30")


async def test_an_empty_table_says_why() -> None:
    """Without rows there are words in the middle."""
    app = TableApp()
    async with app.run_test(size=(40, 10)):
        table = app.query_one(RowTable)
        assert "nothing here" in table.render_line(5).text
