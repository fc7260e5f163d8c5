"""All patterns of one series: where they begin, and what each candle makes of the forming ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.patterns import double, head_shoulders, retest
from chartinsightd.analysis.patterns.breakout import Breakout
from chartinsightd.analysis.patterns.life import ATR_LENGTH, Forming, PatternEvent, PatternKind, PatternState
from chartinsightd.analysis.patterns.retest import Retest
from chartinsightd.analysis.points import Point

_FORMING = PatternState.FORMING
_RULES: Mapping[str, type[Breakout] | type[Retest]] = {one.RULE: one for one in (Breakout, Retest)}


class Patterns:
    """The forming patterns of one series after some candles."""

    __slots__ = ("_close", "_count", "_started", "atr", "forming")

    def __init__(self) -> None:
        self.forming: list[Forming] = []
        self.atr = 0.0
        """Average true range after the last candle; a running sum of true ranges before the first
        fourteen."""
        self._count = 0
        self._close = 0.0
        self._started: dict[str, int] = {}
        """For each kind the newest extreme that began a pattern: none begins twice on one candle."""

    @property
    def is_ready(self) -> bool:
        """Whether there were candles enough for an average true range."""
        return self._count >= ATR_LENGTH

    def take(self, candle: AdjustedCandle) -> tuple[PatternEvent, ...]:
        """Let the forming patterns see one more final candle; return the states they enter."""
        number, atr = self._count - 1, self.atr
        entered = []
        for pattern in self.forming:
            state = pattern.judge(number, candle, atr)
            if state is not None:
                entered.append((pattern, state))
        return self._enter(entered, number, candle) if entered else ()

    def _enter(
        self, entered: Sequence[tuple[Forming, PatternState]], number: int, candle: AdjustedCandle
    ) -> tuple[PatternEvent, ...]:
        """Keep the patterns that still form; return the events of those that have rows."""
        ended = [pattern for pattern, state in entered if state is not _FORMING]
        if ended:
            self.forming = [pattern for pattern in self.forming if pattern not in ended]
        return tuple([pattern.event(state, number, candle) for pattern, state in entered if pattern.is_shown])

    def measure(self, candle: AdjustedCandle) -> None:
        """Take a candle into the average true range: the plain mean of fourteen, then Wilder's."""
        _, _, _, high, low, close, _, _, _ = candle
        count, before = self._count, self._close
        if count:
            if before > high:
                high = before
            elif before < low:
                low = before
        self._count, self._close = count + 1, close
        if count >= ATR_LENGTH:
            self.atr += (high - low - self.atr) / ATR_LENGTH
        else:
            self.atr += high - low
            if count + 1 == ATR_LENGTH:
                self.atr /= ATR_LENGTH

    def begin(
        self, pivots: Sequence[Point], candle: AdjustedCandle, deepest: float
    ) -> tuple[PatternEvent, ...]:
        """Begin the patterns whose last point is the newest of a skeleton that changed with a candle.

        Args:
            pivots: the skeleton.
            candle: the candle in hand, measured already.
            deepest: the extreme price after that point on the other side, adjusted.
        """
        if not self.is_ready or self.atr <= 0:
            return ()
        number = self._count - 1
        events: tuple[PatternEvent, ...] = ()
        for pattern in (
            double.start(pivots, number, self.atr),
            head_shoulders.start(pivots, number, self.atr),
            retest.start(pivots, number, deepest),
        ):
            if pattern is not None and self._admit(pattern, pivots[-1].at, candle) and pattern.is_shown:
                events += (pattern.event(_FORMING, number, candle),)
        return events

    def _admit(self, pattern: Forming, extreme: int, candle: AdjustedCandle) -> bool:
        """Keep a pattern that is not there already, and whose limit the close has not passed."""
        kind, anchor = pattern.kind, pattern.anchor
        if self._started.get(kind, -1) >= extreme or pattern.side * candle.close > pattern.limit:
            return False
        for one in self.forming:
            if one.anchor == anchor and one.kind is kind:
                return False
        self._started[kind] = extreme
        self.forming.append(pattern)
        return True

    def dump(self) -> dict[str, Any]:
        """Return the state in JSON's types."""
        return {
            "forming": [pattern.dump() for pattern in self.forming],
            "atr": self.atr,
            "count": self._count,
            "close": self._close,
            "started": {kind: self._started[kind] for kind in sorted(self._started)},
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Patterns:
        """Return the patterns that `dump` described."""
        patterns = cls()
        patterns.forming = [_RULES[one["rule"]].load(one) for one in state["forming"]]
        patterns.atr = state["atr"]
        patterns._count = state["count"]
        patterns._close = state["close"]
        patterns._started = {PatternKind(kind): at for kind, at in state["started"].items()}
        return patterns
