"""The one place through which every request to the broker passes: never faster than its limit allows."""

from __future__ import annotations

import asyncio
import heapq
from bisect import insort
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
from types import TracebackType
from typing import Literal

import structlog
from aiolimiter import AsyncLimiter

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.ports.broker import LaneState, Priority
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

Mode = Literal["proved", "measured"]

_WINDOW_S = 1.0
_GUARD_S = 0.003
_RETRY_REAL_S = 1.0
"""Between two tries of a lane that failed."""
_REAL_GUARD_S = 0.002
"""What one turn of a busy event loop may cost in real seconds; under a fast clock it is many virtual ones."""
_SPACING = 0.5
"""Requests are spread over this part of their second, so that a pause is never followed by a burst."""
_QUIET_S = 60.0
"""After so long without a refusal a lowered limit rises by one."""
_MINUTE_S = 60.0
_LATEST_KEPT = 200
_GENERATION = 1000
_TRUSTED_AFTER = 60
_NEIGHBOURS = 9
_LEAST_SHARE = 0.1
_SHARE_OF_ONE = 100
"""How far below the smallest round trip seen the true floor may lie, as a share of the way to the median.

With both ways uniform, the worst case of those tried, n round trips leave the estimate above the floor less
than once in a million times: exactly that takes a share of 1.09 for n = 94, of 0.58 for 200, of 0.30 for 500.
"""
_UNKNOWN_ROUND_TRIP_S = 1.0
_PATIENCE_S = 60.0
_CUT_PATIENCE_S = 5.0
"""Real seconds. A way to the broker may be cut while the broker stands still; as a rule it just went away."""
_NEVER = float("inf")


class Gate:
    """Admits requests one by one, in one lane for each api-id (kiwoom.md#rate-limit).

    In mode `proved` a request leaves only when fewer than `limit` earlier ones can have been counted less
    than a second before it. An earlier request was counted before its answer came; this one is counted after
    it leaves. So an answer that is one second old (plus the guard, less the shortest time that both ways
    together can take) proves that its request and this one are a second apart at the broker, whatever the
    network did. It costs throughput where the time to answer varies: 1 / (1 + mean - smallest round trip) of
    the limit is the most it can use. The one thing estimated, on the safe side, is that shortest time
    (`_RoundTrips.floor`).

    In mode `measured` a request counts as arrived one common round trip after it left, even without its
    answer. That uses the whole limit when answers take seconds, and it can be wrong; a refusal then corrects
    it.

    Args:
        clock: whose seconds the limit is in.
        limit: requests in any second, for each api-id; at least 1.
        mode: see above.
        guard_s: what is added to the second, for timers that are not exact; seconds of the clock.
        patience_s: how long an answer is waited for, in real seconds. A broker that stands still counts what
            was given up meanwhile when it goes on: this much later at most, as far as we believe, or when it
            answers something that was sent after.
        own_limits: of api-ids that are slower than the others.

    Entered as an async context manager, which owns the tasks of the lanes.
    """

    def __init__(
        self,
        clock: Clock,
        limit: int,
        mode: Mode = "proved",
        guard_s: float = _GUARD_S,
        patience_s: float = _PATIENCE_S,
        own_limits: Mapping[str, int] | None = None,
    ) -> None:
        self._clock = clock
        self._limit = max(1, limit)
        self._mode: Mode = mode
        self._guard_s = guard_s
        self._patience_s = patience_s
        self._own_limits = own_limits or {}
        self._lanes: dict[str, _Lane] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._group = TaskGroup()
        self._opened_at = 0.0

    async def __aenter__(self) -> Gate:
        await self._group.__aenter__()
        self._opened_at = self._clock.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for lane in self._lanes.values():
            lane.close()
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:
            # The body's own failure is not the lanes': it is raised as it is, not inside an exception group.
            await self._group.__aexit__(None, None, None)

    @asynccontextmanager
    async def slot(self, api_id: str, priority: Priority) -> AsyncIterator[Slot]:
        """Wait for the turn of one request; the body of the `async with` sends it and awaits its answer.

        A body that raises before `Slot.answered` leaves open whether the broker counted the request: it is
        then taken to have been counted as late as it can have been, later where its connection was cut
        (`Slot.cut_off`), and much later where the caller had stopped waiting (TimeoutError, a cancel,
        `Slot.given_up`). Cancelled while waiting, the request vanishes.

        Raises:
            SourceUnavailable: the gate was closed meanwhile.
        """
        lane = self._lane(api_id)
        slot = await lane.turn(priority)
        try:
            yield slot
        except (TimeoutError, asyncio.CancelledError):
            slot.given_up()
            raise
        except BaseException:
            slot.lost()
            raise
        slot.answered()

    def state(self) -> list[LaneState]:
        """Return what every api-id used so far is doing, by api-id."""
        now = self._clock.monotonic()
        return [lane.state(now - self._opened_at) for _, lane in sorted(self._lanes.items())]

    def _lane(self, api_id: str) -> _Lane:
        if (lane := self._lanes.get(api_id)) is None:
            # An earlier process may have sent just before this one started: its second must pass unused.
            empty_until = self._opened_at + _WINDOW_S + _guard(self._guard_s, self._clock.speed)
            limit = min(self._limit, self._own_limits.get(api_id, self._limit))
            lane = _Lane(api_id, self._clock, limit, self._mode, self._guard_s, empty_until, self._patience_s)
            self._lanes[api_id] = lane
            self._tasks.append(self._group.create_task(lane.run(), name=f"gate {api_id}"))
        return lane


