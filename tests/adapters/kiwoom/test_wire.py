"""The decoder: numbers, times and rows of a chart, and what happens to those that are none."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chartinsightd.adapters.kiwoom import wire
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.foreign_text import bounded_row
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

from .samples import sample

LISTS = {
    Timeframe.M5: "stk_min_pole_chart_qry",
    Timeframe.D1: "stk_dt_pole_chart_qry",
    Timeframe.W1: "stk_stk_pole_chart_qry",
}
START = datetime(2026, 11, 20, 15, 0, tzinfo=KST)


def minute_row(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a believable minute row, `number` five-minute steps before the newest."""
    at = START - timedelta(minutes=5 * number)
    row = {
        "cur_prc": "-78800",
        "trde_qty": "7913",
        "cntr_tm": f"{at:%Y%m%d%H%M%S}",
        "open_pric": "+78850",
        "high_pric": "78900",
        "low_pric": "-78800",
        "acc_trde_qty": str(14947571 - 7913 * number),
        "pred_pre": "-600",
        "pred_pre_sig": "5",
    }
    return row | changes


def day_row(day: str = "20251118", **changes: Any) -> dict[str, Any]:
    """Return a believable day row."""
    row = {
        "cur_prc": "70100",
        "trde_qty": "9263135",
        "trde_prica": "648525",
        "dt": day,
        "open_pric": "69800",
        "high_pric": "70500",
        "low_pric": "69600",
        "pred_pre": "+600",
        "pred_pre_sig": "2",
        "trde_tern_rt": "+0.16",
    }
    return row | changes


def decode(
    rows: Any, timeframe: Timeframe = Timeframe.M5, symbol: str = "005930", **page: Any
) -> wire.DecodedChart:
    document = {"stk_cd": symbol, LISTS[timeframe]: rows, "return_code": 0, "return_msg": "정상"} | page
    return wire.decode_chart(json.dumps(document).encode(), symbol, timeframe)


def decode_sample(name: str, symbol: str, timeframe: Timeframe) -> wire.DecodedChart:
    return wire.decode_chart(sample(name).body, symbol, timeframe)


def assert_raw_rows_belong(chart: wire.DecodedChart) -> None:
    """Each candle's raw row is the one it was read from."""
    assert len(chart.raw_rows) == len(chart.candles)
    for candle, row in zip(chart.candles, chart.raw_rows, strict=True):
        field = "cntr_tm" if chart.candles.timeframe.is_intraday else "dt"
        text = str(int(str(row[field]).strip().lstrip("+"))).ljust(14, "0")
        assert candle.ts.astimezone(KST).strftime("%Y%m%d%H%M%S") == text
        assert candle.close == int(str(row["cur_prc"]).strip().lstrip("+-"))


def test_a_recorded_minute_page_is_read() -> None:
    """Start labels in KST, signs dropped, oldest first, running volume beside the candles."""
    chart = decode_sample("ka10080_tic5", "005930", Timeframe.M5)
    rows = json.loads(sample("ka10080_tic5").body)["stk_min_pole_chart_qry"]
    newest = list(chart.candles)[-1]

    assert (chart.rows, len(chart.candles), chart.rejected) == (len(rows), len(rows), ())
    assert newest.ts == datetime(2025, 10, 29, 6, 30, tzinfo=UTC)
    assert (newest.open, newest.close, newest.volume, newest.value) == (100500, 100500, 1095888, None)
    assert chart.running_volume is not None
    assert chart.running_volume[-1] == 20645411


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("ka10080_tic1", "005930", Timeframe.M5),
        ("ka10080_tic60", "005930", Timeframe.H1),
        ("ka10080_oldschema", "005930", Timeframe.M5),
        ("ka10080_close_row_mock", "005930", Timeframe.M5),
        ("ka10080_nxt_row", "005930_NX", Timeframe.M5),
        ("ka10081", "005930", Timeframe.D1),
        ("ka10081_real", "005930", Timeframe.D1),
        ("ka10081_oldschema", "005930", Timeframe.D1),
        ("ka10081_zero_volume", "005930", Timeframe.D1),
        ("ka10082", "005930", Timeframe.W1),
    ],
)
def test_every_recorded_page_is_read_whole(name: str, symbol: str, timeframe: Timeframe) -> None:
    """Old and new row tails, every chart: no row is rejected, none is lost."""
    recorded = sample(name).document
    symbol = recorded["stk_cd"].partition("_")[0]
    rows = next(value for value in recorded.values() if isinstance(value, list))

    chart = decode_sample(name, symbol, timeframe)

    assert (chart.rejected, chart.repeated) == ((), 0)
    assert len(chart.candles) == len(rows)
    assert_raw_rows_belong(chart)


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [("ka10080_empty", "012510", Timeframe.M5), ("ka10081_empty", "03473K_NX", Timeframe.D1)],
)
def test_a_recorded_blank_row_is_no_row(name: str, symbol: str, timeframe: Timeframe) -> None:
    """One row of empty texts stands for no data."""
    chart = decode_sample(name, symbol, timeframe)

    assert (len(chart.candles), chart.rows, chart.sent, chart.rejected) == (0, 0, 1, ())


