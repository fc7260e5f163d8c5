"""The gate as it is shown, and what work costs there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chartinsightd.clock import Clock
from chartinsightd.control.protocol.jobs import BackfillEstimate, LaneCost
from chartinsightd.control.protocol.status import GateLane, PriorityName
from chartinsightd.domain.planning import Fetch
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.ports.broker import LaneState, Priority, RateLimiter

PRIORITY_NAMES: Mapping[Priority, PriorityName] = {
    Priority.LIVE: PriorityName.LIVE,
    Priority.CATCH_UP: PriorityName.CATCH_UP,
    Priority.UNIVERSE: PriorityName.UNIVERSE,
    Priority.SEAL: PriorityName.SEAL,
    Priority.BACKFILL: PriorityName.BACKFILL,
    Priority.VERIFICATION: PriorityName.VERIFICATION,
    Priority.QUOTES: PriorityName.QUOTES,
}


def lanes_shown(lanes: Iterable[LaneState]) -> tuple[GateLane, ...]:
    """Return the gate's lanes; priorities without a waiting request are left out."""
    return tuple(_shown(lane) for lane in lanes)


def _shown(lane: LaneState) -> GateLane:
    return GateLane(
        api_id=lane.api_id,
        limit=lane.limit,
        ceiling=lane.ceiling,
        queued={PRIORITY_NAMES[priority]: count for priority, count in lane.queued.items() if count},
        in_flight=lane.in_flight,
        sent_last_minute=lane.sent_last_minute,
        utilisation=lane.utilisation,
        throttled=lane.throttled,
        recent=lane.recent,
        smallest_round_trip_s=lane.smallest_round_trip_s,
        mean_round_trip_s=lane.mean_round_trip_s,
    )


class Costs:
    """What requests cost at the gate, in real seconds."""

    def __init__(self, *, gate: RateLimiter, pace: int, clock: Clock) -> None:
        self._gate = gate
        self._pace = pace
        self._clock = clock

    def estimate(self, fetches: Iterable[Fetch], series: int) -> BackfillEstimate:
        """Return what fetches cost; of `series` asked for, those without a fetch are covered already."""
        requests: dict[str, int] = {}
        needed: set[object] = set()
        for fetch in fetches:
            api_id = CHART_API_IDS[fetch.series.timeframe]
            requests[api_id] = requests.get(api_id, 0) + fetch.pages
            needed.add(fetch.series)
        waiting = {lane.api_id: sum(lane.queued.values()) for lane in self._gate.state()}
        costs = [
            LaneCost(api_id=api_id, requests=count, seconds=self.seconds(api_id, count))
            for api_id, count in sorted(requests.items())
        ]
        # The lanes work side by side: the slowest one says when it is over.
        ends = (self.seconds(one.api_id, one.requests + waiting.get(one.api_id, 0)) for one in costs)
        return BackfillEstimate(
            requests=sum(requests.values()),
            seconds=max(ends, default=0.0),
            lanes=tuple(costs),
            series=len(needed),
            covered_series=series - len(needed),
        )

    def seconds(self, api_id: str, requests: int) -> float:
        """Return how long a number of requests takes at the gate's present pace."""
        limits = {lane.api_id: lane.limit for lane in self._gate.state()}
        return requests / self._clock.real(limits.get(api_id, self._pace))
