"""The watchlist on the command line: prices in a table or as lines, and the groups."""

from __future__ import annotations

import json

import pytest

from chartinsightd.cli.views.watching import change_of, spark
from chartinsightd.cli.watching import print_changes
from chartinsightd.control.client import ControlClient
from chartinsightd.control.protocol.watching import QuotedGroup, QuoteRow, Watch
from tests.cli.conftest import Run
from tests.cli.live_daemon import LiveDaemon
from tests.support.fake_backend import NOW


def test_the_table_shows_groups_with_prices_and_their_age(run: Run, daemon: LiveDaemon) -> None:
    """Each group with its mean; what no trade tells is said to be old."""
    del daemon

    lines = run("watch", "--once").stdout.splitlines()

    headings = [line.split()[0] for line in lines if len(line.split()) == 2]
    assert headings[:2] == ["반도체", "플랫폼"]
    live = next(line for line in lines if line.startswith("005930"))
    swept = next(line for line in lines if line.startswith("373220"))
    assert not live.rstrip().endswith("old")
    assert swept.rstrip().endswith("old")


def test_one_group_as_json(run: Run, daemon: LiveDaemon) -> None:
    """The documented fields, of that group alone; an unknown group is a mistake of the asker."""
    del daemon

    (group,) = json.loads(run("watch", "반도체", "--once", "--json").stdout)["groups"]
    unknown = run("watch", "금융", "--once")

    assert [one["symbol"] for one in group["quotes"]][:2] == ["005930", "000660"]
    assert group["quotes"][0]["live"] is True
    assert unknown.exit_code == 2
    assert "watchlist list" in unknown.stderr


def test_groups_are_changed_by_name_and_place(run: Run, daemon: LiveDaemon) -> None:
    """Places count from 1; each change answers with the groups as they are then."""
    del daemon

    run("watchlist", "add", "NAVER", "000660", "--group", "새것", "--at", "1")
    run("watchlist", "move", "000660", "1", "--group", "새것")
    run("watchlist", "move", "005930", "2", "--to", "새것")
    run("watchlist", "group", "새것", "--at", "1", "--rename", "골라 둔 것")
    run("watchlist", "group", "플랫폼", "--remove")
    answer = run("watchlist", "remove", "NAVER", "--json")

    first, *others = json.loads(answer.stdout)["groups"]
    assert first["name"] == "골라 둔 것"
    assert [one["symbol"] for one in first["stocks"]] == ["000660", "005930"]
    assert [group["name"] for group in others] == ["반도체"]
    assert "삼성전자" not in str(others)


def test_what_is_not_watched_cannot_be_moved(run: Run, daemon: LiveDaemon) -> None:
    """The command says how it gets there."""
    del daemon

    refused = run("watchlist", "move", "259960", "1")

    assert refused.exit_code == 2
    assert "watchlist add 259960" in refused.stderr


async def test_a_pipe_gets_a_line_for_what_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """All stocks first, then those alone whose figures are others."""
    quiet = QuoteRow(symbol="000660", name="SK하이닉스", price=100, base=100, volume=1)
    answers = [
        Watch(at=NOW, groups=(QuotedGroup(name="", quotes=(quiet, _quote(price, volume))),))
        for price, volume in ((200, 5), (200, 5), (210, 6))
    ]

    async def read(client: ControlClient) -> Watch:
        del client
        if not answers:
            raise KeyboardInterrupt
        return answers.pop(0)

    with pytest.raises(KeyboardInterrupt):
        await print_changes(None, read, 0.0)  # type: ignore[arg-type]

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["000660", "005930", "005930"]
    assert "+10  +5.00%" in lines[-1]


def _quote(price: int, volume: int) -> QuoteRow:
    return QuoteRow(symbol="005930", name="삼성전자", price=price, base=200, volume=volume, live=True)


def test_a_change_needs_a_base() -> None:
    """Without the price that the change refers to nothing is said of it, and not zero."""
    assert change_of(QuoteRow(symbol="005930", price=100)) is None
    assert change_of(QuoteRow(symbol="005930", price=90, base=100)) == (-10, -10.0)


def test_the_line_of_the_price_lies_between_its_lowest_and_highest() -> None:
    """The newest on the right; a price that stands still is a level line."""
    assert spark((1, 8, 4)) == "▁█▄"
    assert spark((5, 5)) == "▄▄"
    assert spark(()) == ""
