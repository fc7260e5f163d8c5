"""The seal of one trading day of one symbol: what proves it complete, or what was found instead.

Four witnesses, as far as they are collected: the chain of running volumes says that no 5m candle is missing,
5m candles fold into Kiwoom's own 30m and 1h, the day holds the minutes, the days of a week fold into the
week.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from chartinsightd.domain.calendar import Session
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.comparison import Difference, compare
from chartinsightd.domain.fold import fold
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.unified import added_up

_PARTS = "KRX + NXT"
_EXAMPLES = 5
"""Differences that are named in the evidence of one seal."""


class SealState(StrEnum):
    """What the morning after says of a session."""

    SEALED = "sealed"
    """Nothing is missing, and every witness agrees."""
    UNPROVED = "unproved"
    """No witness contradicts, but nothing proves that no candle is missing."""
    BROKEN = "broken"
    """Something is missing or two witnesses contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionData:
    """What is stored of one session of one symbol. A timeframe that cannot be compared is left out."""

    session: Session
    chain: Chain | None
    """As it was read last; None where no read showed the whole session, or it has no 5m candle."""
    minutes: Candles
    """5m candles of the session."""
    longer: Mapping[Timeframe, Candles]
    """30m and 1h candles of the session."""
    day: Candles | None = None
    """Its daily candle, or none; None where days are not collected."""
    week_days: Candles | None = None
    """The days of its week, where the session ends one."""
    week: Candles | None = None
    """The candle of that week."""
    parts: tuple[Candles, ...] = ()
    """Of a session of both exchanges, the 5m candles of KRX and of NXT; empty where not both are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A seal, and what it rests on."""

    state: SealState
    evidence: Mapping[str, Any]
    """`suspects` in it are the timeframes to read again: one of them must be wrong, or was not read whole."""


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """Two witnesses that do not agree."""

    between: frozenset[Timeframe]
    fields: Mapping[str, Any]


def verify_session(witnesses: SessionData) -> Verdict:
    """Hear all witnesses of a session."""
    found = [
        *_of_longer(witnesses),
        *_of_day(witnesses),
        *_of_week(witnesses),
        *_of_parts(witnesses),
    ]
    chain = witnesses.chain
    state = SealState.SEALED if _is_proved(witnesses) else SealState.UNPROVED
    suspects = frozenset[Timeframe]().union(*(one.between for one in found))
    if chain is not None and chain.state is ChainState.BROKEN:
        suspects |= {Timeframe.M5}
    if suspects:
        state = SealState.BROKEN
    evidence = _evidence(witnesses)
    if not suspects and state is SealState.UNPROVED and _was_read_in_parts(witnesses):
        suspects = frozenset({Timeframe.M5})
    if suspects:
        evidence["suspects"] = [str(timeframe) for timeframe in Timeframe if timeframe in suspects]
    if found:
        evidence["differs"] = [dict(one.fields) for one in found[:_EXAMPLES]]
    return Verdict(state=state, evidence=evidence)


def _is_proved(witnesses: SessionData) -> bool:
    """Whether nothing can be missing: by the chain, or because the day says that nothing was traded."""
    chain = witnesses.chain
    if chain is not None:
        return chain.state is ChainState.PROVED and chain.rows == len(witnesses.minutes)
    if len(witnesses.minutes) or witnesses.day is None:
        return False
    return not int(witnesses.day.volume.sum())


def _was_read_in_parts(witnesses: SessionData) -> bool:
    """Whether one read of the whole session may prove it; not so where the broker gives no running volume."""
    chain = witnesses.chain
    if chain is None:
        return len(witnesses.minutes) > 0
    return chain.state is ChainState.PROVED and chain.rows != len(witnesses.minutes)


def _evidence(witnesses: SessionData) -> dict[str, Any]:
    minutes, chain = witnesses.minutes, witnesses.chain
    compared = [*witnesses.longer, *([Timeframe.D1] if witnesses.day is not None else [])]
    has_both = witnesses.week is not None and witnesses.week_days is not None
    compared += [Timeframe.W1] if has_both else []
    against = [_PARTS] if witnesses.parts else []
    volume = int(minutes.volume.sum())
    evidence: dict[str, Any] = {
        "chain": _words_of(witnesses),
        "candles": len(minutes),
        "volume": volume,
        "compared": [*(str(timeframe) for timeframe in compared), *against],
    }
    if chain is not None and chain.state is ChainState.BROKEN:
        assert chain.broken_at is not None  # a broken chain says where
        evidence |= {
            "breaks": chain.breaks,
            "broken_at": chain.broken_at.isoformat(),
            "missing_volume": chain.missing_volume,
        }
    if witnesses.day is not None and len(witnesses.day) and int(witnesses.day.volume[0]):
        # 85 to 100 % on real days, the rest is traded outside the order book (kiwoom.md#daily-volume)
        evidence["minutes_of_day"] = round(volume / int(witnesses.day.volume[0]), 4)
    return evidence


def _words_of(witnesses: SessionData) -> str:
    if witnesses.chain is None:
        return "not read whole" if len(witnesses.minutes) else "no candle"
    if witnesses.chain.rows != len(witnesses.minutes) and witnesses.chain.state is ChainState.PROVED:
        return f"proved for {witnesses.chain.rows} candles"
    return str(witnesses.chain.state)


