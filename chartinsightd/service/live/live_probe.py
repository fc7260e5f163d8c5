"""The alert about a lost live stream."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.kst import day_of
from chartinsightd.ports.live import LossCause
from chartinsightd.service.live.live_candles import LiveCandles, Loss
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.current_rules import CurrentRules

_PATIENCE = timedelta(minutes=1)
"""What is restored sooner is no alert."""
_BEFORE_OPEN = timedelta(minutes=10)
_AT_ONCE = frozenset({LossCause.TAKEN_OVER, LossCause.BLOCKED})
_REMEDY = "Candles come from polls meanwhile; the stream is tried again."


class LiveProbe:
    """Implements `HealthProbe`: the stream is lost while the exchange trades."""

    part = "live"

    def __init__(self, live: LiveCandles, clock: Clock, current_rules: CurrentRules) -> None:
        self._live = live
        self._clock = clock
        self._current_rules = current_rules

    def look(self) -> Mapping[AlertKind, Condition]:
        """Tell a loss that lasts, or that waiting will not end."""
        loss = self._live.loss
        if loss is None or not self._is_trading() or not self._is_worth_telling(loss):
            return {}
        remedy = f"{loss.event.remedy} {_REMEDY}".strip()
        return {AlertKind.LIVE_LOST: Condition(level="warning", message=loss.event.message, remedy=remedy)}

    def _is_worth_telling(self, loss: Loss) -> bool:
        return loss.event.cause in _AT_ONCE or self._clock.now() - loss.since >= _PATIENCE

    def _is_trading(self) -> bool:
        now = self._clock.now()
        session = self._current_rules.calendar.session(day_of(now))
        return session is not None and session.open_at - _BEFORE_OPEN <= now < session.ends_at
