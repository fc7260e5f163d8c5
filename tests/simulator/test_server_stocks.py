"""Stock lists and figures over HTTP (kiwoom.md#stocks)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chartinsightd.facts.krx import KST
from tests.simulator.plain_market import price_at
from tests.simulator.server_client import NOON, UNLIMITED, running


async def test_the_list_of_a_market() -> None:
    """ka10099: message, code, list; padded numbers; the list of KOSPI mixes in its ETFs, not KOSDAQ."""
    async with running() as broker:
        kospi = await broker.call("ka10099", mrkt_tp="0")
        kosdaq = await broker.call("ka10099", mrkt_tp="10")

    assert list(kospi.json) == ["return_msg", "return_code", "list"]
    assert [(row["code"], row["marketCode"]) for row in kospi.json["list"]] == [
        ("005930", "0"),
        ("069500", "8"),
    ]
    assert [row["code"] for row in kosdaq.json["list"]] == ["0126Z0"]
    row = kospi.json["list"][0]
    assert (row["listCount"], row["regDay"], row["nxtEnable"]) == ("0000005000000000", "20260105", "Y")
    assert row["lastPrice"] == f"{price_at(NOON.date().replace(day=19), 930):08}"
    assert (kospi.headers["cont-yn"], row["kind"]) == ("N", "A")


async def test_one_issue_is_flat() -> None:
    """ka10100 gives the same fields at top level; an unknown code blank ones."""
    async with running() as broker:
        listed = (await broker.call("ka10099", mrkt_tp="0")).json["list"][0]
        known = (await broker.call("ka10100", stk_cd="005930")).json
        unknown = (await broker.call("ka10100", stk_cd="999999")).json

    assert list(known)[-2:] == ["return_code", "return_msg"]
    assert {name: known[name] for name in listed if name != "kind"} == {
        name: text for name, text in listed.items() if name != "kind"
    }
    assert (unknown["return_code"], unknown["name"]) == (0, "")


async def test_on_a_closed_day_the_last_price_is_the_last_close() -> None:
    """lastPrice is the close before today, on a Saturday Friday's."""
    async with running(at=datetime(2026, 11, 21, 10, tzinfo=KST)) as broker:
        row = (await broker.call("ka10099", mrkt_tp="0")).json["list"][0]

    assert row["lastPrice"] == f"{price_at(NOON.date(), 930):08}"


async def test_a_batch_answers_in_the_order_asked() -> None:
    """ka10095: a row a code, in order, suffix echoed, blanks for unknown ones, 63 fields."""
    async with running() as broker:
        answer = await broker.call("ka10095", stk_cd="0126Z0|999999|005930_NX")

    rows = answer.json["atn_stk_infr"]
    assert [row["stk_cd"] for row in rows] == ["0126Z0", "", "005930_NX"]
    assert {len(row) for row in rows} == {63}
    assert set(rows[1].values()) == {""}
    assert rows[0]["cur_prc"].lstrip("+-") == str(price_at(NOON.date(), 720))
    assert rows[0]["cntr_tm"] == "120010"
    assert answer.headers["cont-yn"] == "N"


async def test_a_batch_of_more_than_a_hundred_is_refused_for_good() -> None:
    """1634: the words of a rate limit, HTTP 200 (by switch 429)."""
    codes = "|".join(["005930"] * 101)
    async with running() as broker:
        refused = await broker.call("ka10095", stk_cd=codes)
        fits = await broker.call("ka10095", stk_cd=codes[7:])
    async with running(replace(UNLIMITED, batch_status=429)) as broker:
        status = (await broker.call("ka10095", stk_cd=codes)).status

    assert (refused.status, status) == (200, 429)
    assert refused.json == {"return_code": 5, "return_msg": "허용된 요청 개수를 초과하였습니다[1634]"}
    assert len(fits.json["atn_stk_infr"]) == 100


async def test_basic_information() -> None:
    """ka10001: signed prices, unsigned base, market cap in 100 million won; blank for an unknown code."""
    async with running() as broker:
        known = (await broker.call("ka10001", stk_cd="005930")).json
        unknown = (await broker.call("ka10001", stk_cd="999999")).json

    close = price_at(NOON.date(), 720)
    assert known["cur_prc"] == f"+{close}"
    assert known["base_pric"].isdigit()
    assert known["mac"] == str(5_000_000_000 * close // 100_000_000)
    assert int(known["250hgst"].lstrip("+-")) >= close
    assert (unknown["return_code"], unknown["stk_nm"], unknown["cur_prc"]) == (0, "", "")


async def test_sectors() -> None:
    """ka10101 begins as captured."""
    async with running() as broker:
        answer = await broker.call("ka10101", mrkt_tp="0")

    assert list(answer.json) == ["return_msg", "list", "return_code"]
    assert answer.json["list"][0] == {
        "marketCode": "0",
        "code": "001",
        "name": "종합(KOSPI)",
        "group": "1",
    }
