"""Colours in a pipe: by themselves none, and where they are asked for all."""

from __future__ import annotations

import sys

import pytest

from chartinsightd.cli.console import data_console


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({}, False),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_come_into_a_pipe_where_they_are_asked_for(
    variables: dict[str, str],
    is_coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`CLICOLOR_FORCE` and `FORCE_COLOR` force them, `NO_COLOR` wins; a line is cut in none of the cases."""
    for name in ("CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **variables}.items():
        monkeypatch.setenv(name, value)

    data_console().print("x" * 300, style="bold red")

    written = capsys.readouterr().out
    assert "x" * 300 in written
    assert ("\x1b[1;31m" in written) is is_coloured
    assert not sys.stdout.isatty()
