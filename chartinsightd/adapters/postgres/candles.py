"""Candles in PostgreSQL.

One writer owns a schema, so what it committed it also knows: the newest rows of each series stay in memory
(`tails`), older ones are read back in the same transaction, and the comparison happens here, in numpy.
Only rows that differ are sent, therefore the database never locks, logs or rewrites a row that stayed the
same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from chartinsightd.adapters.postgres import (
    candle_sql,
    chains,
    changes,
    coverage,
    quarantine,
    refused_rows,
    sums,
)
from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.errors import ROW_REFUSALS, rows_refused
from chartinsightd.adapters.postgres.partitions import (
    existing_partitions,
    make_partition,
    partitions_of,
    stretches,
)
from chartinsightd.adapters.postgres.refused_rows import Sent
from chartinsightd.adapters.postgres.rows import (
    EMPTY,
    Difference,
    Rows,
    candles_of,
    chosen,
    difference,
    final_at,
    holds,
    joined,
    merged,
    revised,
    rows_of,
    storable,
)
from chartinsightd.adapters.postgres.tails import RecentRows, Tail
from chartinsightd.clock import Clock
from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.changes import ChangeKind, runs
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.candles import AuditPart, RowDifference

_EARLIEST, _LATEST = -2_208_988_800, 7_258_118_400
"""The years 1900 and 2200, in seconds: every candle of a day or a week lies between."""
_COPY_FROM = 48
"""Rows; fewer travel faster as arrays of one statement."""
_IDLE_S = 2_400.0
"""How long a series' newest rows are kept without a poll: longer than between two candles of half an hour."""
_LOOKS_EVERY_REAL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incoming:
    """One write, ready to compare."""

    index: int
    series: Series
    rows: Rows
    covered: RangeSet
    write: Write

    @property
    def first(self) -> int:
        return int(self.rows["ts"][0])

    @property
    def last(self) -> int:
        return int(self.rows["ts"][-1])


@dataclass(slots=True, kw_only=True)
class _Unit:
    """What one transaction found out and will leave behind once it is committed."""

    written: list[Written]
    quarantined: list[quarantine.Kept] = field(default_factory=list)
    tails: dict[Series, Tail] = field(default_factory=dict)
    covered: dict[Series, RangeSet] = field(default_factory=dict)
    partitions: dict[Timeframe, RangeSet] = field(default_factory=dict)
    sum_changes: sums.Changes = field(default_factory=dict)
    touched: dict[int, Ints] = field(default_factory=dict)
    """By write, when the candles open that it added or changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is stored in the range of a write."""

    rows: Rows
    tail: Tail | None
    """The series' tail, where it is known now."""


