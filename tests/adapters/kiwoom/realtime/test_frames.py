"""What the frames of the WebSocket say (kiwoom.md#websocket)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.adapters.kiwoom.realtime import frames
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.trade import DayFigures, Trade

MIDNIGHT = int(midnight(date(2026, 11, 20)).timestamp())
EVENING = MIDNIGHT + 20 * 3600
VALUES = {
    "20": "165208",
    "10": "-20800",
    "11": "-50",
    "15": "+82",
    "13": "30379732",
    "14": "632640",
    "16": "20850",
    "17": "+21150",
    "18": "-20450",
    "25": "5",
    "290": "2",
    "851": "",
    "9081": "1",
}


def frame(*values: Any, kind: str = "0B", item: str = "005930") -> str:
    """Return a frame of data with these values, one entry each."""
    data = [{"type": kind, "name": "주식체결", "item": item, "values": one} for one in values]
    return json.dumps({"trnm": "REAL", "data": data})


def trade(**changes: str) -> Trade | None:
    """Return the trade of the official example with some fields changed."""
    [entry] = frames.read(frame(VALUES | changes)).frame.data or []
    return frames.trade_of(entry, MIDNIGHT, EVENING)


def test_the_official_example() -> None:
    """Signs say direction and aggressor; the time has no date; 14 counts in millions."""
    assert trade() == Trade(
        symbol="005930",
        at=int(datetime(2026, 11, 20, 7, 52, 8, tzinfo=UTC).timestamp()),
        price=20_800,
        volume=82,
        running_volume=30_379_732,
        running_value=632_640_000_000,
        day=DayFigures(open=20_850, high=21_150, low=20_450),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"20": ""},
        {"20": "9:0000"},
        {"20": "246000"},
        {"20": "235900"},
        {"10": ""},
        {"10": "0"},
        {"10": "12a4"},
        {"10": "1_0"},
        {"10": "9" * 12},
        {"15": ""},
        {"15": "0"},
        {"13": ""},
        {"13": "81"},
        {"13": "9" * 20},
        {"13": "１２３"},
    ],
)
def test_what_cannot_be_a_trade(changes: dict[str, str]) -> None:
    """No time, price, volume or running volume; a time to come; more shares than the day has."""
    assert trade(**changes) is None


@pytest.mark.parametrize("changes", [{"16": ""}, {"17": "0"}, {"18": "x"}])
def test_blank_day_figures_are_left_out(changes: dict[str, str]) -> None:
    """Later fields are often blank: the trade counts without them."""
    made = trade(**changes)
    assert made is not None
    assert made.day is None


def test_one_bad_entry_costs_itself() -> None:
    """The others of the frame are read."""
    found = frames.read(frame(VALUES, {"20": 1}, VALUES | {"15": "-5"}))
    assert [entry.values.volume for entry in found.frame.data or []] == ["+82", "-5"]
    assert found.spoiled == 1


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "3", '{"trnm":"REAL","data":5}', "[" * 100_000])
def test_what_is_no_frame_is_counted(text: str) -> None:
    """It says nothing, and one more is spoiled."""
    found = frames.read(text)
    assert (found.frame.trnm, found.frame.data, found.spoiled) == ("", None, 1)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=8,
)
noise = st.dictionaries(
    st.sampled_from(["trnm", "return_code", "data", "code", "message", "type", "item", "values"]),
    plain,
    max_size=6,
)


@given(value=noise | plain)
def test_no_frame_whatever_breaks_the_reader(value: Any) -> None:
    """Any JSON is read as far as it can be."""
    found = frames.read(msgspec.json.encode(value))
    for entry in found.frame.data or []:
        frames.trade_of(entry, MIDNIGHT, EVENING)


@given(texts=st.dictionaries(st.sampled_from(sorted(VALUES)), st.text(max_size=20)))
def test_no_field_whatever_breaks_a_trade(texts: dict[str, str]) -> None:
    """A trade is one that can be, or none."""
    made = trade(**texts)
    if made is not None:
        assert made.price > 0
        assert 0 < made.volume <= made.running_volume
        assert MIDNIGHT <= made.at <= EVENING


def test_what_is_sent() -> None:
    """The frames of the documented examples; items in order; REMOVE without refresh."""
    assert json.loads(frames.login("t")) == {"trnm": "LOGIN", "token": "t"}
    data = [{"item": ["000660", "005930"], "type": ["0B"]}]
    assert json.loads(frames.register({"005930", "000660"})) == {
        "trnm": "REG",
        "grp_no": "1",
        "refresh": "1",
        "data": data,
    }
    assert json.loads(frames.remove(["005930", "000660"])) == {"trnm": "REMOVE", "grp_no": "1", "data": data}
    assert json.loads(frames.PING) == {"trnm": "PING"}
