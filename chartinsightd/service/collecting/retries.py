"""Retry timing after failed fetches: for the whole broker, one series, or part of a series."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import (
    AccessBlocked,
    RequestRefused,
    SourceError,
    StillBlocked,
    TokenRejected,
)
from chartinsightd.domain.gap_reason import GapReason, of_error
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.service.collecting.circuit_breaker import GUESSED, Circuit

log = structlog.get_logger(__name__)

Part = tuple[Series, bool]
"""A series, and whether its newest page or its history is meant: failures of one never delay the other."""

_FIRST_RETRY_S = 30.0
_LONGEST_RETRY_S = 300.0
"""Longest wait of a series whose requests fail."""
_LONGEST_EMPTY_S = 4 * 3600.0
"""Longest wait of a series without data: a few tries a day."""
_LONGEST_WITHHELD_S = 86_400.0
"""Longest wait of a range that answers leave out, or fill with rows that cannot be candles."""
_FAILURES_OF_AN_OUTAGE = 5
"""Failures in a row, of any series, after which the broker counts as away."""
_STUBBORN = 3
"""After this many incomplete answers, stop waiting for the rest."""
_FIRST_AWAY_S = 5.0
_LONGEST_AWAY_S = 60.0
_REFUSALS_OF_A_BLOCK = 10
"""Refusals in a row, of any series, after which the cause is not the series."""
_REFUSED = (
    "Look at the message: the key may lack a right, or Kiwoom changed something. Its REST API portal tells;"
    " an update of ChartInsight may be needed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something is not fetched now, and until when."""

    reason: GapReason
    told: str
    """The reason in words: the broker's, where it gave any."""
    failures: int
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredRange:
    """A range that was requested and that no answer covered."""

    ranges: RangeSet
    trouble: Failure


