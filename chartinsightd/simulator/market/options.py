"""What is unknown of the real market data, as switches (kiwoom.md#unknown)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


class Days(str):
    """Some days, written `2026-11-20,2026-12-31`; empty for none.

    Raises:
        ValueError: one is not a day.
    """

    __slots__ = ()

    @property
    def ordinals(self) -> list[int]:
        """The days."""
        return [date.fromisoformat(text.strip()).toordinal() for text in self.split(",") if text.strip()]

    def __new__(cls, text: str = "") -> Days:
        """Check the days."""
        made = super().__new__(cls, text)
        _ = made.ordinals
        return made


NO_DAYS = Days()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOptions:
    """The simulator's reading of open questions; defaults as in kiwoom.md#disagreements."""

    after_market_in_daily: bool = False
    """Whether the daily open, high, low and close take in the after-market; its volume always counts."""
    late_print_since_reform: bool = True
    """Whether the 15:35 row still appears overnight since 2026-09-14."""
    halted_day_has_row: bool = True
    """Whether a day without trades has a flat daily row with zero volume, or none."""
    week_label_is_monday: bool = False
    """Whether a week is labelled by its Monday instead of by its first trading day."""
    adjusted_minutes: bool = False
    """Whether minute charts follow `upd_stkpc_tp` 1 across a split."""
    nxt_days_late: bool = True
    """Whether the day of most stocks is missing on NXT from 20:00 until the next morning."""
    print_won: int = 130_000
    """Won of a minute that has one print. With 130,000 a day of 50 billion won has three prints a second.

    Greater numbers give fewer prints: for a clock that runs fast.
    """
    closed_on: Days = NO_DAYS
    """Sessions of the calendar on which a generated market stays silent."""
    open_on: Days = NO_DAYS
    """Days off on which a generated market trades all the same."""
    daily_source: str = ""
    """A folder's daily source to prefer (column `source`) where a symbol has it; empty: by rule."""
