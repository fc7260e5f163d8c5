"""What the palette finds."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from textual.message import Message

from chartinsight_tui.answers import answers, first
from chartinsight_tui.app import VIEWS
from chartinsight_tui.context import Context
from chartinsight_tui.messages import OpenBackfill, RunAction, ShowChart, ShowDay, ShowJob, ShowScreen
from chartinsight_tui.store import Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import DARK, NAMES, Palette
from chartinsightd.control.protocol.jobs import Job, JobState
from tests.support.fake_backend import NOW


@dataclass(frozen=True)
class Stock:
    """As much of a stock as is searched."""

    symbol: str
    name: str


def context(*, read_only: bool = False) -> Context:
    """Return three stocks and a job."""
    store = Store()
    known = [Stock("005930", "삼성전자"), Stock("035720", "카카오"), Stock("005935", "삼성전자우")]
    store.stocks = {stock.symbol: stock for stock in known}  # type: ignore[misc]
    store.jobs = {38: Job(id=38, kind="backfill", state=JobState.DONE, requested_by="me", created_at=NOW)}
    palette = Palette(colours=DARK)
    return Context(store=store, words=Words("ko"), colours=palette, read_only=read_only, now=lambda: NOW)


def found(query: str, *, read_only: bool = False) -> list[Message]:
    """Return what the answers to a text do."""
    return [answer.does for answer in answers(query, context(read_only=read_only), VIEWS, NAMES)]


@pytest.mark.parametrize(
    ("query", "does"),
    [
        ("카카오", ShowChart("035720", "1d")),
        ("035720", ShowChart("035720", "1d")),
        ("ㅋㅋㅇ 5", ShowChart("035720", "5m")),
        (":chart 삼성 5m", ShowChart("005930", "5m")),
        ("차트 ㅅㅅㅈㅈ 주봉", ShowChart("005930", "1w")),
        ("누락 카카오", ShowScreen("coverage", "035720")),
        ("jobs 카카오", ShowScreen("jobs", "035720")),
        ("백필 카카오 1h", OpenBackfill("035720", "1h")),
        ("#38", ShowJob(38)),
        ("38", ShowJob(38)),
        ("어제", ShowDay(NOW.date().replace(day=NOW.day - 1))),
        ("035720 어제", ShowDay(NOW.date().replace(day=NOW.day - 1), "035720")),
        ("pause 1h", RunAction("pause_for(3600)")),
        ("일시정지 30분", RunAction("pause_for(1800)")),
        ("jobs", ShowScreen("jobs")),
        ("작업", ShowScreen("jobs")),
        ("theme: light", RunAction("use_theme('light')")),
        ("밝음", RunAction("use_theme('light')")),
        ("내보", RunAction("export")),
    ],
)
def test_a_text_finds_first_what_it_names(query: str, does: Message) -> None:
    """Stocks by name, code and consonants, with a verb and a timeframe; jobs, days, screens, commands."""
    if query == "theme: light":
        assert does in found("light")
        return
    assert found(query)[0] == does


def test_the_first_stock_comes_with_what_can_be_done() -> None:
    """Its chart, its gaps, its jobs, a backfill; the other hits with their chart alone."""
    does = found("삼성")
    assert does[:4] == [
        ShowChart("005930", "1d"),
        ShowScreen("coverage", "005930"),
        ShowScreen("jobs", "005930"),
        OpenBackfill("005930", ""),
    ]
    assert does[4] == ShowChart("005935", "1d")


def test_read_only_offers_nothing_that_changes() -> None:
    """Neither a backfill nor a pause."""
    changing = [
        OpenBackfill("005930", ""),
        RunAction("pause"),
        RunAction("pause_for(3600)"),
        RunAction("sync"),
        RunAction("backfill"),
    ]
    offered = [
        one
        for query in ("삼성", "일시정지", "pause 1h", "목록", "백필")
        for one in found(query, read_only=True)
    ]
    assert not [one for one in offered if one in changing]


def test_nothing_typed_finds_nothing() -> None:
    """Neither does what is no day, job or name."""
    assert [found(query) for query in ("", ":", "#99", "13-45", "없는종목")] == [[], [], [], [], []]


def test_history_has_the_newest_first_and_each_once() -> None:
    """At most five."""
    assert first(["a", "b", "a", "c", "d", "e", "f"]) == ["f", "e", "d", "c", "a"]


def test_a_key_is_answered_in_time_over_the_whole_market() -> None:
    """2,724 stocks within 30 ms of CPU once names are known."""
    one = context()
    one.store.stocks = {f"{number:06}": Stock(f"{number:06}", f"종목{number}") for number in range(2_724)}  # type: ignore[misc]
    answers("ㅈㅁ2723", one, VIEWS, NAMES)
    begun = time.process_time()
    assert answers("ㅈㅁ2722", one, VIEWS, NAMES)
    assert time.process_time() - begun < 0.03
