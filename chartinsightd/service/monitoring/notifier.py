"""Carries alerts to people, through every channel there is: never twice, never too many, never waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import (
    AlertRules,
    Condition,
    Notification,
    Phase,
    Sent,
    due,
    worth_keeping,
)
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import AlertUndelivered
from chartinsightd.ports.guards import AlertChannel, Notice, SentRecord
from chartinsightd.service.monitoring.message import Place, notice_of, trial_notice
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_HOUR = timedelta(hours=1)
_ROOM = 100
"""News that one channel may owe; older ones are left out and counted."""
_BACKOFF = Backoff(first=timedelta(seconds=5), longest=timedelta(minutes=15))
_FAILURES_OF_A_DEAD_CHANNEL = 3
_SETTLED_S = 120.0
"""So long after a start a condition of before may not be known again yet: its end is not told sooner."""
_TRIAL_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How one channel does."""

    channel: str
    ok: bool
    detail: str = ""
    remedy: str = ""
    waiting: int = 0
    """News it still owes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierRules:
    """How much a person wants to be told, and how often."""

    tell: AlertRules = field(default_factory=AlertRules)
    per_hour: int = 20
    """Most messages for each channel in an hour; further alerts are combined into a later one."""


class Notifier:
    """Told once a second what is wrong, it tells people what is new.

    Args:
        channels: may be none.
        record: what was told before the start.
        clock: of the people, not of the daemon: quiet hours are real ones, however fast a simulation runs.
        rules: see there.
        place: on every message.
        clean: takes secrets out of a text.
    """

    def __init__(
        self,
        *,
        channels: Sequence[AlertChannel],
        record: SentRecord,
        clock: Clock,
        rules: NotifierRules,
        place: Place,
        clean: Callable[[str], str],
    ) -> None:
        self._record = record
        self._clock = clock
        self._rules = rules
        self._place = place
        self._clean = clean
        self._told = record.load()
        self._delivered = dict(self._told)
        self._silenced: frozenset[str] = frozenset()
        self._begun_s = clock.monotonic()
        self._outboxes = [
            _Outbox(
                channel=channel,
                clock=clock,
                per_hour=rules.per_hour,
                notice=self._notice,
                on_delivered=self._remember,
            )
            for channel in channels
        ]

    @property
    def is_silent(self) -> bool:
        """Whether there is no channel at all."""
        return not self._outboxes

    def update(self, active: Mapping[AlertKind, Condition], silenced: frozenset[str] = frozenset()) -> None:
        """Note all current conditions and queue what is new. Never waits.

        Of silenced kinds nothing is queued; what still lasts, or ended meanwhile, is told afterwards.
        """
        self._silenced = silenced
        if self.is_silent:
            return
        now = self._clock.now()
        is_settled = self._clock.monotonic() - self._begun_s >= _SETTLED_S
        by_name = {kind.value: one for kind, one in active.items() if kind.value not in silenced}
        heard = {event: one for event, one in self._told.items() if event not in silenced}
        for one in [*due(by_name, heard, now, self._rules.tell, may_end=is_settled)]:
            self._told[one.event] = one.told
            for outbox in self._outboxes:
                outbox.add(one)
        self._told = worth_keeping(self._told, now, self._rules.tell)

    async def run(self) -> None:
        """Deliver until cancelled; each channel at its own pace."""
        async with TaskGroup() as group:
            for outbox in self._outboxes:
                group.create_task(outbox.run(), name=f"alerts {outbox.name}")

    async def test(self) -> list[Delivery]:
        """Send one message through each channel now, and return how it went."""
        notice = trial_notice(self._place, self._clock.now())
        async with TaskGroup() as group:
            tasks = [group.create_task(outbox.try_once(notice)) for outbox in self._outboxes]
        return [self._cleaned_delivery(task.result()) for task in tasks]

    def notify_from_thread(self, kind: AlertKind, condition: Condition) -> None:
        """Tell at once that a condition began, from a thread that waits for it, while the loop stands still.

        What reached no channel is sent by `update`, if the loop ever runs again.
        """
        if self.is_silent or kind in self._silenced or (kind in self._told and self._told[kind].is_open):
            return
        now = self._clock.now()
        told = Sent(at=now, since=now, message=condition.message)
        one = Notification(event=kind.value, phase=Phase.BEGUN, condition=condition, at=now, told=told)
        asyncio.run(self._told_apart(one))

    def announce(self, kind: AlertKind, condition: Condition) -> None:
        """Queue something that happened once and has no end. Never waits."""
        if kind in self._silenced:
            return
        now = self._clock.now()
        told = Sent(at=now, since=now, message=condition.message, is_open=False)
        one = Notification(event=kind.value, phase=Phase.HAPPENED, condition=condition, at=now, told=told)
        for outbox in self._outboxes:
            outbox.add(one)

    async def _told_apart(self, one: Notification) -> None:
        notice = self._notice([one], 0)
        async with TaskGroup() as group:
            tasks = [group.create_task(outbox.try_once(notice)) for outbox in self._outboxes]
        if any(task.result().ok for task in tasks):
            self._told[one.event] = one.told
            await self._remember([one])

    def deliveries(self) -> list[Delivery]:
        """Return how each channel does."""
        return [self._cleaned_delivery(outbox.state()) for outbox in self._outboxes]

    def conditions(self) -> dict[AlertKind, Condition]:
        """Return what is wrong with the channels themselves, for those that work and for the dashboard."""
        dead = [outbox.state() for outbox in self._outboxes if outbox.is_dead]
        if not dead:
            return {}
        words = " ".join(f"{one.channel}: {one.detail}" for one in dead)
        return {
            AlertKind.ALERTS_UNDELIVERED: Condition(level="warning", message=words, remedy=dead[0].remedy)
        }

    def _notice(self, told: Sequence[Notification], lost: int) -> Notice:
        notice = notice_of(told, self._place, lost)
        return replace(notice, subject=self._clean(notice.subject), text=self._clean(notice.text))

    async def _remember(self, told: Sequence[Notification]) -> None:
        """Remember what was delivered; the rest is sent again after a restart."""
        self._delivered |= {one.event: one.told for one in told}
        self._delivered = worth_keeping(self._delivered, self._clock.now(), self._rules.tell)
        await self._record.save({event: self._cleaned(one) for event, one in self._delivered.items()})

    def _cleaned_delivery(self, one: Delivery) -> Delivery:
        return replace(one, detail=self._clean(one.detail), remedy=self._clean(one.remedy))

    def _cleaned(self, one: Sent) -> Sent:
        return replace(one, message=self._clean(one.message))


class _Outbox:
    """What one channel has to tell."""

    def __init__(
        self,
        *,
        channel: AlertChannel,
        clock: Clock,
        per_hour: int,
        notice: Callable[[Sequence[Notification], int], Notice],
        on_delivered: Callable[[Sequence[Notification]], Awaitable[None]],
    ) -> None:
        self.name = channel.name
        self._channel = channel
        self._clock = clock
        self._per_hour = per_hour
        self._notice = notice
        self._on_delivered = on_delivered
        self._waiting: deque[Notification] = deque()
        self._lost = 0
        self._sent: deque[datetime] = deque(maxlen=per_hour)
        self._failures = 0
        self._failure: AlertUndelivered | None = None
        self._has_news = asyncio.Event()

    @property
    def is_dead(self) -> bool:
        """Whether it has failed for a while."""
        return self._failures >= _FAILURES_OF_A_DEAD_CHANNEL

    def add(self, one: Notification) -> None:
        """Owe one more; the oldest gives way where there is no room."""
        self._waiting.append(one)
        self._make_room()
        self._has_news.set()

    def state(self) -> Delivery:
        """Return how it does."""
        return _delivery(self.name, self._failure, len(self._waiting))

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._has_news.wait()
            await self._clock.sleep(self._wait_s())
            self._has_news.clear()
            if self._waiting:
                await self._deliver()

    def _wait_s(self) -> float:
        """Return how long to wait: longer after each failure, and to keep within the messages of an hour."""
        retry_s = _BACKOFF.after(self._failures).total_seconds() if self._failures else 0.0
        full_s = 0.0
        if len(self._sent) == self._per_hour:
            full_s = (self._sent[0] + _HOUR - self._clock.now()).total_seconds()
        return max(0.0, retry_s, min(full_s, _HOUR.total_seconds()))

    async def _deliver(self) -> None:
        """Tell all that waits in one message."""
        batch, lost = [*self._waiting], self._lost
        self._waiting.clear()
        self._lost = 0
        try:
            await self._channel.send(self._notice(batch, lost))
        except AlertUndelivered as error:
            self._failed(error)
            self._waiting.extendleft(reversed(batch))
            self._lost += lost
            self._make_room()
            self._has_news.set()
            return
        log.info("alert.delivered", channel=self.name, alerts=len(batch))
        self._failures, self._failure = 0, None
        self._sent.append(self._clock.now())
        await self._on_delivered(batch)

    def _failed(self, error: AlertUndelivered) -> None:
        self._failures += 1
        self._failure = error
        log.warning(
            "alert.undelivered",
            channel=self.name,
            error=error.message,
            remedy=error.remedy,
            retry_in_s=self._wait_s(),
        )

    def _make_room(self) -> None:
        while len(self._waiting) > _ROOM:
            self._waiting.popleft()
            self._lost += 1

    async def try_once(self, notice: Notice) -> Delivery:
        """Send one message out of turn."""
        try:
            async with asyncio.timeout(_TRIAL_TIMEOUT_S):
                await self._channel.send(notice)
        except TimeoutError:
            return _delivery(self.name, AlertUndelivered("It takes too long."))
        except AlertUndelivered as error:
            return _delivery(self.name, error)
        return _delivery(self.name, None)


def _delivery(channel: str, error: AlertUndelivered | None, waiting: int = 0) -> Delivery:
    if error is None:
        return Delivery(channel=channel, ok=True, waiting=waiting)
    return Delivery(channel=channel, ok=False, detail=error.message, remedy=error.remedy, waiting=waiting)
