"""Several accounts with the broker as one: each has a key, a pace and a circuit, and a share of the symbols.

The limits hold for a key (kiwoom.md#rate-limit): two accounts bring twice as many candles in the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import structlog

from chartinsightd.adapters.kiwoom.session import Kiwoom
from chartinsightd.adapters.kiwoom.token import TokenFailure
from chartinsightd.clock import Clock
from chartinsightd.domain.account_share import account_of
from chartinsightd.domain.errors import AccessBlocked, SourceError, SourceUnavailable
from chartinsightd.domain.quote import Quote
from chartinsightd.ports.broker import (
    ChartPage,
    ChartRequest,
    LaneState,
    Priority,
    StockListing,
    TokenState,
)
from chartinsightd.ports.guards import BrokerCircuit

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_MOST_FAILURES = 5
"""Failures in a row of one account, while others succeed, after which its symbols move to the others."""
_REST_S = 60.0
"""Seconds of the daemon's clock that such an account is left alone."""


@dataclass(slots=True, kw_only=True, eq=False)
class Account:
    """One of the user's keys and the session that uses it."""

    name: str
    kiwoom: Kiwoom
    circuit: BrokerCircuit
    failures: int = field(default=0, init=False)
    """In a row, since its last answer."""
    rests_until_s: float = field(default=0.0, init=False)
    """Monotonic seconds of the daemon's clock."""

    @property
    def is_held(self) -> bool:
        """Whether a refusal of its key holds."""
        try:
            self.circuit.check()
        except AccessBlocked:
            return True
        return False


class AccountPool:
    """Chooses the account of each request, and moves the symbols of one that is refused or fails.

    Args:
        accounts: at least one; the first is the one of the settings' own key.
        clock: the daemon's.
    """

    def __init__(self, accounts: Sequence[Account], clock: Clock) -> None:
        self.accounts = {account.name: account for account in accounts}
        self._clock = clock

    def working(self) -> Sequence[str]:
        """Return the names of the accounts that may be asked; of all that rest where every one does."""
        free = [account for account in self.accounts.values() if not account.is_held]
        now_s = self._clock.monotonic()
        rested = [account.name for account in free if account.rests_until_s <= now_s]
        return rested or [account.name for account in free]

    def of(self, symbol: str) -> Account:
        """Return the account that a symbol is asked through now.

        Raises:
            StillBlocked: every account is refused.
        """
        working = self.working()
        if not working:
            next(iter(self.accounts.values())).circuit.check()
        return self.accounts[account_of(symbol, working or [*self.accounts])]

    async def ask(self, symbol: str, request: Callable[[Kiwoom], Awaitable[_T]]) -> _T:
        """Make a request through the account of a symbol, or through another where that one is refused.

        Raises:
            SourceError: see `domain.errors`; AccessBlocked when every account is refused.
        """
        while True:
            account = self.of(symbol)
            try:
                answer = await request(account.kiwoom)
            except AccessBlocked:
                if not self.has_another(account):
                    raise
            except SourceError:
                self.failed(account)
                raise
            else:
                self.answered(account)
                return answer

    def told_of(self, account: Account, words: str) -> str:
        """Return what a message says of an account: its name where there are several."""
        return f"Account {account.name}: {words}" if len(self.accounts) > 1 else words

    def has_another(self, refused: Account) -> bool:
        """Whether an account works beside one that was refused just now, and the refusal is known to hold."""
        working = self.working()
        return bool(working) and refused.name not in working

    def answered(self, account: Account) -> None:
        """Note that an account brought data."""
        account.failures = 0

    def failed(self, account: Account) -> None:
        """Note that a request of an account failed; after many in a row the others take its symbols.

        Where all fail, all rest, and `working` names them all: then it is the broker that is away.
        """
        account.failures += 1
        if account.failures >= _MOST_FAILURES and len(self.accounts) > 1:
            account.failures = 0
            account.rests_until_s = self._clock.monotonic() + _REST_S
            log.warning("account.rests", account=account.name, rest_s=_REST_S)


