"""Results of an analysis as tests make them up."""

from __future__ import annotations

from datetime import UTC, datetime

from chartinsightd.analysis.patterns.life import PatternKind, PatternState
from chartinsightd.analysis.points import Grade, PointKind
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import (
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    DueCause,
    Findings,
    FoundPattern,
    FoundPoint,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SERIES = Series(symbol="005930", timeframe=Timeframe.M5)
OTHER = Series(symbol="000660", timeframe=Timeframe.M5)
RULES = "rules-1"


def point(ts: int, price: int = 100) -> FoundPoint:
    """A peak that the next candle confirms."""
    return FoundPoint(
        ts=ts * 300,
        kind=PointKind.PEAK,
        grade=Grade.PRIMARY,
        price=price,
        confirmed_at=ts * 300 + 600,
        cause="reversal",
    )


def result(
    series: Series, found: Findings, valid_from: int | None = None, cause: DueCause = DueCause.FIRST
) -> AnalysisResult:
    """A result that leaves the series done."""
    state = AnalysisState(
        series=series,
        status=AnalysisStatus.DONE,
        data_id="d1",
        analysed_to=NOW,
        from_start=False,
        cause=cause,
    )
    return AnalysisResult(state=state, carried=b"state", found=found, valid_from=valid_from)


def event(pattern_id: str, at: int, state: str) -> FoundPattern:
    """A state of a double top."""
    return FoundPattern(
        pattern_id=pattern_id,
        kind=PatternKind.DOUBLE_TOP,
        state=PatternState(state),
        ts=at,
        confirmed_at=at,
        points=(),
        levels={},
        evidence={},
    )
