"""Alarms that people set: judged every other second, kept before they are told, told once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NoReturn, Protocol

import structlog

from chartinsightd.clock import Clock, wait_for
from chartinsightd.domain.alarm import AlarmKind, AlarmRule, AlarmState, DayReading, Judged, Unknown, judged
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.kst import day_of
from chartinsightd.ports.alarms import Alarm, AlarmStore
from chartinsightd.ports.screens import ScreenRun
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.alarm_words import fired_words, screen_words
from chartinsightd.service.watching.day_readings import DayReadings

log = structlog.get_logger(__name__)

_EVERY_S = 2.0
_LEAST_REAL_S = 1.0
_SCREENS_EVERY_S = 60.0
_KEPT_EVERY_S = 60.0
"""What is seen between crossings is written so often: after a kill a crossing is found from older figures."""
_LATE_AFTER = timedelta(hours=12)
"""What fired before a kill and was not told is told at the next start, unless it is older than this."""

_OLD_AFTER = timedelta(minutes=10)
"""A price of a session that goes on is called old after this: final candles of five minutes come sooner."""

Tell = Callable[[Condition], None]
"""Tells people something that happened once. Never waits."""
Names = Callable[[], Awaitable[Mapping[str, str]]]


class ScreenRuns(Protocol):
    """Who knows what stored screens found."""

    async def runs(self, name: str, limit: int) -> list[ScreenRun]:
        """Return runs of a screen, the newest session first; raises StoreUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an alarm stands."""

    alarm: Alarm
    judged: Judged | None
    """By the newest reading; None before the first look."""
    reading: DayReading | None


class Alarms:
    """Keeps alarms, judges them and tells what fires. What fails here is logged and costs nobody else.

    Args:
        store: where they are kept; this is its only writer.
        readings: what is known of each stock's session.
        screens: what stored screens found.
        names: of the stocks.
        tell: tells people.
        current_rules: the calendar in force.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        store: AlarmStore,
        readings: DayReadings,
        screens: ScreenRuns,
        names: Names,
        tell: Tell,
        current_rules: CurrentRules,
        clock: Clock,
    ) -> None:
        self._store = store
        self._readings = readings
        self._screens = screens
        self._names = names
        self._tell = tell
        self._current_rules = current_rules
        self._clock = clock
        self._alarms: dict[int, Alarm] | None = None
        self._judged: dict[int, Judged] = {}
        self._seen: Mapping[str, DayReading] = {}
        self._changing = asyncio.Lock()
        self._is_new = asyncio.Event()
        self._kept_s = self._screens_s = float("-inf")
        self._is_failing = False

    @property
    def symbols(self) -> tuple[str, ...]:
        """Stocks whose price is needed."""
        kept = (self._alarms or {}).values()
        needed = [one.rule.symbol for one in kept if one.rule.kind is not AlarmKind.SCREEN]
        return tuple(dict.fromkeys(needed))

    async def standings(self) -> list[Standing]:
        """Return every alarm and how it stands, the oldest first.

        Raises:
            StoreUnavailable: they were not read yet, and cannot be now.
        """
        async with self._changing:
            kept = await self._kept()
        return [self._standing(alarm) for alarm in kept.values()]

    def _standing(self, alarm: Alarm) -> Standing:
        found, reading = self._judged.get(alarm.id), self._seen.get(alarm.rule.symbol)
        if found is not None and reading is not None and self._is_old(reading):
            found = replace(found, unknown=Unknown.OLD_PRICE)
        return Standing(alarm=alarm, judged=found, reading=reading)

    def _is_old(self, reading: DayReading) -> bool:
        """Whether a session goes on of which a price should be known that is newer."""
        now = self._clock.now()
        session = self._current_rules.calendar.session(day_of(now))
        is_on = session is not None and session.open_at + _OLD_AFTER <= now <= session.ends_at
        return is_on and now - reading.at > _OLD_AFTER

    async def add(self, rule: AlarmRule, by: str) -> Alarm:
        """Keep a new alarm; return it, or the one there is with the same rule.

        Raises:
            StoreUnavailable: it was not kept.
        """
        async with self._changing:
            kept = await self._kept()
            for alarm in kept.values():
                if replace(alarm.rule, set_on=rule.set_on) == rule:
                    return alarm
            added = await self._store.add_alarm(rule, self._clock.now(), by)
            kept[added.id] = added
        self._screens_s = float("-inf")
        self._is_new.set()
        return added

    async def remove(self, ids: Sequence[int]) -> None:
        """Forget alarms.

        Raises:
            StoreUnavailable: they are still there.
        """
        async with self._changing:
            kept = await self._kept()
            await self._store.remove_alarms(ids)
            for gone in ids:
                kept.pop(gone, None)
                self._judged.pop(gone, None)

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            self._is_new.clear()
            try:
                await self.look()
                self._is_failing = False
            except StoreError as error:
                if not self._is_failing:
                    log.warning("alarms.put_off", error=str(error))
                self._is_failing = True
            await wait_for(self._clock, max(_EVERY_S, self._clock.real(_LEAST_REAL_S)), self._is_new)

    async def look(self) -> None:
        """Judge every alarm once; what fires is kept first, then told.

        Raises:
            StoreUnavailable: nothing was told that is not kept.
        """
        async with self._changing:
            kept = await self._kept()
            if not kept:
                return
            self._seen = await self._readings.of(self.symbols)
            changed = [*await self._look_at_prices(kept), *await self._look_at_screens(kept)]
            await self._keep(kept, changed)
            await self._tell_untold(kept)

    async def _kept(self) -> dict[int, Alarm]:
        if self._alarms is None:
            self._alarms = {alarm.id: alarm for alarm in await self._store.alarms()}
        return self._alarms

    async def _look_at_prices(self, kept: Mapping[int, Alarm]) -> list[Alarm]:
        """Return the alarms of stocks that remember something else now."""
        changed = []
        for alarm in kept.values():
            rule = alarm.rule
            if rule.kind is AlarmKind.SCREEN:
                continue
            reading = self._seen.get(rule.symbol)
            if reading is None:
                self._judged[alarm.id] = Judged(state=alarm.state, unknown=Unknown.NO_PRICE)
                continue
            actions = self._readings.actions(rule.symbol)
            found = self._judged[alarm.id] = judged(rule, alarm.state, reading, actions)
            if found.fires:
                words = fired_words(rule, await self._name(rule.symbol), found, reading, actions)
                changed.append(self._fired(alarm, found.state, words))
            elif found.state != alarm.state:
                changed.append(replace(alarm, state=found.state))
        return changed

    async def _look_at_screens(self, kept: Mapping[int, Alarm]) -> list[Alarm]:
        """Return the alarms of screens whose newest run fires them."""
        now_s = self._clock.monotonic()
        if now_s - self._screens_s < _SCREENS_EVERY_S:
            return []
        self._screens_s = now_s
        of_screens = [alarm for alarm in kept.values() if alarm.rule.kind is AlarmKind.SCREEN]
        found = [await self._look_at_screen(alarm) for alarm in of_screens]
        return [alarm for alarm in found if alarm is not None]

    async def _look_at_screen(self, alarm: Alarm) -> Alarm | None:
        rule, state = alarm.rule, alarm.state
        runs = await self._screens.runs(rule.screen, 1)
        if not runs:
            self._judged[alarm.id] = Judged(state=state, unknown=Unknown.NO_SCREEN)
            return None
        [run] = runs
        new = [one.symbol for one in run.matches if one.is_new and rule.symbol in {"", one.symbol}]
        self._judged[alarm.id] = Judged(state=state, figure=len(new))
        if not new or state.fired_on == run.session or run.created_at <= alarm.created_at:
            return None
        names = [await self._name(symbol) for symbol in new]
        words = screen_words(rule.screen, run.session, names)
        return self._fired(alarm, replace(state, fired_on=run.session, day=run.session), words)

    async def _keep(self, kept: dict[int, Alarm], changed: Sequence[Alarm]) -> None:
        """Write down crossings and firings at once, other figures from time to time."""
        now_s = self._clock.monotonic()
        is_due = now_s - self._kept_s >= _KEPT_EVERY_S
        if is_due or any(_matters(kept[alarm.id], alarm) for alarm in changed):
            await self._store.save_alarms(changed)
            self._kept_s = now_s
        kept |= {alarm.id: alarm for alarm in changed}

    async def _tell_untold(self, kept: dict[int, Alarm]) -> None:
        """Tell what fired; noted as told before the message leaves, so that no kill tells it twice."""
        untold = [alarm for alarm in kept.values() if alarm.is_untold]
        if not untold:
            return
        now = self._clock.now()
        told = [replace(alarm, told_at=now) for alarm in untold]
        await self._store.save_alarms(told)
        kept |= {alarm.id: alarm for alarm in told}
        for alarm in untold:
            log.info("alarm.fired", alarm=alarm.id, message=alarm.fired_words)
            if alarm.fired_at is not None and now - alarm.fired_at < _LATE_AFTER:
                self._tell(_condition(alarm))

    def _fired(self, alarm: Alarm, state: AlarmState, words: str) -> Alarm:
        return replace(alarm, state=state, fired_at=self._clock.now(), fired_words=words)

    async def _name(self, symbol: str) -> str:
        return (await self._names()).get(symbol) or symbol


def _matters(before: Alarm, after: Alarm) -> bool:
    old, new = before.state, after.state
    return (old.met, old.fired_on, before.fired_at) != (new.met, new.fired_on, after.fired_at)


def _condition(alarm: Alarm) -> Condition:
    return Condition(
        level="warning",
        message=alarm.fired_words,
        remedy="`chartinsightctl alarms` shows the alarms you set.",
    )
