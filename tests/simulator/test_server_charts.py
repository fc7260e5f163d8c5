"""Charts over HTTP: envelopes, headers, rows, pages (kiwoom.md#charts)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chartinsightd.facts.krx import KST
from tests.simulator.plain_market import LABELS, PlainMarket, price_at, trading_days
from tests.simulator.server_client import NOON, UNLIMITED, Broker, running

TODAY = NOON.date()


async def test_a_minute_page_is_what_the_broker_sends() -> None:
    """Status, headers, key order and row format of a ka10080 answer are those captured."""
    async with running() as broker:
        answer = await broker.minutes()

    assert answer.status == 200
    headers = answer.headers
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["Access-Control-Expose-Headers"] == "api-id,cont-yn,next-key,resp-cnt,user-data"
    assert headers["Transfer-Encoding"] == "chunked"
    assert (headers["api-id"], headers["cont-yn"], headers["user-data"]) == ("ka10080", "Y", "")
    assert headers["resp-cnt"] == "900"
    body = answer.json
    assert list(body) == ["stk_cd", "stk_min_pole_chart_qry", "return_code", "return_msg"]
    assert (body["stk_cd"], body["return_code"]) == ("005930", 0)
    assert body["return_msg"] == "정상적으로 처리되었습니다"
    assert len(body["stk_min_pole_chart_qry"]) == 900


async def test_a_minute_row_carries_signs_and_running_volume() -> None:
    """Each price is signed against the previous close, none when equal; the change and volume follow."""
    async with running() as broker:
        row = (await broker.minutes(tic_scope="1")).json["stk_min_pole_chart_qry"][0]

    previous, close = price_at(TODAY - timedelta(days=1), 930), price_at(TODAY, 720)
    assert close > previous
    assert row == {
        "cur_prc": f"+{close}",
        "trde_qty": "720",
        "cntr_tm": "20261120120000",
        "open_pric": f"+{close}",
        "high_pric": f"+{close}",
        "low_pric": f"+{close}",
        "acc_trde_qty": str(sum(range(540, 721))),
        "pred_pre": f"+{close - previous}",
        "pred_pre_sig": "2",
    }


async def read_all(broker: Broker, api_id: str, **body: str) -> tuple[list[dict[str, str]], list[str]]:
    """Page back to the end; return the rows and the keys."""
    rows: list[dict[str, str]] = []
    keys: list[str] = []
    while True:
        answer = await broker.call(api_id, keys[-1] if keys else "", **body)
        rows += next(value for value in answer.json.values() if isinstance(value, list))
        if answer.headers["cont-yn"] == "N":
            assert answer.headers["next-key"] == ""
            return rows, keys
        keys.append(answer.headers["next-key"])


async def test_minute_pages_join_without_a_seam() -> None:
    """Following the keys gives every row of the retention once, newest first; a key names the next row."""
    async with running(replace(UNLIMITED, minute_page=777)) as broker:
        body = {"stk_cd": "005930", "tic_scope": "1", "upd_stkpc_tp": "0"}
        rows, keys = await read_all(broker, "ka10080", **body)

    stamps = [row["cntr_tm"] for row in rows]
    assert stamps == sorted(set(stamps), reverse=True)
    assert len(stamps) == 39 * len(LABELS) + (720 - 540 + 1)
    assert keys == [f"A005930{stamps[i]}00010000" for i in range(777, len(stamps), 777)]


async def test_day_pages_join_without_a_seam() -> None:
    """The daily key names the next older trading day; base_dt is not changed while paging."""
    async with running(replace(UNLIMITED, day_page=60)) as broker:
        body = {"stk_cd": "005930", "base_dt": "20261120", "upd_stkpc_tp": "0"}
        rows, keys = await read_all(broker, "ka10081", **body)

    days = [f"{day:%Y%m%d}" for day in reversed(trading_days(TODAY))]
    assert [row["dt"] for row in rows] == days
    assert keys == [f"A005930{days[i]}00010000" for i in range(60, len(days), 60)]


async def test_rows_that_appear_while_paging_shift_nothing() -> None:
    """A key names a row: new candles between two pages neither repeat nor skip one."""
    async with running() as broker:
        first = await broker.minutes(tic_scope="1")
        await broker.step(timedelta(minutes=7))
        second = await broker.minutes(first.headers["next-key"], tic_scope="1")

    oldest = first.json["stk_min_pole_chart_qry"][-1]["cntr_tm"]
    newest = second.json["stk_min_pole_chart_qry"][0]["cntr_tm"]
    assert newest < oldest
    assert first.headers["next-key"] == f"A005930{newest}00010000"


async def test_a_forming_candle_moves() -> None:
    """The newest row is the current minute's, and changes as time passes."""
    async with running(at=datetime(2026, 11, 20, 9, 1, 30, tzinfo=KST)) as broker:
        before = (await broker.minutes()).json["stk_min_pole_chart_qry"][0]
        await broker.step(timedelta(minutes=1))
        after = (await broker.minutes()).json["stk_min_pole_chart_qry"][0]

    assert before["cntr_tm"] == after["cntr_tm"] == "20261120090000"
    assert int(after["acc_trde_qty"]) == int(before["acc_trde_qty"]) + 542


