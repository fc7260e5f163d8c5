"""Faults: each alone over HTTP, and seeded mixes (issue: the simulator's faults)."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.simulator.faults import Fault, InvalidRule, Mix, Rule, rule
from tests.simulator.server_client import Answer, Broker, running

ROWS = "stk_min_pole_chart_qry"


async def switch_on(broker: Broker, fault: str, **fields: Any) -> None:
    """Switch on one fault alone."""
    await broker.admin("POST", "faults", {"seed": 1, "mix": [{"fault": fault} | fields]})


async def struck(fault: str, **fields: Any) -> tuple[Answer, Answer]:
    """Return the second page as it should be and as the fault leaves it."""
    async with running() as broker:
        key = (await broker.minutes()).headers["next-key"]
        right = await broker.minutes(key)
        await switch_on(broker, fault, **fields)
        return right, await broker.minutes(key)


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("http_429", 429, "유량=5, API ID=ka10080]"),
        ("http_500", 500, "Internal Server Error"),
        ("html_notice", 200, "중단 일시"),
        ("waf_block", 400, "Request Blocked"),
        ("token_8005", 200, "[8005:Token이 유효하지 않습니다]"),
        ("address_8010", 200, "[8010:Token을 발급받은 IP와 서비스를 요청한 IP가 동일하지 않습니다]"),
        ("token_8031", 200, "[8031:투자구분(실전/모의)이 달라서 Token를 사용할수가 없습니다]"),
        ("token_8103", 200, "[8103:토큰 인증 또는 단말기인증에 실패했습니다."),
        ("paper_8104", 200, "[8104:모의투자에서 지원하지 않는 API 입니다.]"),
        ("total_1701", 429, "[1701:허용된 전체 요청 개수를 초과하였습니다. 총유량=5]"),
        ("group_1702", 429, "[1702:허용된 그룹 요청 개수를 초과하였습니다. 총유량=5, API_ID=ka10080]"),
    ],
)
async def test_answers_instead_of_data(fault: str, status: int, text: str) -> None:
    """These faults answer in the words of the real thing."""
    _, answer = await struck(fault)
    assert answer.status == status
    assert text in answer.text


async def test_truncated_json() -> None:
    """Half of the body arrives, as if it were whole."""
    right, answer = await struck("truncated_json")
    assert answer.status == 200
    assert answer.text == right.text[: len(answer.text)]
    assert len(answer.text) < len(right.text)


async def test_reset_in_the_middle_of_the_body() -> None:
    """The connection is torn after half of the body."""
    with pytest.raises(aiohttp.ClientPayloadError):
        await struck("reset")


async def test_a_hanging_request_ends_without_an_answer() -> None:
    """Nothing comes for the given real seconds, then the connection closes."""
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await struck("hang", seconds=0.01)


async def test_a_client_may_leave_a_hanging_request() -> None:
    """A client that gives up does not disturb the server, which does not wait for it to stop."""
    async with running() as broker:
        await switch_on(broker, "hang", seconds=3600, times=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(broker.minutes(), 0.05)
        assert (await broker.minutes()).status == 200


async def test_a_slow_answer_is_right() -> None:
    """Slow is only late."""
    right, answer = await struck("slow", seconds=0.01)
    assert answer.text == right.text


async def test_a_blank_page() -> None:
    """One row of empty texts, and nothing to go on with."""
    _, answer = await struck("blank_page")
    assert [set(row.values()) for row in answer.json[ROWS]] == [{""}]
    assert answer.headers["cont-yn"] == "N"


async def test_a_repeated_key() -> None:
    """The key leads to the same page again."""
    async with running() as broker:
        key = (await broker.minutes()).headers["next-key"]
        await switch_on(broker, "repeated_key", times=1)
        struck = await broker.minutes(key)
        again = await broker.minutes(struck.headers["next-key"])

    assert struck.headers["next-key"] == key
    assert again.json[ROWS] == struck.json[ROWS]


async def test_endless_empty_pages() -> None:
    """No rows, cont-yn Y and a key ending in -1."""
    _, answer = await struck("endless_empty")
    assert (answer.json[ROWS], answer.headers["cont-yn"]) == ([], "Y")
    assert answer.headers["next-key"].endswith("-1")
    assert answer.headers["resp-cnt"] == "0"


async def test_duplicate_rows_across_pages() -> None:
    """The next page begins with the last three rows of this one."""
    async with running() as broker:
        await switch_on(broker, "duplicate_rows", times=1)
        first = await broker.minutes()
        second = await broker.minutes(first.headers["next-key"])

    assert first.json[ROWS][-3:] == second.json[ROWS][:3]


async def test_rows_out_of_order() -> None:
    """The same rows, two of them swapped."""
    right, answer = await struck("out_of_order")
    assert answer.json[ROWS] != right.json[ROWS]
    assert sorted(answer.json[ROWS], key=str) == sorted(right.json[ROWS], key=str)


@pytest.mark.parametrize("fault", ["missing_field", "garbage_field", "doubled_sign"])
async def test_one_damaged_row(fault: str) -> None:
    """Exactly one row differs, in one field."""
    right, answer = await struck(fault)
    pairs = [(a, b) for a, b in zip(right.json[ROWS], answer.json[ROWS], strict=True) if a != b]
    assert len(pairs) == 1
    assert len(pairs[0][0].items() ^ pairs[0][1].items()) == (1 if fault == "missing_field" else 2)


async def test_a_stale_page() -> None:
    """The page as it was some minutes before: the newest candle is not there, or has grown less."""
    async with running() as broker:
        right = await broker.minutes()
        await switch_on(broker, "stale_page", times=1)
        answer = await broker.minutes()
    assert answer.json[ROWS][0] != right.json[ROWS][0]
    assert answer.json[ROWS][-1]["cntr_tm"] <= right.json[ROWS][-1]["cntr_tm"]


async def test_tenfold_prices() -> None:
    """Every price of the page is ten times too high, and nothing else differs."""
    right, answer = await struck("tenfold_page")
    for row, spoilt in zip(right.json[ROWS], answer.json[ROWS], strict=True):
        assert spoilt["open_pric"] == row["open_pric"] + "0"
        assert spoilt["trde_qty"] == row["trde_qty"]


async def test_a_lost_header() -> None:
    """All rows are there, and nothing says whether more follow."""
    right, answer = await struck("lost_header")
    assert answer.text == right.text
    assert "cont-yn" not in answer.headers
    assert "next-key" not in answer.headers


async def test_a_list_cut_short() -> None:
    """A seventh of the stock list stands for the whole, in the header too."""
    async with running() as broker:
        right = await broker.call("ka10099", mrkt_tp="0")
        await switch_on(broker, "list_cut_short", times=1)
        answer = await broker.call("ka10099", mrkt_tp="0")
    assert 0 < len(answer.json["list"]) < len(right.json["list"])
    assert answer.headers["resp-cnt"] == str(len(answer.json["list"]))


async def test_a_late_correction_changes_the_truth() -> None:
    """A past candle changes for good, in the chart and in the truth alike."""
    async with running() as broker:
        before = await broker.admin("GET", "truth?symbol=005930&timeframe=5m")
        await switch_on(broker, "late_correction", times=1)
        answer = await broker.minutes()
        after = await broker.admin("GET", "truth?symbol=005930&timeframe=5m")

    changed = [row for row, old in zip(after["rows"], before["rows"], strict=True) if row != old]
    assert len(changed) == 1
    assert str(changed[0][5]) in {row["trde_qty"] for row in answer.json[ROWS]}


async def test_a_rotated_token() -> None:
    """An issue that should give the same token gives a new one and kills the old."""
    async with running() as broker:
        old = broker.token
        await switch_on(broker, "token_rotation")
        await broker.login()
        new, broker.token = broker.token, old
        answer = await broker.minutes()

    assert new != old
    assert "[8005:" in answer.json["return_msg"]


async def test_a_fault_is_told_and_ended() -> None:
    """GET shows how often each struck, the log names it, DELETE ends it; a filter and a count bound it."""
    async with running() as broker:
        await switch_on(broker, "http_500", api_ids=["ka10080"], times=1)
        statuses = [
            (await broker.days()).status,
            (await broker.minutes()).status,
            (await broker.minutes()).status,
        ]
        told = (await broker.admin("GET", "faults"))["mix"][0]
        log = (await broker.admin("GET", "requests"))["requests"]
        ended = await broker.admin("DELETE", "faults")

    assert statuses == [200, 500, 200]
    assert (told["struck"], told["is_over"]) == (1, True)
    assert [entry["fault"] for entry in log] == ["", "", "http_500", ""]
    assert ended == {"mix": []}


async def test_a_fault_ends_with_its_virtual_time() -> None:
    """`for_virtual_s` counts on the limits' clock."""
    mix = Mix()
    mix.switch_on([Rule(fault=Fault.RATE_LIMIT, for_virtual_s=10)], 1, 100)
    assert mix.strike("ka10080", 109.9) is not None
    assert mix.strike("ka10080", 110.0) is None


