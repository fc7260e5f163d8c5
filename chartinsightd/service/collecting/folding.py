"""Builds 30m and 1h candles from final 5m ones instead of polling them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.finality import final_ranges
from chartinsightd.domain.fold import fold, whole_spans
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write


def folded_writes(
    write: Write, into: Sequence[Timeframe], calendar: Calendar, settle: timedelta
) -> list[Write]:
    """Fold the newest 5m page into longer timeframes.

    A folded candle is kept only where the page shows its whole span; it is final, and covered, where all of
    the span is. Kiwoom's own candles are still read the next morning and compared.
    """
    return [_folded(write, timeframe, calendar, settle) for timeframe in into if len(write.candles)]


def _folded(write: Write, timeframe: Timeframe, calendar: Calendar, settle: timedelta) -> Write:
    span = int(timeframe.span.total_seconds())
    first_whole = -(-int(write.candles.ts[0]) // span) * span
    candles = fold(write.candles.where(write.candles.ts >= first_whole), timeframe, write.covered)
    assert write.asked_at is not None  # a page of the broker always says when it was asked for
    asked = int(write.asked_at.timestamp())
    final = final_ranges(timeframe, first_whole, asked, write.asked_at, calendar, settle)
    return Write(candles=candles, covered=final & whole_spans(write.covered, timeframe))