@pytest.mark.parametrize(
    ("base_dt", "newest"),
    [("20261120", "20261120"), ("20991231", "20261120"), ("20261115", "20261113"), ("20261113", "20261113")],
)
async def test_base_day_falls_back_and_is_clamped(base_dt: str, newest: str) -> None:
    """A day without a session falls back to the one before, a future day to today (kiwoom.md#base-day)."""
    async with running() as broker:
        minutes = (await broker.minutes(base_dt=base_dt)).json["stk_min_pole_chart_qry"]
        days = (await broker.days(base_dt=base_dt)).json["stk_dt_pole_chart_qry"]

    assert minutes[0]["cntr_tm"].startswith(newest)
    assert days[0]["dt"] == newest


async def test_a_week_with_a_past_base_day_is_as_of_then() -> None:
    """A past base day gives history as of then: the week ends with it (kiwoom.md#base-day)."""
    async with running() as broker:
        week = (await broker.days("ka10082", base_dt="20261111")).json["stk_stk_pole_chart_qry"][0]
        days = (await broker.days(base_dt="20261111")).json["stk_dt_pole_chart_qry"][:3]

    assert week["dt"] == days[-1]["dt"] == "20261109"
    assert int(week["trde_qty"]) == sum(int(day["trde_qty"]) for day in days)
    assert week["cur_prc"] == days[0]["cur_prc"]


async def test_value_units_and_fields_by_period() -> None:
    """Daily value is in million won, the others' in won; a yearly row has no change fields."""
    async with running() as broker:
        day = (await broker.days()).json["stk_dt_pole_chart_qry"][1]
        week = (await broker.days("ka10082")).json["stk_stk_pole_chart_qry"][0]
        month = (await broker.days("ka10083")).json["stk_mth_pole_chart_qry"][0]
        year = (await broker.days("ka10094")).json["stk_yr_pole_chart_qry"][0]

    assert int(day["trde_prica"]) == pytest.approx(int(day["trde_qty"]) * int(day["cur_prc"]) / 1e6, rel=0.05)
    assert int(week["trde_prica"]) == pytest.approx(int(week["trde_qty"]) * int(week["cur_prc"]), rel=0.1)
    fields = "cur_prc trde_qty trde_prica dt open_pric high_pric low_pric"
    assert list(day) == [*fields.split(), "pred_pre", "pred_pre_sig", "trde_tern_rt"]
    assert list(week) == list(month) == list(day)
    assert list(year) == fields.split()
    assert (week["dt"], month["dt"], year["dt"]) == ("20261116", "20261102", "20260105")


async def test_adjusted_prices_change_and_their_pred_pre_does_not() -> None:
    """`upd_stkpc_tp` 1 scales the prices; the change is as traded (kiwoom.md#adjusted-prices)."""
    async with running() as broker:
        raw = (await broker.days()).json["stk_dt_pole_chart_qry"][3]
        adjusted = (await broker.days(upd_stkpc_tp="1")).json["stk_dt_pole_chart_qry"][3]

    assert int(adjusted["cur_prc"]) == int(raw["cur_prc"]) // 2
    assert adjusted["pred_pre"] == raw["pred_pre"]


@pytest.mark.parametrize("code", ["999999", "0126Z0_NX", "012510", "005930_XX"])
async def test_no_data_is_one_blank_row(code: str) -> None:
    """Unknown codes and codes that are not on NXT give return_code 0 and one row of empty texts."""
    async with running() as broker:
        minute, day = await broker.minutes(stk_cd=code), await broker.days(stk_cd=code)

    for answer, key in ((minute, "stk_min_pole_chart_qry"), (day, "stk_dt_pole_chart_qry")):
        assert (answer.json["return_code"], answer.json["stk_cd"]) == (0, code)
        assert len(answer.json[key]) == 1
        assert set(answer.json[key][0].values()) == {""}
        assert (answer.headers["cont-yn"], answer.headers["resp-cnt"]) == ("N", "1")


async def test_before_the_retention_minutes_are_one_blank_row() -> None:
    """A base day older than the retention has no rows."""
    async with running() as broker:
        rows = (await broker.minutes(base_dt="20260105")).json["stk_min_pole_chart_qry"]

    assert [set(row.values()) for row in rows] == [{""}]


