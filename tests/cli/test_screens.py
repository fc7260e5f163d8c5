"""Verbs of strategies and screens."""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.cli.conftest import Run


def test_a_new_strategy_works_as_it_is_written(run: Run, tmp_path: Path) -> None:
    """`strategies new` writes a strategy that the host takes, its test passes, and nothing is overwritten."""
    result = run("strategies", "new", "my_own", "--folder", str(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.split() == [str(tmp_path / "my_own.py"), str(tmp_path / "test_my_own.py")]

    found = runpy.run_path(str(tmp_path / "test_my_own.py"))
    found["test_the_host_takes_it"]()
    found["test_it_hits_where_it_should"]()

    again = run("strategies", "new", "my_own", "--folder", str(tmp_path))
    assert again.exit_code == 1
    assert "exists" in again.stderr
    assert run("strategies", "new", "My-Own", "--folder", str(tmp_path)).exit_code == 2


def test_a_stored_screen_goes_by_its_name(run: Run) -> None:
    """`screen NAME` evaluates the stored screen; any other name is that of a strategy, or refused."""
    assert "1 matches" in run("screen", "morning").stderr + run("screen", "morning").stdout
    assert run("screen", "moon").exit_code == 2
    assert "no strategy moon" in run("screen", "moon").stderr


def test_stored_screens_are_saved_and_removed(run: Run) -> None:
    """The version is said; a name that is not stored ends with status 2."""
    assert "version 1" in run("screens", "save", "evening", '{"all": [{"strategy": "trend_up"}]}').stderr
    assert "removed" in run("screens", "remove", "morning").stderr
    assert run("screens", "remove", "moon").exit_code == 2
    assert run("screens", "save", "evening", "{nonsense").exit_code == 2
    assert "morning" in run("screens", "list").stdout


def test_statistics_say_when_there_are_too_few(run: Run) -> None:
    """Enough events have a figure, its base and its interval; few have none."""
    shown = run("statistics", "double_top").stdout
    assert "double_top completed" in shown
    before, after = (line for line in shown.splitlines() if "5 candles" in line)
    assert "52.0 %" in before
    assert "49.0 %" in before
    assert "44.0 to 60.0" in before
    assert "too few" in after
    assert "%" not in after
    assert run("statistics", "moon").exit_code == 2
