"""What an alarm says when it fires: names and figures, which need no language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.alarm import AlarmKind, AlarmRule, DayReading, Judged, level_on

_MOST_NAMED = 10
_TRADING = {AlarmKind.VOLUME: "거래량/volume", AlarmKind.VALUE: "거래대금/value"}
_MOVES = {AlarmKind.RISE: "+", AlarmKind.FALL: "-", AlarmKind.MOVE: "±"}


def fired_words(
    rule: AlarmRule, name: str, judged: Judged, reading: DayReading, actions: Sequence[CorporateAction]
) -> str:
    """Return one line, such as `삼성전자 73,200 ≥ 73,000`."""
    if rule.kind.is_price:
        return f"{name} {_crossing(rule, reading, actions)}"
    figure = judged.figure or 0
    if not rule.kind.is_trading:
        sign = "-" if rule.kind is AlarmKind.FALL else "+"
        if rule.kind is AlarmKind.MOVE:
            sign = "±"
        change, level = f"{sign}{figure / 100:.2f}%", f"{_MOVES[rule.kind]}{rule.level / 100:g}%"
        return f"{name} {reading.price:,} {change} ({level})"
    label = _TRADING[rule.kind]
    if rule.is_multiple:
        return f"{name} {label} {figure / 100:.2f}× ≥ {rule.level / 100:g}× (20일 평균/20-day mean)"
    return f"{name} {label} {figure:,} ≥ {rule.level:,}"


def screen_words(screen: str, session: date, names: Sequence[str]) -> str:
    """Return one line about new matches of a screen."""
    more = f" +{len(names) - _MOST_NAMED}" if len(names) > _MOST_NAMED else ""
    return f"{screen} {session}: {', '.join(names[:_MOST_NAMED])}{more}"


def _crossing(rule: AlarmRule, reading: DayReading, actions: Sequence[CorporateAction]) -> str:
    level, is_above = level_on(rule, reading.day, actions), rule.kind is AlarmKind.ABOVE
    sign, extreme = ("≥", reading.high) if is_above else ("≤", reading.low)
    is_met = reading.price >= level if is_above else reading.price <= level
    meanwhile = "" if is_met or extreme is None else f"{extreme:,} → "
    return f"{meanwhile}{reading.price:,} {sign} {_won(level)}"


def _won(level: Fraction) -> str:
    return f"{level.numerator:,}" if level.denominator == 1 else f"{float(level):,.1f}"
