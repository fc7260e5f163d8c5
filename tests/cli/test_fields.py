"""Fields of rows are chosen, sorted and written the same way by every verb that lists something."""

from __future__ import annotations

import json
import sys

import click
import pytest

from chartinsightd.cli import asking
from chartinsightd.cli.fields import (
    chosen_fields,
    fields_apart,
    sorted_rows,
    tab_separated,
    table_of,
    value_of,
)
from chartinsightd.control.protocol.coverage import GapList
from tests.cli.conftest import Run
from tests.support.fake_backend import FakeBackend


def test_fields_after_json_are_taken_apart() -> None:
    """`--json=a` and `--json a,b` name fields; a stock's code or name after `--json` stays one."""
    assert fields_apart(["gaps", "--json=symbol"]) == ["gaps", "--json", "--columns", "symbol"]
    assert fields_apart(["jobs", "--json", "id,progress.pages"])[-1] == "id,progress.pages"
    kept = ["gaps", "--json", "naver", "005930"]
    assert fields_apart(kept) == kept


def test_json_holds_the_chosen_fields_alone(run: Run) -> None:
    """Each row keeps the named fields; what stands beside the rows stays."""
    answer = json.loads(run("gaps", "--json", "symbol,reason").stdout)
    assert {tuple(row) for row in answer["items"]} == {("symbol", "reason")}
    assert answer["total"] == len(answer["items"])
    assert list(json.loads(run("status", "--json=tracked").stdout)) == ["tracked"]


def test_tsv_has_a_head_and_a_line_for_each_row(run: Run) -> None:
    """Lines hold as many tabs as the head."""
    head, *lines = run("symbols", "list", "--tsv", "--columns", "symbol,name").stdout.splitlines()
    assert head == "symbol\tname"
    assert "005930\t삼성전자" in lines
    assert {line.count("\t") for line in run("jobs", "--tsv").stdout.splitlines()} == {
        run("jobs", "--tsv").stdout.splitlines()[0].count("\t")
    }


def test_rows_are_sorted_by_the_value_of_a_field(run: Run) -> None:
    """Numbers as numbers, in either direction; the picture, JSON and lines follow the same order."""
    upwards = json.loads(run("jobs", "--json=id", "--sort", "id").stdout)["items"]
    downwards = json.loads(run("jobs", "--json=id", "--sort", "-id").stdout)["items"]
    assert [row["id"] for row in upwards] == sorted(row["id"] for row in downwards)
    assert upwards == downwards[::-1]


def test_rows_without_a_value_come_last(run: Run, backend: FakeBackend) -> None:
    """In both directions."""
    del backend
    for order in ("finished_at", "-finished_at"):
        found = [
            row["finished_at"] for row in json.loads(run("jobs", "--json", "--sort", order).stdout)["items"]
        ]
        assert None in found
        assert found.index(None) == len(found) - found.count(None)


@pytest.mark.parametrize(
    "words",
    [
        ("gaps", "--columns", "nothing"),
        ("status", "--tsv"),
        ("gaps", "--json", "--tsv"),
        ("jobs", "--sort", "x"),
    ],
)
def test_what_there_is_not_is_refused(run: Run, words: tuple[str, ...]) -> None:
    """A field that rows lack, a list of what is none, two forms at once: status 2."""
    ended = run(*words)
    assert (ended.exit_code, ended.stdout) == (2, "")


def test_an_unknown_field_is_answered_with_those_there_are() -> None:
    """The error names every field of the row."""
    with pytest.raises(click.UsageError, match=r"'c'; there are a, b"):
        value_of({"a": 1, "b": None}, "c")
    assert value_of({"a": None}, "a.b") is None


def test_a_list_of_nothing_is_sorted() -> None:
    """No row, no field that could lack; a name that no row ever has is refused all the same."""
    assert sorted_rows(GapList(), "symbol") == GapList()
    assert table_of(GapList(), ("symbol",)) == (("symbol",), [])
    for chosen in (table_of, chosen_fields):
        with pytest.raises(click.UsageError, match=r"'symbl'; there are symbol, name"):
            chosen(GapList(), ("symbl",))


def test_tabs_within_values_become_spaces() -> None:
    """Who splits at tabs finds as many values as names."""
    assert tab_separated(("a", "b"), [("1\t2", "3\n4")]) == "a\tb\n1 2\t3 4"


def test_on_a_terminal_no_is_the_answer_to_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter changes nothing and ends with 1; `--yes`, and a script, are not asked."""
    asked: list[str] = []
    monkeypatch.setattr(click, "confirm", lambda question, **_: asked.append(question))
    asking.ask_first("Pause?", yes=False)  # here is no terminal
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    asking.ask_first("Pause?", yes=True)
    assert asked == []
    with pytest.raises(click.exceptions.Exit):
        asking.ask_first("Pause?", yes=False)
    assert asked == ["Pause?"]
