"""What the services ask of the broker: charts, the stock list, quotes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Protocol

from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.issue_kind import IssueKind
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue


class Priority(IntEnum):
    """Who passes the gate first; lower goes before higher."""

    LIVE = 0
    CATCH_UP = 1
    UNIVERSE = 2
    """What each evening and morning brings of the stocks beside the targets."""
    SEAL = 3
    BACKFILL = 4
    VERIFICATION = 5
    QUOTES = 6
    """What is shown and never stored: behind every candle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRequest:
    """A read of one chart, backwards from its newest row."""

    symbol: str
    timeframe: Timeframe
    until: datetime
    """Page back until a row at or before this instant was given; aware, UTC."""
    base_day: date | None = None
    """The KST day to start from; None starts at now."""
    adjusted: bool = False
    """Prices adjusted for corporate actions on or before the base day (kiwoom.md#adjusted-prices)."""
    venue: Venue = Venue.KRX
    """Whose trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPage:
    """One answer of a chart (kiwoom.md#charts)."""

    candles: Candles
    """What could be decoded, oldest first, none marked final."""
    running_volume: Ints | None = None
    """Shares traded in the session up to and including each candle (`acc_trde_qty`); None without it."""
    raw_rows: Sequence[Mapping[str, Any]] = ()
    """The row of each candle as it came, in the same order; empty where rows were not kept."""
    rejected: tuple[RejectedRow, ...] = ()
    repeated: int = 0
    """Rows that repeat another row of this reading."""
    rows: int
    """Rows the broker sent: candles, rejected and repeated ones; a blank row (no data) counts as none."""
    asked_at: datetime
    """When the request left; aware, UTC. The rows are at least as new as this."""
    is_last: bool
    """Whether the broker says that nothing older exists (`cont-yn` N beside at least one row)."""


class ChartSource(Protocol):
    """Where candles come from."""

    def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages, newest first, until the request's bound is reached or nothing older exists.

        A page without rows is yielded once and ends the iteration: the broker says that it has no data
        (kiwoom.md#blank-row), which proves nothing by itself.

        Raises:
            SourceError: see `domain.errors`; pages yielded before it stay valid.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStock:
    """One row of the stock list (ka10099, kiwoom.md#stock-list)."""

    symbol: str
    name: str
    market: str
    """`KOSPI` or `KOSDAQ`."""
    listed_shares: int
    last_price: int
    """Previous close in won."""
    state: str
    order_warning: str
    nxt_enabled: bool
    listed_on: date | None
    kind: IssueKind = IssueKind.SHARE
    delisted_on: date | None = None
    """The first Korean day without it, where that is known though no list shows it."""

    @property
    def market_cap(self) -> int:
        """Listed shares times the previous close, in won."""
        return self.listed_shares * self.last_price


@dataclass(frozen=True, slots=True, kw_only=True)
class StockListing:
    """The stock list of both markets."""

    stocks: Sequence[ListedStock]
    unreadable: frozenset[str] = frozenset()
    """Symbols that are listed and whose rows could not be read."""

    @property
    def symbols(self) -> frozenset[str]:
        """Everything that is listed."""
        return frozenset(stock.symbol for stock in self.stocks) | self.unreadable


class StockListSource(Protocol):
    """Where the list of stocks comes from."""

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return every listed issue of both markets, ETFs and the like included.

        Raises:
            SourceError: see `domain.errors`.
        """


class QuoteSource(Protocol):
    """Where today's figures of many stocks come from."""

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return the price, in won, that today's change refers to; a stock without one is left out.

        It is the close before, unless a corporate action is effective today.

        Raises:
            SourceError: see `domain.errors`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """What the gate shows of one api-id. Times are seconds of the daemon's clock."""

    api_id: str
    limit: int
    """Requests a second it allows itself now."""
    ceiling: int
    """Requests a second it never goes above."""
    queued: Mapping[Priority, int]
    in_flight: int
    sent_last_minute: int
    recent: tuple[int, ...]
    """Requests sent in each second of the last minute, oldest first."""
    utilisation: float
    """Requests of the last minute (or since the gate opened) against what the limit allows, 0 to 1."""
    throttled: int
    """How often the broker refused for pace since the gate was opened."""
    smallest_round_trip_s: float | None
    mean_round_trip_s: float | None


class RateLimiter(Protocol):
    """What admits requests to the broker."""

    def state(self) -> Sequence[LaneState]:
        """Return what every api-id used so far is doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenState:
    """What may be shown of the token. Instants are aware, UTC; None while there is no token."""

    issued_at: datetime | None
    expires_at: datetime | None
    issued: int
    """How often one was issued since the start."""
    rejected: int
    """How often the broker rejected one before its end."""
