"""Where trades of a stock happen: a series of candles belongs to one venue."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from chartinsightd.facts import nxt


class Venue(StrEnum):
    """A venue that Kiwoom gives charts of. Without another word, candles are those of KRX."""

    KRX = "KRX"
    """The Korea Exchange."""
    NXT = "NXT"
    """Nextrade, from the day a stock joined it."""
    UNIFIED = "UNIFIED"
    """KRX and NXT together: volumes add up exactly (kiwoom.md#exchange-suffixes)."""

    @classmethod
    def _missing_(cls, value: object) -> Venue | None:
        """Take the name in any case, as people type it."""
        name = str(value).upper()
        return next((venue for venue in cls if venue.value == name), None)

    @property
    def has_auction(self) -> bool:
        """Whether the day has a closing auction and the small row overnight, which only KRX holds."""
        return self is not Venue.NXT

    @property
    def first_day(self) -> date | None:
        """The first Korean day on which it traded; None where that lies before all charts."""
        return nxt.FIRST_DAY if self is Venue.NXT else None

    def code_of(self, symbol: str) -> str:
        """Return the code by which Kiwoom knows a symbol here: `005930`, `005930_NX` or `005930_AL`."""
        return symbol + _SUFFIXES[self]


_SUFFIXES = {Venue.KRX: "", Venue.NXT: nxt.CODE_SUFFIX, Venue.UNIFIED: nxt.UNIFIED_CODE_SUFFIX}

OTHER_VENUES = (Venue.NXT, Venue.UNIFIED)
"""What can be collected beside KRX."""
