"""What Kiwoom's charts hold, and when: plain figures with their source, no decision.

Sources cite headings of docs/kiwoom.md, which say how sure each fact is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta

CLOSING_AUCTION = timedelta(minutes=10)
"""No minute row in the last ten minutes of the regular session; the auction's row is labelled at the close.

Source: kiwoom.md#closing-auction.
"""

CLOSING_PRINT = timedelta(minutes=1)
"""The closing auction prints within this time after the close.

Source: kiwoom.md#closing-auction; tick rows of October 2025 stamp it 15:30:09 to 15:30:25.
"""

LATE_PRINT_AFTER_CLOSE = timedelta(minutes=5)
"""A small row labelled five minutes after the close is on every past day.

It appears overnight: absent at 21:26 and 00:19, present at 07:08 and 08:00. Source: kiwoom.md#late-print.
UNKNOWN: its cause; whether it still appears since the after-market began on 2026-09-14;
whether the trades of 15:40-16:00 (at the closing price) have rows: none were seen.
"""

SETTLED_NEXT_DAY = time(7, 30)
"""KST of the next calendar day, when Kiwoom's own overnight corrections of a session are in.

Inferred from the late print (there at 07:08) and from other values, corrected around 07:00.
Source: kiwoom.md#overnight-corrections.
"""

MINUTE_RETENTION_MONTHS = 12
"""Minute rows begin on the first trading day of the same month one year ago.

Source: kiwoom.md#minute-retention.
"""

MINUTE_PAGE_ROWS = 900
"""Rows of a ka10080 page, for every scope. Source: kiwoom.md#page-sizes."""
DAY_PAGE_ROWS = 600
"""Rows of a ka10081 page. Source: kiwoom.md#page-sizes."""
WEEK_PAGE_ROWS = 300
"""Rows of a ka10082 page, as seen on a sector chart. Source: kiwoom.md#page-sizes."""

CHART_API_IDS: Mapping[str, str] = {
    "5m": "ka10080",
    "30m": "ka10080",
    "1h": "ka10080",
    "1d": "ka10081",
    "1w": "ka10082",
}
"""Which api serves the chart of a timeframe, and so whose limit it shares.

Source: kiwoom.md#chart-requests.
"""

OWN_LIMITS: Mapping[str, int] = {"au10001": 1}
"""Requests a second of api-ids with a separate limit: a second token within a second is refused.

Source: kiwoom.md#token-limit.
"""
