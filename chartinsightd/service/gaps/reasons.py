"""Says why something is missing: what happened at the last try, and what the stock list says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chartinsightd.domain.gap_reason import GapReason, Listing, Why, of_silence
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.service.collecting.failure import Failure
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker

_NOT_FETCHED = Why(reason=GapReason.NOT_FETCHED_YET)
_PAUSED = Why(reason=GapReason.PAUSED)


class GapReasons:
    """Explains each missing range of a series.

    Args:
        retries: the failed fetches.
        pause_switch: whether a person paused collecting.
        listing: what the stock list says of a symbol; None where it was not read yet.
    """

    def __init__(
        self,
        *,
        retries: RetryTracker,
        pause_switch: PauseSwitch,
        listing: Callable[[str], Listing | None],
    ) -> None:
        self._retries = retries
        self._pause_switch = pause_switch
        self._listing = listing

    def tried(self, series: Series, *, is_live: bool) -> bool:
        """Whether the newest page of a series, or its history, was tried without success."""
        return (series, is_live) in self._retries.troubles

    def split(self, series: Series, missing: RangeSet, *, is_live: bool) -> Iterable[tuple[RangeSet, Why]]:
        """Split a missing range by the reason why it is missing.

        Args:
            series: whose.
            missing: not empty.
            is_live: whether the newest page is to bring it.
        """
        for deferred in self._retries.deferred(series):
            if part := missing & deferred.ranges:
                missing -= part
                yield part, _tried(deferred.trouble)
        if missing:
            yield missing, self._why(series, missing, is_live=is_live)

    def of(self, series: Series, instant: int) -> Why:
        """Return why the candle that starts at an instant (seconds since the epoch) is missing."""
        missing = RangeSet.of((instant, instant + 1))
        [(_, why)] = self.split(series, missing, is_live=self.tried(series, is_live=True))
        return why

    def _why(self, series: Series, missing: RangeSet, *, is_live: bool) -> Why:
        block = self._retries.block
        if block is not None:
            return Why(reason=GapReason.BLOCKED, evidence={"told": block.message, "code": block.code})
        trouble = self._retries.troubles.get((series, is_live))
        if trouble is None:
            return _PAUSED if self._pause_switch.is_shut else _NOT_FETCHED
        why = _tried(trouble)
        if trouble.reason is not GapReason.UNKNOWN:
            return why
        last_day = day_of(datetime.fromtimestamp(missing.spans[-1][1] - 1, UTC))
        silence = of_silence(last_day, self._listing(series.symbol))
        return Why(reason=silence.reason, evidence={**why.evidence, **silence.evidence})


def _tried(trouble: Failure) -> Why:
    evidence: Mapping[str, Any] = {
        "told": trouble.told,
        "failures": trouble.failures,
        "retry_at": trouble.not_before.isoformat(timespec="seconds"),
    }
    return Why(reason=trouble.reason, evidence=evidence)
