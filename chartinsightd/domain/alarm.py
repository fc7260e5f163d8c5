"""Alarms of a person's own: a price that crosses a level, a day's move, its trading, a screen's new match.

Each alarm fires at most once a session. A price alarm fires on a crossing: the price was on one side of the
level before, and is, or was meanwhile, on the other. A night or a gap between does not matter; the first
price that is known only says on which side it is. The others fire when the figure of the session reaches the
level. What is not known is neither reached nor missed: it changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from chartinsightd.facts import krx

if TYPE_CHECKING:  # the command line reads alarms of text without numpy
    from chartinsightd.domain.adjustment import CorporateAction

MOST_ALARMS = 200
USUAL_SESSIONS = 20
"""Sessions before today whose mean is the usual trading of a day."""
_LIMIT = Fraction(krx.PRICE_LIMITS[-1].share).limit_denominator(100)
_SLACK_WON = 5
"""What rounding to a tick may add to the daily limit."""


class AlarmKind(StrEnum):
    """What an alarm waits for."""

    ABOVE = "above"
    """The price rises to the level, in won, or higher."""
    BELOW = "below"
    """The price falls to the level or lower."""
    RISE = "rise"
    """The day's gain reaches the level, in hundredths of a percent."""
    FALL = "fall"
    """The day's loss reaches the level, in hundredths of a percent."""
    MOVE = "move"
    """One of the two before."""
    VOLUME = "volume"
    """The shares of the day reach the level."""
    VALUE = "value"
    """The won traded on the day reach the level."""
    SCREEN = "screen"
    """A stored screen holds for a stock for which it did not hold the session before."""

    @property
    def is_price(self) -> bool:
        """Whether it waits for a crossing."""
        return self in {AlarmKind.ABOVE, AlarmKind.BELOW}

    @property
    def is_trading(self) -> bool:
        """Whether it may be a multiple of the usual."""
        return self in {AlarmKind.VOLUME, AlarmKind.VALUE}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRule:
    """What a person wants to be told."""

    kind: AlarmKind
    symbol: str = ""
    """Empty: any stock of a screen."""
    level: int = 0
    """Won, hundredths of a percent, or shares; of a multiple hundredths of the usual; 0 for a screen."""
    is_multiple: bool = False
    """Whether the level is a multiple of the mean of the twenty sessions before."""
    screen: str = ""
    set_on: date
    """The Korean day whose measure a price level is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReading:
    """What is known of a stock's session at a moment, as traded. None: not known."""

    day: date
    at: datetime
    """Aware, UTC."""
    price: int
    base: int | None = None
    """What the day's change refers to."""
    high: int | None = None
    low: int | None = None
    volume: int = 0
    value: int | None = None
    last_day: date | None = None
    """The stored session before."""
    last_close: int | None = None
    usual_volume: int | None = None
    """Mean of the twenty sessions before, in shares of this day."""
    usual_value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """What an alarm remembers from one reading to the next."""

    met: bool | None = None
    """Of a price alarm, whether the price was on the far side; None: not known yet."""
    day: date | None = None
    """The session of the last reading."""
    high: int | None = None
    low: int | None = None
    fired_on: date | None = None
    """The session in which it fired last."""


class Unknown(StrEnum):
    """Why an alarm cannot be judged now."""

    NO_PRICE = "no_price"
    OLD_PRICE = "old_price"
    """The session is open, and the newest price is too old to judge."""
    NO_BASE = "no_base"
    """The price that the day's change refers to is not known."""
    NO_USUAL = "no_usual"
    """Fewer than twenty sessions before are stored, or the broker gives no value."""
    UNSETTLED = "unsettled"
    """The price is farther from the last close than a day allows: perhaps a split that is not known yet."""
    NO_SCREEN = "no_screen"
    """No stored screen has this name, or it has not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a reading did to an alarm."""

    state: AlarmState
    fires: bool = False
    unknown: Unknown | None = None
    figure: int | None = None
    """What is compared with the level, in its unit."""


def judged(
    rule: AlarmRule, state: AlarmState, reading: DayReading, actions: Sequence[CorporateAction]
) -> Judged:
    """Return what a reading of the rule's stock does. One of an earlier session than the last does nothing.

    Args:
        rule: of a stock, not of a screen.
        state: after the readings before.
        reading: the newest.
        actions: the stock's corporate actions as far as they are known, in any order.
    """
    if state.day is not None and reading.day < state.day:
        return Judged(state=state)
    if rule.kind.is_price:
        return _price(rule, state, reading, actions)
    figure, unknown = _figure(rule, reading, actions)
    seen = replace(state, day=reading.day)
    if figure is None:
        return Judged(state=seen, unknown=unknown)
    fires = figure >= rule.level and state.fired_on != reading.day
    return Judged(state=_fired(seen, reading) if fires else seen, fires=fires, figure=figure)


