"""Structure, trend and patterns as columns beside the candles, for strategies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.analyser import Learned, analyse
from chartinsightd.analysis.patterns.life import PatternEvent, PatternKind, PatternState
from chartinsightd.analysis.points import Point


class Structured:
    """What the candles of a series confirm, each at the candle with which it became known."""

    def __init__(self, candles: Sequence[AdjustedCandle]) -> None:
        self.learned: Learned = analyse(candles)
        """The rows; `known` of each is its candle's place in the columns."""
        self.trend: NDArray[np.int8] = np.zeros(len(candles), dtype=np.int8)
        """After each candle: +1 up, -1 down, 0 sideways."""
        for change in self.learned.trends:
            self.trend[change.known :] = change.trend.sign
        self.trend.flags.writeable = False

    @property
    def points(self) -> tuple[Point, ...]:
        """Peaks and valleys; one may be used from its candle `known` on, not from `at`."""
        return self.learned.points

    def entered(self, kind: str, state: str) -> tuple[PatternEvent, ...]:
        """Return the events of patterns of a kind that entered a state, oldest first.

        Raises:
            ValueError: no such kind or state.
        """
        wanted = PatternKind(kind), PatternState(state)
        return tuple(event for event in self.learned.patterns if (event.kind, event.state) == wanted)
