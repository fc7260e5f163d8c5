"""What a page of a chart proves, held against all else that is known of its series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.planning import PAGE_ROWS
from chartinsightd.domain.price_scale import WIDEST_OF_A_DAY, is_off_scale
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartPage
from chartinsightd.service.collecting.page_silence import PageSilence

log = structlog.get_logger(__name__)

_SECOND_READING_AFTER = timedelta(hours=1)
"""A contradiction that lasts longer is no slip of a server or a cache."""
_EMPTY_CONFIRMS_AFTER = timedelta(minutes=10)
"""Longer than one fault of a server or a cache gives both answers."""
_HISTORY_SLACK = timedelta(days=60)
"""A chart may begin that long after the day of listing: a new issue can be listed before it trades."""
_SAMPLES = 16
_NEWEST_LEFT_OUT = 3
"""The newest candles may still change."""
_LEAST_COMMON = 3
"""Remembered candles by which a page is judged; fewer say nothing."""
_CONTRADICTED = 0.5
"""Of the remembered candles; fewer that differ are revisions."""
_DIFFERS = 0.005
"""Of a price; less is a late correction."""
NEXT_CANDLE_WITHIN = timedelta(days=10)
"""A page and the next candle after it lie so close together, unless the stock was halted."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a page claimed that is not believed at once, and when it did first."""

    content: int
    since: datetime


