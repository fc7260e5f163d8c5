"""What people see of the live stream: its state, its figures, its alert, and the candles that it forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from chartinsightd.backend.audience import Audience
from chartinsightd.clock import Clock
from chartinsightd.control.protocol.events import CandleChange, EventType
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.control.protocol.status import CloseCounts, LiveState, LiveStatus
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.forming import Forming
from chartinsightd.domain.kst import day_of
from chartinsightd.ports.live import LossCause
from chartinsightd.service.live.live_candles import LiveCandles, Loss
from chartinsightd.service.state.current_rules import CurrentRules

_PATIENCE = timedelta(minutes=1)
"""What is restored sooner is no alert."""
_BEFORE_OPEN = timedelta(minutes=10)
_AT_ONCE = frozenset({LossCause.TAKEN_OVER, LossCause.BLOCKED})
_REMEDY = "Candles come from polls meanwhile; the stream is tried again."


class FormingEvents:
    """Publishes forming candles, where anybody reads."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience

    def __call__(self, changed: Sequence[Forming]) -> None:
        """Publish the newest candles of a symbol."""
        if self._audience.is_listening:
            for one in changed:
                change = _change(one)
                self._audience.publish(EventType.CANDLE, change, f"{change.symbol}/{change.timeframe}")


def _change(one: Forming) -> CandleChange:
    candle = one.candle
    row = CandleRow(
        ts=candle.ts,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        value=candle.value,
        final=False,
    )
    return CandleChange(
        symbol=candle.symbol,
        timeframe=candle.timeframe,
        candle=row,
        unexplained_since=one.unexplained_since,
    )


class LiveProbe:
    """Implements `HealthProbe`: the stream is lost while the exchange trades."""

    part = "live"

    def __init__(self, live: LiveCandles, clock: Clock, current_rules: CurrentRules) -> None:
        self._live = live
        self._clock = clock
        self._current_rules = current_rules

    def look(self) -> Mapping[str, Condition]:
        """Tell a loss that lasts, or that waiting will not end."""
        loss = self._live.loss
        if loss is None or not self._is_trading() or not self._is_worth_telling(loss):
            return {}
        remedy = f"{loss.event.remedy} {_REMEDY}".strip()
        return {"live.lost": Condition(level="warning", message=loss.event.message, remedy=remedy)}

    def _is_worth_telling(self, loss: Loss) -> bool:
        return loss.event.cause in _AT_ONCE or self._clock.now() - loss.since >= _PATIENCE

    def _is_trading(self) -> bool:
        now = self._clock.now()
        session = self._current_rules.calendar.session(day_of(now))
        return session is not None and session.open_at - _BEFORE_OPEN <= now < session.ends_at


def live_status(live: LiveCandles) -> LiveStatus:
    """Return the stream's state and today's figures."""
    feed, loss = live.state(), live.loss
    is_open = loss is None and feed.since is not None
    state = LiveState.OPEN if is_open else LiveState.LOST if loss is not None else LiveState.CONNECTING
    return LiveStatus(
        state=state,
        since=feed.since,
        symbols=len(feed.registered),
        refused=len(feed.refused),
        trades=live.trades,
        repeated=live.repeated,
        closes=CloseCounts(**asdict(live.closes.total)),
        note=f"{loss.event.message} {loss.event.remedy}".strip() if loss is not None else "",
    )


def live_metrics(live: LiveCandles) -> Iterator[Metric]:
    """Yield the stream's figures; those of closes a symbol, for the day at hand."""
    status = live_status(live)
    yield _metric("live_open", "1 while live trades come", "gauge", status.state is LiveState.OPEN)
    yield _metric("live_symbols", "Symbols whose live trades come", "gauge", status.symbols)
    yield _metric("live_trades_total", "Live trades since the daemon's start", "counter", status.trades)
    yield _metric("live_repeated_total", "Live trades that came more than once", "counter", status.repeated)
    for symbol, figures in live.closes.figures.items():
        for outcome in ("compared", "differing", "wrong", "unseen"):
            count = getattr(figures, outcome)
            words = "Today's 5m candles of the live stream against Kiwoom's charts"
            yield _metric("live_closes", words, "gauge", count, symbol=symbol, outcome=outcome)
        words = "Shares of the charts less those of the live trades, today"
        yield _metric("live_shares_missing", words, "gauge", figures.shares_missing, symbol=symbol)


def _metric(name: str, words: str, kind: str, value: float, **labels: str) -> Metric:
    return Metric.model_validate(
        {"name": f"chartinsight_{name}", "help": words, "kind": kind, "value": float(value), "labels": labels}
    )
