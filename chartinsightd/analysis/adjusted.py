"""One adjusted candle, the unit that the analyser is fed with."""

from __future__ import annotations

from typing import NamedTuple

HAIR = 1e-9
"""Relative to the price. A difference of two prices that is computed after adjustment carries rounding of
about 1e-16 of the price, a real difference is at least one won: 1e-7 of the dearest price. Comparing
differences with this margin between the two gives the same answer whatever factor a later split multiplies
the prices with."""


class AdjustedCandle(NamedTuple):
    """One candle of a series, in the measure of today and as traded."""

    ts: int
    """When the candle opens, in seconds since 1970-01-01T00:00Z."""
    closes_at: int
    """When its period ends by the calendar, in the same measure: the moment its content could be known."""
    open: float
    """Adjusted, not rounded; so are high, low and close."""
    high: float
    low: float
    close: float
    traded_high: int
    """The high in won as traded on that day."""
    traded_low: int
    factor: float
    """Adjusted price over traded price; a level of today divided by it is won of that day."""


def is_above(left: float, right: float) -> bool:
    """Return whether a computed level lies above another by more than rounding can explain."""
    return left - right > HAIR * abs(right)
