"""Signs, changes and daily price limits as the broker writes them (kiwoom.md#numbers). Pure."""

from __future__ import annotations

_TICKS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
"""Price below which a tick holds, won: KRX tick table since 2023-01-25, one for both markets."""
_LARGEST_TICK = 1_000


def tick_size(price: int) -> int:
    """Return the tick at a price, both in won."""
    return next((tick for below, tick in _TICKS if price < below), _LARGEST_TICK)


def price_limits(previous_close: int) -> tuple[int, int]:
    """Return the lowest and highest price of a day in won: 30 % cut to the tick of the price it starts from.

    Source: KRX business regulation on daily price limits since 2015-06-15; the ka10095 sample agrees.
    """
    width = previous_close * 30 // 100
    width -= width % tick_size(previous_close)
    low, high = previous_close - width, previous_close + width
    return low + -low % tick_size(low), high - high % tick_size(high)


def signed(price: int, previous_close: int) -> str:
    """Return a price whose sign shows the direction against the previous close; none when equal."""
    if price == previous_close or previous_close <= 0:
        return str(price)
    return f"+{price}" if price > previous_close else f"-{price}"


def change(close: int, previous_close: int) -> str:
    """Return close - previous close with its sign, "0" when equal or when there is no previous close."""
    if close == previous_close or previous_close <= 0:
        return "0"
    return f"{close - previous_close:+d}"


def signature(close: int, previous_close: int, *, limits: bool = True) -> str:
    """Return the direction: 1 upper limit, 2 up, 3 same, 4 lower limit, 5 down."""
    if close == previous_close or previous_close <= 0:
        return "3"
    is_up = close > previous_close
    # Nothing within 29 % is at a limit: the table is looked up for the few that may be.
    if limits and abs(close - previous_close) * 100 > previous_close * 29:
        low, high = price_limits(previous_close)
        if close in (low, high):
            return "1" if is_up else "4"
    return "2" if is_up else "5"


def percent(value: float) -> str:
    """Return a percentage with its sign and two decimals; "0.00" when it rounds to nothing."""
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text
