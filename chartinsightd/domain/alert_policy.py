"""Alert policy: one notification when a condition begins, one when it ends, a quiet period, reminders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

Level = Literal["warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is not as it should be, now."""

    level: Level
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """Which conditions are announced, and how often."""

    level: Level = "warning"
    """The lowest level that is announced."""
    quiet: timedelta = timedelta(minutes=10)
    """A condition that returns sooner is announced again only if it still lasts after this time."""
    remind: timedelta = timedelta(days=1)
    """Time after which a active condition is announced again; zero: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The last notification of one condition."""

    at: datetime
    """When it was last announced as active; aware, UTC."""
    since: datetime
    """When it began."""
    message: str
    is_open: bool = True
    """Whether its end has not been announced."""


class Phase(StrEnum):
    """What became of a condition."""

    BEGUN = "begun"
    LASTS = "lasts"
    ENDED = "ended"
    HAPPENED = "happened"
    """It happened once: it does not last and does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One announcement to make, and what to remember once it was delivered."""

    event: str
    """The condition's name, such as `database.away`."""
    phase: Phase
    condition: Condition
    at: datetime
    told: Sent


def due(
    active: Mapping[str, Condition],
    told: Mapping[str, Sent],
    now: datetime,
    rules: AlertRules,
    *,
    may_end: bool = True,
) -> Iterator[Notification]:
    """Yield the announcements that are due now.

    Args:
        active: the current conditions, by name.
        told: the last notifications, by name.
        now: aware, UTC.
        rules: see there.
        may_end: False while the conditions are not all known yet, as just after a start.
    """
    for event, condition in active.items():
        if condition.level == "error" or rules.level == "warning":
            yield from _of_active(event, condition, told.get(event), now, rules)
    for event, one in told.items():
        if one.is_open and event not in active and may_end:
            over = Condition(level="warning", message=one.message)
            closed = replace(one, is_open=False)
            yield Notification(event=event, phase=Phase.ENDED, condition=over, at=now, told=closed)


def _of_active(
    event: str, condition: Condition, before: Sent | None, now: datetime, rules: AlertRules
) -> Iterator[Notification]:
    if before is None or (not before.is_open and not _is_within(before.at, rules.quiet, now)):
        told = Sent(at=now, since=now, message=condition.message)
        yield Notification(event=event, phase=Phase.BEGUN, condition=condition, at=now, told=told)
    elif before.is_open and rules.remind and not _is_within(before.at, rules.remind, now):
        told = replace(before, at=now, message=condition.message)
        yield Notification(event=event, phase=Phase.LASTS, condition=condition, at=now, told=told)


def _is_within(since: datetime, span: timedelta, now: datetime) -> bool:
    """Whether the span has not passed; a clock that was set back has passed it."""
    return since <= now < since + span


def worth_keeping(told: Mapping[str, Sent], now: datetime, rules: AlertRules) -> dict[str, Sent]:
    """Return what is still needed to decide: open conditions, and those that ended a moment ago."""
    return {event: one for event, one in told.items() if one.is_open or _is_within(one.at, rules.quiet, now)}