class PageEvidence:
    """Remembers a little of each series, so that one answer cannot overturn or end what is known of it.

    Args:
        listing: what the stock list says of a symbol; None where it says nothing.
    """

    def __init__(self, listing: Callable[[str], Listing | None] = lambda _: None) -> None:
        self._listing = listing
        self._closes: dict[Series, dict[int, int]] = {}
        """By series, the closes of some candles that will not change any more."""
        self._claims: dict[Series, _Claim] = {}
        self._scales: dict[Series, _Claim] = {}
        self._ends: dict[Series, _Claim] = {}
        self.silence = PageSilence()

    def take(self, candles: Candles, asked_at: datetime) -> None:
        """Hold a page against what is known of its series, and remember some of it.

        Raises:
            MalformedAnswer: it contradicts many candles that were read before, or its prices differ by a
                factor from the stock's other charts and its price in the stock list; no page did so an hour
                ago.
        """
        series = Series(symbol=candles.symbol, timeframe=candles.timeframe)
        self._hold_off_scale(series, candles, asked_at)
        known = self._closes.setdefault(series, {})
        closes = _closes_at(candles, known)
        wrong = [ts for ts, close in closes.items() if abs(close - known[ts]) > _DIFFERS * known[ts]]
        if len(closes) >= _LEAST_COMMON and len(wrong) > _CONTRADICTED * len(closes):
            if not self._is_repeated(self._claims, series, closes[min(wrong)], asked_at):
                raise MalformedAnswer(
                    f"The chart {series} contradicts {len(wrong)} of {len(closes)} candles that were read"
                    " before: it is held back until it has said so for an hour."
                )
            log.error("page.overturns", series=str(series), candles=len(candles))
            known.clear()
        self._claims.pop(series, None)
        self._remember(known, candles)

    def knows(self, series: Series) -> bool:
        """Whether anything of a series is remembered."""
        return series in self._closes

    def recall(self, candles: Candles) -> None:
        """Remember some candles that were stored by an earlier process."""
        known = self._closes.setdefault(Series(symbol=candles.symbol, timeframe=candles.timeframe), {})
        self._remember(known, candles.where(candles.final), may_change=0)

    def next_price(self, candles: Candles) -> int | None:
        """Return the remembered close of the candle next after a page, in won; None where none is near."""
        if not len(candles):
            return None
        newest = int(candles.ts[-1])
        known = self._closes.get(Series(symbol=candles.symbol, timeframe=candles.timeframe), {})
        following = min((ts for ts in known if ts > newest), default=None)
        is_near = following is not None and following - newest <= NEXT_CANDLE_WITHIN.total_seconds()
        return known[following] if following is not None and is_near else None

    def _hold_off_scale(self, series: Series, candles: Candles, asked_at: datetime) -> None:
        """Hold a page back for an hour whose prices differ by a factor from the stock's other charts.

        Which of the two charts is wrong is not known; what the broker says for an hour is what it means.
        """
        others = {one: self._closes.get(Series(symbol=series.symbol, timeframe=one), {}) for one in Timeframe}
        if not is_off_scale(candles, others) and not self._is_off_the_list(candles, others, asked_at):
            self._scales.pop(series, None)
            return
        if not self._is_repeated(self._scales, series, int(candles.close[0]), asked_at):
            raise MalformedAnswer(
                f"The prices of {series} differ by a factor from those of other charts or of the stock list:"
                " they are held back until the chart has said so for an hour."
            )
        log.error("page.other_scale", series=str(series), candles=len(candles))
        for one in Timeframe:
            self._closes.pop(Series(symbol=series.symbol, timeframe=one), None)

    def _is_off_the_list(
        self,
        candles: Candles,
        others: Mapping[Timeframe, Mapping[int, int]],
        asked_at: datetime,
    ) -> bool:
        """Return whether the first page of a stock ends a factor away from its price in the stock list."""
        listing = self._listing(candles.symbol)
        price = listing.last_price if listing is not None else None
        if not price or not len(candles) or any(others.values()):
            return False
        if asked_at.timestamp() - int(candles.ts[-1]) > NEXT_CANDLE_WITHIN.total_seconds():
            return False
        close = int(candles.close[-1])
        return max(close, price) > WIDEST_OF_A_DAY * min(close, price)

    def ends(self, page: ChartPage, oldest: int, asked_at: datetime) -> bool:
        """Whether a page that is said to be the last one shows where the history begins.

        A full page says that more is there, and so does a day of listing long before. Then the end must be
        claimed again after an hour, or confirmed by an empty answer (`is_end_confirmed`).
        """
        if not page.is_last:
            return False
        series = Series(symbol=page.candles.symbol, timeframe=page.candles.timeframe)
        if page.rows < PAGE_ROWS[series.timeframe] and not self._begins_late(series, oldest):
            return True
        return self._is_repeated(self._ends, series, oldest, asked_at)

    def is_end_confirmed(self, series: Series, before: int, asked_at: datetime) -> bool:
        """Whether an answer without rows to a request for older candles confirms a claimed end of history.

        Neither an empty answer nor the claim proves anything alone. Together, some time apart, they are two
        answers of different kinds that say the same.

        Args:
            series: which was asked for.
            before: only candles that open earlier were asked for, in seconds.
            asked_at: when.
        """
        claim = self._ends.get(series)
        return (
            claim is not None and before <= claim.content and asked_at - claim.since >= _EMPTY_CONFIRMS_AFTER
        )

    def _begins_late(self, series: Series, oldest: int) -> bool:
        """Return whether a history of days or weeks would begin long after the stock was listed."""
        listing = self._listing(series.symbol)
        if series.timeframe.is_intraday or listing is None or listing.listed_on is None:
            return False
        return day_of(datetime.fromtimestamp(oldest, UTC)) - listing.listed_on > _HISTORY_SLACK

    @staticmethod
    def _is_repeated(claims: dict[Series, _Claim], series: Series, content: int, asked_at: datetime) -> bool:
        """Whether the same was claimed an hour ago and since; remember it where it was not."""
        claim = claims.get(series)
        if claim is None or claim.content != content:
            claims[series] = _Claim(content, asked_at)
            return False
        return asked_at - claim.since >= _SECOND_READING_AFTER

    @staticmethod
    def _remember(known: dict[int, int], candles: Candles, may_change: int = _NEWEST_LEFT_OUT) -> None:
        settled = max(0, len(candles) - may_change)
        if not settled:
            return
        places = np.linspace(0, settled - 1, _SAMPLES).astype(np.int64)
        known |= zip(candles.ts[places].tolist(), candles.close[places].tolist(), strict=True)
        for ts in sorted(known)[: max(0, len(known) - 2 * _SAMPLES)]:
            del known[ts]


def _closes_at(candles: Candles, instants: Iterable[int]) -> dict[int, int]:
    """Return the closes of those candles that open at one of these instants, in won."""
    wanted = np.array([*instants], dtype=np.int64)
    there = wanted[candles.has(wanted)]
    closes = candles.close[np.searchsorted(candles.ts, there)]
    return dict(zip(there.tolist(), closes.tolist(), strict=True))
