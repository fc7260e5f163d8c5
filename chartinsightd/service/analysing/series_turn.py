"""One turn of the analysis of one series: from its candles to the rows that are added."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from chartinsightd.analysis.analyser import Analysis, analyse
from chartinsightd.analysis.candles import Candles, Traded
from chartinsightd.domain import candle as stored
from chartinsightd.domain.adjusted import AdjustedCandles
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.grid import candle_ends
from chartinsightd.domain.price_limit import beyond_limit
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import AnalysisResult, AnalysisState, AnalysisStatus, Findings
from chartinsightd.service.analysing.generations import first_difference, news

MIN_CANDLES = 30
"""With fewer, the structure still depends on which candle happens to be the first (measured: up to 24)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a turn starts from."""

    state: AnalysisState
    candles: Candles
    """From the start: all; else those after `analysed_to`. Final, adjusted, oldest first."""
    carried: bytes | None
    """The analyser's own state after `analysed_to`; None: start with the first candle."""
    kept: Findings
    """What counts of the series now; needed only where nothing is carried."""
    data_id: str
    """The candles up to the last one of `candles`."""
    has_later: bool = False
    """Whether final candles follow that wait for one before them: the series stays due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was read of one series that is due."""

    state: AnalysisState
    candles: AdjustedCandles
    """From `state.analysed_to` on where something is carried, else all; final, oldest first."""
    collected_to: int | None
    """Start of the last candle that may be taken in, in seconds; None: none may."""
    settled_to: int | None
    """Up to where the ledger of corporate actions is complete, likewise; None: it was never compared."""
    carried: bytes | None
    kept: Findings
    data_id: str


def take_look(look: Look, calendar: Calendar) -> AnalysisResult:
    """Return what a series that is due adds; a price step that is not settled yet holds it back.

    Raises:
        ValueError, ArithmeticError, LookupError: the stored candles or the carried state are none.
    """
    read = columns_of(look.candles, calendar)
    candles = _up_to(read, look.collected_to)
    if step := _unsettled(candles, look.settled_to):
        day = datetime.fromtimestamp(step, UTC).date()
        return without_rows(look.state, AnalysisStatus.HELD, f"unsettled price step on {day}")
    return take_turn(
        Turn(
            state=look.state,
            candles=candles if look.carried is None else _after(candles, look.state.analysed_to),
            has_later=len(candles) < len(read),
            carried=look.carried,
            kept=look.kept,
            data_id=look.data_id,
        )
    )


def without_rows(state: AnalysisState, status: AnalysisStatus, reason: str) -> AnalysisResult:
    """Return a result that adds nothing; the series starts from its first candle when it is due again."""
    return AnalysisResult(state=replace(state, status=status, reason=reason), carried=None, found=Findings())


def columns_of(found: AdjustedCandles, calendar: Calendar, market: str = "") -> Candles:
    """Return stored candles as the analysis reads them, each with its close by the calendar."""
    raw = found.raw
    value = np.full(len(raw), np.nan) if raw.value is None else raw.value.astype(np.float64)
    return Candles(
        symbol=raw.symbol,
        timeframe=raw.timeframe,
        ts=raw.ts,
        closes_at=candle_ends(calendar, raw.timeframe, raw.ts),
        open=found.open,
        high=found.high,
        low=found.low,
        close=found.close,
        volume=found.volume,
        value=value,
        traded=Traded(open=raw.open, high=raw.high, low=raw.low, close=raw.close),
        factor=found.factor,
        market=market,
    )


def take_turn(turn: Turn) -> AnalysisResult:
    """Return what a turn adds: after the carried state the next rows, from the start the difference.

    A repeated analysis that finds the same rows adds none. One that differs opens a generation at the first
    difference, so that everything known before stays as it was.
    """
    if turn.carried is not None:
        return _next(turn, turn.carried)
    if len(turn.candles) < MIN_CANDLES:
        return _too_short(turn)
    analysis = Analysis()
    found = Findings.of(analyse(turn.candles, analysis))
    valid_from = first_difference(turn.kept, found)
    return AnalysisResult(
        state=_done(turn),
        carried=analysis.dump(),
        found=news(turn.kept, found, valid_from),
        valid_from=valid_from,
    )


def unsettled_step(candles: Candles, settled_to: int) -> int | None:
    """Return the first day after `settled_to`, in seconds, whose price no day's limit allows.

    Until the ledger of corporate actions is complete to that day, it may be a split that is not known yet:
    the analysis would take it for the deepest fall of the stock's history.
    """
    prices = {
        name: np.rint(getattr(candles, name)).astype(np.int64) for name in ("open", "high", "low", "close")
    }
    rounded = stored.Candles(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        ts=candles.ts,
        volume=candles.volume.astype(np.int64),
        value=None,
        final=np.ones(len(candles), dtype=np.bool_),
        **prices,
    )
    steps = candles.ts[beyond_limit(rounded) & (candles.ts > settled_to)]
    return int(steps[0]) if len(steps) else None


def _unsettled(candles: Candles, settled_to: int | None) -> int | None:
    if candles.timeframe is not Timeframe.D1 or settled_to is None:
        return None
    return unsettled_step(candles, settled_to)


def _up_to(candles: Candles, last: int | None) -> Candles:
    """Return the candles up to the one that opens at `last`, in seconds; none without it."""
    if last is not None and len(candles) and candles.ts[-1] <= last:
        return candles
    return candles.part(slice(0, 0 if last is None else int((candles.ts <= last).sum())))


def _after(candles: Candles, moment: datetime | None) -> Candles:
    """Return the candles that open after a moment; all where there is none."""
    if moment is None:
        return candles
    return candles.part(slice(int((candles.ts <= int(moment.timestamp())).sum()), None))


def _next(turn: Turn, carried: bytes) -> AnalysisResult:
    analysis = Analysis.load(carried)
    found = Findings.of(analyse(turn.candles, analysis))
    return AnalysisResult(state=_done(turn), carried=analysis.dump(), found=found)


def _too_short(turn: Turn) -> AnalysisResult:
    reason = f"{len(turn.candles)} of {MIN_CANDLES} candles"
    state = replace(_done(turn), status=AnalysisStatus.TOO_SHORT, reason=reason)
    return AnalysisResult(state=state, carried=None, found=Findings())


def _done(turn: Turn) -> AnalysisState:
    analysed_to = turn.state.analysed_to
    if len(turn.candles):
        analysed_to = datetime.fromtimestamp(int(turn.candles.ts[-1]), UTC)
    return replace(
        turn.state,
        status=AnalysisStatus.DUE if turn.has_later else AnalysisStatus.DONE,
        reason="",
        data_id=turn.data_id,
        analysed_to=analysed_to,
        from_start=False,
    )
