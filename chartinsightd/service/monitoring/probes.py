"""Looks at the parts beside the data itself: gate, pace, token, clock and disk.

Another part of the daemon that can fail becomes visible by one more `HealthProbe`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from chartinsightd.clock import CheckedClock, Clock
from chartinsightd.domain.alert_policy import Condition, Level
from chartinsightd.facts.krx import KST
from chartinsightd.ports.guards import Disk, DiskSpace
from chartinsightd.process.supervisor import Supervisor
from chartinsightd.service.state.alert_kinds import AlertKind

log = structlog.get_logger(__name__)

_GIB = 1024**3
_DISK_EVERY_REAL_S = 30.0
_JUMP_S = 60.0
_JUMP_TOLD_S = 600.0
"""A jump is over in an instant; so long it is shown."""
_WRONG_S = 5.0
_WRONG_REAL_S = 0.05
"""Under a fast clock more: an interruption between two looks at it is not a wrong clock."""
_WRONG_PATIENCE_S = 60.0
_WRONG_PATIENCE_REAL_S = 2.0
"""A simulated clock that is followed lags for a moment when it is set."""
_DAY_S = 86_400.0
"""A clock that is wrong by so much collects nothing that is right."""
SET_THE_CLOCK = (
    "Let a time service set it: `timedatectl set-ntp true`. If `timedatectl` says that it is right,"
    ' Kiwoom\'s is wrong: set kiwoom.dates = "ignored".'
)
SET_THE_SIMULATED_CLOCK = (
    "Give the daemon the simulator's clock: set clock.follow = true, or clock.start, clock.speed and"
    " clock.anchor as the simulator's --start, --speed and --anchor."
)
_REPORT_THE_FAILURE = (
    "All other parts go on. If it lasts, report it with the lines around `service.failed` in the log."
)
_TOKEN_PATIENCE_S = 60.0
_PAUSE_PATIENCE_S = 3600.0
_PAUSE_PATIENCE_REAL_S = 5.0
"""Under a fast clock, no sooner."""
_STUCK_S = 120.0
"""Beside the minute that the gate's own count looks back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One part of the daemon and whether it does its work."""

    part: str
    ok: bool
    detail: str = ""
    remedy: str = ""


class HealthProbe(Protocol):
    """Looks at one part of the daemon."""

    @property
    def part(self) -> str:
        """The part's name in the health report."""

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return what is wrong now, by the alert's name. Called with each beat of the pulse; no I/O."""


