"""The frames of the WebSocket: what is sent, and what the broker's say (kiwoom.md#websocket). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import msgspec

from chartinsightd.domain.trade import DayFigures, Trade

LARGEST_FRAME = 1024 * 1024
"""Bytes of a frame; twenty trades are about 20 kB."""
PING = '{"trnm":"PING"}'
TRADES = "0B"
_GROUP = "1"
_DIGITS = r"[+-]{0,4}(\d{1,15})"
"""A number whose sign says something else: a direction, an aggressor. A day of the largest stock has eleven
digits of shares, of won in millions eight."""
_CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)", re.ASCII).fullmatch
"""HHmmss."""
_TRADE = re.compile(f"{_DIGITS};{_DIGITS};{_DIGITS};(?:{_DIGITS})?", re.ASCII).fullmatch
_NUMBER = re.compile(_DIGITS, re.ASCII).fullmatch
_KEPT = 4_096
"""Readings that are kept because the next trade says the same: of clocks, of the figures of a day."""
_MILLION = 1_000_000
_LARGEST_PRICE = 2**31 - 1
"""Prices are stored in four bytes."""


class Kind(StrEnum):
    """What a frame is (`trnm`)."""

    LOGIN = "LOGIN"
    REGISTER = "REG"
    REMOVE = "REMOVE"
    PING = "PING"
    SYSTEM = "SYSTEM"
    DATA = "REAL"


class _Values(msgspec.Struct, gc=False):
    time: str = msgspec.field(name="20", default="")
    price: str = msgspec.field(name="10", default="")
    volume: str = msgspec.field(name="15", default="")
    running_volume: str = msgspec.field(name="13", default="")
    running_value: str = msgspec.field(name="14", default="")
    open: str = msgspec.field(name="16", default="")
    high: str = msgspec.field(name="17", default="")
    low: str = msgspec.field(name="18", default="")


class Entry(msgspec.Struct, gc=False):
    """One entry of a frame of data."""

    type: str = ""
    item: str = ""
    values: _Values = msgspec.field(default_factory=_Values)


class Frame(msgspec.Struct):
    """Any frame; what it does not have is at its default."""

    trnm: str = ""
    return_code: int | str | None = None
    return_msg: str | None = None
    code: str | None = None
    message: str | None = None
    data: list[Entry] | None = None

    @property
    def is_success(self) -> bool:
        """Whether an answer says that it was done; some write the code as a text."""
        return str(self.return_code) == "0"


class _LooseFrame(msgspec.Struct):
    trnm: str = ""
    data: list[msgspec.Raw] = []


@dataclass(frozen=True, slots=True)
class Read:
    """What could be read of a frame."""

    frame: Frame
    spoiled: int = 0
    """Parts that could not."""


_frame = msgspec.json.Decoder(Frame).decode
_loose_frame = msgspec.json.Decoder(_LooseFrame).decode
_entry = msgspec.json.Decoder(Entry).decode


def read(text: str | bytes) -> Read:
    """Return what a frame says; one bad entry costs itself, a frame that is no JSON is an empty one."""
    try:
        return Read(_frame(text))
    except (msgspec.MsgspecError, RecursionError):
        return _read_loosely(text)


def _read_loosely(text: str | bytes) -> Read:
    try:
        loose = _loose_frame(text)
    except (msgspec.MsgspecError, RecursionError):
        return Read(Frame(), 1)
    entries = [entry for raw in loose.data if (entry := _entry_of(raw)) is not None]
    if not entries and loose.trnm != Kind.DATA:
        return Read(Frame(), 1)
    return Read(Frame(trnm=loose.trnm, data=entries), len(loose.data) - len(entries))


def _entry_of(raw: msgspec.Raw) -> Entry | None:
    try:
        return _entry(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None


def trade_of(entry: Entry, midnight: int, latest: int) -> Trade | None:
    """Return the trade of a `0B` entry; None where it cannot be one.

    Args:
        entry: of a frame of data.
        midnight: 00:00 KST of the day, in seconds since the epoch: a trade says its time without a date.
        latest: a trade after this instant is one of an earlier day, sent again.
    """
    values = entry.values
    second = _second(values.time)
    found = _TRADE(f"{values.price};{values.volume};{values.running_volume};{values.running_value}")
    if second is None or found is None:
        return None
    price, volume, running, millions = found.groups()
    at, won, shares, of_day = midnight + second, int(price), int(volume), int(running)
    if not 0 < won <= _LARGEST_PRICE or not 0 < shares <= of_day or at > latest:
        return None
    return Trade(
        symbol=entry.item,
        at=at,
        price=won,
        volume=shares,
        running_volume=of_day,
        running_value=int(millions or 0) * _MILLION,
        day=_day(values.open, values.high, values.low),
    )


@lru_cache(maxsize=_KEPT)
def _second(clock: str) -> int | None:
    """Return the second of the day of HHmmss; many trades share one."""
    if (found := _CLOCK(clock)) is None:
        return None
    hour, minute, second = map(int, found.groups())
    return (hour * 60 + minute) * 60 + second


@lru_cache(maxsize=_KEPT)
def _day(first: str, high: str, low: str) -> DayFigures | None:
    """Return a day's figures; they are the same for many trades in a row."""
    numbers = [int(found[1]) if (found := _NUMBER(text)) else 0 for text in (first, high, low)]
    return DayFigures(open=numbers[0], high=numbers[1], low=numbers[2]) if all(numbers) else None


def login(token: str) -> str:
    """Return the frame that logs in; the token without `Bearer`."""
    return _text({"trnm": Kind.LOGIN, "token": token})


def register(items: Iterable[str], group: str = _GROUP) -> str:
    """Return the frame that asks for the trades of some codes, beside those asked for before."""
    return _text({"trnm": Kind.REGISTER, "grp_no": group, "refresh": "1", "data": _data(items)})


def remove(items: Iterable[str]) -> str:
    """Return the frame that asks for them no more."""
    return _text({"trnm": Kind.REMOVE, "grp_no": _GROUP, "data": _data(items)})


def _data(items: Iterable[str]) -> Sequence[object]:
    return [{"item": sorted(items), "type": [TRADES]}]


def _text(frame: object) -> str:
    return msgspec.json.encode(frame).decode()
