"""Alarms that people set, as messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from chartinsightd.backend.scope import StockNames, unlisted
from chartinsightd.backend.screens import unknown_screen
from chartinsightd.clock import Clock
from chartinsightd.control.alarm_operations import ALARM_ADD, ALARM_REMOVE, ALARMS
from chartinsightd.control.handlers import Caller, Handlers, NotNow, UnknownThing
from chartinsightd.control.protocol.alarms import AlarmAddRequest, AlarmRemoveRequest, AlarmRow, AlarmRows
from chartinsightd.domain.alarm import MOST_ALARMS, AlarmKind, AlarmRule
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.kst import day_of
from chartinsightd.ports.screens import StoredScreen
from chartinsightd.service.watching.alarms import Alarms, Standing

Screens = Callable[[], Awaitable[Sequence[StoredScreen]]]
"""The stored screens."""


class AlarmDesk:
    """Answers which alarms there are, sets and removes them.

    Args:
        alarms: the alarms.
        names: of the stocks.
        screens: those that an alarm may name.
        clock: says on which day an alarm was set.
    """

    def __init__(self, alarms: Alarms, *, names: StockNames, screens: Screens, clock: Clock) -> None:
        self._alarms = alarms
        self._names = names
        self._screens = screens
        self._clock = clock

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of alarms."""
        handlers.add(ALARMS, self.alarms)
        handlers.add(ALARM_ADD, self.add)
        handlers.add(ALARM_REMOVE, self.remove)

    async def alarms(self) -> AlarmRows:
        """Return every alarm and how it stands."""
        names = await self._names()
        return AlarmRows(items=tuple(_row(one, names) for one in await self._alarms.standings()))

    async def add(self, request: AlarmAddRequest, caller: Caller) -> AlarmRows:
        """Set an alarm, and return all.

        Raises:
            ConfigurationError: the request says no rule.
            UnknownThing: there is no such stock or screen.
            NotNow: there are too many alarms.
        """
        _check(request)
        if request.symbol is not None and request.symbol not in await self._names():
            raise unlisted(request.symbol)
        if request.screen and request.screen not in {one.name for one in await self._screens()}:
            raise unknown_screen(request.screen)
        if len(await self._alarms.standings()) >= MOST_ALARMS:
            raise NotNow(f"There are {MOST_ALARMS} alarms already.", remedy="Remove some first.")
        await self._alarms.add(self._rule(request), caller.name)
        return await self.alarms()

    async def remove(self, request: AlarmRemoveRequest, caller: Caller) -> AlarmRows:
        """Remove alarms, and return those that are left.

        Raises:
            UnknownThing: one of them is not there; none was removed.
        """
        del caller  # the server logs who asked
        there = {one.alarm.id for one in await self._alarms.standings()}
        for wanted in request.ids:
            if wanted not in there:
                raise UnknownThing(
                    f"There is no alarm {wanted}.", remedy="`chartinsightctl alarms` shows those there are."
                )
        await self._alarms.remove(request.ids)
        return await self.alarms()

    def _rule(self, request: AlarmAddRequest) -> AlarmRule:
        return AlarmRule(
            kind=request.kind,
            symbol=request.symbol or "",
            level=request.level,
            is_multiple=request.is_multiple,
            screen=request.screen,
            set_on=day_of(self._clock.now()),
        )


def _check(request: AlarmAddRequest) -> None:
    """Refuse what says no rule: each kind needs its own parts."""
    is_screen = request.kind is AlarmKind.SCREEN
    if is_screen and (not request.screen or request.level or request.is_multiple):
        raise ConfigurationError("An alarm of a screen needs the screen's name and no level.")
    if is_screen:
        return
    if request.symbol is None or not request.level or request.screen:
        raise ConfigurationError(f"An alarm {request.kind.value} needs a stock and a level above zero.")
    if request.is_multiple and not request.kind.is_trading:
        raise ConfigurationError("Only volume and value can be a multiple of the usual.")


def _row(standing: Standing, names: Mapping[str, str]) -> AlarmRow:
    alarm, judged, reading = standing.alarm, standing.judged, standing.reading
    rule = alarm.rule
    is_known = judged is not None and judged.figure is not None
    return AlarmRow(
        id=alarm.id,
        kind=rule.kind,
        symbol=rule.symbol or None,
        name=names.get(rule.symbol, ""),
        level=rule.level,
        is_multiple=rule.is_multiple,
        screen=rule.screen,
        created_at=alarm.created_at,
        created_by=alarm.created_by,
        unknown=None if judged is None else judged.unknown,
        is_met=_is_met(standing),
        figure=None if judged is None else judged.figure,
        session=reading.day if is_known and reading is not None else None,
        known_at=reading.at if is_known and reading is not None else None,
        fired_at=alarm.fired_at,
        fired_words=alarm.fired_words,
    )


def _is_met(standing: Standing) -> bool | None:
    judged, rule = standing.judged, standing.alarm.rule
    if judged is None or judged.unknown is not None or judged.figure is None:
        return None
    if rule.kind is AlarmKind.SCREEN:
        return judged.figure > 0
    return judged.state.met if rule.kind.is_price else judged.figure >= rule.level