def test_value_is_in_won_whatever_the_chart_counts_in() -> None:
    """Days count in millions of won, weeks in won, minutes have none."""
    day = decode([day_row(trde_prica="648525")], Timeframe.D1).candles
    week = decode([day_row(trde_prica="3922030535087")], Timeframe.W1).candles

    assert day.value is not None
    assert week.value is not None
    assert (int(day.value[0]), int(week.value[0])) == (648_525_000_000, 3_922_030_535_087)
    assert decode([minute_row()]).candles.value is None


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("20251118", datetime(2025, 11, 17, 15, tzinfo=UTC)),
        ("19881010", datetime(1988, 10, 9, 15, tzinfo=UTC)),
        ("19880704", datetime(1988, 7, 3, 14, tzinfo=UTC)),
        ("19870701", datetime(1987, 6, 30, 14, tzinfo=UTC)),
        ("19860701", datetime(1986, 6, 30, 15, tzinfo=UTC)),
        ("20240229", datetime(2024, 2, 28, 15, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_midnight_in_korea(day: str, expected: datetime) -> None:
    """Also in the summers of 1987 and 1988, when Korean clocks were an hour ahead."""
    (candle,) = decode([day_row(day)], Timeframe.D1).candles

    assert candle.ts == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("78800", 78800), ("+78800", 78800), ("--30433", 30433), ("-+5", 5), ("000078800", 78800), ("0", 0)],
)
def test_numbers_lose_their_signs_and_zeros(text: str, expected: int) -> None:
    """All leading signs and zeros are dropped (kiwoom.md#numbers)."""
    (candle,) = decode([minute_row(cur_prc=text)]).candles

    assert candle.close == expected


BAD_FIELDS = [
    ("cur_prc", "", "cur_prc_missing"),
    ("open_pric", None, "open_pric_missing"),
    ("open_pric", "1.5", "open_pric_not_a_number"),
    ("trde_qty", "-", "trde_qty_not_a_number"),
    ("high_pric", "+", "high_pric_not_a_number"),
    ("high_pric", "1,2", "high_pric_not_a_number"),
    ("low_pric", "1 2", "low_pric_not_a_number"),
    ("low_pric", ["1"], "low_pric_not_a_number"),
    ("low_pric", True, "low_pric_not_a_number"),
    ("trde_qty", "٣", "trde_qty_not_a_number"),
    ("trde_qty", "9" * 19, "trde_qty_too_large"),
    ("trde_qty", "9" * 5000, "trde_qty_too_large"),
    ("cur_prc", "2147483648", "cur_prc_too_large"),
    ("cur_prc", "-9223372036854775808", "cur_prc_too_large"),
    ("acc_trde_qty", "", "acc_trde_qty_missing"),
    ("cntr_tm", "20261320090000", "cntr_tm_not_a_time"),
    ("cntr_tm", "20260230090000", "cntr_tm_not_a_time"),
    ("cntr_tm", "20261120240000", "cntr_tm_not_a_time"),
    ("cntr_tm", "20261120", "cntr_tm_not_a_time"),
    ("cntr_tm", "-20261120090000", "cntr_tm_not_a_time"),
    ("cntr_tm", "", "cntr_tm_missing"),
]


@pytest.mark.parametrize(("field", "value", "reason"), BAD_FIELDS)
def test_a_bad_field_costs_its_row_only(field: str, value: object, reason: str) -> None:
    """The row is rejected under the field's name and kept as it came; its neighbours stay candles."""
    rows = [minute_row(0), minute_row(1, **{field: value}), minute_row(2)]

    chart = decode(rows)
    (rejected,) = chart.rejected

    assert (len(chart.candles), chart.rows) == (2, 3)
    assert (rejected.reason, rejected.payload, rejected.symbol) == (reason, bounded_row(rows[1]), "005930")
    if field != "cntr_tm":
        assert rejected.ts == START - timedelta(minutes=5)


def test_what_is_no_object_or_blank_among_others_is_rejected() -> None:
    """Nothing disappears: rows in are candles or rejected."""
    chart = decode([minute_row(0), dict.fromkeys(minute_row(), ""), 7, minute_row(1)])

    assert [row.reason for row in chart.rejected] == ["blank_row", "row_not_an_object"]
    assert (len(chart.candles), chart.rows) == (2, 4)


