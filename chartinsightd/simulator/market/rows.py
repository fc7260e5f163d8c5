"""The columns the parts of the market hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from chartinsightd.simulator.model import Flags, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A corporate action: times its factors, earlier prices and volumes compare with later ones."""

    ex_date: date
    price_factor: float
    volume_factor: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Daily:
    """Daily rows of one code, raw, oldest first, as settled; a generator's reach into the future."""

    day: Ints
    """Ordinals."""
    base: Ints
    """Won: the close before, adjusted for an action effective this day; limits and signs refer to it."""
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    """Shares, all of them: minutes, after-market, late print, off-book."""
    value: Ints
    """Won, all of it."""
    late: Ints
    """Shares of the late print."""
    board: Ints
    """Shares of the regular session's minutes; 0 where the code has no minutes this day."""
    after: Ints
    """Shares of the after-market's minutes."""
    after_open: Ints
    after_high: Ints
    after_low: Ints
    after_close: Ints

    def where(self, keep: Flags | Ints | slice) -> Daily:
        """Return only the rows a mask, a slice or their places name."""
        return Daily(**{name: getattr(self, name)[keep] for name in Daily.__dataclass_fields__})

    def row(self, at: int) -> DayPlan:
        """Return one row as plain numbers."""
        return DayPlan(**{name: int(getattr(self, name)[at]) for name in Daily.__dataclass_fields__})

    def find(self, day: int) -> int | None:
        """Return where the row of a day (an ordinal) is, or None."""
        at = int(np.searchsorted(self.day, day))
        return at if at < len(self.day) and int(self.day[at]) == day else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """One row of `Daily`."""

    day: int
    base: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int
    late: int
    board: int
    after: int
    after_open: int
    after_high: int
    after_low: int
    after_close: int

    @property
    def date(self) -> date:
        """The trading day."""
        return date.fromordinal(self.day)

    @property
    def off_book(self) -> int:
        """Shares traded outside the order book: in the daily row only (kiwoom.md#daily-volume)."""
        return self.volume - self.board - self.after - self.late

    @property
    def book_value(self) -> int:
        """Won traded in the minutes, the late print left out; what else traded did so at the close."""
        return self.value - (self.off_book + self.late) * self.close


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minutes:
    """One-minute rows of one code and day, oldest first; every row has traded."""

    label: Ints
    """Minute of the day (KST) at which the row starts."""
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    running_value: Ints
    """Won traded up to and including the row."""

    def where(self, keep: Flags | Ints | slice) -> Minutes:
        """Return only the rows a mask, a slice or their places name."""
        return Minutes(**{name: getattr(self, name)[keep] for name in Minutes.__dataclass_fields__})

    def and_then(self, other: Minutes) -> Minutes:
        """Return these rows followed by others, whose running value must continue from here."""
        names = Minutes.__dataclass_fields__
        return Minutes(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        )

    def with_value(self, running_value: Ints) -> Minutes:
        """Return the rows with another running value."""
        return replace(self, running_value=running_value)

    def __len__(self) -> int:
        return len(self.label)


def single_minute(label: int, price: int, volume: int, running_value: int) -> Minutes:
    """Return a row all of whose trades had one price."""
    column = [np.array([number], dtype=np.int64) for number in (label, price, volume, running_value)]
    return Minutes(
        label=column[0],
        open=column[1],
        high=column[1],
        low=column[1],
        close=column[1],
        volume=column[2],
        running_value=column[3],
    )