class Probes:
    """All probes, and what they found last."""

    def __init__(self, probes: Sequence[HealthProbe]) -> None:
        self._probes = tuple(probes)
        self._found: dict[str, Mapping[AlertKind, Condition]] = {}

    def look(self) -> dict[AlertKind, Condition]:
        """Let all look; return everything that is wrong."""
        self._found = {probe.part: probe.look() for probe in self._probes}
        return {event: condition for found in self._found.values() for event, condition in found.items()}

    def checks(self) -> Iterator[HealthCheck]:
        """Yield what was seen last, a line for each part; a warning is told, and no lack of health."""
        for part, found in self._found.items():
            worst = sorted(found.values(), key=lambda one: one.level)
            if worst:
                ok = worst[0].level != "error"
                yield HealthCheck(part=part, ok=ok, detail=worst[0].message, remedy=worst[0].remedy)
            else:
                yield HealthCheck(part=part, ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many of something within how short a time are worth an alert."""

    part: str
    kind: AlertKind
    least: int
    within_s: float
    """Seconds of the daemon's clock."""
    words: str
    """With `{count}` and `{minutes}`."""
    remedy: str


REFUSALS = RateLimit(
    part="pace",
    kind=AlertKind.BROKER_THROTTLING,
    least=10,
    within_s=300.0,
    words="Kiwoom refused {count} requests for their pace within {minutes:.0f} minutes; the gate slows down.",
    remedy="Does another program use the same key? Else lower kiwoom.requests_per_second.",
)


class RateProbe:
    """Implements `HealthProbe` over a count that only grows.

    Args:
        limit: what is too many.
        count: how many there were since the start.
        clock: whose seconds count.
    """

    def __init__(self, limit: RateLimit, count: Callable[[], int], clock: Clock) -> None:
        self.part = limit.part
        self._limit = limit
        self._count = count
        self._clock = clock
        self._seen = deque([(clock.monotonic(), count())])
        """When the count was seen to change; the first stands for all before the window."""

    def look(self) -> Mapping[AlertKind, Condition]:
        """Compare the count with the one at the beginning of the window."""
        now, count = self._clock.monotonic(), self._count()
        if self._seen[-1][1] != count:
            self._seen.append((now, count))
        while len(self._seen) > 1 and self._seen[1][0] <= now - self._limit.within_s:
            self._seen.popleft()
        found = count - self._seen[0][1]
        if found < self._limit.least:
            return {}
        words = self._limit.words.format(count=found, minutes=self._limit.within_s / 60)
        return {self._limit.kind: Condition(level="warning", message=words, remedy=self._limit.remedy)}


class QueueProbe:
    """Implements `HealthProbe`: requests wait at the gate, and none leaves.

    Args:
        waiting: requests at the gate now.
        sent: requests that left it in the last minute.
        is_held: whether they wait because nothing is to be asked now.
        clock: whose seconds count.
    """

    part = "gate"

    def __init__(
        self, waiting: Callable[[], int], sent: Callable[[], int], is_held: Callable[[], bool], clock: Clock
    ) -> None:
        self._waiting = waiting
        self._sent = sent
        self._is_held = is_held
        self._clock = clock
        self._moved_s = clock.monotonic()

    def look(self) -> Mapping[AlertKind, Condition]:
        """Remember when something moved last."""
        now, waiting = self._clock.monotonic(), self._waiting()
        if not waiting or self._sent() or self._is_held():
            self._moved_s = now
        stuck_s = now - self._moved_s
        if stuck_s < max(_STUCK_S, self._clock.real(_STUCK_S / 2)):
            return {}
        words = f"{waiting} requests wait at the gate, and none has left it for {stuck_s + 60:.0f} s."
        remedy = "Look into the log; if it tells nothing, restart the daemon."
        return {AlertKind.QUEUE_STUCK: Condition(level="error", message=words, remedy=remedy)}


class TokenFailure(Protocol):
    """Why there is no new token."""

    @property
    def since_s(self) -> float:
        """By the monotonic seconds of the daemon's clock."""

    @property
    def message(self) -> str:
        """Of the last try."""

    @property
    def remedy(self) -> str:
        """Of the last try; may be empty."""


class TokenProbe:
    """Implements `HealthProbe`: the broker gives no token.

    Args:
        failure: since when and why; None while all is well.
        clock: the daemon's.
    """

    part = "token"

    def __init__(self, failure: Callable[[], TokenFailure | None], clock: Clock) -> None:
        self._failure = failure
        self._clock = clock

    def look(self) -> Mapping[AlertKind, Condition]:
        """Tell it when it has lasted for a minute."""
        failure = self._failure()
        if failure is None or self._clock.monotonic() - failure.since_s < _TOKEN_PATIENCE_S:
            return {}
        remedy = failure.remedy or "It is tried again; without a token nothing is collected."
        words = f"Kiwoom gives no token: {failure.message}"
        return {AlertKind.TOKEN_FAILING: Condition(level="error", message=words, remedy=remedy)}


class PauseProbe:
    """Implements `HealthProbe`: a person paused collecting, and may have forgotten it.

    Args:
        is_paused: whether it is so now; a pause with an end cannot be forgotten and does not count.
        clock: the daemon's.
    """

    part = "pause"

    def __init__(self, is_paused: Callable[[], bool], clock: Clock) -> None:
        self._is_paused = is_paused
        self._clock = clock
        self._since: datetime | None = None
        self._since_s = 0.0

    def look(self) -> Mapping[AlertKind, Condition]:
        """Tell a pause that has lasted for an hour."""
        if not self._is_paused():
            self._since = None
            return {}
        now_s = self._clock.monotonic()
        if self._since is None:
            self._since, self._since_s = self._clock.now(), now_s
        if now_s - self._since_s < max(_PAUSE_PATIENCE_S, self._clock.real(_PAUSE_PATIENCE_REAL_S)):
            return {}
        words = f"Collecting has been paused since {self._since.astimezone(KST):%Y-%m-%d %H:%M} KST."
        remedy = "`chartinsightctl resume` continues and catches up; so does a restart of the daemon."
        return {AlertKind.PAUSED_LONG: Condition(level="warning", message=words, remedy=remedy)}


class ClockProbe:
    """Finds a wall clock that jumped, or that differs from the broker's.

    Args:
        clock: the daemon's.
        is_followed: whether the clock is set by the simulator's whenever that changes. Then a step or a
            difference is its doing, and nothing is wrong with the machine.
        remedy: what to do about a clock that differs.
    """

    part = "clock"

    def __init__(
        self, clock: CheckedClock, *, is_followed: bool = False, remedy: str = SET_THE_CLOCK
    ) -> None:
        self._clock = clock
        self._is_followed = is_followed
        self._remedy = remedy
        self._offset_s = self._offset()
        self._jump_s = 0.0
        self._told_until_s = 0.0
        self._right_s = clock.monotonic()

    def look(self) -> Mapping[AlertKind, Condition]:
        """Compare with the last look, and with the broker's clock."""
        if self._is_followed:
            return {}
        return {**self._jumped(), **self._differing()}

    def _jumped(self) -> Mapping[AlertKind, Condition]:
        now, offset_s = self._clock.monotonic(), self._offset()
        jump_s, self._offset_s = offset_s - self._offset_s, offset_s
        if abs(jump_s) >= max(_JUMP_S, self._clock.real(_JUMP_S)):
            log.warning("clock.jumped", by_s=round(jump_s, 1))
            self._jump_s, self._told_until_s = jump_s, now + _JUMP_TOLD_S
        if now >= self._told_until_s:
            return {}
        words = f"The clock jumped by {self._jump_s:+.0f} s; what became due is caught up."
        remedy = "After a suspend that is normal. Else look after the time service (timedatectl)."
        return {AlertKind.CLOCK_JUMPED: Condition(level="warning", message=words, remedy=remedy)}

    def _differing(self) -> Mapping[AlertKind, Condition]:
        """Tell a difference that has lasted."""
        now, real = self._clock.monotonic(), self._clock.real
        ahead_s, behind_s = self._clock.ahead.total_seconds(), self._clock.behind.total_seconds()
        if max(ahead_s, behind_s) < max(_WRONG_S, real(_WRONG_REAL_S)):
            self._right_s = now
        if now - self._right_s < max(_WRONG_PATIENCE_S, real(_WRONG_PATIENCE_REAL_S)):
            return {}
        kind, words = AlertKind.CLOCK_BEHIND, f"is {behind_s:.0f} s behind Kiwoom's; candles are read late."
        if ahead_s > behind_s:
            kind = AlertKind.CLOCK_AHEAD
            words = f"runs {ahead_s:.0f} s ahead of Kiwoom's; it is held back by that."
        level: Level = "error" if max(ahead_s, behind_s) >= _DAY_S else "warning"
        return {kind: Condition(level=level, message=f"The clock {words}", remedy=self._remedy)}

    def _offset(self) -> float:
        return self._clock.own.now().timestamp() - self._clock.monotonic()


def disk_condition(name: str, space: DiskSpace) -> Mapping[AlertKind, Condition]:
    """Return what is wrong with a file system.

    It is filling below a tenth (at most 20 GiB), or 2 GiB; nearly full below 3 % (at most 5 GiB), or 512 MiB.
    One that states no size, as some network and container file systems do, cannot be judged.
    """
    if not space.total_bytes:
        return {}
    filling = max(2 * _GIB, min(space.total_bytes // 10, 20 * _GIB))
    full = max(_GIB // 2, min(space.total_bytes * 3 // 100, 5 * _GIB))
    words = f"{_size(space.free_bytes)} of {_size(space.total_bytes)} are free at {name}."
    remedy = "Make room, or move state_dir; when it is full, nothing can be stored any more."
    found = {}
    if space.free_bytes < filling:
        found[AlertKind.DISK_FILLING] = Condition(level="warning", message=words, remedy=remedy)
    if space.free_bytes < full:
        found[AlertKind.DISK_FULL] = Condition(level="error", message=words, remedy=remedy)
    return found


def _size(count: int) -> str:
    """Return bytes in the unit in which they are not nothing."""
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / _GIB * 1024:.0f} MiB"


class ServiceProbe:
    """Implements `HealthProbe` for parts of the daemon that failed for an unforeseen reason."""

    part = "services"

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return an alert while a part that failed has not worked for five minutes since."""
        failing = self._supervisor.failing()
        if not failing:
            return {}
        [(name, failure), *others] = failing.items()
        more = f" and {len(others)} more" if others else ""
        message = f"A part of the daemon failed and was started again ({name}{more}): {failure.words}"
        return {
            AlertKind.SERVICE_FAILING: Condition(level="error", message=message, remedy=_REPORT_THE_FAILURE)
        }


class DiskProbe:
    """Implements `HealthProbe`; its `run` looks at the disk every half a minute."""

    part = "disk"

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._found: Mapping[AlertKind, Condition] = {}

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return what the last look at the disk found."""
        return self._found

    async def run(self) -> None:
        """Look, rest, look again; until cancelled."""
        while True:
            self._found = await self._look()
            await asyncio.sleep(_DISK_EVERY_REAL_S)

    async def _look(self) -> Mapping[AlertKind, Condition]:
        try:
            return disk_condition(self._disk.name, await self._disk.space())
        except OSError as error:
            words = f"The state folder {self._disk.name} cannot be looked at: {error.strerror}."
            condition = Condition(level="error", message=words, remedy="Is its disk still there?")
            return {AlertKind.DISK_FULL: condition}
