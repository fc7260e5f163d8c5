"""What is to be known of candles before one believes them: revised, split, missing, unproved. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from chartinsight_tui.charting import CandleLike
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.coverage import GapRow
    from chartinsightd.control.protocol.rows import AdjustmentRow, RevisionRow

SIGNS: Mapping[str, str] = {"revised": "◆", "split": "÷", "gap": "░", "unproved": "?"}
"""Sign of each kind, in the order of the legend."""
_UNPROVED = {"broken", "unproved"}
"""Reasons of gaps whose candles are stored: their session is not proved."""

_NOTHING_DUE = {"halted", "before_listing", "beyond_retention"}
"""Reasons that explain why there is no candle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleMark:
    """Something to know of one candle."""

    kind: str
    """A key of `SIGNS`."""
    about: str = ""
    """What words cannot say: a range, a factor."""


def marks_of(
    candles: Sequence[CandleLike],
    *,
    revisions: Iterable[RevisionRow],
    splits: Iterable[AdjustmentRow],
    gaps: Iterable[GapRow],
    unproved: frozenset[date],
) -> dict[datetime, list[CandleMark]]:
    """Return the marks of candles by when these open.

    A gap is marked at the columns of its candles; one that has none at the first candle after it, at the end
    of the chart at the last one before it. A split stands at the first candle in the new measure.

    Args:
        candles: of one series, oldest first.
        revisions: of the series.
        splits: corporate actions of its stock.
        gaps: of the series.
        unproved: Korean days whose closing is not proved.
    """
    found: dict[datetime, list[CandleMark]] = {}
    starts = [candle.ts for candle in candles]
    if not starts:
        return found

    def put(place: int, mark: CandleMark) -> None:
        known = found.setdefault(starts[place], [])
        if mark.kind not in {one.kind for one in known}:
            known.append(mark)

    changed = {one.ts for one in revisions}
    for place, start in enumerate(starts):
        if start in changed:
            put(place, CandleMark(kind="revised"))
        if day_of(start) in unproved:
            put(place, CandleMark(kind="unproved"))
    for action in splits:
        place = bisect_left([day_of(start) for start in starts], action.ex_date)
        if 0 < place < len(starts):
            put(place, CandleMark(kind="split", about=f"× {action.price_factor:.4g}"))
    for gap in gaps:
        for place, mark in _of_gap(gap, starts):
            put(place, mark)
    return found


def _of_gap(gap: GapRow, starts: Sequence[datetime]) -> Iterable[tuple[int, CandleMark]]:
    first, after = bisect_left(starts, gap.from_ts), bisect_left(starts, gap.to_ts)
    if gap.reason in _UNPROVED:
        return [(place, CandleMark(kind="unproved")) for place in range(first, after)]
    if gap.to_ts <= starts[0]:
        return []
    if first < after:
        return [(place, CandleMark(kind="gap", about=gap.reason)) for place in range(first, after)]
    return [(min(after, len(starts) - 1), CandleMark(kind="gap", about=gap.reason))]


def missing_starts(gaps: Iterable[GapRow]) -> Iterator[datetime]:
    """Yield when the candles open that are missing within a day, of timeframes with a fixed length.

    A gap that nothing can fill has no columns: no candle was due.
    """
    for gap in gaps:
        is_short = gap.timeframe.is_intraday and day_of(gap.from_ts) == day_of(gap.to_ts)
        if not is_short or gap.reason in _UNPROVED | _NOTHING_DUE:
            continue
        start = gap.from_ts
        while start < gap.to_ts:
            yield start
            start += gap.timeframe.span


def kinds_in(marks: Mapping[datetime, Sequence[CandleMark]]) -> list[str]:
    """Return the kinds there are, in the order of the legend."""
    there = {mark.kind for one in marks.values() for mark in one}
    return [kind for kind in SIGNS if kind in there]
