"""What the page learns of the daemon with its session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.status import Alert, Phase, Status
from chartinsightd.control.protocol.web import Condition, DaemonFacts, PageAi, PageAnalysis, PageHealth
from chartinsightd.control.radar_operations import DAEMON_FACTS
from chartinsightd.domain.alert_record import HAPPENINGS
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import AnalysisCounts

_TRADING = {Phase.REGULAR, Phase.CLOSING_AUCTION, Phase.AFTER_MARKET}
_BEHIND = "analysis"
"""How the names of the alerts begin that say that the analysis is late."""


class PageFacts:
    """Answers from the status and the counts of the analysis.

    Args:
        status: everything the overview shows.
        counts: how many series are analysed.
        timeframes: what is collected.
        has_model: whether a language model is set up.
    """

    def __init__(
        self,
        *,
        status: Callable[[], Awaitable[Status]],
        counts: Callable[[], Awaitable[AnalysisCounts]],
        timeframes: Sequence[Timeframe],
        has_model: bool = False,
    ) -> None:
        self._status = status
        self._counts = counts
        self._timeframes = tuple(timeframes)
        self._has_model = has_model

    def register(self, handlers: Handlers) -> None:
        """Offer the operation."""
        handlers.add(DAEMON_FACTS, self.facts)

    async def facts(self) -> DaemonFacts:
        """Return version, time, health, and how far the analysis is."""
        status, counts = await self._status(), await self._counts()
        conditions = tuple(_conditions(status.alerts))
        return DaemonFacts(
            version=status.daemon.version,
            mode=status.daemon.mode,
            now=status.clock.now,
            is_open=status.session.phase in _TRADING,
            timeframes=self._timeframes,
            health=PageHealth(ok=not conditions, conditions=conditions),
            analysis=PageAnalysis(
                behind=any(one.kind.startswith(_BEHIND) for one in conditions),
                due=counts.due,
                series=counts.series,
            ),
            ai=PageAi(available=self._has_model),
        )


def _conditions(alerts: Sequence[Alert]) -> Iterator[Condition]:
    for alert in alerts:
        if alert.ended_at is None and alert.event not in HAPPENINGS:
            yield Condition(kind=alert.event, title=alert.message, detail=alert.remedy, since=alert.at)