def level_on(rule: AlarmRule, day: date, actions: Sequence[CorporateAction]) -> Fraction:
    """Return a price alarm's level in the measure of a day: a split between moves it with the price."""
    return rule.level * _factor(actions, rule.set_on, day)


def usual_of(shares: Sequence[tuple[date, int]], day: date, actions: Sequence[CorporateAction]) -> int | None:
    """Return the mean of the last twenty (session, shares) in shares of a day; None where there are fewer."""
    if len(shares) < USUAL_SESSIONS:
        return None
    newest = shares[-USUAL_SESSIONS:]
    return int(sum(count * _factor(actions, on, day, is_volume=True) for on, count in newest) / len(newest))


def _price(
    rule: AlarmRule, state: AlarmState, reading: DayReading, actions: Sequence[CorporateAction]
) -> Judged:
    seen = replace(state, day=reading.day, high=reading.high, low=reading.low)
    if _is_unsettled(reading, actions):
        return Judged(state=replace(seen, met=None), unknown=Unknown.UNSETTLED, figure=reading.price)
    level, is_above = level_on(rule, reading.day, actions), rule.kind is AlarmKind.ABOVE

    def reaches(price: int) -> bool:
        return price >= level if is_above else price <= level

    is_met = reaches(reading.price)
    farthest = _farthest(state, reading, is_above=is_above)
    crossed = state.met is False and (is_met or (farthest is not None and reaches(farthest)))
    fires = crossed and state.fired_on != reading.day
    seen = replace(seen, met=is_met)
    return Judged(state=_fired(seen, reading) if fires else seen, fires=fires, figure=reading.price)


def _farthest(state: AlarmState, reading: DayReading, *, is_above: bool) -> int | None:
    """Return the day's extreme where it is new since the last reading: a price between two looks."""
    now, before = (reading.high, state.high) if is_above else (reading.low, state.low)
    if now is None or state.day != reading.day:
        return now
    if before is None:
        return None
    is_new = now > before if is_above else now < before
    return now if is_new else None


def _is_unsettled(reading: DayReading, actions: Sequence[CorporateAction]) -> bool:
    if reading.last_close is None or reading.last_day is None:
        return False
    close = reading.last_close * _factor(actions, reading.last_day, reading.day)
    return not close * (1 - _LIMIT) - _SLACK_WON <= reading.price <= close * (1 + _LIMIT) + _SLACK_WON


def _figure(
    rule: AlarmRule, reading: DayReading, actions: Sequence[CorporateAction]
) -> tuple[int | None, Unknown | None]:
    if rule.kind in {AlarmKind.VOLUME, AlarmKind.VALUE}:
        figure = _trading(rule, reading)
        return figure, Unknown.NO_USUAL if figure is None else None
    if reading.base is None and _is_unsettled(reading, actions):
        return None, Unknown.UNSETTLED
    base = _base(reading, actions)
    if not base:
        return None, Unknown.NO_BASE
    change = (reading.price - base) * 10_000 / base
    if rule.kind is AlarmKind.MOVE:
        change = abs(change)
    return int(-change if rule.kind is AlarmKind.FALL else change), None


def _base(reading: DayReading, actions: Sequence[CorporateAction]) -> Fraction | None:
    if reading.base is not None:
        return Fraction(reading.base)
    if reading.last_close is None or reading.last_day is None:
        return None
    return reading.last_close * _factor(actions, reading.last_day, reading.day)


def _trading(rule: AlarmRule, reading: DayReading) -> int | None:
    is_volume = rule.kind is AlarmKind.VOLUME
    figure = reading.volume if is_volume else reading.value
    if not rule.is_multiple or figure is None:
        return figure
    usual = reading.usual_volume if is_volume else reading.usual_value
    return figure * 100 // usual if usual else None


def _fired(state: AlarmState, reading: DayReading) -> AlarmState:
    return replace(state, fired_on=reading.day)


def _factor(
    actions: Sequence[CorporateAction], after: date, until: date, *, is_volume: bool = False
) -> Fraction:
    """Return what a price, or a volume, of one day is multiplied by to compare with one of a later day."""
    between = [action for action in actions if after < action.ex_date <= until]
    factors = [action.volume_factor if is_volume else action.price_factor for action in between]
    return prod(factors, start=Fraction(1))
