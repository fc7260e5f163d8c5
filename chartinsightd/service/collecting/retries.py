"""Retry timing after failed fetches: for the whole broker, one series, or part of a series."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import AccessBlocked, SourceError
from chartinsightd.domain.gap_reason import GapReason, of_error
from chartinsightd.domain.series import Series
from chartinsightd.ports.guards import AccessCircuit
from chartinsightd.service.collecting.deferred_ranges import DeferredRanges
from chartinsightd.service.collecting.failure import Failure, new_failure
from chartinsightd.service.collecting.outage import Outage
from chartinsightd.service.state.set_aside import SetAside, cause_of

log = structlog.get_logger(__name__)

Part = tuple[Series, bool]
"""A series, and whether its newest page or its history is meant: failures of one never delay the other."""

_FAILED = Backoff(first=timedelta(seconds=30), longest=timedelta(minutes=5))
"""Longest wait of a series whose requests fail."""
_EMPTY = Backoff(first=timedelta(seconds=30), longest=timedelta(hours=4))
"""Longest wait of a series without data: a few tries a day."""
_MOST_INCOMPLETE = 3
"""After this many incomplete answers, stop waiting for the rest."""
_ALONE = Backoff(first=timedelta(seconds=30), longest=timedelta(hours=1))
"""Longest wait of a series whose pages raise unexpected errors."""


class RetryTracker:
    """Says what may be fetched now, and explains what may not.

    Three things delay a fetch: an outage (`Outage`) delays all, a failure its part of a series, and an answer
    that falls short only the ranges that it left out (`DeferredRanges`).
    """

    def __init__(self, clock: Clock, circuit: AccessCircuit, set_aside: SetAside | None = None) -> None:
        self._clock = clock
        self._circuit = circuit
        self._set_aside = set_aside or SetAside(clock)
        self._outage = Outage(clock, circuit)
        self._troubles: dict[Part, Failure] = {}
        self._deferred = DeferredRanges(clock)
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        """Up to when the ends of waits were looked at: one that ends after that must not be missed."""
        self.held_back = self._deferred.waiting
        self.deferred = self._deferred.of
        self.defer = self._deferred.defer
        self.forget_needless = self._deferred.forget_needless
        self.try_now = self._outage.try_now

    @property
    def held_until(self) -> datetime | None:
        """Until when nothing at all is asked of the broker; None when it may be asked."""
        return self._outage.held_until

    @property
    def block(self) -> AccessBlocked | None:
        """The refusal of our key or address that holds; None while all is well."""
        return self._circuit.block

    @property
    def troubles(self) -> Mapping[Part, Failure]:
        """The parts of series that could not be read at the last try."""
        return self._troubles

    def may_fetch(self, part: Part) -> bool:
        """Whether a part of a series may be tried now."""
        trouble = self._troubles.get(part)
        return trouble is None or self._clock.now() >= trouble.not_before

    def next_retry(self) -> datetime | None:
        """Return when the first wait ends that `retriable` has not looked at; None where nothing waits.

        That may be a moment ago: time passes between a look and the next question.
        """
        looked_at = min(self._looked_at, self._clock.now())  # the clock may have been set back
        waits = (failure.not_before for _, failure in self._all())
        return min((not_before for not_before in waits if not_before > looked_at), default=None)

    def retriable(self) -> set[Series]:
        """Return the series that failed and may be tried again by now; note that their waits are over."""
        now = self._looked_at = self._clock.now()
        return {series for series, failure in self._all() if failure.not_before <= now}

    def has_given_up(self, series: Series) -> bool:
        """Whether the broker was asked several times for something of a series, and has not got it."""
        blanks = [self._troubles.get((series, is_newest)) for is_newest in (True, False)]
        found = [one for one in blanks if one is not None and one.reason is not GapReason.OUTAGE]
        found += [one.trouble for one in self._deferred.of(series)]
        return any(one.failures >= _MOST_INCOMPLETE for one in found)

    def end_waits(self, wanted: Collection[Series]) -> set[Series]:
        """Let series be tried now whose next try lies ahead; return those that waited."""
        now = self._clock.now()
        waiting = {series for series, failure in self._all() if series in wanted and failure.not_before > now}
        for part, failure in self._troubles.items():
            if part[0] in waiting:
                self._troubles[part] = replace(failure, not_before=now)
        self._deferred.end_waits(waiting)
        return waiting

    def forget_others(self, followed: Collection[Series]) -> None:
        """Forget all failures of series that are not followed any more."""
        self._troubles = {part: trouble for part, trouble in self._troubles.items() if part[0] in followed}
        self._deferred.forget_others(followed)

    def told(self) -> dict[Series, str]:
        """Return, for each series that fails, the words of its last failure.

        Rows that cannot be candles are counted where they are refused, and a hole is no missing series.
        """
        return {
            series: failure.told
            for series, failure in self._all()
            if failure.reason is not GapReason.QUARANTINED
        }

    def succeeded(self, part: Part) -> bool:
        """Note a success; return whether it ended an outage, so that other series may be tried again."""
        was_away = self._outage.succeeded()
        self._set_aside.succeeded("fetch", _name(part))
        self._troubles.pop(part, None)
        if was_away:
            self._troubles = {
                one: failure for one, failure in self._troubles.items() if _outlasts_an_outage(one, failure)
            }
        return was_away

    def found_nothing(self, part: Part, *, has_candles: bool = False) -> None:
        """Note an answer that was no failure and said that there is no data.

        Args:
            part: what was asked for.
            has_candles: whether candles of the series are known. Then a newest page without any is a fault
                of the broker, and the session must not be over before it is asked again.
        """
        _, is_newest = part
        backoff = _FAILED if is_newest and has_candles else _EMPTY
        self._delay(part, GapReason.UNKNOWN, "no data served", backoff)

    def failed(self, part: Part, error: SourceError) -> None:
        """Note a failure."""
        if isinstance(error, AccessBlocked):
            self._outage.blocked(error)
            return
        self._delay(part, of_error(error), str(error), _FAILED)
        self._outage.failed(error)

    def failed_alone(self, part: Part, error: Exception) -> None:
        """Note an unexpected error: it says nothing about the broker, and delays this part alone."""
        self._set_aside.failed("fetch", _name(part), error)
        self._delay(part, GapReason.UNKNOWN, cause_of(error), _ALONE)

    def _all(self) -> Iterator[tuple[Series, Failure]]:
        yield from ((series, failure) for (series, _), failure in self._troubles.items())
        yield from self._deferred

    def _delay(self, part: Part, reason: GapReason, told: str, backoff: Backoff) -> None:
        failures = self._troubles[part].failures + 1 if part in self._troubles else 1
        failure = self._troubles[part] = new_failure(self._clock, backoff, reason, told, failures)
        log.warning("fetch.failed", series=str(part[0]), **failure.log_fields(self._clock.now()))


def _name(part: Part) -> str:
    series, is_newest = part
    return f"{series} {'newest page' if is_newest else 'history'}"


def _outlasts_an_outage(part: Part, failure: Failure) -> bool:
    """Whether a failure was the series': no data, or answers about its history that are none.

    Newest pages are tried at once: a storm of wrong answers ends as an outage does.
    """
    _, is_newest = part
    return failure.reason is GapReason.UNKNOWN or (failure.reason is GapReason.BROKER_ERROR and not is_newest)
