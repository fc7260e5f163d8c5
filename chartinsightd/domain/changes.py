"""Changes of final candles, in the order in which they were committed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from chartinsightd.domain.candle import Ints
from chartinsightd.domain.timeframe import Timeframe


class ChangeKind(StrEnum):
    """Why results that rest on candles are out of date."""

    NEW = "new"
    """Candles became final."""
    REVISED = "revised"
    """Values of final candles changed."""
    ADJUSTED = "adjusted"
    """A corporate action was found or corrected: older candles have other adjusted prices."""
    LEARNED_DAY = "learned_day"
    """The calendar changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the log of changes."""

    number: int
    """Later commits have larger numbers."""
    at: datetime
    """When it was committed; aware, UTC."""
    kind: ChangeKind
    symbol: str | None
    """None: every symbol."""
    timeframe: Timeframe | None
    """None: every timeframe."""
    from_ts: datetime
    """The first candle concerned opens then; aware, UTC."""
    to_ts: datetime
    """The last candle concerned opens then; aware, UTC."""


def runs(there: Ints, chosen: Ints) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each stretch of candles that consists of chosen ones alone.

    A stretch never spans a candle that was not chosen. So the latest change of kind `new` that covers an
    instant is the one in which the candle of that instant became final.

    Args:
        there: when the candles of a stretch of a series open, in seconds, ascending.
        chosen: some of them, in any order; instants that are not among them do not count.
    """
    chosen = np.sort(chosen)
    places = np.searchsorted(there, chosen)
    within = places < len(there)
    places, chosen = places[within], chosen[within]
    places = places[there[places] == chosen]
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    for run in np.split(places, breaks) if len(places) else ():
        yield int(there[run[0]]), int(there[run[-1]])
