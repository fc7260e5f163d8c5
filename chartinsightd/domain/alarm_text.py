"""Alarms as people write them: `> 73,000`, `-3%`, `거래량 3배`, `value 1000억`, `조건 52주 신고가`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from chartinsightd.domain.alarm import AlarmKind

_UNITS = {"": 1, "만": 10**4, "억": 10**8, "조": 10**12, "k": 10**3, "m": 10**6, "bn": 10**9, "tn": 10**12}
_AMOUNT = re.compile(
    r"(?P<number>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>만|억|조|k|m|bn|tn|)\s*(?:원|주)?", re.IGNORECASE
)
_TIMES = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:x|×|배)", re.IGNORECASE)
_PERCENT = re.compile(r"(?P<sign>[+\-−±]?)\s*(?P<number>\d+(?:\.\d+)?)\s*%?")
_LARGEST = 10**16
"""Above the won that both markets turn over in a year."""
_WORDS = {
    AlarmKind.VOLUME: ("volume", "거래량"),
    AlarmKind.VALUE: ("value", "거래대금", "대금"),
    AlarmKind.SCREEN: ("screen", "조건"),
    AlarmKind.MOVE: ("change", "등락률", "변동"),
}
_SIGNS = {"+": AlarmKind.RISE, "-": AlarmKind.FALL, "−": AlarmKind.FALL}


class NotAnAlarm(ValueError):
    """The words say no alarm; the message says what was wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an alarm waits for; see `domain.alarm.AlarmRule`."""

    kind: AlarmKind
    level: int = 0
    is_multiple: bool = False
    screen: str = ""


def amount_of(text: str) -> int:
    """Return an amount such as `73,000`, `1000억`, `2.5조`, `12m`.

    Raises:
        NotAnAlarm: it is none, or not a whole number above zero.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise NotAnAlarm(f"{text.strip() or 'nothing'} is no amount such as 73,000 or 1000억")
    amount = Decimal(found["number"].replace(",", "")) * _UNITS[found["unit"].lower()]
    if amount != int(amount) or not 0 < amount <= _LARGEST:
        raise NotAnAlarm(f"{text.strip()} is not a whole number above zero")
    return int(amount)


def change_of(text: str) -> Wanted:
    """Return a change of the day: `5%` either way, `+5%` up, `-3.5%` down.

    Raises:
        NotAnAlarm: it is none.
    """
    found = _PERCENT.fullmatch(text.strip())
    level = 0 if found is None else int(Decimal(found["number"]) * 100)
    if found is None or not 0 < level <= 100_00:
        raise NotAnAlarm(f"{text.strip() or 'nothing'} is no change such as 5, +5% or -3.5%")
    return Wanted(kind=_SIGNS.get(found["sign"], AlarmKind.MOVE), level=level)


def trading_of(kind: AlarmKind, text: str) -> Wanted:
    """Return an amount of trading, or a multiple of the usual such as `3x` or `3배`.

    Raises:
        NotAnAlarm: it is neither.
    """
    found = _TIMES.fullmatch(text.strip())
    if found is None:
        return Wanted(kind=kind, level=amount_of(text))
    level = int(Decimal(found["number"]) * 100)
    if not 0 < level <= 1_000_000:
        raise NotAnAlarm(f"{text.strip()} is no multiple such as 3x")
    return Wanted(kind=kind, level=level, is_multiple=True)


def wanted_of(text: str) -> Wanted:
    """Return what the words behind a stock's name say.

    Raises:
        NotAnAlarm: they say nothing that an alarm could wait for.
    """
    words = text.strip()
    for kind, names in _WORDS.items():
        for name in names:
            if words.casefold().startswith(name):
                return _named(kind, words[len(name) :].strip().lstrip(">≥=").strip())
    if words[:1] in {">", "≥"}:
        return Wanted(kind=AlarmKind.ABOVE, level=amount_of(words.lstrip(">≥=")))
    if words[:1] in {"<", "≤"}:
        return Wanted(kind=AlarmKind.BELOW, level=amount_of(words.lstrip("<≤=")))
    if words.endswith("%"):
        return change_of(words)
    raise NotAnAlarm("Write it as > 73000, < 70000, 5%, volume 3x, value 1000억 or screen NAME")


def _named(kind: AlarmKind, rest: str) -> Wanted:
    if kind is AlarmKind.SCREEN:
        name = rest.removesuffix("편입").strip()
        if not name:
            raise NotAnAlarm("Name the stored screen")
        return Wanted(kind=kind, screen=name)
    return change_of(rest) if kind is AlarmKind.MOVE else trading_of(kind, rest)
