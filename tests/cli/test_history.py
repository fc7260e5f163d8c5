"""Verbs on what became of candles, and words for what was mistyped."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run


def test_a_candle_is_explained_line_by_line(run: Run) -> None:
    """How it stands, what was stored, what changed and why."""
    result = run("explain", "삼성전자", "5m", "2026-10-14T10:05")
    assert result.exit_code == 0
    for words in ("005930 삼성전자 5m", "final: read after its settle time", "revised", "volume", "reread"):
        assert words in result.stdout


def test_revisions_say_what_changed(run: Run) -> None:
    """Old and new value stand beside each other; what did not change is left out."""
    result = run("revisions", "005930", "-t", "5m")
    assert result.exit_code == 0
    assert " → " in result.stdout
    assert "close" not in result.stdout
    rows = json.loads(run("revisions", "005930", "-t", "5m", "--json").stdout)["items"]
    assert rows[0]["new"]["volume"] == rows[0]["old"]["volume"] + 1


def test_quarantined_rows_are_shown_as_they_came(run: Run) -> None:
    """The reason stands beside the row."""
    result = run("quarantine")
    assert result.exit_code == 0
    assert "quarantined rows" in result.stdout


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("statsu",), "Did you mean status"),
        (("candles", "5930", "5m"), "Did you mean 005930 삼성전자?"),
        (("candles", "삼셩전자", "5m"), "Did you mean 005930 삼성전자"),
        (("explain", "005930", "5m", "yesterday evening"), "is not a moment such as"),
        (("xyzzy",), "`chartinsightctl --help` lists them"),
    ],
)
def test_a_slip_is_answered_with_what_may_be_meant(run: Run, typed: tuple[str, ...], meant: str) -> None:
    """A mistyped verb, name or code ends with 2 and names what is close to it."""
    result = run(*typed)
    assert result.exit_code == 2
    assert meant in result.stderr


@pytest.mark.parametrize(
    "verb",
    [
        ("points", "005930", "1d"),
        ("patterns",),
        ("screen", "trend_up"),
        ("statistics", "double_bottom"),
    ],
)
def test_analysis_of_another_venue_is_refused(run: Run, verb: tuple[str, ...]) -> None:
    """Only KRX is analysed: a request for NXT is refused and does not return results of KRX."""
    refused = run(*verb, "--venue", "nxt")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "KRX alone" in refused.stderr
    assert "candles --venue nxt" in " ".join(refused.stderr.split())
    assert run(*verb, "--venue", "krx").stdout == run(*verb).stdout
