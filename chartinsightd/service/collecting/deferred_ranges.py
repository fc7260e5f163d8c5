"""Ranges that answers do not cover: only they wait, the rest of the series does not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.service.collecting.failure import Failure, new_failure

log = structlog.get_logger(__name__)

_BACKOFF = Backoff(first=timedelta(seconds=30), longest=timedelta(days=1))
"""Longest wait of a range that answers leave out, or fill with rows that cannot be candles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredRange:
    """A range that was requested and that no answer covered."""

    ranges: RangeSet
    trouble: Failure


class DeferredRanges:
    """Remembers, by series, which ranges wait and how long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_series: dict[Series, list[DeferredRange]] = {}

    def __iter__(self) -> Iterator[tuple[Series, Failure]]:
        for series, some in self._by_series.items():
            yield from ((series, one.trouble) for one in some)

    def of(self, series: Series) -> tuple[DeferredRange, ...]:
        """Return the ranges of a series that answers do not cover."""
        return tuple(self._by_series.get(series, ()))

    def defer(self, series: Series, ranges: RangeSet, reason: GapReason, told: str) -> None:
        """Let ranges wait that a request named and its answer did not cover."""
        known = self.of(series)
        failures = 1 + max((one.trouble.failures for one in known if one.ranges & ranges), default=0)
        trouble = new_failure(self._clock, _BACKOFF, reason, told, failures)
        others = [_without(one, ranges) for one in known]
        self._keep(series, [*others, DeferredRange(ranges=ranges, trouble=trouble)])
        log.warning("fetch.fell_short", series=str(series), **trouble.log_fields(self._clock.now()))

    def waiting(self, series: Series, covered: RangeSet) -> RangeSet:
        """Return the ranges that are not requested now, and forget those that are covered since."""
        if series not in self._by_series:
            return EMPTY
        self._keep(series, [_without(one, covered) for one in self._by_series[series]])
        now = self._clock.now()
        ranges = [one.ranges for one in self.of(series) if one.trouble.not_before > now]
        return RangeSet.of(*(span for some in ranges for span in some.spans))

    def forget_needless(self, series: Series, due: RangeSet) -> None:
        """Forget ranges whose wait is over and that are not requested again."""
        now = self._clock.now()
        self._keep(
            series,
            [
                one if one.trouble.not_before > now else replace(one, ranges=one.ranges & due)
                for one in self.of(series)
            ],
        )

    def end_waits(self, wanted: Collection[Series]) -> None:
        """Let the ranges of series be requested now."""
        now = self._clock.now()
        for series in self._by_series.keys() & set(wanted):
            self._by_series[series] = [
                replace(one, trouble=replace(one.trouble, not_before=min(now, one.trouble.not_before)))
                for one in self.of(series)
            ]

    def forget_others(self, followed: Collection[Series]) -> None:
        """Forget the series that are not followed any more."""
        self._by_series = {series: some for series, some in self._by_series.items() if series in followed}

    def _keep(self, series: Series, found: list[DeferredRange]) -> None:
        kept = [one for one in found if one.ranges]
        if kept:
            self._by_series[series] = kept
        else:
            self._by_series.pop(series, None)


def _without(one: DeferredRange, ranges: RangeSet) -> DeferredRange:
    return replace(one, ranges=one.ranges - ranges)
