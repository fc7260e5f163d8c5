"""WebSocket frames as the broker writes them (kiwoom.md#websocket). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import msgspec

from chartinsightd.simulator.model import Trade
from chartinsightd.simulator.wire_prices import change, percent, signature, signed

PING = '{"trnm":"PING"}'
LOGIN_OK = '{"trnm":"LOGIN","return_code":0,"return_msg":"","sor_yn":"Y"}'
LOGIN_BAD_TOKEN = (
    '{"trnm":"LOGIN","return_code":805004,"return_msg":"토큰 인증에 실패했습니다. 접속을 종료합니다 '
    '[CODE=8005, MESSAGE=Token이 유효하지 않습니다]"}'
)
NOT_LOGGED_IN = 100013
NOT_REGISTERED = 105111

SYSTEM_MESSAGES = {
    "R10001": "동일한 App key로 접속이 되었습니다. 기존 세션은 종료가 됩니다",
    "R10002": "사용자 프로그램으로부터 Heartbeat(연결유지) 메시지가 오지않아서 접속을 종료합니다",
    "R10004": "접속허용요청(토큰)이 들어오지 않았습니다",
}
_REPLY_MESSAGES = {0: "", NOT_LOGGED_IN: "", NOT_REGISTERED: "실시간 항목 등록에 실패했습니다"}

_MILLION = 1_000_000
_HUNDRED_MILLION = 100_000_000
_TRADE_FIELDS = (
    "20", "10", "11", "12", "27", "28", "15", "13", "14", "16", "17", "18", "25", "26", "29", "30", "31",
    "32", "228", "311", "290", "691", "567", "568", "851", "1890", "1891", "1892", "1030", "1031", "1032",
    "1071", "1072", "1313", "1315", "1316", "1314", "1497", "1498", "620", "732", "852", "9081",
)  # fmt: skip
_BLANK_TRADE = dict.fromkeys(_TRADE_FIELDS, "") | {
    "691": "0",
    "567": "000000",
    "568": "000000",
    "9081": "1",
}


def system(code: str) -> str:
    """Return a SYSTEM frame; a code that no list has comes without words."""
    return _text({"trnm": "SYSTEM", "code": code, "message": SYSTEM_MESSAGES.get(code, "")})


def reply(trnm: str, return_code: int) -> str:
    """Return the answer to REG or REMOVE; the return code is an integer."""
    return _text({"trnm": trnm, "return_code": return_code, "return_msg": _REPLY_MESSAGES[return_code]})


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What a day's trades have made so far, won; zeros before the first."""

    open: int = 0
    high: int = 0
    low: int = 0
    previous_close: int = 0
    listed_shares: int = 0

    def after(self, price: int) -> DayFigures:
        """Return the figures with one more trade."""
        return DayFigures(
            open=self.open or price,
            high=max(self.high, price),
            low=min(self.low or price, price),
            previous_close=self.previous_close,
            listed_shares=self.listed_shares,
        )


def trade_entry(item: str, trade: Trade, figures: DayFigures) -> dict[str, Any]:
    """Return a 0B entry; `figures` include the trade. Unknown fields are blank, as late ones often are."""
    return {"type": "0B", "name": "주식체결", "item": item, "values": _trade_values(trade, figures)}


def _trade_values(trade: Trade, figures: DayFigures) -> Mapping[str, str]:
    previous, price = figures.previous_close, trade.price
    shares = figures.listed_shares
    return _BLANK_TRADE | {
        "20": trade.at.strftime("%H%M%S"),
        "10": signed(price, previous),
        "11": change(price, previous),
        "12": percent((price - previous) / previous * 100) if previous > 0 else "0.00",
        "27": signed(price, previous),
        "28": signed(price, previous),
        "15": f"{trade.volume:+d}",
        "13": str(trade.running_volume),
        "14": str(trade.running_value // _MILLION),
        "16": signed(figures.open, previous),
        "17": signed(figures.high, previous),
        "18": signed(figures.low, previous),
        "25": signature(price, previous),
        "31": f"{trade.running_volume / shares * 100:.2f}" if shares else "",
        "311": str(price * shares // _HUNDRED_MILLION),
        "290": _session_part(trade),
    }


def _session_part(trade: Trade) -> str:
    """Return 2 in the regular session, 3 after it; the codes of the after-market are not known."""
    return "3" if (trade.at.hour, trade.at.minute) >= (15, 40) else "2"


def real(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a frame of real-time data; several entries are usual."""
    return _text({"trnm": "REAL", "data": entries})


def _text(frame: Mapping[str, Any]) -> str:
    return msgspec.json.encode(frame).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What REG or REMOVE names."""

    group: str
    keeps: bool
    """False: earlier registrations are dropped (`refresh` "0")."""
    pairs: frozenset[tuple[str, str]]
    """(type, item)."""


def registration(frame: Mapping[str, Any]) -> Registration | None:
    """Return what a frame registers; None where item or type is not an array (105111)."""
    data = frame.get("data")
    if not isinstance(data, list):
        return None
    pairs: set[tuple[str, str]] = set()
    for part in data:
        items, types = (part.get("item"), part.get("type")) if isinstance(part, dict) else (None, None)
        if not _are_texts(items) or not _are_texts(types):
            return None
        pairs.update((kind, item) for kind in types for item in items)
    return Registration(
        group=str(frame.get("grp_no", "")), keeps=frame.get("refresh", "1") != "0", pairs=frozenset(pairs)
    )


def _are_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