@given(st.integers(), st.floats(0, 1), st.integers(0, 200))
def test_equal_seeds_strike_equally(seed: int, probability: float, count: int) -> None:
    """A mix is a function of its seed and the requests."""
    rules = [Rule(fault=fault, probability=probability / 3) for fault in (Fault.RESET, Fault.HANG)]
    mixes = Mix(), Mix()
    for mix in mixes:
        mix.switch_on(rules, seed, 0)
    strikes = [[mix.strike("ka10080", at) for at in range(count)] for mix in mixes]
    named = [[one and one.rule.fault for one in each] for each in strikes]
    assert named[0] == named[1]


@given(st.sampled_from(sorted(Fault)), st.sampled_from(["au10001", "au10002", "ka10080", "ka10099"]))
def test_page_faults_strike_charts_only(fault: Fault, api_id: str) -> None:
    """A fault that cannot be seen in an answer does not strike it, and is not counted."""
    active = Mix()
    active.switch_on([Rule(fault=fault)], random.randrange(9), 0)
    found = active.strike(api_id, 0)
    if fault in (Fault.BLANK_PAGE, Fault.LATE_CORRECTION):
        assert (found is not None) == (api_id == "ka10080")
    if fault is Fault.TOKEN_ROTATION:
        assert (found is not None) == (api_id == "au10001")


@pytest.mark.parametrize("fields", [{}, {"fault": "nothing"}, {"fault": "slow", "second": 1}])
def test_unknown_rules_are_refused(fields: dict[str, Any]) -> None:
    """A typing mistake in a fault is an error, not silence."""
    with pytest.raises(InvalidRule):
        rule(fields)
