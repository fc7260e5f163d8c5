"""The session with the broker, as the settings want it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chartinsightd.adapters.kiwoom.block_file import BlockFile
from chartinsightd.adapters.kiwoom.session import Kiwoom, open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.clock import CheckedClock, Clock
from chartinsightd.domain.errors import AccessBlocked, ConfigurationError, SourceError
from chartinsightd.process.lifecycle import notify_systemd
from chartinsightd.process.logs import REDACTOR
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.settings.model import Settings, state_file

log = structlog.get_logger(__name__)


def access(settings: Settings) -> KiwoomAccess:
    """Return how to reach the broker.

    Raises:
        ConfigurationError: there is no key.
    """
    kiwoom = settings.kiwoom
    if not (kiwoom.app_key.get_secret_value() and kiwoom.secret_key.get_secret_value()):
        raise ConfigurationError(
            "There is no Kiwoom key.",
            remedy="Set CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY, or the systemd "
            "credentials kiwoom_app_key and kiwoom_secret_key. Kiwoom's REST API portal issues keys.",
        )
    return KiwoomAccess(
        base_url=kiwoom.rest_url,
        app_key=kiwoom.app_key,
        secret_key=kiwoom.secret_key,
        user_agent=kiwoom.user_agent,
        total_timeout_s=kiwoom.timeout_s,
    )


def block_file(settings: Settings) -> BlockFile:
    """Return where a block is remembered."""
    return BlockFile(state_file(settings, "block.json"), access(settings))


def new_circuit(settings: Settings, clock: Clock) -> Circuit:
    """Return the circuit, with what an earlier process knew."""
    return Circuit(clock, block_file(settings))


@asynccontextmanager
async def open_broker(
    settings: Settings, clock: CheckedClock, circuit: Circuit, *, is_first: bool
) -> AsyncIterator[Kiwoom]:
    """Open the session and log in.

    Args:
        settings: how to reach the broker.
        clock: the daemon's; it hears the dates of answers, where they are believed.
        circuit: what every request passes.
        is_first: whether nothing was ever collected here.

    Raises:
        AccessBlocked: the key or this address is refused at a first start.
    """
    pace, gate = settings.kiwoom.pace, settings.kiwoom.gate
    on_date = clock.heard if believes_dates(settings) else None
    opened = open_kiwoom(access(settings), clock, pace, gate, REDACTOR.hide_one, circuit, on_date)
    async with opened as kiwoom:
        notify_systemd("STATUS=Asking Kiwoom for a token")
        await _log_in(kiwoom, circuit, is_first=is_first)
        yield kiwoom


def believes_dates(settings: Settings) -> bool:
    """Whether the dates of the broker's answers are its own time."""
    if settings.kiwoom.dates == "auto":
        return settings.mode == "live" or settings.clock.follow
    return settings.kiwoom.dates == "believed"


async def _log_in(kiwoom: Kiwoom, circuit: Circuit, *, is_first: bool) -> None:
    """Get a token before anything is promised. A broker that is away is waited for later.

    The same holds for a broker that refuses a key which it accepted before: the daemon runs, raises an alert
    and asks again as its circuit allows. After a reboot at night nobody is there to start it when the block
    ends. A first start ends at once: a person is watching, and systemd does not restart it.

    Raises:
        AccessBlocked: the key or this address is refused at a first start.
    """
    was_blocked = circuit.block is not None
    try:
        await kiwoom.log_in()
    except AccessBlocked as error:
        if is_first and not was_blocked:
            raise
        log.warning("broker.not_asked", error=error.message)
    except SourceError as error:
        log.warning("broker.unreachable", error=str(error))
