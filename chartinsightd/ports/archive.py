"""Everything that is kept, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.verdict import SealedSession
from chartinsightd.ports.stores import Gap, JobRecord, KeptLog, Seal

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Found(Generic[_Row]):
    """The answer to a question with a limit."""

    rows: list[_Row]
    total: int
    """How many there are without the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What a look at the database says of it."""

    version: str
    """Such as `18.6`."""
    size_bytes: int
    """On all machines that hold candles."""
    gaps: int
    """Rows in the list of gaps."""
    listed: int
    """Stocks that are listed now."""
    kept_gaps: int = 0
    """Of the gaps, those that a further read may not fill: nothing explains them, or their proof fails."""
    kept_since: datetime | None = None
    """When the first of these was found; aware, UTC."""
    sealed: SealedSession | None = None
    """The newest session that was judged; None before the first."""
    extension: str = ""
    """What spreads the tables over machines, such as `Citus 14.0-1, 3 workers, 6 tables distributed`."""
    place: str = ""
    """Host, port and database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStock:
    """One stock that is or was listed, as it is kept."""

    symbol: str
    name: str
    market: str
    market_cap: int
    last_price: int
    """Previous close in won."""
    state: str
    order_warning: str
    nxt_enabled: bool
    tracked: bool
    listed_on: date | None
    delisted_on: date | None
    """None while it is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFilter:
    """Which stocks; what is empty or None does not matter."""

    symbols: Sequence[str] = ()
    search: str = ""
    """Part of the name or the start of the symbol; case is ignored."""
    markets: Sequence[str] = ()
    tracked: bool | None = None
    with_delisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleText:
    """Candles of one series as lines of CSV, oldest first, without a header."""

    text: str
    """Columns of the relation `candles`; `ts` in Korean time, `final` as True or False."""
    rows: int
    first_ts: datetime | None
    last_ts: datetime | None
    """When the first and the last candle open; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A failed try as its job keeps it."""

    job_id: int
    kind: str
    at: datetime
    about: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGap:
    """A gap as it is kept."""

    gap: Gap
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One change of a final candle."""

    changed_at: datetime
    old: Candle
    new: Candle
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAction:
    """An entry of the ledger of corporate actions, as it is kept."""

    symbol: str
    action: CorporateAction
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A row of an answer that could not be a candle, as it came."""

    received_at: datetime
    api_id: str
    symbol: str
    reason: str
    payload: Mapping[str, Any]


class Archive(Protocol):
    """Everything that is kept, for people to read. It waits for no writer, and no writer for it.

    Empty sequences of symbols, timeframes, states or kinds mean all. Every method raises StoreUnavailable.
    """

    async def facts(self) -> DatabaseFacts:
        """Look at the database itself."""

    async def names(self) -> dict[str, str]:
        """Return the name of every stock that is or was listed, by symbol."""

    async def stocks(self, wanted: StockFilter, limit: int) -> Found[KnownStock]:
        """Return stocks, largest first."""

    async def jobs(
        self,
        states: Sequence[str],
        kinds: Sequence[str],
        before: int | None,
        limit: int,
        until: datetime | None = None,
    ) -> Found[JobRecord]:
        """Return jobs, newest first. With `before`, only smaller ids; the total ignores it.

        With `until`, only those that had been made by then.
        """

    async def job(self, job_id: int) -> JobRecord | None:
        """Return one job; None where there is none of this id."""

    async def job_log(self, job_id: int) -> KeptLog:
        """Return what is kept of the log of a job; empty where nothing is, or there is no such job."""

    async def tries(self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int) -> Found[Try]:
        """Return failed tries of the latest jobs that have any, newest first."""

    async def candles(
        self,
        series: Series,
        start: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        adjusted: bool,
        as_of: datetime | None = None,
    ) -> list[Candle]:
        """Return the newest `limit` candles that start in [start, end), oldest first.

        With `as_of` (aware; prices as traded only) later revisions are undone.
        """

    async def candle_text(
        self,
        series: Series,
        start: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        adjusted: bool,
        final_only: bool,
    ) -> CandleText:
        """Return the oldest `limit` candles that start in [start, end), written by the database."""

    async def gaps(
        self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int
    ) -> Found[KnownGap]:
        """Return the list of gaps, newest range first."""

    async def seals(
        self,
        symbols: Sequence[str],
        states: Sequence[str],
        first_day: date | None,
        last_day: date | None,
        limit: int,
    ) -> Found[Seal]:
        """Return seals, newest day first."""

    async def revisions(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        limit: int,
        ts: datetime | None = None,
    ) -> Found[Revision]:
        """Return changes of final candles, newest first; with `ts` only of candles that start then."""

    async def adjustments(self, symbols: Sequence[str], limit: int) -> Found[KnownAction]:
        """Return the ledger of corporate actions, the newest day first."""

    async def quarantine(self, symbols: Sequence[str], limit: int) -> Found[Quarantined]:
        """Return rows that could not be candles, newest first."""
