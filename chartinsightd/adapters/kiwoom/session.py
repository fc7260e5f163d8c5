"""Everything that speaks to the broker, opened and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from chartinsightd.adapters.kiwoom.charts import KiwoomCharts
from chartinsightd.adapters.kiwoom.client import KiwoomClient
from chartinsightd.adapters.kiwoom.gate import Gate, Mode
from chartinsightd.adapters.kiwoom.lists import KiwoomLists
from chartinsightd.adapters.kiwoom.token import TokenIssuer
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess, OnDate, Transport
from chartinsightd.clock import Clock
from chartinsightd.facts.kiwoom import OWN_LIMITS
from chartinsightd.ports.guards import BrokerCircuit


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiwoom:
    """An open session with the broker."""

    charts: KiwoomCharts
    lists: KiwoomLists
    gate: Gate
    issuer: TokenIssuer
    transport: Transport

    async def log_in(self) -> datetime:
        """Get a token, unless there is one; return when it ends: aware, UTC.

        Raises:
            AccessBlocked: the key or this address is refused.
            SourceError: see `domain.errors`.
        """
        return (await self.issuer.token()).expires_at


@asynccontextmanager
async def open_kiwoom(
    access: KiwoomAccess,
    clock: Clock,
    requests_per_second: int,
    gate_mode: Mode,
    on_token: Callable[[str], None] = lambda _: None,
    circuit: BrokerCircuit | None = None,
    on_date: OnDate | None = None,
) -> AsyncIterator[Kiwoom]:
    """Open a session with the broker until the context is left. Nothing is sent before it is asked for.

    Args:
        access: where and how.
        clock: whose seconds the pace is in.
        requests_per_second: ceiling for each api-id.
        gate_mode: see `Gate`.
        on_token: told each new token, so that it can be kept out of logs.
        circuit: see `Transport`; None for who asks once.
        on_date: see `Transport`.
    """
    async with (
        Gate(
            clock,
            requests_per_second,
            gate_mode,
            patience_s=access.total_timeout_s,
            own_limits=OWN_LIMITS,
        ) as gate,
        Transport(access, gate, clock, circuit, on_date) as transport,
    ):
        issuer = TokenIssuer(transport, access, clock, on_token)
        client = KiwoomClient(transport, issuer)
        yield Kiwoom(
            charts=KiwoomCharts(client, clock),
            lists=KiwoomLists(client),
            gate=gate,
            issuer=issuer,
            transport=transport,
        )