def test_a_page_without_running_volume_has_none() -> None:
    """The rows of before October 2025 lack it."""
    row = minute_row()
    del row["acc_trde_qty"]

    chart = decode([row])

    assert (len(chart.candles), chart.running_volume) == (1, None)


def test_a_field_that_one_row_has_alone_costs_no_other_row() -> None:
    """Rows of before October 2025 lack the running volume; one that has it does not make the rest wrong."""
    rows = [minute_row(number) for number in range(4)]
    for row in rows[1:]:
        del row["acc_trde_qty"]

    chart = decode(rows)

    assert (len(chart.candles), chart.rejected, chart.running_volume) == (4, (), None)


def test_equal_duplicates_are_one_and_different_ones_are_told() -> None:
    """Of rows with one time the last read wins; one that said something else is rejected."""
    rows = [minute_row(0), minute_row(1), minute_row(1), minute_row(2), minute_row(2, cur_prc="78801")]

    chart = decode(rows)
    (rejected,) = chart.rejected

    assert [candle.close for candle in chart.candles] == [78801, 78800, 78800]
    assert (rejected.reason, rejected.payload, chart.rows) == ("conflicting_duplicate", rows[3], 5)
    assert chart.repeated == 1


def test_rows_may_stand_in_any_order() -> None:
    """Candles come out oldest first."""
    numbers = [3, 0, 4, 1, 2]

    chart = decode([minute_row(number) for number in numbers])

    assert bool((np.diff(chart.candles.ts) == 300).all())
    assert chart.running_volume is not None
    assert bool((np.diff(chart.running_volume) == 7913).all())


def test_another_symbols_chart_is_refused() -> None:
    """What was not asked for is not stored; a suffix may be echoed or not."""
    with pytest.raises(MalformedAnswer, match="000660"):
        decode([minute_row()], stk_cd="000660")
    assert len(decode([minute_row()], stk_cd="005930_AL").candles) == 1
    assert len(decode([minute_row()], stk_cd="").candles) == 1
    assert len(decode([minute_row()], symbol="0126Z0").candles) == 1


def test_another_exchanges_chart_is_refused() -> None:
    """Asked for NXT, trades of both exchanges are no answer; the candles bear the symbol alone."""
    with pytest.raises(MalformedAnswer, match="005930_AL"):
        decode([minute_row()], symbol="005930_NX", stk_cd="005930_AL")
    for echoed in ("005930_NX", "005930", ""):
        chart = decode([minute_row()], symbol="005930_NX", stk_cd=echoed)
        assert (chart.candles.symbol, len(chart.candles)) == ("005930", 1)


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"7", b"null", b"{}", b'{"stk_min_pole_chart_qry": {}}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_chart_is_malformed(document: bytes) -> None:
    """A failure we expect, whatever came."""
    with pytest.raises(MalformedAnswer):
        wire.decode_chart(document, "005930", Timeframe.M5)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
NEARLY_NUMBERS = st.text(alphabet="0123456789+-., _xe", max_size=22)
MUTATION = st.tuples(
    st.integers(0, 19),
    st.sampled_from(["cntr_tm", "open_pric", "high_pric", "low_pric", "cur_prc", "trde_qty", "acc_trde_qty"]),
    NEARLY_NUMBERS | ANY_JSON,
)


@given(mutations=st.lists(MUTATION, max_size=4), junk=st.lists(ANY_JSON, max_size=2))
def test_mutated_rows_never_crash_and_never_cost_a_good_row(
    mutations: list[tuple[int, str, Any]], junk: list[Any]
) -> None:
    """Every untouched row comes out as the candle it is; every row is a candle, a duplicate or rejected."""
    rows = [minute_row(number) for number in range(20)]
    for number, field, value in mutations:
        rows[number] = rows[number] | {field: value}
    touched = {number for number, _, _ in mutations}

    chart = decode([*rows, *junk])

    candles = {candle.ts: candle for candle in chart.candles}
    by_time = {row.ts: row for row in chart.rejected}
    for number in set(range(20)) - touched:
        at = START - timedelta(minutes=5 * number)
        candle = candles[at]
        is_as_sent = (candle.open, candle.high, candle.low, candle.close, candle.volume) == (
            *(78850, 78900, 78800, 78800),
            7913,
        )
        assert is_as_sent or by_time[at].reason == "conflicting_duplicate"
    assert len(chart.candles) + len(chart.rejected) + chart.repeated == chart.rows == 20 + len(junk)
    assert_raw_rows_belong(chart)