def _of_longer(witnesses: SessionData) -> list[_Contradiction]:
    """Compare what 5m candles fold into with Kiwoom's own."""
    found: list[_Contradiction] = []
    for timeframe, candles in witnesses.longer.items():
        folded = fold(witnesses.minutes, timeframe, EMPTY)
        compared = compare(folded, candles, examples=_EXAMPLES)
        found += [_between(Timeframe.M5, timeframe, one) for one in compared.examples]
    return found


def _between(shorter: Timeframe, longer: Timeframe, difference: Difference) -> _Contradiction:
    fields = _without_symbol({**difference.fields(), "against": str(shorter)})
    return _Contradiction(frozenset({shorter, longer}), fields)


def _of_parts(witnesses: SessionData) -> list[_Contradiction]:
    """Compare 5m candles of both exchanges with the sum of those of each."""
    if not witnesses.parts:
        return []
    expected = added_up(witnesses.parts, witnesses.minutes)
    compared = compare(expected, witnesses.minutes, examples=_EXAMPLES)
    found = [{**one.fields(), "against": _PARTS} for one in compared.examples]
    return [_Contradiction(frozenset({Timeframe.M5}), _without_symbol(fields)) for fields in found]


def _without_symbol(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in fields.items() if name != "symbol"}


def _of_day(witnesses: SessionData) -> list[_Contradiction]:
    """Compare minutes with their day, by bounds that hold with and without the after-market.

    Which after-market trades a day includes is unknown (kiwoom.md#after-market), so each bound is one that
    holds either way. A day's volume is at least that of the regular minutes (kiwoom.md#daily-volume); its
    open is theirs; its high, low and close are theirs or those of all minutes.
    """
    if witnesses.day is None:
        return []
    minutes, between = witnesses.minutes, frozenset({Timeframe.M5, Timeframe.D1})
    if not len(witnesses.day):
        return [_against_day(between, "no_day", len(minutes), 0)] if len(minutes) else []
    [day] = witnesses.day
    if not len(minutes):
        return [_against_day(between, "no_minutes", day.volume, 0)] if day.volume else []
    regular = minutes.where(minutes.ts < _after_market(witnesses.session))
    opens = {int(part.open[0]) for part in (regular, _from_the_opening(witnesses)) if len(part)}
    return [_against_day(between, *one) for one in _contradictions(day, minutes, regular, opens)]


def _from_the_opening(witnesses: SessionData) -> Candles:
    """Return the minutes without the pre-market: whether a day opens with it is unknown."""
    return witnesses.minutes.where(witnesses.minutes.ts >= int(witnesses.session.open_at.timestamp()))


def _after_market(session: Session) -> int:
    return int((session.after_open_at or session.settled_at).timestamp())


def _contradictions(
    day: Candle, minutes: Candles, regular: Candles, opens: Set[int]
) -> list[tuple[str, int, int]]:
    """Return (field, the minutes' value, the day's value) of each bound that does not hold."""
    shown = regular if len(regular) else minutes
    highs, lows = (
        (int(shown.high.max()), int(minutes.high.max())),
        (
            int(minutes.low.min()),
            int(shown.low.min()),
        ),
    )
    closes = {int(shown.close[-1]), int(minutes.close[-1])}
    bounds = [
        ("volume", int(regular.volume.sum()), day.volume, int(regular.volume.sum()) <= day.volume),
        ("open", int(shown.open[0]), day.open, day.open in (opens or {int(shown.open[0])})),
        ("high", highs[0], day.high, highs[0] <= day.high <= highs[1]),
        ("low", lows[1], day.low, lows[0] <= day.low <= lows[1]),
        ("close", int(shown.close[-1]), day.close, day.close in closes),
    ]
    return [(name, theirs, days) for name, theirs, days, holds in bounds if not holds]


def _against_day(between: frozenset[Timeframe], name: str, minutes: int, day: int) -> _Contradiction:
    fields = {"timeframe": "1d", "against": "5m", "field": name, "expected": minutes, "found": day}
    return _Contradiction(between, fields)


def _of_week(witnesses: SessionData) -> list[_Contradiction]:
    """Compare the days of a week with the week: they are equal (kiwoom.md#week-sums).

    Whether a day without trades counts for open, high and low is not known: either is right. The value is
    not compared, because that of a day is rounded to millions.
    """
    days, week = witnesses.week_days, witnesses.week
    if days is None or week is None or (not len(week) and not int(days.volume.sum())):
        return []
    counting = [days.where(days.volume > 0), days]
    compared = [
        compare(_folded_week(days, shown, week), week, examples=_EXAMPLES) for shown in counting if len(shown)
    ]
    if any(not one.unequal for one in compared):
        return []
    examples = compared[0].examples if compared else compare(days, week).examples
    return [_between(Timeframe.D1, Timeframe.W1, one) for one in examples]


def _folded_week(days: Candles, shown: Candles, week: Candles) -> Candles:
    """Fold days into the candle of their week, wherever that starts."""
    return Candles(
        symbol=week.symbol,
        timeframe=Timeframe.W1,
        ts=week.ts[:1] if len(week) else days.ts[:1],
        open=shown.open[:1],
        high=np.array([shown.high.max()]),
        low=np.array([shown.low.min()]),
        close=days.close[-1:],
        volume=np.array([days.volume.sum()]),
        value=None,
        final=days.final[:1],
    )
