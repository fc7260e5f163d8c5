"""The circuit to the broker: open while it refuses our key or address, and over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import AccessBlocked, StillBlocked
from chartinsightd.facts.krx import KST
from chartinsightd.ports.guards import BlockRecord, KnownBlock

log = structlog.get_logger(__name__)

_BACKOFF = Backoff(first=timedelta(minutes=5), longest=timedelta(hours=1))
_BACKOFF_GUESSED = Backoff(first=timedelta(minutes=5), longest=timedelta(minutes=15))
"""Where the block is our own guess, from refusals that are each about something else."""
GUESSED = "refused"
"""The code of such a block."""
_TRIAL = timedelta(seconds=10)
"""How long others wait, at least, while one request finds out whether the block is over."""
_TRY_NOW = "Once it is fixed, `chartinsightctl resume` tries at once."


class Circuit:
    """Implements `ports.BrokerCircuit`: blind retries may prolong a block, so there are none.

    After a refusal nothing is asked for five minutes, then for twice as long each time, at most an hour.
    After each wait a single request is the trial: others wait for what comes of it. What is known is on
    disk, so that a restart asks no sooner.

    Args:
        clock: the daemon's.
        record: where the block is remembered.
    """

    def __init__(self, clock: Clock, record: BlockRecord) -> None:
        self._clock = clock
        self._record = record
        self._known = self._remembered()
        self._has_trial = False

    @property
    def block(self) -> AccessBlocked | None:
        """The refusal that holds; None while all is well."""
        known = self._known
        if known is None:
            return None
        return AccessBlocked(known.message, remedy=_with_hint(known.remedy), code=known.code)

    @property
    def held_until(self) -> datetime | None:
        """Until when nothing is asked; None when something may be."""
        if self._known is None:
            return None
        now = self._clock.now()
        self._known = _not_longer(self._known, now)
        if now < self._known.until:
            return self._known.until
        return now + _TRIAL if self._has_trial else None

    def check(self) -> None:
        """Raise StillBlocked when a request would not be let through now."""
        if (until := self.held_until) is not None and (block := self.block) is not None:
            when = f"{until.astimezone(KST):%H:%M:%S} KST"
            raise StillBlocked(
                f"{block.message} Nothing is asked before {when}.", remedy=block.remedy, code=block.code
            )

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Make one request in the block; raises as `check`. After a wait, one at a time may."""
        self.check()
        is_trial = self._known is not None
        self._has_trial = self._has_trial or is_trial
        try:
            yield
        finally:
            if is_trial:
                self._has_trial = False

    def refused(self, error: AccessBlocked) -> None:
        """Note that the broker refuses the key or the address; within a wait it changes nothing."""
        now, known = self._clock.now(), self._known
        if known is not None and now < known.until:
            return
        backoff = _BACKOFF_GUESSED if error.code == GUESSED else _BACKOFF
        wait = backoff.first if known is None else backoff.following(known.wait)
        self._know(
            KnownBlock(
                code=error.code, message=error.message, remedy=error.remedy, until=now + wait, wait=wait
            )
        )
        log.error(
            "broker.blocked",
            error=error.message,
            remedy=_with_hint(error.remedy),
            retry_in_s=wait.total_seconds(),
        )

    def passed(self) -> None:
        """Note that the broker gives data: the block is over."""
        if self._known is not None:
            self._know(None)
            log.info("broker.unblocked")

    def try_now(self) -> bool:
        """Let one request try now, because the user says the cause is fixed. False without a block."""
        if self._known is None:
            return False
        self._know(replace(self._known, until=self._clock.now()))
        return True

    def _know(self, known: KnownBlock | None) -> None:
        self._known = known
        self._record.save(known)

    def _remembered(self) -> KnownBlock | None:
        """Return what an earlier process knew."""
        known, now = self._record.load(), self._clock.now()
        if known is None:
            return None
        known = _not_longer(known, now)
        log.error(
            "broker.block_remembered",
            error=known.message,
            remedy=_with_hint(known.remedy),
            retry_in_s=max(0.0, (known.until - now).total_seconds()),
        )
        return known


def _with_hint(remedy: str) -> str:
    return f"{remedy} {_TRY_NOW}".lstrip()


def _not_longer(known: KnownBlock, now: datetime) -> KnownBlock:
    """Return the block with a wait that a clock which was set back did not make longer."""
    return replace(known, until=min(known.until, now + known.wait))