class Slot:
    """The permission to send one request now, and the place to say what became of it."""

    def __init__(self, lane: _Lane, sent_at: float) -> None:
        self._lane = lane
        self.sent_at = sent_at
        self.answered_at: float | None = None
        """When its answer began to arrive, or the latest it can have been counted; seconds of the clock."""
        self.is_lost = False
        self.given_up_at: float | None = None
        """When the caller stopped waiting; the request may still be on its way."""

    def answered(self) -> None:
        """The answer has begun to arrive: the broker has counted the request. Later calls change nothing."""
        if self.answered_at is None:
            self.answered_at = self._lane.answered(self)

    def lost(self) -> None:
        """The request ended without an answer. No effect after `answered`."""
        if self.answered_at is None:
            self.is_lost = True
            self.answered_at = self._lane.lost()

    def given_up(self) -> None:
        """The caller stopped waiting for the answer. No effect after `answered`."""
        if self.answered_at is None:
            self.is_lost = True
            self.given_up_at, self.answered_at = self._lane.given_up()

    def cut_off(self) -> None:
        """The connection ended before an answer. No effect after `answered`.

        The broker need not be the one that cut it: it may stand still and read the request later.
        """
        if self.answered_at is None:
            self.is_lost = True
            self.given_up_at, self.answered_at = self._lane.given_up(_CUT_PATIENCE_S)

    def throttled(self, limit: int | None) -> None:
        """The broker refused it for its pace, naming its limit in requests a second or nothing."""
        self._lane.throttled(self, limit)


class _RoundTrips:
    """How long answers took lately, in seconds."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_LATEST_KEPT)
        self._shortest: list[float] = []
        self._shortest_before: list[float] = []
        self._seen = 0

    def add(self, round_trip_s: float) -> None:
        if self._seen and self._seen % _GENERATION == 0:
            self._shortest_before, self._shortest = self._shortest, []
        self._seen += 1
        self._latest.append(round_trip_s)
        insort(self._shortest, round_trip_s)
        del self._shortest[_NEIGHBOURS:]

    @property
    def is_trusted(self) -> bool:
        return self._seen >= _TRUSTED_AFTER

    def smallest(self) -> float | None:
        return min(self._latest, default=None)

    def mean(self) -> float | None:
        return sum(self._latest) / len(self._latest) if self._latest else None

    def largest(self) -> float:
        return max(self._latest, default=_UNKNOWN_ROUND_TRIP_S)

    def common(self) -> float:
        """The round trip that a quarter of the answers beat: the network's share; the rest is waiting."""
        return self._quantile(0.25)

    def floor(self) -> float:
        """An estimate of the shortest time the way there and the way back can take together; 0 while unknown.

        The smallest round trip seen is too large for that, because the way back of one request and the way
        there of another may both be quicker than any one request was. It lies above the true floor by about
        as much as its nearest neighbours lie above it, and the more so the wider all of them are spread.
        Only some thousand answers are looked at: a network that became slower for good is believed in the
        end.
        """
        if not self.is_trusted:
            return 0.0
        nearest = sorted(self._shortest + self._shortest_before)[:_NEIGHBOURS]
        share = _LEAST_SHARE + _SHARE_OF_ONE / min(self._seen, _GENERATION + self._seen % _GENERATION)
        margin_s = max(nearest[-1] - nearest[0], share * (self._quantile(0.5) - nearest[0]))
        return max(0.0, nearest[0] - margin_s)

    def _quantile(self, share: float) -> float:
        return sorted(self._latest)[int(len(self._latest) * share)]


