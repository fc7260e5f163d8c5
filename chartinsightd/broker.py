"""The session with the broker, as the settings want it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chartinsightd.adapters.kiwoom.block_file import BlockFile
from chartinsightd.adapters.kiwoom.session import Kiwoom, open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import AccessBlocked, ConfigurationError, SourceError
from chartinsightd.lifecycle import notify_systemd
from chartinsightd.logs import REDACTOR
from chartinsightd.service.circuit import Circuit
from chartinsightd.settings import Settings, state_file

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
async def open_broker(settings: Settings, clock: Clock, circuit: Circuit) -> AsyncIterator[Kiwoom]:
    """Open the session and log in.

    Raises:
        AccessBlocked: the key or this address is refused, and was not before.
    """
    was_blocked = circuit.block is not None
    pace, gate = settings.kiwoom.pace, settings.kiwoom.gate
    async with open_kiwoom(access(settings), clock, pace, gate, REDACTOR.hide_one, circuit) as kiwoom:
        notify_systemd("STATUS=Asking Kiwoom for a token")
        await _log_in(kiwoom, was_blocked=was_blocked)
        yield kiwoom


async def _log_in(kiwoom: Kiwoom, *, was_blocked: bool) -> None:
    """Get a token before anything is promised. A broker that is away is waited for later.

    So is one that refused us before this start: it is not asked before its time, and the daemon runs and says
    so meanwhile. The first refusal, met at a start, ends it: somebody sits there, or systemd keeps it down.

    Raises:
        AccessBlocked: the key or this address is refused, and was not before.
    """
    try:
        await kiwoom.log_in()
    except AccessBlocked as error:
        if not was_blocked:
            raise
        log.warning("broker.not_asked", error=error.message)
    except SourceError as error:
        log.warning("broker.unreachable", error=str(error))
