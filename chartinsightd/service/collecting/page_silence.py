"""Judge a newest page without the newest candles: the stock did not trade, or the page is old."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles, Flags, Ints
from chartinsightd.domain.grid import DAY_S, candle_end, grid_between
from chartinsightd.domain.kst import KST_OFFSET_S, day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.kiwoom import CLOSING_AUCTION

_LABELS = 40
"""Candles of the grid by which a series is taken for one that always trades."""
_ROWS_LOOKED_AT = 8 * _LABELS
"""Newest rows of a page that contain `_LABELS` labels of the session; the after-market adds rows."""
_DENSE = 0.95
_LATE_S = 60
"""Seconds after its end in which a candle may not be served yet."""
_CACHED_AT_MOST_S = 7 * 86_400
"""Whoever keeps one chart does so for hours; of what is older one chart that moved shows that all do."""
_CLOSED_AT_MOST_S = 30 * 86_400
"""No stretch without a session is so long."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the newest page of a series showed."""

    asked_at: datetime
    newest: int
    is_busy: bool
    """Whether its silence would be odd: otherwise a page tells something by its newer candles alone."""


class PageSilence:
    """Compares the newest pages of series that always trade with each other.

    A cache in front of the broker, or a broker whose charts stand still, serves pages that were right once.
    Such a page proves nothing after its newest row. One stock that does not trade is halted; when most do
    not, the pages are old. A later page with newer rows shows which of the two it was.
    """

    def __init__(self) -> None:
        self._shown: dict[Timeframe, dict[str, _Shown]] = defaultdict(dict)
        """By symbol: the newest page of each series."""

    def is_doubtful(self, candles: Candles, asked_at: datetime, calendar: Calendar) -> bool:
        """Whether a newest page lacks candles of a series that always trades, as most such series do.

        Those pages of the same timeframe vote that were asked for once the lacking candle had to be there. A
        stock that trades now and then votes where it traded since: then the charts do not stand still.
        """
        if not len(candles):
            return False
        labels, newest = _labels_about(candles, asked_at, calendar), int(candles.ts[-1])
        always_trades, voters = (
            _always_trades(candles, labels[labels <= newest]),
            self._shown[candles.timeframe],
        )
        has_ended = asked_at.timestamp() - newest > _CACHED_AT_MOST_S
        voters[candles.symbol] = _Shown(asked_at, newest, always_trades and not has_ended)
        if not always_trades:
            return False
        after, needed = labels[labels > newest], _silent_labels(candles.timeframe)
        if len(after) < needed:
            return False
        lacked = int(after[needed - 1])
        due_at = datetime.fromtimestamp(candle_end(calendar, candles.timeframe, lacked) + _LATE_S, UTC)
        votes = [
            shown.newest < lacked
            for shown in voters.values()
            if shown.asked_at >= due_at and (shown.is_busy or shown.newest >= lacked)
        ]
        return all(votes) if has_ended else sum(votes) * 2 >= len(votes)


def _always_trades(candles: Candles, labels: Ints) -> bool:
    """Whether a series has nearly every candle of the grid up to its newest one; `labels` are the grid's."""
    last = labels[-_LABELS:]
    return len(last) >= _LABELS // 2 and float(candles.has(last).mean()) >= _DENSE


def _silent_labels(timeframe: Timeframe) -> int:
    """Return how many newest candles a series that always trades cannot lack without a cause."""
    return 3 if timeframe.is_intraday else 1


def _labels_about(candles: Candles, asked_at: datetime, calendar: Calendar) -> Ints:
    """Return the labels around the newest row that are over by the time of a request, oldest first.

    Within a day those of continuous trading alone.
    """
    ts, timeframe, now = candles.ts, candles.timeframe, int(asked_at.timestamp())
    newest = int(ts[-1])
    grid = grid_between(
        calendar, timeframe, int(ts[-_ROWS_LOOKED_AT:][0]), min(now, newest + _CLOSED_AT_MOST_S)
    )
    over = grid.ts[grid.ends + _LATE_S <= now]
    if not timeframe.is_intraday:
        return over
    at = int(np.searchsorted(over, newest, side="right"))
    near: Ints = over[max(0, at - 3 * _LABELS) : at + 3 * _LABELS]
    return near[_are_regular(near, calendar)]


def _are_regular(labels: Ints, calendar: Calendar) -> Flags:
    """Say which labels lie in the continuous trading of their days."""
    regular = np.zeros(len(labels), dtype=np.bool_)
    days = (labels + KST_OFFSET_S) // DAY_S
    for label in labels[np.flatnonzero(np.diff(days, prepend=-1))].tolist():
        session = calendar.session(day_of(datetime.fromtimestamp(label, UTC)))
        if session is not None:
            auction_at = session.close_at - CLOSING_AUCTION
            regular |= (labels >= session.open_at.timestamp()) & (labels < auction_at.timestamp())
    return regular