@given(rows=st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True), data=st.data())
def test_the_quick_and_the_slow_way_agree(rows: list[int], data: st.DataObject) -> None:
    """A page is the same whether read in columns or row by row."""
    numbers = st.integers(0, 2**31 - 1).map(str)
    page = [
        minute_row(number, cur_prc=data.draw(numbers), open_pric=f"-{data.draw(numbers)}")
        for number in sorted(rows)
    ]

    quick = decode(page)
    slow = decode([*page[1:], page[0], page[0]])

    for column in ("ts", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(quick.candles, column), getattr(slow.candles, column))
    assert quick.running_volume is not None
    assert slow.running_volume is not None
    assert np.array_equal(quick.running_volume, slow.running_volume)


ZEROS = st.sampled_from(["0", "+0", "-0", "000", "-", "+", "", "7", "-7"])


@given(texts=st.lists(st.tuples(ZEROS, ZEROS), min_size=1, max_size=12))
@example(texts=[("0", "0"), ("7", "-7")])
@example(texts=[("7", "-")])
def test_a_zero_is_read_as_it_is_written(texts: list[tuple[str, str]]) -> None:
    """A true 0 is a number wherever it stands; a lone sign or an empty text costs its row, as row by row."""
    page = [
        minute_row(number, open_pric=opened, trde_qty=volume) for number, (opened, volume) in enumerate(texts)
    ]

    quick = decode(page)
    slow = decode([*page, page[0]])

    assert quick.candles.ts.tolist() == slow.candles.ts.tolist()
    for column in ("open", "volume"):
        assert getattr(quick.candles, column).tolist() == getattr(slow.candles, column).tolist()
    assert sorted(row.reason for row in quick.rejected) == sorted(
        row.reason for row in slow.rejected[: len(quick.rejected)]
    )


def test_a_day_without_trades_costs_its_page_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thin and halted stocks have days of no volume: such a page is read in columns like any other."""
    monkeypatch.delattr(wire, "_decode_slowly")

    candles = decode([day_row("20260911", trde_qty="0", trde_prica="0"), day_row("20260910")], Timeframe.D1)

    assert candles.candles.volume.tolist()[-1] == 0


@given(cut=st.integers(0, 1200))
def test_a_cut_page_is_malformed(cut: int) -> None:
    """A truncated answer is never half a page."""
    document = json.dumps(
        {"stk_cd": "005930", LISTS[Timeframe.M5]: [minute_row(i) for i in range(5)]}
    ).encode()

    with pytest.raises(MalformedAnswer):
        wire.decode_chart(document[: min(cut, len(document) - 1)], "005930", Timeframe.M5)


@pytest.mark.parametrize(
    "rows",
    [
        b"1," * 2_000_000 + b"1",
        b"1," * 150_000 + b"1",
        b"{}," * 2_500_000 + b"{}",
        b'{"dt":"20260911"},' * 2_500 + b"{}",
        b"[]," * 2_000_000 + b"[]",
        b'"' + b"x" * 3_000_000 + b'"',
    ],
)
def test_a_page_with_more_than_a_page_can_have_is_malformed(rows: bytes) -> None:
    """The bound is applied to the bytes: however many rows there are, nothing is made of them."""
    document = b'{"stk_cd":"005930","stk_dt_pole_chart_qry":[' + rows + b"]}"
    tracemalloc.start()
    try:
        with pytest.raises(MalformedAnswer):
            wire.decode_chart(document, "005930", Timeframe.D1)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


@given(value=st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner, min_size=1), max_leaves=3))
@example("[" * 700)
def test_whatever_a_row_holds_it_is_kept_small(value: object) -> None:
    """A refused row costs itself only: what is long, wide or nested in it is kept as a short text."""
    nested: object = value
    for _ in range(600):
        nested = [nested]
    row = {"dt": "20260911", "open_pric": "x", "more": nested, "long": "y" * 5_000}
    document = msgspec.json.encode({"stk_cd": "005930", "stk_dt_pole_chart_qry": [row]})

    (rejected,) = wire.decode_chart(document, "005930", Timeframe.D1).rejected

    assert rejected.payload["dt"] == "20260911"
    assert len(json.dumps(rejected.payload)) < 3_000


@given(echoed=st.text(min_size=7, max_size=20_000))
def test_what_the_broker_echoes_is_cut_and_cleaned(echoed: str) -> None:
    """A message quotes another's words in one line of bounded length, without what commands a terminal."""
    document = msgspec.json.encode(
        {"stk_cd": echoed.encode(errors="replace").decode(), "stk_dt_pole_chart_qry": []}
    )

    with pytest.raises(MalformedAnswer) as caught:
        wire.decode_chart(document, "005930", Timeframe.D1)

    assert len(str(caught.value)) < 700
    assert str(caught.value).isprintable()
