"""Tells when candles are later than a person wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chartinsightd.domain.alert_policy import Condition
from chartinsightd.service.monitoring.freshness import Freshness, Lateness
from chartinsightd.service.state.alert_kinds import AlertKind


class FreshnessTargets:
    """Implements `HealthProbe` for the targets of freshness that are set.

    Args:
        latest: returns the last look at all series; None before the first.
    """

    part = "freshness"

    def __init__(self, latest: Callable[[], Lateness | None]) -> None:
        self._latest = latest

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return whether a timeframe is later than its target."""
        lateness = self._latest()
        missed = [one for one in lateness.freshness if one.is_missed] if lateness is not None else []
        if not missed:
            return {}
        message = f"Later than the target: {'; '.join(map(_words, missed))}."
        remedy = (
            "`chartinsightctl status` and `tries` say what is in the way; freshness.target_s is the target."
        )
        return {AlertKind.FRESHNESS_MISSED: Condition(level="warning", message=message, remedy=remedy)}


def _words(one: Freshness) -> str:
    target = f"target {one.target_s:,.0f} s"
    return f"{one.timeframe.value} by {one.worst_age_s or 0.0:,.0f} s ({target}, {one.worst_symbol})"
