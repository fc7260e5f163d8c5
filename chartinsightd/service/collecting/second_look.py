"""Reads a chart again where a row is unlikely, before anything is refused for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from chartinsightd.domain.candle import Candles, Flags
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.grid import last_shown_day
from chartinsightd.domain.outliers import is_stray
from chartinsightd.domain.price_limit import beyond_limit
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartRequest, ChartSource, Priority
from chartinsightd.service.state.current_rules import CurrentRules

log = structlog.get_logger(__name__)

_MOST_REMEMBERED = 50_000
_WIDEST, _WIDEST_WEEKLY = 1.5, 3.0
"""Ratios of two neighbouring prices that a limit of 30 % a day allows, with room."""
_SAME = 0.5
"""Of the candles of two readings."""

_HELD = timedelta(hours=1)
"""A fault of a server or a cache gives the same wrong page again, but hardly for so long."""

_Reach = tuple[int, int]
"""The lowest and the highest price of a candle, in won."""


@dataclass(frozen=True, slots=True)
class _Leap:
    """The newest price of a page that lies far from the next one, in won, and when it was read first."""

    close: int
    since: datetime


class SecondLook:
    """Tells rows that the broker says twice from those it said once.

    A price beyond the daily limit may be true (first days of listing, 정리매매, days of corporate actions),
    and so may a row far from its page (a long halt). The broker repeats them, as it does not repeat a slip.
    What it repeated is not asked about again while the daemon runs.
    """

    def __init__(self, source: ChartSource, current_rules: CurrentRules) -> None:
        self._source = source
        self._current_rules = current_rules
        self._confirmed: dict[tuple[Series, int], _Reach] = {}
        self._edges: dict[tuple[Series, int], _Leap] = {}
        """Where pages end whose leap a second reading gave, too."""

    async def doubted(self, candles: Candles, priority: Priority) -> Mapping[str, Flags]:
        """Say, by reason, which candles of one answer are unlikely, and not so in a second answer.

        Raises:
            SourceError: the second answer did not come.
        """
        reasons = {"beyond_price_limit": beyond_limit(candles), "far_from_its_page": is_stray(candles)}
        doubted: Flags = np.logical_or.reduce(list(reasons.values()))
        if doubted.any():
            doubted &= ~self._are_confirmed(candles)
        if doubted.any():
            await self._read_again(candles, doubted, priority)
            doubted &= ~self._are_confirmed(candles)
        return {reason: flags & doubted for reason, flags in reasons.items() if doubted.any()}

    async def at_edge(
        self, candles: Candles, next_price: int | None, asked_at: datetime, priority: Priority
    ) -> None:
        """Hold a page back for an hour whose newest price lies far from that of the candle after it.

        A corporate action may lie between: that is so an hour later, too. A second reading at once tells a
        slip early, but the same fault of a server may give it as well.

        Args:
            candles: of the page.
            next_price: of the candle after it, in won; None where it is not known.
            asked_at: when the page was asked for.
            priority: of the second reading.

        Raises:
            MalformedAnswer: the second reading gives other prices, or the leap is not an hour old.
            SourceError: the second answer did not come.
        """
        if next_price is None or not len(candles) or not _leaps(candles, next_price):
            return
        key, close = (_series(candles), int(candles.ts[-1])), int(candles.close[-1])
        known = self._edges.get(key)
        if known is None or known.close != close:
            await self._compare(candles, priority)
            known = self._edges[key] = _Leap(close, asked_at)
        if asked_at - known.since < _HELD:
            raise MalformedAnswer(
                f"A page of {key[0]} ends far from the price of the candle after it: it is held back until"
                " the broker has said so for an hour."
            )

    async def _compare(self, candles: Candles, priority: Priority) -> None:
        """Read a page again; raise where its prices differ."""
        series, newest = _series(candles), int(candles.ts[-1])
        request = ChartRequest(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            until=datetime.fromtimestamp(newest, UTC),
            base_day=last_shown_day(self._current_rules.calendar, candles.timeframe, newest),
        )
        log.info("page.read_again", series=str(series), rows=len(candles), newest=request.base_day)
        async with aclosing(self._source.pages(request, priority)) as pages:  # type: ignore[type-var]
            async for page in pages:
                if not _agree(candles, page.candles):
                    raise MalformedAnswer(f"Two readings of a page of {series} give different prices.")

    async def _read_again(self, candles: Candles, doubted: Flags, priority: Priority) -> None:
        suspects = candles.ts[doubted]
        newest, oldest = int(suspects[-1]), int(suspects[0])
        request = ChartRequest(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            until=datetime.fromtimestamp(oldest, UTC),
            base_day=last_shown_day(self._current_rules.calendar, candles.timeframe, newest),
        )
        log.info("page.read_again", series=str(_series(candles)), rows=len(suspects), newest=request.base_day)
        async with aclosing(self._source.pages(request, priority)) as pages:  # type: ignore[type-var]
            async for page in pages:
                self._remember(page.candles, suspects.tolist())

    def _remember(self, again: Candles, suspects: list[int]) -> None:
        if len(self._confirmed) > _MOST_REMEMBERED:
            self._confirmed.clear()
        series = _series(again)
        for place in np.flatnonzero(np.isin(again.ts, suspects)).tolist():
            reach = int(again.low[place]), int(again.high[place])
            self._confirmed[series, int(again.ts[place])] = reach

    def _are_confirmed(self, candles: Candles) -> Flags:
        """Say which candles reach no further than the broker has said before; a forming one only grows."""
        series = _series(candles)
        known = [self._confirmed.get((series, ts)) for ts in candles.ts.tolist()]
        return np.array(
            [
                reach is not None and reach[0] <= low and high <= reach[1]
                for reach, low, high in zip(known, candles.low.tolist(), candles.high.tolist(), strict=True)
            ],
            dtype=np.bool_,
        )


def _leaps(candles: Candles, after: int) -> bool:
    """Whether no day's limit explains the step from a page to the next candle after it."""
    widest = _WIDEST_WEEKLY if candles.timeframe is Timeframe.W1 else _WIDEST
    before = int(candles.close[-1])
    return max(before, after) > widest * min(before, after)


def _agree(candles: Candles, again: Candles) -> bool:
    """Whether two readings give the same closes, but for a few."""
    _, here, there = np.intersect1d(candles.ts, again.ts, return_indices=True)
    same = candles.close[here] == again.close[there]
    return bool(same.mean() > _SAME) if len(here) else True


def _series(candles: Candles) -> Series:
    return Series(symbol=candles.symbol, timeframe=candles.timeframe)
