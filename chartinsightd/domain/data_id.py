"""The name of the candles that a result rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from chartinsightd.domain.series import Series
from chartinsightd.domain.venue import Venue

_LENGTH = 20
"""Hexadecimal digits: 80 bits, so that no two of a billion states share a name by chance."""


def data_id(series: Series, change: int, *, until: datetime | None = None, venue: Venue = Venue.KRX) -> str:
    """Return the name of the final candles of a series in one state of the store.

    Args:
        series: whose.
        change: the number of the last change of its candles (`candle_changes`) that counts: new and revised
            candles, corporate actions and learned days all have one. An answer as of a moment names the last
            change committed by then.
        until: where market time is cut; aware.
        venue: whose trades; each counts its own changes. Names of KRX have no venue in them.
    """
    cut = "" if until is None else until.isoformat()
    at = "" if venue is Venue.KRX else f" {venue}"
    said = f"{series.symbol} {series.timeframe} {change} {cut}{at}"
    return hashlib.sha256(said.encode()).hexdigest()[:_LENGTH]


def data_id_of_many(scope: str, changes: Mapping[str, int]) -> str:
    """Return the name of the final candles of many series in one state of the store.

    Args:
        scope: what else was read of them, such as the session or the timeframe.
        changes: the number of the last change that concerns each series, by symbol.
    """
    said = f"{scope} {sorted(changes.items())}"
    return hashlib.sha256(said.encode()).hexdigest()[:_LENGTH]
