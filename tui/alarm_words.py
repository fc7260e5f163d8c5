"""Alarms that people set, in words: what each waits for, how it stands, and what a typed line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chartinsight_tui.formatting import NOTHING, number
from chartinsight_tui.search import found
from chartinsight_tui.store import Store
from chartinsight_tui.text import Words
from chartinsightd.domain.alarm import AlarmKind
from chartinsightd.domain.alarm_text import NotAnAlarm, wanted_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.alarms import AlarmAddRequest, AlarmRow

_MOVES = {AlarmKind.RISE: "+", AlarmKind.FALL: "-", AlarmKind.MOVE: "±"}
_MOST_WORDS = 6
"""Words of a stock's name and its alarm."""


def rule_words(row: AlarmRow, words: Words) -> str:
    """Return what an alarm waits for."""
    if row.kind is AlarmKind.SCREEN:
        return words.put("alarm.screen", name=row.screen)
    if row.kind.is_price:
        return f"{'≥' if row.kind is AlarmKind.ABOVE else '≤'} {number(row.level)}"
    if row.kind in _MOVES:
        return f"{_MOVES[row.kind]}{row.level / 100:g}%"
    level = f"{row.level / 100:g}×" if row.is_multiple else number(row.level)
    return f"{words[f'value.{row.kind.value}']} ≥ {level}"


def figure_words(row: AlarmRow) -> str:
    """Return what is compared with the level."""
    if row.figure is None:
        return NOTHING
    if row.kind in _MOVES:
        return f"{row.figure / 100:.2f}%"
    return f"{row.figure / 100:.2f}×" if row.is_multiple else number(row.figure)


def standing_words(row: AlarmRow, words: Words) -> str:
    """Return how an alarm stands: reached, not reached, or why that is not known."""
    if row.unknown is not None:
        return words[f"alarm.unknown.{row.unknown.value}"]
    if row.is_met is None:
        return words["alarm.not_looked"]
    return words["alarm.met" if row.is_met else "alarm.unmet"]


def wanted_alarm(text: str, store: Store) -> AlarmAddRequest:
    """Return what a typed line means: a stock and its alarm, or a screen alone.

    Raises:
        NotAnAlarm: it names no stock, several, or no alarm.
    """
    from chartinsightd.control.protocol.alarms import AlarmAddRequest

    words = text.split()
    for count in range(min(len(words), _MOST_WORDS) + 1):
        name, rest = " ".join(words[:count]), " ".join(words[count:])
        try:
            wanted = wanted_of(rest)
        except NotAnAlarm:
            continue
        symbol = _symbol(name, store) if name else None
        if symbol is None and wanted.kind is not AlarmKind.SCREEN:
            raise NotAnAlarm("no stock")
        return AlarmAddRequest(
            kind=wanted.kind,
            symbol=symbol,
            level=wanted.level,
            is_multiple=wanted.is_multiple,
            screen=wanted.screen,
        )
    raise NotAnAlarm("no alarm")


def _symbol(name: str, store: Store) -> str:
    stocks = list(found(name, store.stocks.values(), 2))
    exact = [stock for stock in stocks if name.casefold() in {stock.name.casefold(), stock.symbol.casefold()}]
    chosen = exact or stocks
    if len(chosen) != 1:
        raise NotAnAlarm("which stock")
    return chosen[0].symbol
