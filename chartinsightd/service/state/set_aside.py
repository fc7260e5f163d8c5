"""Units of work that fail for a reason of their own: each costs itself, and after five times it waits."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.foreign_text import shortened
from chartinsightd.service.state.alert_kinds import AlertKind

log = structlog.get_logger(__name__)

TRIES = 5
"""Failures in a row, after which a unit is set aside and named."""
_BACKOFF = Backoff(first=timedelta(seconds=30), longest=timedelta(minutes=5))
_AGAIN_AFTER = timedelta(hours=1)
"""What is set aside is tried again after this."""
_MOST_REMEMBERED = 1_000
_NAMED = 3
_LONGEST_CAUSE = 200

Unit = tuple[str, str]
"""What kind of work, and which piece of it: `fetch`, `005930/5m`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    failures: int
    cause: str
    not_before: datetime


class SetAside:
    """Implements `HealthProbe`: names what is set aside. Unexpected errors end with their unit.

    Args:
        clock: the daemon's.
    """

    part = "work"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._troubles: dict[Unit, _Trouble] = {}

    @contextmanager
    def unit(self, kind: str, name: str) -> Iterator[None]:
        """Run one unit of work in the block; an unexpected error is reported and ends with the block.

        Raises:
            ChartInsightError: the caller knows what to do about it.
        """
        try:
            yield
        except ChartInsightError:
            raise
        except Exception as error:  # noqa: BLE001 - the one place where a bug costs its unit and not the daemon
            self.failed(kind, name, error)
        else:
            self.succeeded(kind, name)

    def may_try(self, kind: str, name: str) -> bool:
        """Whether a unit did not fail, or its wait is over."""
        trouble = self._troubles.get((kind, name))
        return trouble is None or self._clock.now() >= trouble.not_before

    def succeeded(self, kind: str, name: str) -> None:
        """Forget the failures of a unit."""
        self._troubles.pop((kind, name), None)

    def failed(self, kind: str, name: str, error: BaseException, *, tries: int = 1) -> None:
        """Note that a unit failed, `tries` times; the first time, the log says where.

        Args:
            kind: of the work.
            name: of the unit.
            error: what it raised.
            tries: how often it failed.
        """
        before = self._troubles.pop((kind, name), None)
        failures = tries + (before.failures if before is not None else 0)
        wait = _AGAIN_AFTER if failures >= TRIES else _BACKOFF.after(failures)
        cause = cause_of(error)
        self._troubles[kind, name] = _Trouble(
            failures=failures, cause=cause, not_before=self._clock.now() + wait
        )
        if len(self._troubles) > _MOST_REMEMBERED:
            del self._troubles[next(iter(self._troubles))]
        where = {} if before is not None and before.cause == cause else {"raised_at": _raised_at(error)}
        retry_in_s = wait.total_seconds()
        log.error(
            "work.failed",
            kind=kind,
            unit=name,
            error=cause,
            failures=failures,
            retry_in_s=retry_in_s,
            **where,
        )

    def look(self) -> Mapping[AlertKind, Condition]:
        """Name what failed five times in a row and did not succeed since."""
        aside = [(unit, one) for unit, one in self._troubles.items() if one.failures >= TRIES]
        if not aside:
            return {}
        named = ", ".join(f"{kind} {name} ({one.cause})" for (kind, name), one in aside[:_NAMED])
        more = f" and {len(aside) - _NAMED} more" if len(aside) > _NAMED else ""
        remedy = (
            "Each is tried again every hour; everything else continues."
            " If the cause is no database's, report it with the log lines work.failed."
        )
        words = f"Set aside after {TRIES} failures: {named}{more}."
        return {AlertKind.WORK_SET_ASIDE: Condition(level="error", message=words, remedy=remedy)}


def cause_of(error: BaseException) -> str:
    """Return the class and the words of an error, short; of a group, those of its first member."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return shortened(f"{type(error).__name__}: {error}".rstrip(": "), _LONGEST_CAUSE)


def _raised_at(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
