"""Silence proved: the running volume of a session chains from one 5m candle to the next.

Kiwoom's minute rows carry the shares traded in the session up to and including each (`acc_trde_qty`,
kiwoom.md#running-volume), and a span without trades has no row (kiwoom.md#idle-minutes). Where a candle's
running volume less its own is the running volume of the one before, nothing was traded between the two, so
nothing is missing there. The first candle's running volume is its own. The late print (15:35) appears
overnight and raises what follows it, so a session is looked at once its corrections are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import pairwise

import numpy as np

from chartinsightd.domain.candle import Ints
from chartinsightd.domain.kst import KST_OFFSET_S, day_of
from chartinsightd.facts import kiwoom

_DAY_S = 86_400
_SETTLED_S = _DAY_S + kiwoom.SETTLED_NEXT_DAY.hour * 3_600 + kiwoom.SETTLED_NEXT_DAY.minute * 60
"""From the beginning of a day until Kiwoom's corrections of it are in."""
_UNKNOWN = -1


class ChainState(StrEnum):
    """What the running volumes of a session prove."""

    PROVED = "proved"
    """Every candle of the session was on the page: what is absent did not trade."""
    BROKEN = "broken"
    """Shares were traded that no candle accounts for, or more than were counted."""
    UNPROVED = "unproved"
    """The broker gave no running volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The running volumes of one session, as one read showed them."""

    day: date
    """The Korean date."""
    state: ChainState
    rows: int
    """5m candles."""
    volume: int
    """Shares in them."""
    breaks: int = 0
    """At how many candles it does not fit; 0 unless broken."""
    broken_at: datetime | None = None
    """The first of these: aware, UTC."""
    missing_volume: int = 0
    """Shares that were traded just before it without a candle; negative: the candles hold too many."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """5m candles with the shares traded so far, in columns of equal length, oldest first."""

    ts: Ints
    volume: Ints
    running: Ints | None
    """None where the broker gave none."""

    def before(self, later: Counted) -> Counted:
        """Return these candles followed by others."""
        running = [_known(self), _known(later)]
        return Counted(
            np.concatenate([self.ts, later.ts]),
            np.concatenate([self.volume, later.volume]),
            np.concatenate(running),
        )

    def part(self, start: int, end: int) -> Counted:
        """Return the candles at the places [start, end)."""
        where = slice(start, end)
        return Counted(
            self.ts[where], self.volume[where], None if self.running is None else self.running[where]
        )


def _known(counted: Counted) -> Ints:
    return np.full(len(counted.ts), _UNKNOWN) if counted.running is None else counted.running


def chains_of(
    rows: Counted, asked_at: datetime, *, is_last: bool
) -> tuple[tuple[Chain, ...], Counted | None]:
    """Follow the running volumes of every whole session of a page.

    Args:
        rows: the page, and after it what the page before left over.
        asked_at: when it was asked for (aware); a session that had not settled then is left out.
        is_last: whether nothing older exists.

    Returns:
        A chain a session, oldest first, and the candles of the oldest one where it may go on on the next
        page: then it is not among the chains.
    """
    if not len(rows.ts):
        return (), None
    days = (rows.ts + KST_OFFSET_S) // _DAY_S
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    parts = [rows.part(start, end) for start, end in pairwise(edges)]
    begun_before = int(asked_at.timestamp()) - _SETTLED_S
    settled = [part for part in parts if _midnight_before(int(part.ts[0])) <= begun_before]
    if not settled:
        return (), None
    is_cut = not is_last and not _begins(parts[0])
    return tuple(_chain(part) for part in settled[is_cut:]), parts[0] if is_cut else None


def _begins(part: Counted) -> bool:
    """Whether nothing was traded before the first candle, so that the session begins with it."""
    return part.running is not None and bool(part.running[0] == part.volume[0])


def _midnight_before(ts: int) -> int:
    return (ts + KST_OFFSET_S) // _DAY_S * _DAY_S - KST_OFFSET_S


def _chain(part: Counted) -> Chain:
    day = day_of(datetime.fromtimestamp(int(part.ts[0]), UTC))
    volume = int(part.volume.sum())
    if part.running is None or (part.running == _UNKNOWN).any():
        return Chain(day=day, state=ChainState.UNPROVED, rows=len(part.ts), volume=volume)
    unaccounted = part.running - part.volume
    unaccounted[1:] -= part.running[:-1]
    breaks = np.flatnonzero(unaccounted)
    if not len(breaks):
        return Chain(day=day, state=ChainState.PROVED, rows=len(part.ts), volume=volume)
    first = int(breaks[0])
    return Chain(
        day=day,
        state=ChainState.BROKEN,
        rows=len(part.ts),
        volume=volume,
        breaks=len(breaks),
        broken_at=datetime.fromtimestamp(int(part.ts[first]), UTC),
        missing_volume=int(unaccounted[first]),
    )
