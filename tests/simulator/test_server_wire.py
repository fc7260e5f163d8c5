"""Wire format against the samples of the broker's answers, and the small rules behind it."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.facts.krx import KST
from chartinsightd.simulator import wire_charts, wire_errors, wire_realtime, wire_stocks
from chartinsightd.simulator.model import Ints, Issue, MinuteRows, Period, PeriodRows, Snapshot, Trade
from chartinsightd.simulator.wire_prices import change, price_limits, signature, signed

SAMPLES = Path(__file__).parents[1] / "data" / "kiwoom"


def sample(name: str) -> Any:
    """Return a recorded answer (tests/data/README.md)."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def ints(values: Any) -> Ints:
    """A column."""
    return np.array([int(str(value).lstrip("+-")) for value in values], dtype=np.int64)


def decoded(rows: wire_charts.EncodedRows) -> list[dict[str, str]]:
    """Rows as a client sees them."""
    result: list[dict[str, str]] = json.loads(b"[" + rows.slice(0, len(rows)) + b"]")
    return result


@pytest.mark.parametrize(("day", "previous_close"), [("20251029", 99_500), ("20251028", 102_000)])
def test_minute_rows_are_those_captured(day: str, previous_close: int) -> None:
    """The real five-minute rows come out of their own numbers again, byte for byte and in key order."""
    rows = [
        row
        for row in sample("ka10080_tic5.json")["body"]["stk_min_pole_chart_qry"]
        if row["cntr_tm"].startswith(day)
    ]
    oldest_first = rows[::-1]
    columns = {
        name: ints(row[field] for row in oldest_first)
        for name, field in {
            "open": "open_pric",
            "high": "high_pric",
            "low": "low_pric",
            "close": "cur_prc",
            "volume": "trde_qty",
            "running": "acc_trde_qty",
        }.items()
    }
    stamps = [row["cntr_tm"] for row in oldest_first]
    minutes = MinuteRows(
        day=datetime.strptime(day, "%Y%m%d").date(),  # noqa: DTZ007 - a day has no zone
        label=np.array([int(stamp[8:10]) * 60 + int(stamp[10:12]) for stamp in stamps]),
        final=np.ones(len(rows), dtype=np.bool_),
        previous_close=previous_close,
        settled=True,
        **columns,
    )
    again = decoded(wire_charts.minute_rows(minutes, "new"))
    assert [list(row.items()) for row in again] == [list(row.items()) for row in rows]


@pytest.mark.parametrize(
    ("name", "api_id", "scale"),
    [("ka10081.json", "ka10081", 1_000_000), ("ka10082.json", "ka10082", 1), ("ka10094.json", "ka10094", 1)],
)
def test_period_rows_are_those_captured(name: str, api_id: str, scale: int) -> None:
    """Day, week and year rows come out again; the turnover follows from the listed shares."""
    body = sample(name)["body"]
    rows = body[wire_charts.LIST_KEYS[api_id]]
    oldest_first = rows[::-1]
    close = ints(row["cur_prc"] for row in oldest_first)
    periods = PeriodRows(
        day=ints(row["dt"] for row in oldest_first),
        open=ints(row["open_pric"] for row in oldest_first),
        high=ints(row["high_pric"] for row in oldest_first),
        low=ints(row["low_pric"] for row in oldest_first),
        close=close,
        volume=ints(row["trde_qty"] for row in oldest_first),
        value=ints(row["trde_prica"] for row in oldest_first) * scale,
        previous_close=close - np.array([int(row.get("pred_pre", "0")) for row in oldest_first]),
        final=np.ones(len(rows), dtype=np.bool_),
    )
    encoded = wire_charts.period_rows(periods, close, wire_charts.PERIODS[api_id], 5_919_637_922, "new")
    assert [list(row.items()) for row in decoded(encoded)] == [list(row.items()) for row in rows]


