"""The frames of the WebSocket: what is sent, and what the broker's say (kiwoom.md#websocket). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from chartinsightd.domain.trade import DayFigures, Trade

LARGEST_FRAME = 1024 * 1024
"""Bytes of a frame; twenty trades are about 20 kB."""
PING = '{"trnm":"PING"}'
TRADES = "0B"
_GROUP = "1"
_LONGEST_NUMBER = 15
"""Digits; a day of the largest stock has eleven, of won in millions eight."""
_MILLION = 1_000_000
_LARGEST_PRICE = 2**31 - 1
"""Prices are stored in four bytes."""
_CLOCK_DIGITS = 6


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
    at, price, volume = _second(values.time), _number(values.price), _number(values.volume)
    running, millions = _number(values.running_volume), _number(values.running_value)
    if at is None or not price or price > _LARGEST_PRICE or not volume or running is None:
        return None
    if midnight + at > latest or running < volume:
        return None
    return Trade(
        symbol=entry.item,
        at=midnight + at,
        price=price,
        volume=volume,
        running_volume=running,
        running_value=(millions or 0) * _MILLION,
        day=_day(values, price),
    )


def _day(values: _Values, price: int) -> DayFigures | None:
    first, high, low = _number(values.open), _number(values.high), _number(values.low)
    if not first or not high or not low or not low <= min(first, price) <= max(first, price) <= high:
        return None
    return DayFigures(open=first, high=high, low=low)


def _second(clock: str) -> int | None:
    """Return the second of the day of HHmmss."""
    if len(clock) != _CLOCK_DIGITS or not (clock.isascii() and clock.isdigit()):
        return None
    hour, minute, second = int(clock[:2]), int(clock[2:4]), int(clock[4:])
    return (hour * 60 + minute) * 60 + second if hour < 24 and minute < 60 and second < 60 else None


def _number(text: str) -> int | None:
    """Return a number whose sign says something else: a direction, an aggressor."""
    digits = text.lstrip("+-")
    if not digits.isdigit() or not digits.isascii() or len(digits) > _LONGEST_NUMBER:
        return None
    return int(digits)


def login(token: str) -> str:
    """Return the frame that logs in; the token without `Bearer`."""
    return _text({"trnm": Kind.LOGIN, "token": token})


def register(items: Iterable[str]) -> str:
    """Return the frame that asks for the trades of some codes, beside those asked for before."""
    return _text({"trnm": Kind.REGISTER, "grp_no": _GROUP, "refresh": "1", "data": _data(items)})


def remove(items: Iterable[str]) -> str:
    """Return the frame that asks for them no more."""
    return _text({"trnm": Kind.REMOVE, "grp_no": _GROUP, "data": _data(items)})


def _data(items: Iterable[str]) -> Sequence[object]:
    return [{"item": sorted(items), "type": [TRADES]}]


def _text(frame: object) -> str:
    return msgspec.json.encode(frame).decode()
