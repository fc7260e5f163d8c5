"""An archive that reads the store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from chartinsightd.domain.candle import Candle
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.archive import (
    CandleText,
    DatabaseFacts,
    Found,
    KnownAction,
    KnownGap,
    KnownStock,
    Quarantined,
    Revision,
    StockFilter,
    Try,
)
from chartinsightd.ports.stores import JobRecord, KeptLog, Seal
from tests.support.fakes import FakeStore


@dataclass
class FakeArchive:
    """Reads the store in memory; keeps wishes about symbols."""

    store: FakeStore
    is_away: bool = False
    wishes: dict[str, bool] = field(default_factory=dict)

    def _need(self) -> None:
        if self.is_away:
            raise StoreUnavailable("PostgreSQL cannot be reached.", remedy="Start it.")

    async def facts(self) -> DatabaseFacts:
        """Look at the store."""
        self._need()
        return DatabaseFacts(version="18.6", size_bytes=1_000, gaps=0, listed=len(self.store.stocks))

    async def names(self) -> dict[str, str]:
        """Return the names of the stocks that were saved."""
        self._need()
        return {stock.symbol: stock.name for stock in self.store.stocks}

    async def stocks(self, wanted: StockFilter, limit: int) -> Found[KnownStock]:
        """Nothing: the questions are the real archive's to answer."""
        del wanted, limit
        self._need()
        return Found([], 0)

    async def jobs(
        self,
        states: Sequence[str],
        kinds: Sequence[str],
        before: int | None,
        limit: int,
        until: datetime | None = None,
    ) -> Found[JobRecord]:
        """Return the jobs of the store, newest first."""
        self._need()
        records = [self._record(job_id) for job_id in sorted(self.store.jobs, reverse=True)]
        records = [one for one in records if until is None or one.created_at <= until]
        kept = [
            one for one in records if (not states or one.state in states) and (not kinds or one.kind in kinds)
        ]
        older = [one for one in kept if before is None or one.id < before]
        return Found(older[:limit], len(kept))

    async def job(self, job_id: int) -> JobRecord | None:
        """Return one job."""
        self._need()
        return self._record(job_id) if job_id in self.store.jobs else None

    async def job_log(self, job_id: int) -> KeptLog:
        """Return what is kept of a log."""
        self._need()
        log = self.store.jobs.get(job_id, {}).get("log", KeptLog())
        assert isinstance(log, KeptLog)
        return log

    async def tries(self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int) -> Found[Try]:
        """Return failed tries, newest first."""
        self._need()
        tries = [
            Try(
                job_id=job_id,
                kind=job["kind"],
                at=datetime.fromisoformat(one["at"]),
                about=one["about"],
                reason=one["reason"],
            )
            for job_id, job in reversed(self.store.jobs.items())
            for one in reversed(job.get("progress", {}).get("tries", ()))
            if _is_of(one["about"], symbols, timeframes)
        ]
        return Found(tries[:limit], len(tries))

    def _record(self, job_id: int) -> JobRecord:
        job = self.store.jobs[job_id]
        return JobRecord(
            id=job_id,
            kind=job["kind"],
            state=job["state"],
            requested_by=job["by"],
            params=job["params"],
            progress=job.get("progress", {}),
            error=job.get("error"),
            created_at=job["at"],
            started_at=job["at"],
            finished_at=job.get("finished_at"),
        )

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
        """Return candles of the store; nothing was ever revised."""
        del adjusted, as_of
        self._need()
        found = sorted(
            (candle for (one, _), candle in self.store.candles.items() if one == series),
            key=lambda candle: candle.ts,
        )
        kept = [one for one in found if (start is None or one.ts >= start) and (end is None or one.ts < end)]
        return kept[-limit:]

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
        """Nothing: writing lines is the real archive's work."""
        del series, start, end, limit, adjusted, final_only
        self._need()
        return CandleText(text="", rows=0, first_ts=None, last_ts=None)

    async def gaps(
        self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int
    ) -> Found[KnownGap]:
        """Nothing."""
        del symbols, timeframes, limit
        self._need()
        return Found([], 0)

    async def seals(
        self,
        symbols: Sequence[str],
        states: Sequence[str],
        first_day: date | None,
        last_day: date | None,
        limit: int,
    ) -> Found[Seal]:
        """Nothing."""
        del symbols, states, first_day, last_day, limit
        self._need()
        return Found([], 0)

    async def revisions(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        limit: int,
        ts: datetime | None = None,
    ) -> Found[Revision]:
        """Nothing."""
        del symbols, timeframes, limit, ts
        self._need()
        return Found([], 0)

    async def adjustments(self, symbols: Sequence[str], limit: int) -> Found[KnownAction]:
        """Nothing."""
        del symbols, limit
        self._need()
        return Found([], 0)

    async def quarantine(self, symbols: Sequence[str], limit: int) -> Found[Quarantined]:
        """Nothing."""
        del symbols, limit
        self._need()
        return Found([], 0)

    async def tracking(self) -> dict[str, bool]:
        """Return the wishes."""
        self._need()
        return dict(self.wishes)

    async def set_tracking(self, symbols: Sequence[str], tracked: bool, at: datetime, by: str) -> None:
        """Keep a wish."""
        del at, by
        self._need()
        self.wishes |= dict.fromkeys(symbols, tracked)


def _is_of(about: str, symbols: Sequence[str], timeframes: Sequence[Timeframe]) -> bool:
    """Whether a try is about one of these series; one about a whole day is about each timeframe."""
    is_symbol = not symbols or about[:6] in symbols
    return is_symbol and (not timeframes or about.partition("/")[2] in ("", *timeframes))
