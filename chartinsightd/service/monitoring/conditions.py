"""What is wrong with collecting, proving and keeping, read from the services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.database_probe import DatabaseProbe
from chartinsightd.service.monitoring.quarantine_probe import Refusals
from chartinsightd.service.sealing.sealer import Sealer
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.current_rules import CurrentRules

_LEAST_FAILING = 3
_LEAST_FAILING_SHARE = 0.1
"""Fewer failing series than both are shown with the series, not as an alert."""
_LEAST_REFUSED = 10
_LEAST_REFUSED_SHARE = 0.01
"""Fewer refused rows than both are the broker's slips, and seen in the quarantine alone."""
_OVERRIDE = "If the exchange says otherwise, name the day in the file of collect.calendar_overrides."

Found = Iterator[tuple[AlertKind, Condition]]


class Conditions:
    """Reads the services and says what is wrong now.

    Args:
        database: whether it answers.
        retries: blocks and failures at the broker.
        scheduler: how many series are collected.
        commits: the rows refused lately.
        current_rules: days on which the market contradicts the calendar.
        sealer: sessions that contradict themselves.
        writer: whether fetched pages can be kept.
        ledger: whether the checkpoint is written.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        database: DatabaseProbe,
        retries: RetryTracker,
        scheduler: Scheduler,
        commits: CommitCounts,
        current_rules: CurrentRules,
        sealer: Sealer,
        writer: Writer,
        ledger: CoverageLedger,
        clock: Clock,
    ) -> None:
        self._database = database
        self._retries = retries
        self._scheduler = scheduler
        self._commits = commits
        self._current_rules = current_rules
        self._sealer = sealer
        self._writer = writer
        self._ledger = ledger
        self._clock = clock

    def look(self) -> dict[AlertKind, Condition]:
        """Return what is wrong now."""
        return dict([*self._collecting(), *self._proving(), *self._keeping()])

    def _collecting(self) -> Found:
        """Yield what keeps data from coming."""
        if (failure := self._database.failure) is not None:
            is_refused = isinstance(failure, StoreRefused)
            kind = AlertKind.DATABASE_REFUSES if is_refused else AlertKind.DATABASE_AWAY
            yield kind, _error(failure.message, failure.remedy)
        if (block := self._retries.block) is not None:
            yield AlertKind.BROKER_BLOCKED, _error(block.message, block.remedy)
        told, series = self._retries.told(), len(self._scheduler.series)
        if len(told) >= max(_LEAST_FAILING, series * _LEAST_FAILING_SHARE):
            [(commonest, _)] = Counter(told.values()).most_common(1)
            message = f"{len(told)} of {series} series cannot be fetched: {commonest}."
            yield AlertKind.FETCH_FAILING, _warning(message, "They are tried again.")
        refused = self._commits.refused_lately()
        if refused.rows >= _LEAST_REFUSED and refused.share >= _LEAST_REFUSED_SHARE:
            yield AlertKind.ROWS_REFUSED, _refused(refused)

    def _proving(self) -> Found:
        """Yield what the market or a session contradicts."""
        if (learned := self._current_rules.learned.get(day_of(self._clock.now()))) is not None:
            yield AlertKind.CALENDAR_LEARNED, _warning(learned_words(learned), _OVERRIDE)
        broken = [seal for seal in self._sealer.open_seals() if self._sealer.has_given_up(seal)]
        if broken:
            newest = max(broken, key=lambda seal: seal.day)
            message = (
                f"{len(broken)} sessions contradict themselves, whatever is read again;"
                f" the newest is {newest.day} of {newest.symbol}."
            )
            remedy = "`chartinsightctl seals --state broken` shows where, `verify` reads them once more."
            yield AlertKind.SEALS_BROKEN, _warning(message, remedy)

    def _keeping(self) -> Found:
        """Yield what keeps fetched pages from being stored."""
        if (failure := self._writer.failure) is not None:
            message = f"Neither the database nor the disk takes pages: {failure.message}"
            yield AlertKind.SPOOL_REFUSED, _error(message, failure.remedy)
        elif not self._writer.has_room(urgent=True):
            yield AlertKind.SPOOL_FULL, _full("Nothing is fetched any more.")
        elif not self._writer.has_room(urgent=False):
            yield AlertKind.SPOOL_FULL, _full("Only live polls are fetched.")
        if (lag := self._ledger.checkpoint_failure) is not None:
            yield AlertKind.CHECKPOINT_NOT_WRITTEN, _warning(lag.message, lag.remedy)


def _error(message: str, remedy: str) -> Condition:
    return Condition(level="error", message=message, remedy=remedy)


def _warning(message: str, remedy: str) -> Condition:
    return Condition(level="warning", message=message, remedy=remedy)


def _full(consequence: str) -> Condition:
    return Condition(
        level="error",
        message=f"The spool has no room left while the database is away. {consequence}",
        remedy="Bring the database back, or raise collect.spool_mb where the disk has room.",
    )


def _refused(refused: Refusals) -> Condition:
    commonest = next(iter(refused.reasons))
    return Condition(
        level="warning",
        message=f"{refused.rows} of {refused.of} rows of the last ten minutes, of {refused.symbols} symbols,"
        f" cannot be candles: {commonest}.",
        remedy="They are kept in the table quarantine as they came, and read again.",
    )


def learned_words(learned: LearnedDay) -> str:
    """Say how the market contradicts the calendar about a day."""
    if learned.is_open:
        return f"{learned.day} is no trading day by the calendar, but stocks traded: it is collected."
    return f"{learned.day} is a trading day by the calendar, but no stock traded: it is taken for closed."
