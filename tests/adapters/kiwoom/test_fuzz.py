"""Whatever the broker sends, the answer is data, or a failure we expect: no crash, no hang, no lost good row.

Recorded answers, where they are present beside the repository, and small built-in ones, with something wrong
in them. The long runs: `script/test -m soak tests/adapters/kiwoom/test_fuzz.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.kiwoom import lists, token, wire
from chartinsightd.adapters.kiwoom.gate import Gate
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess, Transport, _Reply, _row_count
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.errors import MalformedAnswer, SourceError
from chartinsightd.domain.timeframe import Timeframe
from tests.support.virtual import LoopClock

from .fake_broker import PlainSecret
from .samples import SAMPLES
from .test_wire import day_row, minute_row

T = TypeVar("T")

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
BUILT_IN: dict[str, tuple[Timeframe, Any]] = {
    "built-in minutes": (
        Timeframe.M5,
        {"stk_cd": "005930", "stk_min_pole_chart_qry": [minute_row(i) for i in range(6)], "return_code": 0},
    ),
    "built-in days": (
        Timeframe.D1,
        {"stk_cd": "005930", "stk_dt_pole_chart_qry": [day_row("20251118"), day_row("20251117")]},
    ),
    "built-in weeks": (
        Timeframe.W1,
        {"stk_cd": "005930", "stk_stk_pole_chart_qry": [day_row("20251117"), day_row("20251110")]},
    ),
}
RECORDED = {
    "ka10080_tic1": Timeframe.M5,
    "ka10080_tic5": Timeframe.M5,
    "ka10080_tic60": Timeframe.H1,
    "ka10080_oldschema": Timeframe.M5,
    "ka10081": Timeframe.D1,
    "ka10081_real": Timeframe.D1,
    "ka10081_zero_volume": Timeframe.D1,
    "ka10082": Timeframe.W1,
}
HOSTILE = (
    st.sampled_from(
        [*("", "-", "+", "--5", "0", "-0", "1e9", "0x1f", " 7 ", "٣", "\x00", "9" * 18, "9" * 5000),
         *("20261120150000", "00010101000000", "99991231235959", "20260230", "null", "NaN", "Infinity")]
    )
    | st.text(max_size=8)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([[], {}, [[]], {"a": [1]}])
)  # fmt: skip


def charts() -> dict[str, tuple[Timeframe, Any]]:
    """Return every chart there is to spoil, by name."""
    found = dict(BUILT_IN)
    for name, timeframe in RECORDED.items():
        found[name] = timeframe, json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["body"]
    return found


CHARTS = charts()


def decoded(document: bytes, timeframe: Timeframe, symbol: str) -> wire.DecodedChart | None:
    """Decode as the daemon does; None where the answer is none."""
    try:
        chart = wire.decode_chart(document, symbol, timeframe)
    except MalformedAnswer:
        return None
    assert len(chart.candles) + len(chart.rejected) + chart.repeated == chart.rows
    assert len(chart.raw_rows) == len(chart.candles)
    json.dumps([dict(row.payload) for row in chart.rejected])
    return chart


def symbol_of(body: Any) -> str:
    return str(body["stk_cd"]).partition("_")[0]


def rows_of(body: Any) -> list[dict[str, Any]]:
    return next(value for value in body.values() if isinstance(value, list))


@st.composite
def spoilt_rows(draw: st.DrawFn) -> tuple[str, Any, set[int]]:
    """Draw a chart with hostile values in some rows, and which rows those are."""
    name = draw(st.sampled_from(sorted(CHARTS)))
    body = deepcopy(CHARTS[name][1])
    rows = rows_of(body)
    touched = draw(st.sets(st.integers(0, len(rows) - 1), max_size=3))
    for place in touched:
        field = draw(st.sampled_from([*rows[place], "unknown"]))
        if draw(st.booleans()):
            rows[place][field] = draw(HOSTILE)
        else:
            rows[place].pop(field, None)
    return name, body, touched


def check_rows(spoilt: tuple[str, Any, set[int]]) -> None:
    name, body, touched = spoilt
    timeframe, whole = CHARTS[name]
    true = decoded(json.dumps(whole).encode(), timeframe, symbol_of(whole))
    found = decoded(json.dumps(body).encode(), timeframe, symbol_of(whole))
    assert true is not None
    assert found is not None
    kept = {candle.ts: candle for candle in found.candles}
    contested = {row.ts for row in found.rejected if row.reason == "conflicting_duplicate"}
    newest_first = list(true.candles)[::-1]
    for place in set(range(len(newest_first))) - touched:
        candle = newest_first[place]
        assert kept[candle.ts] == _as_read(candle, found) or candle.ts in contested


def _as_read(candle: Candle, chart: wire.DecodedChart) -> Candle:
    """Two rows in a page of three may lose the one field that whole pages may lack."""
    return candle if chart.candles.value is not None or candle.value is None else kept_without_value(candle)


def kept_without_value(candle: Candle) -> Candle:
    return Candle(
        **{
            name: getattr(candle, name)
            for name in ("symbol", "timeframe", "ts", "open", "high", "low", "close", "volume")
        }
    )


@st.composite
def spoilt_bytes(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a chart's bytes, cut, flipped, doubled or with junk in them."""
    name = draw(st.sampled_from(sorted(CHARTS)))
    return name, _spoilt(draw, json.dumps(CHARTS[name][1], ensure_ascii=False).encode())


class Draw(Protocol):
    """Draws a value of a strategy: `st.DrawFn`, or `draw` of `st.data()`."""

    def __call__(self, strategy: st.SearchStrategy[T]) -> T: ...


