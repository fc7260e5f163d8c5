"""The sessions with the broker, one an account, as the settings want them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from pydantic import SecretStr

from chartinsightd.adapters.kiwoom.accounts import (
    Account,
    AccountPool,
    PooledCharts,
    PooledGate,
    PooledIssuer,
    PooledLists,
    log_in_all,
)
from chartinsightd.adapters.kiwoom.block_file import BlockFile
from chartinsightd.adapters.kiwoom.session import Kiwoom, open_kiwoom
from chartinsightd.adapters.kiwoom.token import TokenIssuer
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.clock import CheckedClock, Clock
from chartinsightd.domain.errors import AccessBlocked, ConfigurationError, SourceError
from chartinsightd.ports.broker import ChartSource, RateLimiter
from chartinsightd.process.lifecycle import notify_systemd
from chartinsightd.process.logs import REDACTOR
from chartinsightd.service.collecting.account_circuits import AccountCircuits
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.settings.kiwoom import FIRST_ACCOUNT
from chartinsightd.settings.model import Settings, state_file

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The broker as the services use it, through one account or several."""

    charts: ChartSource
    lists: PooledLists
    gate: RateLimiter
    issuer: PooledIssuer
    issuers: Mapping[str, TokenIssuer]
    """By account: each logs a live stream in."""


def accesses(settings: Settings) -> Mapping[str, KiwoomAccess]:
    """Return how to reach the broker through each account, that of `kiwoom.app_key` first.

    Raises:
        ConfigurationError: an account has no key.
    """
    kiwoom = settings.kiwoom
    keys = {FIRST_ACCOUNT: (kiwoom.app_key, kiwoom.secret_key)}
    keys |= {account.name: (account.app_key, account.secret_key) for account in kiwoom.accounts}
    return {name: _access(settings, name, *pair) for name, pair in keys.items()}


def _access(settings: Settings, name: str, app_key: SecretStr, secret_key: SecretStr) -> KiwoomAccess:
    if not (app_key.get_secret_value() and secret_key.get_secret_value()):
        raise _no_key(name)
    kiwoom = settings.kiwoom
    return KiwoomAccess(
        base_url=kiwoom.rest_url,
        app_key=app_key,
        secret_key=secret_key,
        user_agent=kiwoom.user_agent,
        total_timeout_s=kiwoom.timeout_s,
    )


def _no_key(name: str) -> ConfigurationError:
    if name == FIRST_ACCOUNT:
        return ConfigurationError(
            "There is no Kiwoom key.",
            remedy="Set CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY, or the systemd "
            "credentials kiwoom_app_key and kiwoom_secret_key. Kiwoom's REST API portal issues keys.",
        )
    return ConfigurationError(
        f"There is no Kiwoom key for the account {name} of kiwoom.accounts.",
        remedy=f"Use the systemd credentials kiwoom_{name}_app_key and kiwoom_{name}_secret_key, or set all"
        " accounts with their keys as JSON in CHARTINSIGHT_KIWOOM__ACCOUNTS.",
    )


def block_files(settings: Settings) -> Mapping[str, BlockFile]:
    """Return where a block of each account is remembered."""
    return {
        name: BlockFile(state_file(settings, _block_name(name)), access)
        for name, access in accesses(settings).items()
    }


def _block_name(account: str) -> str:
    return "block.json" if account == FIRST_ACCOUNT else f"block-{account}.json"


def new_circuits(settings: Settings, clock: Clock) -> AccountCircuits:
    """Return the circuits of all accounts, with what an earlier process knew."""
    files = block_files(settings)
    return AccountCircuits({name: Circuit(clock, file) for name, file in files.items()})


@asynccontextmanager
async def open_broker(
    settings: Settings, clock: CheckedClock, circuits: AccountCircuits, *, is_first: bool
) -> AsyncIterator[Broker]:
    """Open the sessions and log in.

    Args:
        settings: how to reach the broker.
        clock: the daemon's; it hears the dates of answers, where they are believed.
        circuits: what every request passes.
        is_first: whether nothing was ever collected here.

    Raises:
        AccessBlocked: a key or this address is refused at a first start.
    """
    async with AsyncExitStack() as stack:
        accounts = [
            Account(
                name=name,
                kiwoom=await stack.enter_async_context(_open(settings, access, clock, circuits.of(name))),
                circuit=circuits.of(name),
            )
            for name, access in accesses(settings).items()
        ]
        pool = AccountPool(accounts, clock)
        notify_systemd("STATUS=Asking Kiwoom for a token")
        await _log_in(pool, circuits, is_first=is_first)
        yield Broker(
            charts=PooledCharts(pool),
            lists=PooledLists(pool),
            gate=PooledGate(pool),
            issuer=PooledIssuer(pool),
            issuers={account.name: account.kiwoom.issuer for account in accounts},
        )


def _open(
    settings: Settings, access: KiwoomAccess, clock: CheckedClock, circuit: Circuit
) -> AbstractAsyncContextManager[Kiwoom]:
    pace, gate = settings.kiwoom.pace, settings.kiwoom.gate
    on_date = clock.heard if believes_dates(settings) else None
    return open_kiwoom(access, clock, pace, gate, REDACTOR.hide_one, circuit, on_date)


def believes_dates(settings: Settings) -> bool:
    """Whether the dates of the broker's answers are its own time."""
    if settings.kiwoom.dates == "auto":
        return settings.mode == "live" or settings.clock.follow
    return settings.kiwoom.dates == "believed"


async def _log_in(pool: AccountPool, circuits: AccountCircuits, *, is_first: bool) -> None:
    """Get the tokens before anything is promised. A broker that is away is waited for later.

    The same holds for a broker that refuses a key which it accepted before: the daemon runs, raises an alert
    and asks again as its circuit allows. After a reboot at night no person could start it again when the
    block ends. A first start ends at once: a person is watching, and systemd does not restart it.

    Raises:
        AccessBlocked: a key or this address is refused at a first start.
    """
    was_blocked = circuits.is_any_refused
    try:
        await log_in_all(pool)
    except AccessBlocked as error:
        if is_first and not was_blocked:
            raise
        log.warning("broker.not_asked", error=error.message)
    except SourceError as error:
        log.warning("broker.unreachable", error=str(error))
