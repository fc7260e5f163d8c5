"""The admin door: clock, statistics, log, truth."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.settings import Profile, UnknownOption, with_options
from tests.simulator.plain_market import trading_days
from tests.simulator.server_client import NOON, running


async def test_the_clock_is_set_stepped_and_sped_up() -> None:
    """POST changes the clock and answers as GET does."""
    async with running() as broker:
        start = await broker.admin("GET", "clock")
        stepped = await broker.admin("POST", "clock", {"step_s": 90})
        moved = await broker.admin("POST", "clock", {"set": "2026-11-23T09:00:00", "speed": 600})
        wrong = await broker.admin("POST", "clock", {"sped": 1})

    assert start["now"] == start["start"] == "2026-11-20T12:00:30+09:00"
    assert (start["speed"], start["epoch"]) == (0, NOON.timestamp())
    assert stepped["now"] == "2026-11-20T12:02:00+09:00"
    assert moved["now"].startswith("2026-11-23T09:0")
    assert moved["speed"] == 600
    assert "error" in wrong


async def test_whoever_knows_the_clock_is_answered_when_it_changes() -> None:
    """A daemon that follows the clock asks once and waits, instead of asking five times a second."""
    async with running() as broker, asyncio.timeout(40):
        known = (await broker.admin("GET", "clock"))["anchor"]
        waiting = asyncio.create_task(broker.admin("GET", f"clock?known={known!r}&wait_s=60"))
        same = await broker.admin("GET", f"clock?known={known!r}&wait_s=0.01")
        was_waiting = not waiting.done()
        moved = await broker.admin("POST", "clock", {"speed": 600})
        told = await waiting

    assert was_waiting
    assert same["anchor"] == known
    assert told["anchor"] == moved["anchor"] != known


def test_the_limits_clock_never_goes_back() -> None:
    """Slower, faster, standing or set: the seconds of the limits only grow."""
    clock = VirtualClock(start=NOON, speed=1000)
    seen = [clock.monotonic()]
    for speed in (0, 600, 1, 0.001, 50):
        clock.set_speed(speed)
        clock.set(NOON - timedelta(days=1))
        seen.append(clock.monotonic())
    assert seen == sorted(seen)


async def test_the_log_tells_what_was_asked_and_answered() -> None:
    """Each request has a number, both times, api-id, symbol, status and rows."""
    async with running() as broker:
        first = await broker.minutes()
        await broker.minutes(first.headers["next-key"])
        await broker.days(base_dt="")
        log = (await broker.admin("GET", "requests?after=1"))["requests"]

    assert [entry["seq"] for entry in log] == [2, 3, 4]
    assert [entry["api_id"] for entry in log] == ["ka10080", "ka10080", "ka10081"]
    assert [entry["cont"] for entry in log] == [False, True, False]
    assert [entry["rows"] for entry in log] == [900, 900, None]
    assert [entry["return_code"] for entry in log] == [0, 0, 2]
    assert {entry["status"] for entry in log} == {200}
    assert (log[0]["symbol"], log[0]["virtual_at"]) == ("005930", NOON.isoformat())


async def test_arrivals_are_right_at_high_speed() -> None:
    """At 600 virtual seconds a second the count of violations equals that over the logged arrivals."""
    async with running(Profile(), speed=600) as broker:
        answers = await asyncio.gather(*[broker.call("ka10101", mrkt_tp="0") for _ in range(60)])
        log = (await broker.admin("GET", "requests?after=1"))["requests"]
        one = (await broker.admin("GET", "stats"))["api_ids"]["ka10101"]

    times = [entry["limits_at"] for entry in log]
    assert times == sorted(times)
    assert len(times) == one["requests"] == 60
    assert one["violations"] == sum(later - at < 1 for at, later in zip(times, times[5:], strict=False))
    assert one["refusals"] == sum(answer.status == 429 for answer in answers)


@pytest.mark.parametrize(("timeframe", "scope"), [("5m", "5"), ("30m", "30"), ("1h", "60")])
async def test_the_truth_of_minutes_is_what_is_served(timeframe: str, scope: str) -> None:
    """Rows equal the chart's, oldest first; the forming day is not final; no value."""
    async with running() as broker:
        chart = (await broker.minutes(tic_scope=scope)).json["stk_min_pole_chart_qry"]
        truth = (await broker.admin("GET", f"truth?symbol=005930&timeframe={timeframe}"))["rows"]

    newest = list(reversed(truth))[: len(chart)]
    assert [
        (datetime.fromtimestamp(ts, KST).strftime("%Y%m%d%H%M%S"), *map(str, row[:5])) for ts, *row in newest
    ] == [
        (
            row["cntr_tm"],
            *(row[name].lstrip("+-") for name in ("open_pric", "high_pric", "low_pric", "cur_prc")),
            row["trde_qty"],
        )
        for row in chart
    ]
    assert {row[6] for row in truth} == {None}
    assert (truth[-1][7], truth[0][7]) == (False, True)