async def test_suffixes_choose_the_exchange() -> None:
    """`_NX` is served and echoed in body and key; `_AL` falls back to the plain code where it is unknown."""
    async with running() as broker:
        next_trade = await broker.minutes(stk_cd="005930_NX")
        unified = await broker.minutes(stk_cd="005930_AL")
        plain = await broker.minutes()
    async with running(replace(UNLIMITED, nxt="blank")) as paper:
        blank = await paper.minutes(stk_cd="005930_NX")

    assert next_trade.json["stk_cd"] == "005930_NX"
    assert next_trade.headers["next-key"].startswith("A005930_NX2026")
    assert unified.json["stk_min_pole_chart_qry"] == plain.json["stk_min_pole_chart_qry"]
    assert blank.headers["resp-cnt"] == "1"


async def test_letters_in_codes_and_unknown_fields_are_fine() -> None:
    """Codes with letters are served; fields the broker does not know are ignored."""
    async with running() as broker:
        answer = await broker.minutes(stk_cd="0126Z0", updn_code="2", stex_tp="1", nothing=5)

    assert answer.headers["resp-cnt"] == "900"


async def test_a_damaged_key_starts_over_or_gives_nothing() -> None:
    """What a foreign key does is unknown: page one by default, the blank row by switch."""
    for key in ("A000660202611191530000001000", "nonsense", "A00593020261399000000" + "00010000"):
        async with running() as broker:
            assert (await broker.minutes(key)).headers["resp-cnt"] == "900"
        async with running(replace(UNLIMITED, bad_key="blank")) as broker:
            assert (await broker.minutes(key)).headers["resp-cnt"] == "1"


@pytest.mark.parametrize("api_id", ["ka10080", "ka10081"])
async def test_the_empty_page_loop_starts_over(api_id: str) -> None:
    """By switch, the end is an empty page with cont-yn Y whose key ends in -1 and leads to page one."""
    body = {"stk_cd": "005930", "tic_scope": "60", "upd_stkpc_tp": "0", "base_dt": "20261120"}
    async with running(replace(UNLIMITED, empty_page_loop=True)) as broker:
        first = await broker.call(api_id, **body)
        empty = await broker.call(api_id, first.headers["next-key"], **body)
        again = await broker.call(api_id, empty.headers["next-key"], **body)

    assert (empty.headers["resp-cnt"], empty.headers["cont-yn"]) == ("0", "Y")
    assert empty.headers["next-key"].endswith("-1")
    assert again.text == first.text


async def test_the_old_row_tail() -> None:
    """By switch, rows end as they did until 2025-10."""
    async with running(replace(UNLIMITED, row_tail="old")) as broker:
        minute = (await broker.minutes()).json["stk_min_pole_chart_qry"][0]
        day = (await broker.days()).json["stk_dt_pole_chart_qry"][0]

    tail = ["upd_stkpc_tp", "upd_rt", "bic_inds_tp", "sm_inds_tp"]
    tail += ["stk_infr", "upd_stkpc_event", "pred_close_pric"]
    assert list(minute)[-7:] == list(day)[-7:] == tail
    assert "acc_trde_qty" not in minute


async def test_ticks_fold_by_count_and_page_by_a_falling_count() -> None:
    """Rows hold `tic_scope` ticks, unsigned; rows given plus the key's count are constant within a day."""
    async with running(replace(UNLIMITED, tick_page=20)) as broker:
        body = {"stk_cd": "005930", "tic_scope": "3", "upd_stkpc_tp": "0"}
        first = await broker.call("ka10079", **body)
        second = await broker.call("ka10079", first.headers["next-key"], **body)

    assert list(first.json)[:3] == ["stk_cd", "last_tic_cnt", "stk_tic_chart_qry"]
    row = first.json["stk_tic_chart_qry"][0]
    assert (row["trde_qty"], row["cntr_tm"]) == (str(720), "20261120120010")
    assert row["cur_prc"].isdigit()
    assert row["pred_pre"].isdigit()
    keys = [answer.headers["next-key"] for answer in (first, second)]
    assert keys == ["A005930202611200000000041", "A005930202611200000000021"]
    assert second.json["stk_tic_chart_qry"][0]["cntr_tm"] < first.json["stk_tic_chart_qry"][-1]["cntr_tm"]


async def test_settled_days_are_encoded_once() -> None:
    """A second read of the same page asks the market for today only; a correction is seen at once."""
    market = PlainMarket()
    async with running(market=market) as broker:
        before = await broker.minutes()
        asked = market.encodes
        again = await broker.minutes()
        assert (again.text, market.encodes - asked) == (before.text, 1)

        fields = {"symbol": "005930", "day": "2026-11-19", "label": 540, "factor": 3}
        assert await broker.admin("POST", "correct", fields) == {"corrected": True}
        corrected = await broker.minutes()

    assert corrected.text != before.text
