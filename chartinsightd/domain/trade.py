"""A trade of the live stream."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What the day's trades made so far, in won, as the broker says with each trade."""

    open: int
    high: int
    low: int

    def hold(self, price: int) -> bool:
        """Whether they can be those of a day that traded at a price: what cannot be is not believed."""
        return self.low <= self.open <= self.high and self.low <= price <= self.high


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One print, or several of one second and price (kiwoom.md#websocket-registration, `0B`).

    A struct where other values are data classes: thousands a second are made.
    """

    symbol: str
    at: int
    """Whole seconds since the epoch."""
    price: int
    """Won, as traded."""
    volume: int
    """Shares; always above zero, whether the buyer or the seller was the aggressor."""
    running_volume: int
    """Shares traded in the day up to and including this trade: the only sign of a trade that is missing."""
    running_value: int
    """Won traded in the day so far, in whole millions."""
    day: DayFigures | None
    """None where the broker leaves a field of it blank."""
