"""What a person should know: one alert when it begins, another when it is over."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping

import structlog

from chartinsightd.backend.database import DatabaseProbe
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.quarantine_probe import Refusals
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.status import Alert
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.silence import LearnedDay

log = structlog.get_logger(__name__)

_SHOWN = 20
_CLUSTER = 3
_CLUSTER_SHARE = 0.1
"""Trouble with fewer series than both is shown with the series, not as an alert."""

_REFUSED_ROWS = 10
_REFUSED_SHARE = 0.01
"""Fewer refused rows than both are the broker's slips, and seen in the quarantine alone."""

_OVERRIDE = "If the exchange says otherwise, name the day in the file of collect.calendar_overrides."


def conditions(parts: Parts, database: DatabaseProbe) -> Iterator[tuple[str, Condition]]:
    """Yield what is wrong now, by the alert's name."""
    if (failure := database.failure) is not None:
        event = "database.refuses" if isinstance(failure, StoreRefused) else "database.away"
        yield event, Condition(level="error", message=failure.message, remedy=failure.remedy)
    if (block := parts.retries.block) is not None:
        yield "broker.blocked", Condition(level="error", message=block.message, remedy=block.remedy)
    told = parts.retries.told()
    series = len(parts.scheduler.series)
    if len(told) >= max(_CLUSTER, series * _CLUSTER_SHARE):
        [(commonest, _)] = Counter(told.values()).most_common(1)
        message = f"{len(told)} of {series} series cannot be fetched: {commonest}."
        yield "fetch.failing", Condition(level="warning", message=message, remedy="They are tried again.")
    refused = parts.commits.refused_lately()
    if refused.rows >= _REFUSED_ROWS and refused.share >= _REFUSED_SHARE:
        yield "rows.refused", _refused(refused)
    if (learned := parts.current_rules.learned.get(day_of(parts.clock.now()))) is not None:
        yield "calendar.learned", Condition(level="warning", message=lesson(learned), remedy=_OVERRIDE)
    yield from _proving(parts)
    yield from _keeping(parts)


def _proving(parts: Parts) -> Iterator[tuple[str, Condition]]:
    """Yield what contradicts itself whatever is read again."""
    sealer = parts.proofs.sealer
    broken = [seal for seal in sealer.open_seals() if sealer.has_given_up(seal)]
    if broken:
        newest = max(broken, key=lambda seal: seal.day)
        message = (
            f"{len(broken)} sessions contradict themselves, whatever is read again;"
            f" the newest is {newest.day} of {newest.symbol}."
        )
        remedy = "`chartinsightctl seals --state broken` shows where, `verify` reads them once more."
        yield "seals.broken", Condition(level="warning", message=message, remedy=remedy)


def _keeping(parts: Parts) -> Iterator[tuple[str, Condition]]:
    """Yield what is wrong with keeping pages that were fetched."""
    writer = parts.writer
    if (failure := writer.failure) is not None:
        message = f"Neither the database nor the disk takes pages: {failure.message}"
        yield "spool.refused", Condition(level="error", message=message, remedy=failure.remedy)
    elif not writer.has_room(urgent=True):
        yield "spool.full", _full("Nothing is fetched any more.")
    elif not writer.has_room(urgent=False):
        yield "spool.full", _full("Only live polls are fetched.")
    if (lag := parts.ledger.checkpoint_failure) is not None:
        yield "checkpoint.not_written", Condition(level="warning", message=lag.message, remedy=lag.remedy)


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


def lesson(learned: LearnedDay) -> str:
    """Say in words what was learned of a day."""
    if learned.is_open:
        return f"{learned.day} is no trading day by the calendar, but stocks traded: it is collected."
    return f"{learned.day} is a trading day by the calendar, but no stock traded: it is taken for closed."


class Alerts:
    """The alerts that last, and the last ones that ended."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lasting: dict[str, Alert] = {}
        self._ended: deque[Alert] = deque(maxlen=_SHOWN)

    def update(self, found: Mapping[str, Condition]) -> None:
        """Begin and end alerts so that those last that were found."""
        for event in [event for event in self._lasting if event not in found]:
            self._end(event)
        for event, condition in found.items():
            if event not in self._lasting:
                self._begin(event, condition)

    def shown(self) -> tuple[Alert, ...]:
        """Return the newest alerts first; all that last, others as far as there is room."""
        room = max(0, _SHOWN - len(self._lasting))
        newest_ended = list(self._ended)[::-1][:room]
        return tuple(sorted([*self._lasting.values(), *newest_ended], key=lambda one: one.at, reverse=True))

    def _begin(self, event: str, what: Condition) -> None:
        alert = Alert(
            at=self._parts.clock.now(),
            level=what.level,
            event=event,
            message=what.message,
            remedy=what.remedy,
        )
        self._lasting[event] = alert
        tell = log.error if what.level == "error" else log.warning
        tell("alert.begun", alert=event, message=what.message, remedy=what.remedy)
        self._parts.audience.publish(EventType.ALERT, alert)

    def _end(self, event: str) -> None:
        now = self._parts.clock.now()
        alert = self._lasting.pop(event).model_copy(update={"ended_at": now})
        self._ended.append(alert)
        log.info("alert.ended", alert=event, lasted_s=round((now - alert.at).total_seconds(), 1))
        self._parts.audience.publish(EventType.ALERT, alert)
