"""Alarms on the command line: set in a person's words, listed with how they stand, removed by number."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.live_daemon import LiveDaemon


def test_alarms_are_set_listed_and_removed(run: Run, daemon: LiveDaemon) -> None:
    """By name, in won, percent and multiples; one that is there already stays the only one."""
    del daemon
    assert "No alarm is set" in run("alarms").stdout
    for words in (["삼성전자", "--above", "73,000"], ["005930", "--above", "7.3만"], ["--screen", "morning"]):
        assert run("alarms", "add", *words).exit_code == 0
    answer = run("alarms", "add", "삼성전자", "--volume", "3배", "--json")

    rows = json.loads(answer.stdout)["items"]
    assert [(one["kind"], one["level"], one["symbol"]) for one in rows] == [
        ("above", 73_000, "005930"),
        ("screen", 0, None),
        ("volume", 300, "005930"),
    ]
    listed = run("alarms").stdout
    assert ">= 73,000" in listed
    assert "not looked at yet" in listed
    assert "#3 삼성전자: volume >= 3x" in run("alarms", "remove", "1", "2").stderr
    assert run("alarms", "remove", "1").exit_code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["005930"], "Give one of"),
        (["005930", "--above", "1", "--below", "2"], "Give one of"),
        (["005930", "--above", "high"], "no amount such as"),
        (["005930", "--change", "0"], "no change such as"),
        (["--above", "73000"], "Name a stock"),
        (["999999", "--above", "73000"], "999999 is in no stock list"),
        (["--screen", "evening"], "No screen"),
    ],
)
def test_what_no_alarm_can_be_is_refused_with_words(
    run: Run, daemon: LiveDaemon, words: list[str], told: str
) -> None:
    """A mistake ends with 2 and says what was expected; nothing is set."""
    del daemon
    refused = run("alarms", "add", *words)
    assert (refused.exit_code, told in refused.stderr) == (2, True), refused.stderr
    assert "No alarm is set" in run("alarms").stdout
