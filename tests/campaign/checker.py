"""What must hold once the storm is over, and how long it takes until it does."""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import asyncpg

from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.adapters.postgres import coverage
from chartinsightd.clock import SystemClock
from chartinsightd.control.client import ControlError
from chartinsightd.control.operations import HEALTH
from chartinsightd.control.protocol.status import HealthCheck
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.horizon import Horizon, horizon_start
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.simulator.admin_client import Row
from chartinsightd.simulator.comparison import Comparison
from tests.campaign.cluster import Cluster
from tests.support.harness import ALL, KEYS

SETTLES_WITHIN_S = 120.0
"""Real seconds after which a store that does not equal the truth counts as wrong."""
_EVERYTHING = Horizon.parse("max")
_LOOK_EVERY_S = 0.3
_SHOWN = 300
_TRACKED = "select symbol from stocks where tracked order by symbol"
_GAPS = "select * from gaps where from_ts < $1 and symbol = any($2)"
_NO_RUNNING_VOLUME = "row_tail=old"
"""Without it nothing proves that no candle is missing: a session stays unproved, and says so.

Source: kiwoom.md#running-volume.
"""
_JOBS = "select id, kind, state, created_at from jobs where finished_at is null"
_BROKEN = (
    "select * from seals where state = 'broken' and session >= $1 and session < $2::timestamptz::date"
    " and symbol = any($3)"
)
"""Of the sessions whose minutes are within their horizon: the others are looked at no more."""
_REVISIONS = "select symbol, timeframe, ts, changed_at, cause from revisions order by changed_at"
_SEALS = "select state, count(*) from seals where symbol = any($1) group by state"
_FIRST_DAY = "select (min(ts) at time zone 'Asia/Seoul')::date from candles_1d where symbol = $1"
_ADJUSTMENTS = "select ex_date, price_factor, volume_factor from adjustments where symbol = $1"
_ROUNDING = 0.005
"""Factors are read off prices that were rounded to the won."""
_AWAY = (
    OSError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ControlError,
)


@dataclass(slots=True)
class Settled:
    """How the store came to equal the truth."""

    compared: int = 0
    took_s: float = 0.0
    """Real seconds since the faults ended and the clock showed the morning."""
    took_virtual_s: float = 0.0
    seals: dict[str, int] = field(default_factory=dict)
    actions: int = 0


async def settle(cluster: Cluster, end: datetime) -> Settled:
    """Wait until everything holds of candles that start before `end`; what never does becomes a finding."""
    begun, begun_at = time.monotonic(), await cluster.admin.now()
    look = Look(cluster, end)
    missing = ["nothing was looked at"]
    while missing and time.monotonic() - begun < SETTLES_WITHIN_S:
        await asyncio.sleep(_LOOK_EVERY_S)
        before = missing
        try:
            missing = await look.missing()
        except _AWAY as error:
            missing = [f"{error!r}"]
        if missing != before:
            cluster.note(f"not yet: {missing[0][:_SHOWN]}" if missing else "all holds")
    cluster.tally.findings += missing
    took_virtual_s = (await cluster.admin.now() - begun_at).total_seconds()
    return Settled(
        compared=look.compared,
        took_s=time.monotonic() - begun,
        took_virtual_s=took_virtual_s,
        seals=look.seals,
        actions=sum(look.actions.values()),
    )