class _Lane:
    """The queue and the log of one api-id."""

    def __init__(
        self,
        api_id: str,
        clock: Clock,
        ceiling: int,
        mode: Mode,
        guard_s: float,
        empty_until: float,
        patience_s: float,
    ) -> None:
        self._api_id = api_id
        self._clock = clock
        self._ceiling = self._limit = ceiling
        self._mode: Mode = mode
        self._guard_s = guard_s
        self._patience_s = patience_s
        self._speed = clock.speed
        self._period_s = _WINDOW_S + _guard(guard_s, self._speed)
        self._not_before = empty_until
        self._limiter = self._new_limiter()
        self._waiting: list[tuple[Priority, int, asyncio.Future[Slot]]] = []
        self._order = count()
        self._queued: Counter[Priority] = Counter()
        self._log: list[Slot] = []
        self._departures: deque[float] = deque()
        self._round_trips = _RoundTrips()
        self._throttled = 0
        self._slowed_at = self._quiet_since = -_NEVER
        self._changed = asyncio.Event()
        self._is_closed = False

    async def turn(self, priority: Priority) -> Slot:
        """Wait until this request is the next one that may leave."""
        if self._is_closed:
            raise _closed()
        future: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), future))
        self._queued[priority] += 1
        self._changed.set()
        try:
            return await future
        except asyncio.CancelledError:
            self._take_back(future)
            raise
        finally:
            self._queued[priority] -= 1

    def _take_back(self, future: asyncio.Future[Slot]) -> None:
        """Forget a request that was cancelled between being admitted and being sent."""
        if future.done() and not future.cancelled() and future.exception() is None:
            self._log.remove(future.result())
            self._changed.set()

    def close(self) -> None:
        """Turn the waiting requests away."""
        self._is_closed = True
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(_closed())

    async def run(self) -> None:
        """Admit requests; what fails in here unforeseen delays them, for nothing else would admit any."""
        while True:
            try:
                await self._admit()
            except Exception:
                log.exception("gate.lane_failed", api_id=self._api_id, retry_in_s=_RETRY_REAL_S)
                await self._clock.sleep(self._clock.real(_RETRY_REAL_S))

    async def _admit(self) -> None:
        """Admit the first request as soon as the pace allows; which is first is decided at that moment."""
        while True:
            opens_at = self._opens_at()
            if not self._has_waiting():
                await self._wait_for_change(None)
            elif (left_s := opens_at - self._clock.monotonic()) > 0:
                await self._wait_for_change(left_s)
            else:
                await self._limiter.acquire()
                self._admit_first()

    def _has_waiting(self) -> bool:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return bool(self._waiting)

    async def _wait_for_change(self, seconds: float | None) -> None:
        """Wait until something was sent, answered or refused, at most for seconds of the clock."""
        self._changed.clear()
        real_s = None if seconds is None or seconds == _NEVER else seconds / self._clock.speed
        with suppress(TimeoutError):
            async with asyncio.timeout(real_s):
                await self._changed.wait()

    def _admit_first(self) -> None:
        """Admit the first in line, unless the line or the pace changed while the limiter waited."""
        now = self._clock.monotonic()
        if not self._has_waiting() or self._opens_at() > now:
            return
        slot = Slot(self, now)
        self._log.append(slot)
        self._departures.append(now)
        self._forget_departures(now)
        _, _, future = heapq.heappop(self._waiting)
        future.set_result(slot)

    def _opens_at(self) -> float:
        """Return when the next request may leave, on the clock; infinite while only an answer can tell."""
        now = self._clock.monotonic()
        self._recover(now)
        if self._clock.speed != self._speed:
            self._follow_speed(now)
        floor_s = self._round_trips.floor()
        # The log keeps the requests that may have been counted within the second that a new one falls into.
        self._log = [slot for slot in self._log if self._clear_at(slot, floor_s) > now]
        surplus = len(self._log) - self._limit
        if surplus < 0:
            return self._not_before
        # Enough must clear to leave one less than the limit: surplus + 1 of them, the earliest ones.
        return max(self._not_before, sorted(self._clear_at(slot, floor_s) for slot in self._log)[surplus])

    def _follow_speed(self, now: float) -> None:
        """A simulated clock changed its pace: what was learnt in its seconds holds no more."""
        self._speed = self._clock.speed
        self._period_s = _WINDOW_S + _guard(self._guard_s, self._speed)
        self._round_trips = _RoundTrips()
        self._limiter = self._new_limiter()
        self._not_before = max(self._not_before, now + self._period_s)

    def _clear_at(self, slot: Slot, floor_s: float) -> float:
        """Return from when on a new request is surely counted a full second after this one."""
        counted_by = _NEVER if slot.answered_at is None else slot.answered_at
        if self._mode == "measured" and self._round_trips.is_trusted:
            counted_by = min(counted_by, slot.sent_at + self._round_trips.common())
        # The old request was counted at least a way back before its answer came, the new one is counted a way
        # there after it leaves: together the floor. For a lost one the latest possible moment is assumed.
        return counted_by + self._period_s - (0.0 if slot.is_lost else floor_s)

    def answered(self, slot: Slot) -> float:
        """Return the present, having learnt how long the answer took."""
        now = self._clock.monotonic()
        self._round_trips.add(now - slot.sent_at)
        self._release_given_up(slot.sent_at, now + self._round_trips.largest())
        self._changed.set()
        return now

    def _release_given_up(self, sent_at: float, counted_by: float) -> None:
        """The broker answers again: it has met, or will soon, what was given up before this request left."""
        for slot in self._log:
            if slot.given_up_at is not None and slot.given_up_at <= sent_at and slot.answered_at is not None:
                slot.answered_at = min(slot.answered_at, counted_by)

    def lost(self) -> float:
        """Return by when a request that just ended without an answer was counted, if it ever was."""
        self._changed.set()
        return self._clock.monotonic() + self._round_trips.largest()

    def given_up(self, most_s: float = _NEVER) -> tuple[float, float]:
        """Return the present, and by when a request that was given up is counted, if ever.

        Args:
            most_s: believe that it is counted within this many real seconds.
        """
        now, patience_s = self._clock.monotonic(), min(self._patience_s, most_s)
        self._changed.set()
        return now, now + max(self._round_trips.largest(), patience_s * self._clock.speed)

    def throttled(self, slot: Slot, named: int | None) -> None:
        """Slow down: to the limit the broker names, or by one when it names nothing lower than ours.

        A request that left before the last slowing down says nothing about the pace since then.
        """
        now = self._clock.monotonic()
        self._throttled += 1
        self._not_before = max(self._not_before, now + self._period_s)
        if named is not None and named < self._limit:
            self._set_limit(named)
        elif slot.sent_at > self._slowed_at:
            self._set_limit(self._limit - 1)
        self._slowed_at = self._quiet_since = now

    def _recover(self, now: float) -> None:
        if self._limit < self._ceiling and now - self._quiet_since >= _QUIET_S:
            self._quiet_since = now
            self._set_limit(self._limit + 1)

    def _forget_departures(self, now: float) -> None:
        while self._departures and self._departures[0] < now - _MINUTE_S:
            self._departures.popleft()

    def _set_limit(self, limit: int) -> None:
        self._limit = min(max(1, limit), self._ceiling)
        self._limiter = self._new_limiter()

    def _new_limiter(self) -> AsyncLimiter:
        return AsyncLimiter(1, _SPACING * _WINDOW_S / self._limit / self._clock.speed)

    def state(self, open_for_s: float) -> LaneState:
        """Return what a person looks at."""
        now = self._clock.monotonic()
        self._recover(now)
        self._forget_departures(now)
        sent = len(self._departures)
        return LaneState(
            api_id=self._api_id,
            limit=self._limit,
            ceiling=self._ceiling,
            queued={priority: self._queued[priority] for priority in Priority},
            in_flight=sum(slot.answered_at is None for slot in self._log),
            sent_last_minute=sent,
            recent=_by_second(self._departures, now),
            utilisation=min(1.0, sent / (self._limit * max(_WINDOW_S, min(open_for_s, _MINUTE_S)))),
            throttled=self._throttled,
            smallest_round_trip_s=self._round_trips.smallest(),
            mean_round_trip_s=self._round_trips.mean(),
        )


def _by_second(departures: Iterable[float], now: float) -> tuple[int, ...]:
    """Count departures in each second of the last minute, oldest first."""
    ages = Counter(int(now - at) for at in departures)
    return tuple(ages[age] for age in reversed(range(int(_MINUTE_S))))


def _guard(guard_s: float, speed: float) -> float:
    """Return what is added to a second of the clock, so that real timers are exact enough for it."""
    return max(guard_s, _REAL_GUARD_S * speed)


def _closed() -> SourceUnavailable:
    return SourceUnavailable("The gate to the broker is closed: the daemon is stopping.")
