"""Where candles are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from chartinsightd.domain.adjusted import AdjustedCandles
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.changes import Change
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written


class CandleStore(Protocol):
    """Where candles are kept."""

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit all writes in one transaction, or none; return what each did, in the same order.

        Coverage and chains are stored in the same transaction; of the newest page, which is read again and
        again, only the chains of sessions of which it changed a candle. A final candle whose values change
        leaves a revision; it is never overwritten by one that is not final.

        Raises:
            RowsRefused: the database refuses single rows; nothing was committed.
            StoreUnavailable: nothing was committed as far as anybody can tell; the same call may be repeated.
        """

    async def coverage(self) -> dict[Series, RangeSet]:
        """Return what is durable and complete, for every series that has anything."""

    async def forget_coverage(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of a series' coverage, so that they are fetched again."""

    async def withdraw_finality(self, starts: Mapping[Timeframe, int], day: date) -> None:
        """Call candles final no longer that cannot be, and forget seals of sessions that are not over.

        Args:
            starts: where the oldest candle starts that cannot be final yet, in seconds since the epoch.
            day: the present Korean day; the seals of it and of later ones are forgotten.

        Raises:
            StoreUnavailable: nothing was changed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPart:
    """A part of a timeframe's candles that is compared at once, in seconds since the epoch."""

    timeframe: Timeframe
    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """A piece of a series in which other rows are stored than were written."""

    series: Series
    first: int
    """Seconds since the epoch; the piece is [first, end)."""
    end: int
    written: int
    """Final candles that were written."""
    found: int
    """Final candles that are there; the same number where only values differ."""


class AuditedStore(Protocol):
    """What was written, compared with what is there. Every method raises StoreUnavailable."""

    async def audit_parts(self) -> list[AuditPart]:
        """Return the parts that make up everything, the newest first."""

    async def differences(self, part: AuditPart, symbols: Sequence[str] | None = None) -> list[RowDifference]:
        """Compare one part, of some symbols or of all; it waits for no writer, and no writer for it."""

    async def withdraw(self, found: Sequence[RowDifference]) -> dict[Series, RangeSet]:
        """Take the pieces that differ out of the coverage; return what was taken out of each series.

        From now on the rows that are there count as written, and none is believed from memory.
        """

    async def withdraw_changed_coverage(self) -> dict[Series, RangeSet]:
        """Cover no more than both what was written and what is stored; return what each series lost.

        Series of which somebody added a range lose nothing of what was written, and are named too.
        """


class StoredCandles(Protocol):
    """Candles that are kept, for services that compare them with something."""

    async def candles(self, symbol: str, timeframe: Timeframe, from_ts: datetime, to_ts: datetime) -> Candles:
        """Return the candles that open in [from_ts, to_ts), both aware, oldest first.

        Raises:
            StoreUnavailable: it cannot be told now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSpan:
    """Which candles of a series: those that open in [start, end), of these the newest ones."""

    start: datetime | None = None
    """Aware; None: from the first one on."""
    end: datetime | None = None
    """Aware; None: up to the last one."""
    newest: int | None = None
    """At most this many; None: all."""


class CandleReader(Protocol):
    """Candles in columns for programs: final ones, as traded and adjusted. It waits for no writer."""

    async def read(
        self,
        symbol: str,
        timeframe: Timeframe,
        span: CandleSpan,
        *,
        as_of: datetime | None = None,
        with_forming: bool = False,
    ) -> AdjustedCandles:
        """Return candles of one series, oldest first; empty where nothing is kept.

        Args:
            symbol: whose.
            timeframe: of which length.
            span: which.
            as_of: aware; what the store knew then: candles that became final later are left out, later
                revisions are undone, corporate actions found later do not adjust. Forming candles of the past
                are not kept.
            with_forming: also candles that are not final.

        Raises:
            StoreUnavailable: the store does not answer now.
        """

    async def read_many(
        self,
        symbols: Sequence[str],
        timeframe: Timeframe,
        span: CandleSpan,
        *,
        as_of: datetime | None = None,
        with_forming: bool = False,
    ) -> dict[str, AdjustedCandles]:
        """Return the same for many symbols; every symbol has an entry, in the order given."""

    async def versions(
        self, symbols: Sequence[str], timeframe: Timeframe, as_of: datetime | None = None
    ) -> dict[str, int]:
        """Return the number of the last change that concerns each series, 0 without one; reads no candle.

        Two reads of a series between which its number stayed gave the same candles.
        """


class ChangeLog(Protocol):
    """Which candles changed since a reader looked last. Every method raises StoreUnavailable."""

    async def last_number(self) -> int:
        """Return the number of the newest change, 0 before the first."""

    async def changes_since(self, number: int, limit: int) -> list[Change]:
        """Return at most `limit` changes with larger numbers, in the order of their commits.

        A reader that keeps the last number it has acted on misses nothing, whichever way it ends.
        """


class StoreUpkeep(Protocol):
    """What a store does to stay fast."""

    async def maintain(self) -> list[str]:
        """Put closed partitions in order; return the names of those done.

        Raises:
            StoreError: what was not done is done next time.
        """