async def test_the_truth_of_days_and_weeks_is_in_won() -> None:
    """Daily value is what can be known from millions of won, weekly value is exact."""
    async with running() as broker:
        day = (await broker.admin("GET", "truth?symbol=005930&timeframe=1d"))["rows"][-1]
        week = (await broker.admin("GET", "truth?symbol=005930&timeframe=1w"))["rows"][-1]
        chart_day = (await broker.days()).json["stk_dt_pole_chart_qry"][0]
        chart_week = (await broker.days("ka10082")).json["stk_stk_pole_chart_qry"][0]

    assert day[6] == int(chart_day["trde_prica"]) * 1_000_000
    assert week[6] == int(chart_week["trde_prica"])
    assert datetime.fromtimestamp(week[0], KST) == datetime(2026, 11, 16, tzinfo=KST)


async def test_the_truth_of_a_range() -> None:
    """`from` is in, `to` is out; ISO or seconds since 1970."""
    first, last = datetime(2026, 11, 17, tzinfo=KST), datetime(2026, 11, 19, tzinfo=KST)
    async with running() as broker:
        query = "truth?symbol=005930&timeframe=1d"
        iso = await broker.admin("GET", f"{query}&from=2026-11-17&to=2026-11-19")
        epoch = await broker.admin("GET", f"{query}&from={first.timestamp()}&to={last.timestamp()}")
        minutes = await broker.admin("GET", "truth?symbol=005930&timeframe=1h&from=2026-11-19&to=2026-11-20")
        wrong = await broker.admin("GET", "truth?symbol=005930&timeframe=2h")

    assert [row[0] for row in iso["rows"]] == [first.timestamp(), first.timestamp() + 86_400]
    assert epoch["rows"] == iso["rows"]
    assert len(minutes["rows"]) == 7
    assert "timeframe is one of" in wrong["error"]


async def test_issues() -> None:
    """Every listed issue."""
    async with running() as broker:
        issues = (await broker.admin("GET", "issues"))["issues"]

    assert [issue["code"] for issue in issues] == ["005930", "0126Z0", "069500"]
    assert trading_days(NOON.date())[0].isoformat() == issues[0]["listed_on"]


def test_switches_are_set_by_name() -> None:
    """A switch takes its own kind of value; a wrong name or value says what there is."""
    changed = with_options(Profile(), {"gzip": "on", "burst": "7", "row_tail": "old", "token_valid_h": "0.5"})
    assert (changed.gzip, changed.burst, changed.row_tail, changed.token_valid_h) == (True, 7, "old", 0.5)
    for name, value in (("gzipp", "on"), ("gzip", "maybe"), ("burst", "x"), ("row_tail", "newer")):
        with pytest.raises(UnknownOption, match=name):
            with_options(Profile(), {name: value})


@pytest.mark.parametrize(
    ("switch", "date"),
    [
        ("now", "Fri, 20 Nov 2026 03:00:30 GMT"),
        ("epoch", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("absent", None),
    ],
)
async def test_the_date_of_an_answer_is_virtual_time_by_switch(switch: str, date: str | None) -> None:
    """The HTTP library's own date would be the machine's."""
    profile = with_options(Profile(), {"date": switch})
    async with running(profile) as broker:
        answer = await broker.minutes()
    assert answer.headers.get("Date") == date


async def test_answers_are_compressed_by_switch() -> None:
    """By default they are not, also for a client that would accept it: on loopback it only costs."""
    for wanted in (False, True):
        async with running(Profile(gzip=wanted)) as broker:
            answer = await broker.minutes()
        assert (answer.headers.get("Content-Encoding") is not None) == wanted
        assert answer.json["return_code"] == 0
