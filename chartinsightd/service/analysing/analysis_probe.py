"""The alert about an analysis that does not keep up with what is collected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.service.analysing.analyser import Analyser
from chartinsightd.service.state.alert_kinds import AlertKind

PATIENCE = timedelta(hours=2)
"""A run stops after fifty minutes and continues at the next look: two runs are no delay."""


class AnalysisProbe:
    """Implements `HealthProbe`: series have been due and collected for long, or could not be analysed."""

    part = "analysis"

    def __init__(self, analyser: Analyser, clock: Clock) -> None:
        self._analyser = analyser
        self._clock = clock

    def look(self) -> Mapping[AlertKind, Condition]:
        """Tell what is behind, and what failed."""
        standing = self._analyser.standing
        if standing.since is not None and self._clock.now() - standing.since >= PATIENCE:
            hours = (self._clock.now() - standing.since).total_seconds() / 3600
            return _behind(f"{standing.left} series are collected and not analysed, for {hours:.0f} hours.")
        if failed := standing.counts.failed:
            return _behind(f"{failed} series could not be analysed.")
        return {}


def _behind(message: str) -> Mapping[AlertKind, Condition]:
    remedy = "It catches up while the daemon runs; the log names what fails (`chartinsightctl logs`)."
    return {AlertKind.ANALYSIS_BEHIND: Condition(level="warning", message=message, remedy=remedy)}