class PooledCharts:
    """Implements `ports.ChartSource`: each reading goes through one account."""

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield the pages of a chart.

        Raises:
            SourceUnavailable: the key was refused between two pages: the next try takes another account.
            SourceError: see `domain.errors`; AccessBlocked when every account is refused.
        """
        while True:
            account = self._pool.of(request.symbol)
            has_begun = False
            try:
                async with aclosing(account.kiwoom.charts.pages(request, priority)) as pages:  # type: ignore[type-var]
                    async for page in pages:
                        has_begun = True
                        self._pool.answered(account)
                        yield page
            except AccessBlocked as error:
                if not self._pool.has_another(account):
                    raise
                if has_begun:
                    raise SourceUnavailable(self._pool.told_of(account, error.message)) from error
            except SourceError:
                self._pool.failed(account)
                raise
            else:
                return


class PooledLists:
    """Implements `ports.StockListSource`, `QuoteSource` and `SweepSource`: any account that works will do."""

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return every listed issue of both markets.

        Raises:
            SourceError: see `domain.errors`.
        """
        return await self._pool.ask("", lambda kiwoom: kiwoom.lists.listed_stocks(priority))

    async def quotes(self, symbols: Sequence[str], priority: Priority) -> list[Quote]:
        """Return the latest figures of these stocks.

        Raises:
            SourceError: see `domain.errors`.
        """
        return await self._pool.ask("", lambda kiwoom: kiwoom.lists.quotes(symbols, priority))

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return the prices that today's changes refer to, in won.

        Raises:
            SourceError: see `domain.errors`.
        """
        return await self._pool.ask("", lambda kiwoom: kiwoom.lists.base_prices(symbols, priority))


class PooledGate:
    """Implements `ports.RateLimiter`: the lanes of all accounts, added up by api-id."""

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool

    def state(self) -> Sequence[LaneState]:
        """Return what every api-id used so far is doing."""
        lanes: dict[str, list[LaneState]] = {}
        for account in self._pool.accounts.values():
            for lane in account.kiwoom.gate.state():
                lanes.setdefault(lane.api_id, []).append(lane)
        return [_added_up(some) for some in lanes.values()]


class PooledIssuer:
    """What may be shown of the tokens of all accounts."""

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool

    def state(self) -> TokenState:
        """Return the oldest issue and the earliest end of all tokens, and the sums of both counts."""
        states = [account.kiwoom.issuer.state() for account in self._pool.accounts.values()]
        issued = [state.issued_at for state in states if state.issued_at is not None]
        ends = [state.expires_at for state in states if state.expires_at is not None]
        return TokenState(
            issued_at=min(issued, default=None),
            expires_at=min(ends, default=None),
            issued=sum(state.issued for state in states),
            rejected=sum(state.rejected for state in states),
        )

    def failure(self) -> TokenFailure | None:
        """Return why the first account without a token could get none; None while all is well."""
        for account in self._pool.accounts.values():
            if (failure := account.kiwoom.issuer.failure()) is not None:
                return replace(failure, message=self._pool.told_of(account, failure.message))
        return None


async def log_in_all(pool: AccountPool) -> datetime:
    """Get a token for each account; return the earliest end: aware, UTC.

    Raises:
        AccessBlocked: the first account whose key or address is refused; the message names it.
        SourceError: see `domain.errors`; of the first account that got none.
    """
    tries = [_log_in(pool, account) for account in pool.accounts.values()]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    ends: list[datetime] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        ends.append(outcome)
    return min(ends)


async def _log_in(pool: AccountPool, account: Account) -> datetime:
    try:
        return await account.kiwoom.log_in()
    except AccessBlocked as error:
        words = pool.told_of(account, error.message)
        raise type(error)(words, remedy=error.remedy, code=error.code) from None


def _added_up(lanes: Sequence[LaneState]) -> LaneState:
    """Return one lane as wide as all together."""
    ceiling = sum(lane.ceiling for lane in lanes)
    trips = [lane.mean_round_trip_s for lane in lanes if lane.mean_round_trip_s is not None]
    smallest = [lane.smallest_round_trip_s for lane in lanes if lane.smallest_round_trip_s is not None]
    return LaneState(
        api_id=lanes[0].api_id,
        limit=sum(lane.limit for lane in lanes),
        ceiling=ceiling,
        queued=_counts_added([lane.queued for lane in lanes]),
        in_flight=sum(lane.in_flight for lane in lanes),
        sent_last_minute=sum(lane.sent_last_minute for lane in lanes),
        recent=tuple(sum(second) for second in zip(*(lane.recent for lane in lanes), strict=True)),
        utilisation=sum(lane.utilisation * lane.ceiling for lane in lanes) / ceiling,
        throttled=sum(lane.throttled for lane in lanes),
        smallest_round_trip_s=min(smallest, default=None),
        mean_round_trip_s=sum(trips) / len(trips) if trips else None,
    )


def _counts_added(counts: Sequence[Mapping[Priority, int]]) -> dict[Priority, int]:
    return {priority: sum(one.get(priority, 0) for one in counts) for priority in Priority}
