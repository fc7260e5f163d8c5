"""Screens as files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from chartinsight_tui.exporting import _inert, write
from chartinsight_tui.widgets.row_table import RowTable
from tests.tui.dashboards import connected, dashboard, settled


async def test_a_screen_is_written_as_rows_text_and_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row, whatever has room; one screen after the other, and nothing is replaced."""
    monkeypatch.chdir(tmp_path)
    app = dashboard()
    async with app.run_test(size=(80, 24)) as pilot:
        await connected(pilot)
        await app.action_show("jobs")
        await connected(pilot)
        await settled(pilot)
        await pilot.press("E", "E")
        shown = app.view.query_one(RowTable).row_count
    [rows, picture, text] = _written(tmp_path)
    assert [one.suffix for one in (rows, picture, text)] == [".csv", ".svg", ".txt"]
    head, *jobs = csv.reader(rows.read_text(encoding="utf-8").splitlines())
    assert head[:2] == ["no.", "kind"]
    assert len(jobs) == shown > 0
    assert jobs[0][1] in text.read_text(encoding="utf-8")


def _written(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """Writing over it is refused."""
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(FileExistsError):
        write(tmp_path, "a", {"csv": "theirs"})
    assert (tmp_path / "a.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("+1.50%", "+1.50%"), ("-1,234", "-1,234"), ("@x", "'@x"), ("-", "-")],
)
def test_a_spreadsheet_takes_no_name_for_a_formula(text: str, cell: str) -> None:
    """What begins like one is quoted; signed numbers are numbers."""
    assert _inert(text) == cell
