"""Results of the analysis in memory, with the promises of the real store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.changes import Change, ChangeKind
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import (
    AnalysisCounts,
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    DueCause,
    Findings,
    FoundPattern,
    KnownPattern,
    PatternEnd,
    PatternFilter,
)
from chartinsightd.ports.archive import Found

_CAUSES = {ChangeKind.ADJUSTED: DueCause.ADJUSTMENT, ChangeKind.LEARNED_DAY: DueCause.CALENDAR}
_POINT_ORDER = attrgetter("confirmed_at", "ts", "kind", "grade")
_TREND_ORDER = attrgetter("confirmed_at", "from_ts", "trend")
_PATTERN_ORDER = attrgetter("confirmed_at", "ts", "pattern_id", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Generation:
    """Rows of one generation that were recorded together."""

    number: int
    valid_from: int
    """Older rows confirmed at or after this do not count, in seconds since 1970; 0 for the first one."""
    begins: bool
    recorded_at: datetime
    found: Findings


@dataclass(slots=True)
class _Kept:
    """What is kept of one series."""

    carried: bytes | None = None
    parts: list[_Generation] = field(default_factory=list)

    def counting(self, name: str, as_of: datetime | None) -> Iterator[Any]:
        """Yield the rows of one kind that count by what was known."""
        known = [one for one in self.parts if as_of is None or one.recorded_at <= as_of]
        begun = [one for one in known if one.begins]
        for part in known:
            later = [one.valid_from for one in begun if one.number > part.number]
            for row in getattr(part.found, name):
                if row.confirmed_at < min(later, default=row.confirmed_at + 1):
                    yield row


class FakeAnalysis:
    """Implements `ports.analysis.AnalysisStore`."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        """The log of changes of candles, numbered from 1; a test adds to it."""
        self._seen: dict[str, int] = {}
        self._states: dict[str, dict[Series, AnalysisState]] = {}
        self._kept: dict[str, dict[Series, _Kept]] = {}

    def note_change(self, candles: Candles, at: datetime) -> None:
        """Add to the log that candles became final."""
        first, last = (datetime.fromtimestamp(int(candles.ts[place]), UTC) for place in (0, -1))
        change = Change(
            number=len(self.changes) + 1,
            at=at,
            kind=ChangeKind.NEW,
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            from_ts=first,
            to_ts=last,
        )
        self.changes.append(change)

    async def states(self, analyser: str) -> dict[Series, AnalysisState]:
        """Return how every series stands."""
        return dict(self._states.get(analyser, {}))

    async def state(self, analyser: str, series: Series) -> AnalysisState | None:
        """Return how one series stands."""
        return self._states.get(analyser, {}).get(series)

    async def mark_changed(self, analyser: str, limit: int) -> int:
        """Mark what changed due; the first call only begins to look."""
        seen = self._seen.setdefault(analyser, len(self.changes))
        read = self.changes[seen : seen + limit]
        self._seen[analyser] = seen + len(read)
        known = self._states.get(analyser, {})
        for series, state in known.items():
            touching = [one for one in read if _touches(one, series)]
            if touching:
                known[series] = _due(state, min(touching, key=lambda one: _is_later(one, state)))
        return len(read)

    async def add(self, analyser: str, series: Sequence[Series]) -> int:
        """Mark series due that have no state yet."""
        known = self._states.setdefault(analyser, {})
        new = [one for one in series if one not in known]
        known |= {one: AnalysisState(series=one, status=AnalysisStatus.DUE) for one in new}
        return len(new)

    async def carried(self, analyser: str, series: Sequence[Series]) -> dict[Series, bytes | None]:
        """Return the analyser's own state of each series that has results."""
        kept = self._kept.get(analyser, {})
        return {one: kept[one].carried for one in series if one in kept}

    async def findings(
        self,
        analyser: str,
        series: Series,
        *,
        start: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> Findings:
        """Return what counts of one series, by confirmation."""
        kept = self._kept.get(analyser, {}).get(series, _Kept())
        first = None if start is None else start.timestamp()
        last = None if until is None else until.timestamp()

        def among(name: str, ts: str, order: Any) -> tuple[Any, ...]:
            rows = (
                row
                for row in kept.counting(name, as_of)
                if (first is None or getattr(row, ts) >= first) and (last is None or row.confirmed_at <= last)
            )
            return tuple(sorted(rows, key=order))

        trends = sorted(kept.counting("trends", as_of), key=_TREND_ORDER)
        before = [one for one in trends if first is not None and one.confirmed_at <= first]
        return Findings(
            points=among("points", "ts", _POINT_ORDER),
            trends=among("trends", "from_ts", _TREND_ORDER),
            patterns=among("patterns", "ts", _PATTERN_ORDER),
            trend_before=before[-1] if before else None,
        )

    async def patterns(self, analyser: str, wanted: PatternFilter) -> Found[KnownPattern]:
        """Return the latest state of each pattern that counts, the newest first."""
        found = [
            one
            for one in self._latest(analyser, wanted.until, wanted.as_of)
            if (not wanted.symbols or one.series.symbol in wanted.symbols)
            and (not wanted.timeframes or one.series.timeframe in wanted.timeframes)
            and (not wanted.states or one.found.state in wanted.states)
            and (not wanted.kinds or one.found.kind in wanted.kinds)
        ]
        found.sort(key=lambda one: (one.series.symbol, one.series.timeframe, one.found.pattern_id))
        found.sort(key=lambda one: one.found.confirmed_at, reverse=True)
        return Found(found[: wanted.limit], len(found))

    async def pattern_ends(
        self, analyser: str, timeframe: Timeframe, until: datetime | None = None
    ) -> Sequence[PatternEnd]:
        """Return where every pattern that has ended did so."""
        return [
            PatternEnd(one.series.symbol, one.found.kind, one.found.state, one.found.ts)
            for one in self._latest(analyser, until, None)
            if one.series.timeframe is timeframe and one.found.state != "forming"
        ]

    async def save(self, analyser: str, results: Sequence[AnalysisResult], at: datetime) -> None:
        """Keep results."""
        known = self._states.setdefault(analyser, {})
        for one in results:
            kept = self._kept.setdefault(analyser, {}).setdefault(one.state.series, _Kept())
            begins = not kept.parts or one.valid_from is not None
            number = (kept.parts[-1].number if kept.parts else -1) + begins
            kept.parts.append(
                _Generation(
                    number=number,
                    valid_from=one.valid_from or 0,
                    begins=begins,
                    recorded_at=at,
                    found=one.found,
                )
            )
            kept.carried = one.carried
            known[one.state.series] = replace(one.state, from_start=False, analysed_at=at)

    async def counts(self, analyser: str) -> AnalysisCounts:
        """Return how many series stand how."""
        states = list(self._states.get(analyser, {}).values())
        due = [one.analysed_at for one in states if one.status is AnalysisStatus.DUE and one.analysed_at]
        by_status = {str(status): sum(one.status is status for one in states) for status in AnalysisStatus}
        return AnalysisCounts(series=len(states), oldest_due=min(due, default=None), **by_status)

    def _latest(
        self, analyser: str, until: datetime | None, as_of: datetime | None
    ) -> Iterator[KnownPattern]:
        for series, kept in self._kept.get(analyser, {}).items():
            latest: dict[str, FoundPattern] = {}
            for row in sorted(kept.counting("patterns", as_of), key=_by_life):
                if until is None or row.confirmed_at <= until.timestamp():
                    latest[row.pattern_id] = row
            yield from (KnownPattern(series=series, found=row) for row in latest.values())


def _by_life(row: FoundPattern) -> tuple[int, bool]:
    return row.confirmed_at, row.state != "forming"


def _touches(change: Change, series: Series) -> bool:
    return change.symbol in (None, series.symbol) and change.timeframe in (None, series.timeframe)


def _is_later(change: Change, state: AnalysisState) -> bool:
    """Whether a change only adds candles after those taken in."""
    is_new = change.kind is ChangeKind.NEW
    return is_new and state.analysed_to is not None and change.from_ts > state.analysed_to


def _due(state: AnalysisState, change: Change) -> AnalysisState:
    """Return a state after the change of it that asks for most."""
    was_from_start = state.status is AnalysisStatus.DUE and state.from_start
    cause = DueCause.FIRST if state.analysed_to is None else _CAUSES.get(change.kind, DueCause.REVISION)
    return replace(
        state,
        status=AnalysisStatus.DUE,
        reason="",
        from_start=was_from_start or not _is_later(change, state),
        cause=state.cause if was_from_start else cause,
    )
