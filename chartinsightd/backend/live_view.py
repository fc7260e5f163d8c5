"""What people see of the live stream: its state, its figures, its alert, and the candles that it forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from chartinsightd.control.events import EventHub
from chartinsightd.control.protocol.events import CandleChange, EventType
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.control.protocol.status import CloseCounts, LiveState, LiveStatus
from chartinsightd.domain.forming import Forming
from chartinsightd.service.live.live_candles import LiveCandles


class FormingEvents:
    """Publishes forming candles, where anybody reads."""

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub

    def __call__(self, changed: Sequence[Forming]) -> None:
        """Publish the newest candles of a symbol."""
        if self._hub.has_readers:
            for one in changed:
                change = _change(one)
                self._hub.publish(EventType.CANDLE, change, f"{change.symbol}/{change.timeframe}")


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