class PostgresCandles:
    """Implements `ports.CandleStore`.

    Args:
        writer: the only connection that writes candles; `forget_everything` must be called when it was
            opened again.
        reader: for reads that must not wait for writes.
        audit: for sums over whole tables.
        schema: the schema of the tables.
        clock: says when something was changed or received.
        on_set_back: told when the database lacks what was written to it.
        tail_bytes: how much memory the newest rows may take.
    """

    def __init__(
        self,
        writer: ReconnectingConnection,
        reader: ReconnectingConnection,
        audit: ReconnectingConnection,
        schema: str,
        clock: Clock,
        on_set_back: Callable[[], None],
        tail_bytes: int = 32 * 2**20,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._audit = audit
        self._schema = schema
        self._clock = clock
        self._on_set_back = on_set_back
        self._lock = asyncio.Lock()
        self._tails = RecentRows(tail_bytes, clock.monotonic)
        self._covered: dict[Series, RangeSet] | None = None
        self._partitions: dict[Timeframe, RangeSet] | None = None
        self._quarantine = quarantine.Quarantine()

    def forget_everything(self) -> None:
        """Drop what is only true while there is no other writer."""
        self._tails.clear()
        self._covered = None
        self._partitions = None

    async def forget_idle_rows(self) -> None:
        """Keep the newest rows of those series alone that are polled; until cancelled.

        After a load or in the evening they are megabytes that no poll needs before the morning, when the
        first one of each series reads its rows back, as after a restart.
        """
        while True:
            await self._clock.pace(every_s=_IDLE_S / 4, least_real_s=_LOOKS_EVERY_REAL_S)
            self._tails.forget_unused(_IDLE_S)

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit all writes in one transaction, or none; return what each did (see `ports.CandleStore`).

        A candle too large for the columns is quarantined. Nothing is sent when nothing would change.
        """
        incoming = [_incoming(i, write) for i, write in enumerate(writes)]
        async with self._lock:
            if self._is_stored(incoming):
                return [
                    Written(unchanged=len(one.rows), quarantined=len(one.write.rejected)) for one in incoming
                ]
            async with self._writer.use() as connection:
                try:
                    return await self._commit(connection, incoming)
                except ROW_REFUSALS as error:
                    refused = await self._refused_rows(connection, incoming)
                    if not refused:
                        raise
                    refusal = rows_refused(error, refused)
        raise refusal  # of rows, and not of the connection

    async def coverage(self) -> dict[Series, RangeSet]:
        """Return what is durable and complete, for every series that has anything."""
        async with self._lock:
            if self._covered is None:
                async with self._writer.use() as connection:
                    self._covered = await coverage.read(connection)
            return {series: covered for series, covered in self._covered.items() if covered}

    async def forget_coverage(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of a series' coverage, so that they are fetched again."""
        async with self._lock, self._writer.use() as connection:
            known = await self._known_coverage(connection)
            old = known.get(series, RangeSet())
            async with connection.transaction():
                await coverage.replace(connection, {series: (old, old - ranges)})
            known[series] = old - ranges
            self._tails.forget(series)  # what is doubted is compared with the rows that are there

    async def withdraw_finality(self, starts: Mapping[Timeframe, int], day: date) -> None:
        """Call candles final no longer that cannot be, and forget seals of sessions that are not over."""
        async with self._lock, self._writer.use() as connection:
            async with connection.transaction():
                for timeframe, start in starts.items():
                    await connection.execute(
                        f"update candles_{timeframe} set final = false where final and ts >= $1",
                        datetime.fromtimestamp(start, UTC),
                    )
                await connection.execute("delete from seals where session >= $1", day)
                await sums.replace_from(connection, starts)
            self._tails.clear()

    async def audit_parts(self) -> list[AuditPart]:
        """Return the parts that make up everything, the newest first: a partition each, or all days."""
        async with self._audit.use() as connection:
            there = await existing_partitions(connection, self._schema)
        parts = [
            AuditPart(timeframe=timeframe, first=first, end=end)
            for timeframe, ranges in there.items()
            for first, end in stretches(timeframe, ranges, self._clock.now())
        ]
        whole = [
            AuditPart(timeframe=one, first=_EARLIEST, end=_LATEST) for one in (Timeframe.D1, Timeframe.W1)
        ]
        return whole + sorted(parts, key=lambda part: part.first, reverse=True)

    async def differences(self, part: AuditPart, symbols: Sequence[str] | None = None) -> list[RowDifference]:
        """Compare what was written with what is there, in one part."""
        async with self._audit.use() as connection:
            return await sums.differences(connection, part, symbols)

    async def withdraw(self, found: Sequence[RowDifference]) -> dict[Series, RangeSet]:
        """Take pieces that differ out of the coverage, and count the rows that are there from now on."""
        pieces: dict[Timeframe, list[sums.Piece]] = {}
        ranges: dict[Series, RangeSet] = {}
        for one in found:
            piece = sums.Piece(symbol=one.series.symbol, first=one.first, end=one.end)
            pieces.setdefault(one.series.timeframe, []).append(piece)
            ranges[one.series] = ranges.get(one.series, RangeSet()) | RangeSet.of((one.first, one.end))
        async with self._lock, self._writer.use() as connection:
            known = await self._known_coverage(connection)
            olds = {series: known.get(series, RangeSet()) for series in ranges}
            async with connection.transaction():
                for timeframe, some in pieces.items():
                    await sums.replace(connection, timeframe, some)
                await coverage.replace(
                    connection, {series: (old, old - ranges[series]) for series, old in olds.items()}
                )
            for series, old in olds.items():
                known[series] = old - ranges[series]
                self._tails.forget(series)
        return {series: old & ranges[series] for series, old in olds.items()}

    async def withdraw_changed_coverage(self) -> dict[Series, RangeSet]:
        """Cover no more than both what this session wrote and what is stored; return what each series lost.

        What is stored may be an older backup, so that a range that went is not put back but read again; one
        that came rests on no answer of the broker.
        """
        async with self._lock, self._writer.use() as connection:
            known = await self._known_coverage(connection)
            stored = await coverage.read(connection)
            pairs = {
                series: (stored.get(series, RangeSet()), known.get(series, RangeSet()))
                for series in known.keys() | stored.keys()
            }
            changed = {series: pair for series, pair in pairs.items() if pair[0] != pair[1]}
            async with connection.transaction():
                await coverage.replace(
                    connection, {series: (there, there & ours) for series, (there, ours) in changed.items()}
                )
            for series, (there, ours) in changed.items():
                known[series] = there & ours
                self._tails.forget(series)
        return {series: ours - there for series, (there, ours) in changed.items()}

    async def candles(self, symbol: str, timeframe: Timeframe, from_ts: datetime, to_ts: datetime) -> Candles:
        """Return the stored candles that open in [from_ts, to_ts), both aware, oldest first.

        Raises:
            StoreUnavailable: the database cannot be reached now.
        """
        span = (symbol, int(from_ts.timestamp()), int(to_ts.timestamp()) - 1)
        async with self._reader.use() as connection:
            [rows] = await candle_sql.read(connection, timeframe, [span], [])
        return candles_of(symbol, timeframe, rows)

    def _is_stored(self, incoming: Sequence[_Incoming]) -> bool:
        """Whether memory proves that nothing would change."""
        known = self._covered
        if known is None:
            return False
        return all(
            not self._quarantine.new_of([one.write])
            and (one.write.is_newest or not one.write.chains)
            and known.get(one.series, RangeSet()).covers(one.covered)
            and self._has_rows(one)
            for one in incoming
        )

    def _has_rows(self, one: _Incoming) -> bool:
        if not len(one.rows):
            return True
        tail = self._tails.get(one.series)
        if tail is None or one.first < tail.since:
            return False
        if holds(tail.rows, one.rows):
            return True
        diff = difference(one.rows, tail.rows)
        return not len(diff.added) and not len(diff.changed)

    async def _commit(self, connection: Connection, incoming: Sequence[_Incoming]) -> list[Written]:
        known_coverage = await self._known_coverage(connection)
        unit = _Unit(
            written=[Written(quarantined=len(one.write.rejected)) for one in incoming],
            quarantined=self._quarantine.new_of(one.write for one in incoming),
        )
        try:
            async with connection.transaction():
                for timeframe, group in _in_order(incoming):
                    await self._write(connection, timeframe, group, unit)
                await quarantine.keep(connection, unit.quarantined, self._clock.now())
                await self._note_chains(connection, incoming, unit)
                await self._grow_coverage(connection, known_coverage, incoming, unit)
        except coverage.CoverageDiffers:
            self.forget_everything()
            self._on_set_back()
            raise
        except BaseException:
            # Whether an interrupted COMMIT took effect is not known: look again next time.
            for one in incoming:
                self._tails.forget(one.series)
            self._covered = self._partitions = None
            raise
        for series, tail in unit.tails.items():
            self._tails.put(series, tail.shortened())
        known_coverage.update(unit.covered)
        self._quarantine.remember(unit.quarantined)
        if self._partitions is not None:
            self._partitions |= unit.partitions
        return unit.written

    async def _refused_rows(
        self, connection: Connection, incoming: Sequence[_Incoming]
    ) -> dict[int, list[int]]:
        """Find out which rows of a refused transaction are to blame; leave nothing behind."""
        refused: dict[int, list[int]] = {}
        if sum(len(one.rows) for one in incoming) < 2:
            return refused
        trial, unit = connection.transaction(), _Unit(written=[])
        await trial.start()
        try:
            await connection.execute("set constraints all immediate")
            for timeframe, group in _in_order(incoming):
                known = await self._look_up(connection, timeframe, group, unit)
                diffs = [difference(one.rows, known[one.series].rows) for one in group]
                await self._make_partitions(connection, timeframe, [diff.added for diff in diffs], unit)
                sent = [
                    Sent(
                        write=one.index,
                        symbol=one.series.symbol,
                        rows=joined([diff.added, diff.changed]),
                    )
                    for one, diff in zip(group, diffs, strict=True)
                ]
                refused |= await refused_rows.find(connection, timeframe, sent)
        finally:
            await trial.rollback()
        return refused

    async def _write(
        self, connection: Connection, timeframe: Timeframe, group: Sequence[_Incoming], unit: _Unit
    ) -> None:
        """Write what differs of several writes that do not overlap."""
        known = await self._look_up(connection, timeframe, group, unit)
        diffs = [difference(one.rows, known[one.series].rows) for one in group]
        symbols = [one.series.symbol for one in group]
        added = [(symbol, diff.added) for symbol, diff in zip(symbols, diffs, strict=True)]
        changed = [(symbol, diff.changed) for symbol, diff in zip(symbols, diffs, strict=True)]
        await self._make_partitions(connection, timeframe, [rows for _, rows in added], unit)
        if sum(len(rows) for _, rows in added) >= _COPY_FROM:
            await candle_sql.copy(connection, timeframe, added)
            added = []
        await candle_sql.upsert(connection, timeframe, [*added, *changed])
        causes = [(one.series.symbol, one.write.cause, diff) for one, diff in zip(group, diffs, strict=True)]
        now = self._clock.now()
        await candle_sql.insert_revisions(connection, timeframe, causes, now)
        noted = [
            change
            for one, diff in zip(group, diffs, strict=True)
            for change in _changes(one, diff, known[one.series].rows["ts"])
        ]
        await changes.note(connection, noted, now)
        for one, diff in zip(group, diffs, strict=True):
            sums.add_changes(unit.sum_changes, one.series, diff)
            unit.touched[one.index] = np.concatenate([diff.added["ts"], diff.changed["ts"]])
            unit.written[one.index] += Written(
                inserted=len(diff.added), changed=diff.corrected, unchanged=diff.unchanged
            )
            tail = unit.tails.get(one.series, known[one.series].tail)
            if tail is not None:
                unit.tails[one.series] = _grown(tail, diff)

    async def _look_up(
        self, connection: Connection, timeframe: Timeframe, group: Sequence[_Incoming], unit: _Unit
    ) -> dict[Series, _Known]:
        """Return what is stored where the writes go, from memory or, where it does not reach, the table."""
        known: dict[Series, _Known] = {}
        unknown: dict[Series, _Reach] = {}
        for series, reach in _reaches_of(group).items():
            tail = unit.tails.get(series) or self._tails.get(series)
            known[series] = _Known(rows=tail.rows if tail else EMPTY, tail=tail)
            if tail is None or reach.first < tail.since:
                unknown[series] = reach
        if unknown:
            spans = [
                (series.symbol, reach.first, _last_unknown(reach, known[series].tail))
                for series, reach in unknown.items()
            ]
            after = [i for i, series in enumerate(unknown) if known[series].tail is None]
            found = await candle_sql.read(connection, timeframe, spans, after)
            for (series, reach), rows in zip(unknown.items(), found, strict=True):
                known[series] = _joined(reach, known[series].tail, rows)
        return known

    async def _make_partitions(
        self, connection: Connection, timeframe: Timeframe, parts: Sequence[Rows], unit: _Unit
    ) -> None:
        needed = partitions_of(timeframe, (rows for rows in parts if len(rows)))
        if not needed:
            return
        if self._partitions is None:
            self._partitions = await existing_partitions(connection, self._schema)
        there = unit.partitions.get(timeframe, self._partitions[timeframe])
        for partition in sorted(needed, key=lambda one: one.first_month):
            if not there.covers(partition.span):
                await make_partition(connection, partition, there)
                there |= partition.span
        unit.partitions[timeframe] = there

    async def _note_chains(self, connection: Connection, incoming: Sequence[_Incoming], unit: _Unit) -> None:
        """Keep what running volumes prove, where a write says something new of them."""
        for one in incoming:
            news = chains.news_of(one.write, unit.touched.get(one.index))
            if news:
                noted = await chains.note(connection, one.series.symbol, news, self._clock.now())
                unit.written[one.index] += Written(chains=noted)

    async def _grow_coverage(
        self,
        connection: Connection,
        known: Mapping[Series, RangeSet],
        incoming: Sequence[_Incoming],
        unit: _Unit,
    ) -> None:
        grown: dict[Series, RangeSet] = {}
        for one in incoming:
            grown[one.series] = grown.get(one.series, known.get(one.series, RangeSet())) | one.covered
        changes = {
            series: (old, new)
            for series, new in grown.items()
            if (old := known.get(series, RangeSet())) != new
        }
        await coverage.replace(connection, changes)
        await sums.add(connection, unit.sum_changes)
        unit.covered = {series: new for series, (_, new) in changes.items()}

    async def _known_coverage(self, connection: Connection) -> dict[Series, RangeSet]:
        if self._covered is None:
            self._covered = await coverage.read(connection)
        return self._covered


def _incoming(index: int, write: Write) -> _Incoming:
    fits = storable(write.candles)
    if not fits.all():
        too_large = map(_too_large, write.candles.where(~fits))
        rejected = (*write.rejected, *too_large)
        write = replace(write, candles=write.candles.where(fits), rejected=rejected)
    return _Incoming(
        index=index,
        series=write.series,
        rows=rows_of(write.candles),
        covered=write.covered,
        write=write,
    )


def _changes(one: _Incoming, diff: Difference, known: Ints) -> Iterator[changes.NewChange]:
    """Yield what the log of changes has to say of a write, given when the stored candles open."""
    found = {ChangeKind.NEW: final_at(diff), ChangeKind.REVISED: diff.changed["ts"][revised(diff)]}
    instants = np.concatenate([*found.values()])
    if not len(instants):
        return
    # A page may leave out a candle that is stored: a change must not cover that one either.
    span = int(instants.min()), int(instants.max())
    there, stored = _between(one.rows["ts"], *span), _between(known, *span)
    there = np.union1d(there, stored) if len(stored) else there
    for kind, some in found.items():
        for first, last in runs(there, some):
            yield changes.NewChange(
                kind=kind,
                symbol=one.series.symbol,
                timeframe=one.series.timeframe,
                from_ts=datetime.fromtimestamp(first, UTC),
                to_ts=datetime.fromtimestamp(last, UTC),
            )


def _between(ts: Ints, first: int, last: int) -> Ints:
    """Return the instants of [first, last], given ascending ones."""
    return ts[np.searchsorted(ts, first) : np.searchsorted(ts, last, side="right")]


def _too_large(candle: Any) -> RejectedRow:
    names = ("open", "high", "low", "close", "volume", "value")
    payload = {name: getattr(candle, name) for name in names}
    return RejectedRow(
        symbol=candle.symbol, reason="beyond_the_columns", payload={"ts": candle.ts, **payload}, ts=candle.ts
    )


def _in_order(incoming: Sequence[_Incoming]) -> list[tuple[Timeframe, list[_Incoming]]]:
    """Group writes for as few statements as possible: overlapping writes of a series stay in their order."""
    rounds: dict[tuple[int, Timeframe], list[_Incoming]] = {}
    placed: dict[Series, list[tuple[int, _Incoming]]] = {}
    for one in incoming:
        if not len(one.rows):
            continue
        earlier = placed.setdefault(one.series, [])
        overlapping = [turn for turn, other in earlier if other.first <= one.last and one.first <= other.last]
        turn = max(overlapping, default=-1) + 1
        earlier.append((turn, one))
        rounds.setdefault((turn, one.series.timeframe), []).append(one)
    return [
        (timeframe, rounds[turn, timeframe]) for turn, timeframe in sorted(rounds, key=lambda key: key[0])
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """Where the writes of one series go, in seconds."""

    first: int
    last: int
    newest_page: int
    """Where the newest of them begins."""


def _reaches_of(group: Sequence[_Incoming]) -> dict[Series, _Reach]:
    firsts: dict[Series, list[int]] = {}
    lasts: dict[Series, int] = {}
    for one in group:
        firsts.setdefault(one.series, []).append(one.first)
        lasts[one.series] = max(lasts.get(one.series, one.last), one.last)
    return {
        series: _Reach(first=min(starts), last=lasts[series], newest_page=max(starts))
        for series, starts in firsts.items()
    }


def _last_unknown(reach: _Reach, tail: Tail | None) -> int:
    """How far to read: memory knows the rest."""
    return reach.last if tail is None else min(reach.last, tail.since - 1)


def _joined(reach: _Reach, tail: Tail | None, found: Rows) -> _Known:
    """Put together what was read and what memory holds."""
    if tail is not None:
        return _Known(rows=joined([found, tail.rows]), tail=tail)
    if len(found) and found["ts"][-1] > reach.last:
        return _Known(rows=found[:-1], tail=None)  # the pages are older than the newest row
    recent = chosen(found, found["ts"] >= reach.newest_page)
    return _Known(rows=found, tail=Tail(since=reach.newest_page, rows=recent))


def _grown(tail: Tail, diff: Difference) -> Tail:
    recent = Difference(
        added=chosen(diff.added, diff.added["ts"] >= tail.since),
        changed=chosen(diff.changed, diff.changed["ts"] >= tail.since),
        before=EMPTY,
        corrected=0,
        unchanged=0,
    )
    return Tail(since=tail.since, rows=merged(tail.rows, recent))
