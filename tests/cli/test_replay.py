"""The past is shown as it was recorded, never mistaken for now, and never guessed at."""

from __future__ import annotations

import json

from tests.cli.conftest import Run


def test_a_moment_says_that_it_is_not_now(run: Run) -> None:
    """The overview of then stands under a line that names its time."""
    result = run("status", "--at", "2026-10-14T09:20")
    assert result.exit_code == 0
    first, _, verdict, *_ = result.stdout.splitlines()
    assert "AS IT WAS at 2026-10-14 09:20 KST, not now" in first
    assert verdict.startswith("▲ ATTENTION  Kiwoom answers slowly")


def test_an_unknown_moment_ends_with_1(run: Run) -> None:
    """Nothing is shown as if it had been; words say which moments near it are known."""
    result = run("status", "--at", "2026-10-14T07:30")
    assert result.exit_code == 1
    assert result.stdout == "2026-10-14 07:30  ? unknown: nothing was recorded\n"
    assert "how things were then is unknown. Known until 2026-10-14 07:07:30" in result.stderr
    answer = json.loads(run("status", "--at", "2026-10-14T07:30", "--json").stdout)
    assert answer["recorded"] is None


def test_the_past_is_not_checked(run: Run) -> None:
    """`--check` and `--watch` are about now."""
    assert run("status", "--at", "2026-10-14T07:30", "--check").exit_code == 2


def test_a_day_is_told_in_stretches(run: Run) -> None:
    """What was not recorded is a stretch of its own between those that were; the last ends with now."""
    items = json.loads(run("replay", "2026-10-14", "--json").stdout)["items"]
    assert [one["state"] for one in items] == ["well", "unknown", "well", "attention", "well"]
    assert "▲ attention  broker.slow" in run("replay", "2026-10-14").stdout


def test_a_day_is_played_step_by_step(run: Run) -> None:
    """A line a step up to now, with the verdict of then."""
    lines = run("replay", "today", "--step", "1h").stdout.splitlines()
    assert [line[11:16] for line in lines[-3:]] == ["08:00", "09:00", "10:00"]
    assert "? unknown" in lines[-3]
    assert run("replay", "--speed", "10").exit_code == 2
