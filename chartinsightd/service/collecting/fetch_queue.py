"""The fetches that wait for their turn, a queue for each lane: one that is full delays no other."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from chartinsightd.domain.planning import Fetch, Turn
from chartinsightd.domain.series import Series
from chartinsightd.domain.tier import Tier
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.ports.broker import Priority
from chartinsightd.service.collecting.retries import Part

_LIVE_AT_ONCE = 48
_DEEP_AT_ONCE = 16
"""Fetches in flight for each chart api and account, live polls and the others: enough to hide seconds of
latency."""

_OF_TARGETS = {"live": Priority.LIVE, "catch_up": Priority.CATCH_UP, "backfill": Priority.BACKFILL}
_OF_UNIVERSE = _OF_TARGETS | {"live": Priority.UNIVERSE, "catch_up": Priority.UNIVERSE}
_KINDS = {"live": "poll", "catch_up": "catch_up", "backfill": "backfill"}

Lane = tuple[str, bool]
"""A chart's api-id, whose limit the broker counts apart; and whether live polls of targets are meant."""


@dataclass(order=True, frozen=True, slots=True)
class Task:
    """A fetch that waits for its turn; ordered by who goes first."""

    priority: Priority
    turn: Turn
    number: int
    """The earlier one in the plan goes first where nothing else decides."""
    fetch: Fetch = field(compare=False)

    @property
    def lane(self) -> Lane:
        """What it competes for."""
        return CHART_API_IDS[self.fetch.series.timeframe], self.priority is Priority.LIVE

    @property
    def key(self) -> Part:
        """What only one fetch at a time is for."""
        return self.fetch.series, self.fetch.reason == "live"

    @property
    def kind(self) -> str:
        """The kind of job it belongs to."""
        return "universe" if self.fetch.tier is Tier.UNIVERSE else _KINDS[self.fetch.reason]


class FetchQueue:
    """Fetches that wait, and those under way, at most one for each part of a series.

    Args:
        accounts: through how many the broker is asked: each has room for as many.
    """

    def __init__(self, accounts: int = 1) -> None:
        self._accounts = accounts
        self._lanes: dict[Lane, list[Task]] = {}
        self._waiting: dict[Part, Task] = {}
        """What of the lanes still holds: a newer plan for a series replaces its older one."""
        self._kinds: Counter[str] = Counter()
        self._busy: set[Part] = set()
        self._in_flight: Counter[Lane] = Counter()
        self._number = 0

    def clear(self) -> None:
        """Forget what waits; what is under way is not touched."""
        self._lanes.clear()
        self._waiting.clear()
        self._kinds.clear()

    def drop(self, series: Series) -> None:
        """Forget what waits of a series."""
        for part in ((series, True), (series, False)):
            if (task := self._waiting.pop(part, None)) is not None:
                self._kinds[task.kind] -= 1

    def put(self, fetch: Fetch) -> None:
        """Let a fetch wait, unless its part of the series waits already or is under way."""
        self._number += 1
        priorities = _OF_UNIVERSE if fetch.tier is Tier.UNIVERSE else _OF_TARGETS
        task = Task(priorities[fetch.reason], fetch.turn, self._number, fetch)
        if task.key in self._busy or task.key in self._waiting:
            return
        self._waiting[task.key] = task
        self._kinds[task.kind] += 1
        heapq.heappush(self._lanes.setdefault(task.lane, []), task)

    def start_ready(self) -> Iterator[Task]:
        """Yield the fetches that may start now, as far as their lanes have room; they are under way then."""
        for lane, heap in self._lanes.items():
            room = self._accounts * (_LIVE_AT_ONCE if lane[1] else _DEEP_AT_ONCE)
            while heap and self._in_flight[lane] < room:
                task = heapq.heappop(heap)
                if self._waiting.get(task.key) is task:
                    self._start(task)
                    yield task

    def _start(self, task: Task) -> None:
        del self._waiting[task.key]
        self._kinds[task.kind] -= 1
        self._busy.add(task.key)
        self._in_flight[task.lane] += 1

    def end(self, task: Task) -> None:
        """Note that a fetch is under way no more."""
        self._busy.remove(task.key)
        self._in_flight[task.lane] -= 1

    def waiting_of(self, kind: str) -> int:
        """Count the fetches of a kind of job that wait."""
        return self._kinds[kind]

    def waiting(self) -> list[Task]:
        """Return the fetches that wait, who goes first at the front."""
        return sorted(self._waiting.values())

    def by_priority(self) -> dict[Priority, int]:
        """Count the fetches that wait."""
        counts = dict.fromkeys(Priority, 0)
        for task in self._waiting.values():
            counts[task.priority] += 1
        return counts