class Look:
    """Looks again and again whether everything holds of candles that start before `end`.

    A series that equalled the truth once is not looked at again: nothing of it changes any more.
    """

    def __init__(self, cluster: Cluster, end: datetime) -> None:
        self._cluster = cluster
        self._end = end
        self._calendar = Calendar()
        self._equal: dict[tuple[str, str], int] = {}
        self.seals: dict[str, int] = {}
        """Sessions by what the morning after said of them."""
        self.actions: dict[str, int] = {}
        """Corporate actions in the ledger, by symbol."""

    @property
    def compared(self) -> int:
        """Rows that were found equal."""
        return sum(self._equal.values())

    async def missing(self) -> list[str]:
        """Return what does not hold yet; the cheap looks come first."""
        async with self._cluster.daemon.database() as database:
            tracked = [row[0] for row in await database.fetch(_TRACKED)]
            if not tracked:
                return ["no symbol is tracked"]
            gaps = await database.fetch(_GAPS, self._end, tracked)
            if _NO_RUNNING_VOLUME in self._cluster.draw.options:
                gaps = [gap for gap in gaps if gap["reason"] != "unproved"]
            if gaps := [gap for gap in gaps if not await self._is_beyond_the_end(gap)]:
                return [f"{len(gaps)} gaps: {_few(gaps)}"]
            if jobs := await database.fetch(_JOBS):
                return [f"{len(jobs)} jobs are not over: {_few(jobs)}"]
            for symbol in tracked:
                for timeframe in ALL:
                    if differs := await self._differs(database, symbol, timeframe):
                        return [f"the store differs: {differs}"]
            horizon = Horizon.parse(self._cluster.draw.horizons["5m"])
            kept = horizon_start(horizon, Timeframe.M5, await self._cluster.admin.now(), self._calendar)
            if broken := await database.fetch(_BROKEN, day_of(kept), self._end, tracked):
                return [f"{len(broken)} sessions are broken: {_few(broken)}"]
            for symbol in tracked:
                if ledger_differs := await self._ledger_differs(database, symbol):
                    return [ledger_differs]
            if not self._cluster.draw.corrects and (early := await database.fetch(_REVISIONS)):
                return [f"{len(early)} candles were called final while they formed: {_few(early)}"]
            states = await database.fetch(_SEALS, tracked)
            self.seals = {row["state"]: row["count"] for row in states}
        async with self._cluster.control() as client:
            health = await client.ask(HEALTH)
        ill = [check for check in health.checks if not check.ok and not self._is_by_design(check)]
        return [f"it is not healthy: {ill}"] if ill else []

    async def _ledger_differs(self, database: asyncpg.Connection, symbol: str) -> str:
        """Compare the ledger of corporate actions with the simulator's, as far back as days are stored."""
        first = await database.fetchval(_FIRST_DAY, symbol)
        today = day_of(await self._cluster.admin.now())
        truth = {
            date.fromisoformat(day): (price, volume)
            for day, price, volume in await self._cluster.admin.actions(symbol)
            if first is not None and first < date.fromisoformat(day) <= today
        }
        rows = await database.fetch(_ADJUSTMENTS, symbol)
        found = {row[0]: (float(row[1]), float(row[2])) for row in rows if first and row[0] > first}
        self.actions[symbol] = len(found)
        is_equal = found.keys() == truth.keys() and all(
            math.isclose(one, other, rel_tol=_ROUNDING)
            for day, factors in truth.items()
            for one, other in zip(found[day], factors, strict=True)
        )
        return "" if is_equal else f"the ledger of {symbol} is {found}, in truth {truth}"

    def _is_by_design(self, check: HealthCheck) -> bool:
        """Whether it complains, rightly, of the small disk that the storm fills and frees."""
        return check.part == "disk" and self._cluster.disk is not None

    async def _is_beyond_the_end(self, gap: asyncpg.Record) -> bool:
        """Whether a gap is the honest word on a broker that never says where its history ends.

        It answers with empty pages that lead to more
        (kiwoom.md#endless-pages): what is before the oldest
        candle cannot be proved, and must be listed with that reason; there must be no candle in truth.
        """
        if "empty_page_loop=true" not in self._cluster.draw.options or not _tells_of_emptiness(gap):
            return False
        bounds = int(gap["from_ts"].timestamp()), int(gap["to_ts"].timestamp())
        return not await self._cluster.admin.truth(gap["symbol"], gap["timeframe"], *bounds)

    async def _differs(self, database: asyncpg.Connection, symbol: str, timeframe: str) -> Comparison | None:
        """Compare a series row by row.

        Expected is every candle within the horizon and every one in a range that is said to be covered; what
        is stored beyond (of a backfill that was cancelled) must be true.
        """
        if (symbol, timeframe) in self._equal:
            return None
        now, kind = await self._cluster.admin.now(), Timeframe(timeframe)
        oldest = horizon_start(_EVERYTHING, kind, now, self._calendar).timestamp()
        stored = await _stored(database, symbol, timeframe, self._end)
        stored = [
            row for row in stored if row[0] >= oldest
        ]  # what was served once and is no more stays unlooked at
        horizon = Horizon.parse(self._cluster.draw.horizons[timeframe])
        start = int(horizon_start(horizon, kind, now, self._calendar).timestamp())
        covered = await _covered(database, symbol, timeframe)
        first = min([start, *(row[0] for row in stored[:1]), *(max(0, one) for one, _ in covered[:1])])
        truth = await self._cluster.admin.truth(symbol, timeframe, first, int(self._end.timestamp()))
        known = {row[0] for row in stored}
        found = Comparison()
        found.add(
            f"{symbol}/{timeframe}",
            (row for row in truth if row[0] >= start or row[0] in known or _is_in(row[0], covered)),
            stored,
        )
        if found.differences:
            return found
        self._equal[symbol, timeframe] = found.compared
        return None