def _spoilt(draw: Draw, document: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(document)))
        end = min(len(document), start + draw(st.integers(0, 60)))
        junk = draw(
            st.sampled_from([b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\xff", b"\x00", b"null"])
            | st.binary(max_size=6)
        )
        document = document[:start] + junk + document[end:]
    return document


def check_bytes(spoilt: tuple[str, bytes]) -> None:
    name, document = spoilt
    timeframe, whole = CHARTS[name]
    decoded(document, timeframe, symbol_of(whole))


quickly = settings(max_examples=60, deadline=None)
thoroughly = settings(max_examples=5_000, deadline=None)


@quickly
@given(spoilt_rows())
def test_a_spoilt_row_costs_no_other_row(spoilt: tuple[str, Any, set[int]]) -> None:
    """Every row that nothing was done to comes out as the candle it is."""
    check_rows(spoilt)


@pytest.mark.soak
@thoroughly
@given(spoilt_rows())
def test_a_spoilt_row_costs_no_other_row_at_length(spoilt: tuple[str, Any, set[int]]) -> None:
    """The same, five thousand times."""
    check_rows(spoilt)


@quickly
@given(spoilt_bytes())
def test_spoilt_bytes_are_a_chart_or_malformed(spoilt: tuple[str, bytes]) -> None:
    """Never another failure; whatever is still a chart adds up."""
    check_bytes(spoilt)


@pytest.mark.soak
@thoroughly
@given(spoilt_bytes())
def test_spoilt_bytes_are_a_chart_or_malformed_at_length(spoilt: tuple[str, bytes]) -> None:
    """The same, five thousand times."""
    check_bytes(spoilt)


STOCK = {"code": "005930", "name": "삼성전자", "listCount": "0000005919637922", "regDay": "19750611"}
STOCK |= {"lastPrice": "00199400", "state": "정상", "marketCode": "0", "orderWarning": "0", "nxtEnable": "Y"}
SNAPSHOT = {"stk_cd": "005930", "cur_prc": "-78800", "base_pric": "79400", "mac": "4664", "trde_qty": "1"}
SNAPSHOT |= {"dt": "20261120", "cntr_tm": "120000", "trde_prica": "12"}


def read_list(document: bytes) -> object:
    reader = lists._ListReader()
    reader.read("0", lists._decoded("ka10099", document, lists._ListAnswer).rows)
    return reader.listing()


def read_snapshots(document: bytes) -> object:
    answer = lists._decoded("ka10095", document, lists._SnapshotAnswer)
    return [lists._quote(row, NOW) for row in answer.atn_stk_infr]


def read_token(document: bytes) -> object:
    return token._decoded(document, NOW).renew_at


OTHERS: dict[str, tuple[Callable[[bytes], object], Any, Callable[[Any], dict[str, Any]]]] = {
    "list": (read_list, {"list": [STOCK]}, lambda body: body["list"][0]),
    "snapshots": (read_snapshots, {"atn_stk_infr": [SNAPSHOT]}, lambda body: body["atn_stk_infr"][0]),
    "token": (read_token, {"token": "abc", "expires_dt": "20261121120000", "token_type": "bearer"}, dict),
}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_answers_are_read_or_malformed(name: str) -> None:
    """Lists, figures of today and tokens, with hostile values and spoilt bytes."""
    read, body, _ = OTHERS[name]
    read(json.dumps(body).encode())

    @quickly
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        spoilt = deepcopy(body)
        row = spoilt if name == "token" else OTHERS[name][2](spoilt)
        row[data.draw(st.sampled_from(sorted(row)))] = data.draw(HOSTILE)
        document = json.dumps(spoilt).encode()
        if data.draw(st.booleans()):
            document = _spoilt(data.draw, document)
        with suppress(MalformedAnswer):
            read(document)

    holds()


@quickly
@given(
    status=st.sampled_from([200, 400, 401, 429, 500, 503]),
    return_code=HOSTILE,
    message=st.text(max_size=20)
    | st.sampled_from(
        ["[1700:유량=" + "9" * 5000 + "]", "[8005:", "CODE=8005", "[2000](RC4058:x)", "유량=²"]
    ),
    as_html=st.booleans(),
)
def test_every_answer_has_a_class(status: int, return_code: Any, message: str, *, as_html: bool) -> None:
    """A refusal is one of our errors, or the answer is a success; the code may be anything."""
    envelope = {"return_code": return_code, "return_msg": message}
    error = _error(f"<html>{message}" if as_html else envelope, status)

    assert error is None or isinstance(error, SourceError)


def _error(body: Any, status: int) -> Any:
    access = KiwoomAccess(
        base_url="http://127.0.0.1", app_key=PlainSecret("key"), secret_key=PlainSecret("secret")
    )
    transport = Transport(access, Gate(LoopClock(NOW), 1), LoopClock(NOW))
    text = body if isinstance(body, str) else json.dumps(body)
    reply = _Reply(status=status, headers={}, body=text.encode(errors="surrogatepass"), asked_at=NOW)
    return transport._error("ka10080", reply, ())


def test_a_named_limit_of_thousands_of_digits_is_a_limit() -> None:
    """What the broker names is believed as far as it is a number of ours."""
    assert _error({"return_code": 5, "return_msg": "[1700:유량=" + "9" * 5000 + "]"}, 429).limit is not None


@given(st.text(max_size=30) | st.sampled_from(["9" * 5000, "²", "٣", "-1", "900"]))
def test_any_count_of_rows_is_a_count_or_none(text: str) -> None:
    """A header is text, and what is no number says nothing."""
    count = _row_count({"resp-cnt": text})

    assert count is None or count >= 0