class RetryTracker:
    """Remembers failures. A success ends an outage at once, for all series."""

    def __init__(self, clock: Clock, circuit: Circuit) -> None:
        self._clock = clock
        self._circuit = circuit
        self._troubles: dict[Part, Failure] = {}
        self._withheld: dict[Series, list[DeferredRange]] = {}
        self._failures_in_a_row = 0
        self._held_until: datetime | None = None
        self._away_s = _FIRST_AWAY_S
        self._refusals_in_a_row = 0
        self._was_blocked = circuit.block is not None

    @property
    def held_until(self) -> datetime | None:
        """Until when nothing at all is asked of the broker; None when it may be asked."""
        blocked_until = self._circuit.held_until
        if self._held_until is None or self._clock.now() >= self._held_until:
            return blocked_until
        return self._held_until if blocked_until is None else max(self._held_until, blocked_until)

    @property
    def block(self) -> AccessBlocked | None:
        """The refusal of our key or address that holds; None while all is well."""
        return self._circuit.block

    def try_now(self) -> bool:
        """Let one request try now, because the user fixed the cause. False without a block."""
        self._held_until = None
        return self._circuit.try_now()

    def may_fetch(self, part: Part) -> bool:
        """Whether a part of a series may be tried now."""
        trouble = self._troubles.get(part)
        return trouble is None or self._clock.now() >= trouble.not_before

    def next_retry(self) -> datetime | None:
        """Return when the first of those that are left alone may be tried again."""
        now = self._clock.now()
        waits = (trouble.not_before for _, trouble in self._all())
        return min((not_before for not_before in waits if not_before > now), default=None)

    def retriable(self) -> set[Series]:
        """Return the series in trouble that may be tried again by now."""
        now = self._clock.now()
        return {series for series, trouble in self._all() if trouble.not_before <= now}

    def _all(self) -> Iterator[tuple[Series, Failure]]:
        yield from ((series, trouble) for (series, _), trouble in self._troubles.items())
        yield from ((series, one.trouble) for series, some in self._withheld.items() for one in some)

    @property
    def troubles(self) -> Mapping[Part, Failure]:
        """The parts of series that could not be read at the last try."""
        return self._troubles

    def withheld(self, series: Series) -> tuple[DeferredRange, ...]:
        """Return the ranges of a series that answers do not cover."""
        return tuple(self._withheld.get(series, ()))

    def is_stubborn(self, series: Series) -> bool:
        """Whether the broker was asked several times for something of a series, and has not got it."""
        blanks = [self._troubles.get((series, is_newest)) for is_newest in (True, False)]
        found = [one for one in blanks if one is not None and one.reason is not GapReason.OUTAGE]
        found += [one.trouble for one in self.withheld(series)]
        return any(one.failures >= _STUBBORN for one in found)

    def left_alone(self, series: Series, covered: RangeSet) -> RangeSet:
        """Return the ranges that are not to be asked for now, and forget those that are covered since."""
        if series not in self._withheld:
            return EMPTY
        self._keep_withheld(series, [_without(one, covered) for one in self._withheld[series]])
        now = self._clock.now()
        waiting = [one.ranges for one in self._withheld.get(series, ()) if one.trouble.not_before > now]
        return RangeSet.of(*(span for ranges in waiting for span in ranges.spans))

    def forget_others(self, followed: Collection[Series]) -> None:
        """Forget all trouble with series that are not followed any more."""
        self._troubles = {part: trouble for part, trouble in self._troubles.items() if part[0] in followed}
        self._withheld = {series: some for series, some in self._withheld.items() if series in followed}

    def forget_needless(self, series: Series, due: RangeSet) -> None:
        """Forget deferred ranges whose wait is over and that are not requested again."""
        now = self._clock.now()
        self._keep_withheld(
            series,
            [
                one if one.trouble.not_before > now else replace(one, ranges=one.ranges & due)
                for one in self.withheld(series)
            ],
        )

    def withhold(self, series: Series, ranges: RangeSet, reason: GapReason, told: str) -> None:
        """Note ranges that an answer did not cover though asked for: only they are left alone for a while."""
        known = self._withheld.get(series, [])
        failures = 1 + max((one.trouble.failures for one in known if one.ranges & ranges), default=0)
        trouble = self._trouble(reason, told, failures, _LONGEST_WITHHELD_S)
        others = [_without(one, ranges) for one in known]
        self._keep_withheld(series, [*others, DeferredRange(ranges=ranges, trouble=trouble)])
        log.warning("fetch.fell_short", series=str(series), **_fields(trouble, self._clock.now()))

    def _keep_withheld(self, series: Series, found: list[DeferredRange]) -> None:
        kept = [one for one in found if one.ranges]
        if kept:
            self._withheld[series] = kept
        else:
            self._withheld.pop(series, None)

    def told(self) -> dict[Series, str]:
        """Say of each series that does not come as it should what was told last, in words.

        Rows that cannot be candles are counted where they are refused, and a hole is no missing series.
        """
        return {
            series: trouble.told
            for series, trouble in self._all()
            if trouble.reason is not GapReason.QUARANTINED
        }

    def succeeded(self, part: Part) -> bool:
        """Note a success; return whether it ended an outage, so that other series may be tried again."""
        was_away = self._failures_in_a_row >= _FAILURES_OF_AN_OUTAGE or self._was_blocked
        self._failures_in_a_row, self._refusals_in_a_row, self._away_s = 0, 0, _FIRST_AWAY_S
        self._held_until, self._was_blocked = None, False
        self._circuit.passed()
        self._troubles.pop(part, None)
        if was_away:
            self._troubles = {
                one: what for one, what in self._troubles.items() if _outlasts_an_outage(one, what)
            }
            log.info("broker.back")
        return was_away

    def found_nothing(self, part: Part) -> None:
        """Note an answer that was no failure and said that there is no data."""
        self._leave_alone(part, GapReason.UNKNOWN, "no data served", _LONGEST_EMPTY_S)

    def failed(self, part: Part, error: SourceError) -> None:
        """Note a failure."""
        if isinstance(error, AccessBlocked):
            self._was_blocked = True
            if not isinstance(error, StillBlocked):
                self._circuit.refused(error)
            return
        self._leave_alone(part, of_error(error), str(error), _LONGEST_RETRY_S)
        self._failures_in_a_row += 1
        if isinstance(error, TokenRejected | RequestRefused):
            self._count_refusal(error)
        if self._failures_in_a_row >= _FAILURES_OF_AN_OUTAGE and self.held_until is None:
            self._hold(self._away_s)
            log.warning("broker.away", error=str(error), retry_in_s=self._away_s)
            self._away_s = min(self._away_s * 2, _LONGEST_AWAY_S)

    def _leave_alone(self, part: Part, reason: GapReason, told: str, longest_s: float) -> None:
        failures = self._troubles[part].failures + 1 if part in self._troubles else 1
        self._troubles[part] = self._trouble(reason, told, failures, longest_s)
        log.warning("fetch.failed", series=str(part[0]), **_fields(self._troubles[part], self._clock.now()))

    def _trouble(self, reason: GapReason, told: str, failures: int, longest_s: float) -> Failure:
        wait_s = min(_FIRST_RETRY_S * 2 ** min(failures - 1, 20), longest_s)
        not_before = self._clock.now() + timedelta(seconds=wait_s)
        return Failure(reason=reason, told=told, failures=failures, not_before=not_before)

    def _count_refusal(self, error: SourceError) -> None:
        """Take many refusals in a row, without an answer between, for what they are: a block."""
        self._refusals_in_a_row += 1
        if self._refusals_in_a_row >= _REFUSALS_OF_A_BLOCK:
            self._was_blocked = True
            words = f"Kiwoom refuses everything that is asked: {error.message}"
            self._circuit.refused(AccessBlocked(words, remedy=error.remedy or _REFUSED, code=GUESSED))

    def _hold(self, seconds: float) -> None:
        self._held_until = self._clock.now() + timedelta(seconds=seconds)


def _outlasts_an_outage(part: Part, trouble: Failure) -> bool:
    """Whether a trouble was with this series: no data, or answers about its history that are none.

    Newest pages are tried at once: a storm of wrong answers ends as an outage does.
    """
    _, is_newest = part
    return trouble.reason is GapReason.UNKNOWN or (trouble.reason is GapReason.BROKER_ERROR and not is_newest)


def _without(withheld: DeferredRange, ranges: RangeSet) -> DeferredRange:
    return replace(withheld, ranges=withheld.ranges - ranges)


def _fields(trouble: Failure, now: datetime) -> dict[str, Any]:
    """Return what a log line says of a trouble."""
    retry_in_s = round((trouble.not_before - now).total_seconds(), 3)
    return {"reason": trouble.told, "retry_in_s": retry_in_s, "failures": trouble.failures}
