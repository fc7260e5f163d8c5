"""The plan of the collector as a message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from chartinsightd.backend.gates import Costs
from chartinsightd.backend.scope import StockNames
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import CATCH_UP_PLAN
from chartinsightd.control.protocol.planning import CatchUpPlan, CatchUpQuery, PlannedFetch
from chartinsightd.domain.planning import Fetch
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.service.collecting.fetch_queue import Task
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler


class PlanView:
    """Says what waits for its turn at the broker."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        retries: RetryTracker,
        pause_switch: PauseSwitch,
        costs: Costs,
        names: StockNames,
    ) -> None:
        self._scheduler = scheduler
        self._retries = retries
        self._pause_switch = pause_switch
        self._costs = costs
        self._names = names

    def register(self, handlers: Handlers) -> None:
        """Offer the plan."""
        handlers.add(CATCH_UP_PLAN, self.plan)

    async def plan(self, query: CatchUpQuery) -> CatchUpPlan:
        """Return what waits, who goes first at the front."""
        waiting = self._scheduler.waiting()
        names = await self._names()
        estimate = self._costs.estimate((task.fetch for task in waiting), len(waiting))
        return CatchUpPlan(
            items=tuple(_planned(waiting, names, query.limit)),
            total=len(waiting),
            requests=estimate.requests,
            seconds=estimate.seconds,
            lanes=estimate.lanes,
            held_until=self._retries.held_until,
            paused=self._pause_switch.is_shut,
        )


def _planned(waiting: Sequence[Task], names: Mapping[str, str], limit: int) -> Iterator[PlannedFetch]:
    places: Counter[object] = Counter()
    for task in waiting[:limit]:
        places[task.lane] += 1
        series, missing = task.fetch.series, _span(task.fetch)
        yield PlannedFetch(
            place=places[task.lane],
            symbol=series.symbol,
            name=names.get(series.symbol, ""),
            timeframe=series.timeframe,
            kind=task.kind,
            api_id=CHART_API_IDS[series.timeframe],
            pages=task.fetch.pages,
            from_ts=missing[0],
            to_ts=missing[1],
        )


def _span(fetch: Fetch) -> tuple[datetime | None, datetime | None]:
    """Return from when to when something is missing; None where nothing is."""
    spans = fetch.missing.spans
    if not spans:
        return None, None
    return datetime.fromtimestamp(spans[0][0], UTC), datetime.fromtimestamp(spans[-1][1], UTC)
