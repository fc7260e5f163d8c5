"""When Nextrade (NXT) trades, the other exchange for stocks of KRX: plain tables, a source beside each row.

Times are KST wall times. Sources cite headings of docs/kiwoom.md, with its words for confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

FIRST_DAY = date(2025, 3, 4)
"""NXT opened. A stock's own rows begin on the day it joined (005930: 2025-03-24).

Source: kiwoom.md#nxt-hours.
"""

CODE_SUFFIX = "_NX"
"""After the symbol: the trades on NXT alone. Source: kiwoom.md#exchange-suffixes."""

UNIFIED_CODE_SUFFIX = "_AL"
"""After the symbol: the trades on KRX and on NXT together. Source: kiwoom.md#exchange-suffixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NxtHours:
    """The minutes in which NXT has rows, from a day on: each stretch ends before its closing time."""

    first_day: date
    pre_opens: time
    pre_closes: time
    opens: time
    """The main market begins 30 seconds after this minute does."""
    closes: time
    after_opens: time
    """First minute with rows. Orders are taken from 15:30 on."""
    after_closes: time
    source: str


HOURS = (
    NxtHours(
        first_day=FIRST_DAY,
        pre_opens=time(8),
        pre_closes=time(8, 50),
        opens=time(9),
        closes=time(15, 20),
        after_opens=time(15, 40),
        after_closes=time(20),
        source="kiwoom.md#nxt-hours: minute rows 08:00-08:49, 09:00-15:19, 15:40-19:59 (measured (2))",
    ),
)
"""Oldest first. On a day on which KRX opens or closes late the hours of NXT move with it, but for the end of
the after-market: inferred, no such day was captured."""
