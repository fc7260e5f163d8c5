"""What the guards of the daemon ask of the outside: alert channels, the memory of a block, the disk."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from chartinsightd.domain.alert_policy import Sent
from chartinsightd.domain.alert_record import AlertRecord
from chartinsightd.domain.errors import AccessBlocked


class BrokerCircuit(Protocol):
    """Decides whether the broker may be asked at all: every request passes it."""

    def check(self) -> None:
        """Return when a request may be made.

        Raises:
            StillBlocked: an earlier refusal holds.
        """

    def attempt(self) -> AbstractContextManager[None]:
        """Make one request inside the block.

        Raises:
            StillBlocked: as `check`.
        """

    def refused(self, error: AccessBlocked) -> None:
        """Note that the broker refuses the key or the address."""

    def passed(self) -> None:
        """Note that the broker gives data."""


class AccessCircuit(Protocol):
    """What the services know of whether the broker lets us in: one key's circuit, or those of several."""

    @property
    def block(self) -> AccessBlocked | None:
        """The refusal that holds; None while something may be asked or is being tried."""

    @property
    def held_until(self) -> datetime | None:
        """Until when nothing is asked; None when something may be. Aware, UTC."""

    def refused(self, error: AccessBlocked) -> None:
        """Note that the broker refuses all that is asked."""

    def passed(self) -> None:
        """Note that the broker gives data."""

    def try_now(self) -> bool:
        """Let one request try now, because the user says the cause is fixed. False without a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBlock:
    """A refusal of our key or address, and how long it is respected."""

    code: str
    message: str
    remedy: str
    until: datetime
    """Nothing is asked before; aware, UTC."""
    wait: timedelta
    """How long this wait was; the next is longer."""


class BlockRecord(Protocol):
    """Where a block is remembered across restarts, for the key and the address of the broker in use."""

    def load(self) -> KnownBlock | None:
        """Return the block that holds; None without one, or when key or address are others since."""

    def save(self, known: KnownBlock | None) -> None:
        """Replace it, durably; a disk that does not take it is logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to a person."""

    subject: str
    text: str
    """Lines, without markup."""
    level: Literal["warning", "error", "over"]
    at: datetime
    """Aware, UTC."""


class AlertChannel(Protocol):
    """One way to a person: a messenger, a mailbox."""

    @property
    def name(self) -> str:
        """What it is called where people read: `slack`, `mail`, `apprise 1 (tgram)`. Never a secret."""

    async def send(self, notice: Notice) -> None:
        """Deliver one message, within about ten real seconds. It needs no event loop.

        Raises:
            AlertUndelivered: the channel did not accept it, as far as is known; the remedy says what to fix.
        """


class SentRecord(Protocol):
    """Remembers across restarts which alerts were sent."""

    def load(self) -> dict[str, Sent]:
        """Return what was saved last, by condition; nothing where it cannot be read."""

    async def save(self, told: Mapping[str, Sent]) -> None:
        """Replace the record. If the disk refuses it, that is logged and an alert may be sent twice."""


class AlertDiary(Protocol):
    """Remembers across restarts which alerts there were, and what people did with them."""

    def load(self) -> AlertRecord:
        """Return what was saved last; nothing where it cannot be read."""

    async def save(self, record: AlertRecord) -> None:
        """Replace the record. A disk that refuses it is logged, and costs the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """How full a file system is."""

    total_bytes: int
    free_bytes: int
    """What this user may still write."""


class Disk(Protocol):
    """The file system of the state folder: checkpoint, spool and the embedded database are on it."""

    @property
    def name(self) -> str:
        """The folder, for messages."""

    async def space(self) -> DiskSpace:
        """Look how full it is.

        Raises:
            OSError: it cannot be told.
        """