@pytest.mark.parametrize("name", ["ka10080_empty.json", "ka10081_empty.json"])
def test_blank_rows_are_those_of_the_samples(name: str) -> None:
    """The whole body of "no data"."""
    wanted = sample(name)
    api_id, body = wanted["request"]["headers"]["api-id"], wanted["body"]
    text = wire_charts.chart_body(api_id, body["stk_cd"], wire_charts.blank_row(api_id, "new"))
    assert text.decode() == json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("name", ["ka10080_oldschema.json", "ka10081_oldschema.json"])
def test_old_rows_have_the_old_fields(name: str) -> None:
    """The layout before 2025-10."""
    wanted = sample(name)
    api_id = wanted["request"]["headers"]["api-id"]
    row = wanted["body"][wire_charts.LIST_KEYS[api_id]][0]
    assert wire_charts.row_fields(api_id, "old") == tuple(row)


ERRORS = {
    "1504_wrong_uri": wire_errors.wrong_uri("ka10081", "/api/dostk/stkinfo"),
    "1511_missing_base_dt": wire_errors.missing_field("base_dt"),
    "1513_no_auth_header": wire_errors.no_authorization(),
    "1517_type_mismatch": wire_errors.wrong_type("tic_scope"),
    "1634_batch_too_big": wire_errors.batch_too_big(200),
    "429_1700_mock": wire_errors.too_fast(1, "ka10081"),
    "429_1700_real": wire_errors.too_fast(5, "ka10081"),
    "429_1700_token": wire_errors.token_too_fast(),
    "8001_bad_keys": wire_errors.bad_keys(),
    "8005_token_invalid": wire_errors.token_invalid(),
    "8030_real_key_on_mock": wire_errors.other_environment(),
    "8050_ip_not_registered": wire_errors.address_not_registered(),
}


@pytest.mark.parametrize("name", ERRORS)
def test_refusals_are_those_of_the_samples(name: str) -> None:
    """Status, words and key order."""
    wanted = sample(f"errors/{name}.json")
    assert ERRORS[name].status == wanted["http"]["status"]
    assert ERRORS[name].body().decode() == json.dumps(
        wanted["body"], ensure_ascii=False, separators=(",", ":")
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("200_maintenance_html", wire_errors.MAINTENANCE_HTML), ("400_waf_blocked", wire_errors.FIREWALL_HTML)],
)
def test_notices_are_those_of_the_samples(name: str, text: str) -> None:
    """HTML word for word."""
    assert text == sample(f"errors/{name}.json")["raw_text"]


def test_system_frames_are_those_captured() -> None:
    """R10001, R10002 and R10004 word for word; so are both LOGIN answers."""
    frames = [part["frame"] for part in sample("ws/system_frames.json")["frames"]]
    assert [json.loads(wire_realtime.system(frame["code"])) for frame in frames] == frames
    bad = sample("ws/login_bad_token.json")["frames"]
    assert json.loads(wire_realtime.LOGIN_BAD_TOKEN) == bad[1]["frame"]
    assert json.loads(wire_realtime.LOGIN_OK) == sample("ws/login_ok.json")["frames"][1]["frame"]


def test_a_trade_has_the_fields_of_the_sample() -> None:
    """All of 0B's numbers in order; those that the market knows are right."""
    wanted = sample("ws/reg_0B.json")["frames"][-1]["frame"]["data"][0]
    trade = Trade(
        at=datetime(2026, 11, 20, 16, 52, 8, tzinfo=KST),
        price=20_800,
        volume=82,
        running_volume=30_379_732,
        running_value=632_640_123_456,
    )
    figures = wire_realtime.DayFigures(
        open=20_850, high=21_150, low=20_450, previous_close=20_850, listed_shares=82_836_700
    )
    entry = wire_realtime.trade_entry("005930", trade, figures)
    assert list(entry) == list(wanted)
    assert list(entry["values"]) == list(wanted["values"])
    same = ("20", "10", "11", "12", "15", "13", "14", "16", "17", "18", "25", "691", "567", "1890", "9081")
    assert {key: entry["values"][key] for key in same} == {key: wanted["values"][key] for key in same}