def _tells_of_emptiness(gap: asyncpg.Record) -> bool:
    return gap["reason"] in ("unknown", "beyond_retention", "before_listing") or "gave a blank one" in str(
        gap["evidence"]
    )


def _few(rows: list[asyncpg.Record]) -> list[str]:
    return [" ".join(map(str, row)) for row in rows[:5]]


async def _stored(database: asyncpg.Connection, symbol: str, timeframe: str, end: datetime) -> list[Row]:
    rows = await database.fetch(
        "select extract(epoch from ts)::bigint, open, high, low, close, volume, value, final from candles"
        " where symbol = $1 and timeframe = $2 and ts < $3 order by ts",
        symbol,
        timeframe,
        end,
    )
    return [tuple(row) for row in rows]


async def _covered(database: asyncpg.Connection, symbol: str, timeframe: str) -> list[tuple[int, int]]:
    rows = await database.fetch(
        "select extract(epoch from from_ts)::bigint, extract(epoch from to_ts)::bigint from coverage"
        " where symbol = $1 and timeframe = $2 order by from_ts",
        symbol,
        timeframe,
    )
    return [tuple(row) for row in rows]


def _is_in(start: int, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= start < last for first, last in ranges)


def look_back(cluster: Cluster) -> None:
    """Look at what the storm left behind, after the daemon was asked to leave: each trace is a finding."""
    findings, words = cluster.tally.findings, cluster.daemon.words()
    if "Traceback (most recent call last)" in words:
        findings.append(f"a traceback in the log: {_around(words, 'Traceback (most recent call last)')}")
    for phrase in ("was never retrieved", "was never awaited", "was destroyed but it is pending"):
        if phrase in words:
            findings.append(f"in the log: {_around(words, phrase)}")
    findings += [f"{name} is in the log" for name, secret in KEYS.items() if secret in words]
    if cluster.tally.violations:
        findings.append(f"{cluster.tally.violations} violations of the limit")


def _around(words: str, phrase: str) -> str:
    at = words.index(phrase)
    return words[max(0, at - 300) : at + 3000]


async def ahead(cluster: Cluster) -> list[str]:
    """Return the series whose checkpoint says more than the database holds; PostgreSQL must be there.

    A daemon that runs its own PostgreSQL is still there, and may commit: the checkpoint is copied first.
    """
    copy = _copied(cluster.daemon.folder / "simulation", cluster.folder / "checkpoint")
    async with cluster.daemon.database() as database:
        durable = await coverage.read(database)
    remembered = await _remembered(copy)
    return [
        f"the checkpoint is ahead of the database: {series} {ahead}"
        for series, covered in remembered.items()
        if (ahead := covered - durable.get(series, EMPTY))
    ]


async def _remembered(file: Path) -> dict[Series, RangeSet]:
    async with open_checkpoint(file, SystemClock()) as checkpoint:
        return {series: state.covered for series, state in (await checkpoint.load()).items()}


def _copied(state: Path, folder: Path) -> Path:
    """Copy the checkpoint: opening it changes it."""
    folder.mkdir(exist_ok=True)
    for file in state.glob("checkpoint.sqlite*"):
        if "damaged" not in file.name:
            shutil.copy(file, folder / file.name)
    return folder / "checkpoint.sqlite"