def test_lists_have_the_fields_of_the_samples() -> None:
    """ka10099, ka10100 and ka10095: names, order and formats of a real row."""
    row = sample("ka10099.json")["body"]["list"][0]
    issue = Issue(
        code="000040",
        name="KR모터스",
        market_code="0",
        listed_shares=86_375_184,
        listed_on=date(1976, 5, 25),
        audit_info="거래정지",
        state="증거금100%|거래정지",
        industry="운송장비/부품",
        size_class="소형주",
    )
    assert json.loads(wire_stocks.list_body([wire_stocks.issue_row(issue, 267)]))["list"] == [row]
    assert list(wire_stocks.BLANK_ISSUE) == list(sample("ka10100.json")["body"])[:-2]

    wanted = sample("ka10095.json")["body"]["atn_stk_infr"][0]
    snapshot = Snapshot(
        code="005930",
        price=273_500,
        previous_close=259_000,
        open=276_000,
        high=276_000,
        low=272_000,
        volume=1_392_658,
        value=382_605_000_000,
        upper_limit=336_500,
        lower_limit=181_500,
        last_trade_at=datetime(2026, 7, 22, 9, 2, 31, tzinfo=KST),
    )
    samsung = Issue(
        code="005930",
        name="삼성전자",
        market_code="0",
        listed_shares=5_846_279_000,
        listed_on=date(1975, 6, 11),
    )
    figures = wire_stocks.Figures(code="005930", issue=samsung, snapshot=snapshot)
    made = wire_stocks.batch_row(figures, datetime(2026, 7, 22, 9, 3, tzinfo=KST))
    assert list(made) == list(wanted)
    differing = {name for name, text in made.items() if wanted[name] != text}
    # What the market does not know: sizes in the book, strength, yesterday's volume, the auction's price.
    unknown = {"cntr_qty", "cntr_str", "pred_trde_qty_pre", "exp_cntr_pric", "exp_cntr_qty", "cap", "bid_tm"}
    unknown |= {"pri_sel_req", "pri_buy_req", "tot_sel_req", "tot_buy_req"}
    assert differing <= unknown | {"mac"}
    assert abs(int(made["mac"]) - int(wanted["mac"])) <= 2


def test_limits_of_a_price() -> None:
    """30 % cut to the tick of the base; the figures are those of a real ka10095 row."""
    assert price_limits(259_000) == (181_500, 336_500)
    assert signature(336_500, 259_000) == "1"
    assert signature(181_500, 259_000) == "4"
    assert signature(336_000, 259_000) == "2"


@given(st.integers(1, 3_000_000), st.integers(0, 3_000_000))
def test_signs_show_the_direction_only(price: int, previous: int) -> None:
    """The magnitude is the price; the sign, the change and the signature agree."""
    text = signed(price, previous)
    assert int(text.lstrip("+-")) == price
    if previous == 0 or price == previous:
        assert (text, change(price, previous), signature(price, previous)) == (str(price), "0", "3")
    else:
        assert int(change(price, previous)) == price - previous
        assert text[0] == change(price, previous)[0]
        assert signature(price, previous) in ("12" if price > previous else "45")


@given(st.lists(st.text("abc", max_size=5), max_size=12), st.data())
def test_slices_of_encoded_rows(texts: list[str], data: st.DataObject) -> None:
    """A slice is those rows joined by commas, whatever their lengths."""
    rows = wire_charts.encoded(range(len(texts)), texts)
    first = data.draw(st.integers(0, len(texts)))
    last = data.draw(st.integers(first, len(texts)))
    assert rows.slice(first, last).decode() == ",".join(texts[first:last])


def test_a_period_of_the_sample_names_is_known() -> None:
    """Every period chart has a list key."""
    assert set(wire_charts.PERIODS) < set(wire_charts.LIST_KEYS)
    assert set(wire_charts.PERIODS.values()) == set(Period)
