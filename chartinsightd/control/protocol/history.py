"""The history of one candle: what is stored of it, what changed, and what that rests on."""

from __future__ import annotations

from enum import StrEnum

from chartinsightd.control.protocol.coverage import GapRow, SealRow
from chartinsightd.control.protocol.rows import AdjustmentRow, CandleRow, RevisionRow
from chartinsightd.control.protocol.words import (
    AskedInstant,
    Instant,
    Message,
    Request,
    Symbol,
    VenueName,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue


class Standing(StrEnum):
    """How a candle stands at a moment."""

    FINAL = "final"
    """It is over, was read after its settle time, and is stored."""
    UNCONFIRMED = "unconfirmed"
    """Its time is over, and it was not read since."""
    FORMING = "forming"
    """Its time is not over."""
    AHEAD = "ahead"
    """Its time has not begun."""
    MISSING = "missing"
    """It should be stored and is not; `gap` says why."""
    NO_TRADE = "no_trade"
    """Its time was read after it was over, and Kiwoom serves no candle for it: nothing was traded."""
    NOT_KEPT = "not_kept"
    """It lies outside what is collected: before the horizon, or of a series that is not followed."""
    NO_SESSION = "no_session"
    """No candle of this timeframe holds this moment: nothing trades then."""


class ExplainQuery(Request):
    """Which candle: the one that holds the moment `at`."""

    symbol: Symbol
    timeframe: Timeframe
    at: AskedInstant
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class Explanation(Message):
    """One candle with all that is known of it."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    venue: Venue = Venue.KRX
    """Whose trades."""
    at: Instant
    """The moment asked for."""
    ts: Instant | None = None
    """When the candle opens; None where no candle holds the moment."""
    ends_at: Instant | None = None
    """When trading in it ends."""
    standing: Standing
    candle: CandleRow | None = None
    """As it is stored, prices as traded."""
    covered: bool = False
    """Whether a read after its end was committed."""
    read_at: Instant | None = None
    """When the newest rows of the series were last read and stored."""
    revisions: tuple[RevisionRow, ...] = ()
    """Its changes after it was final, newest first."""
    gap: GapRow | None = None
    """The listed gap that holds it."""
    seal: SealRow | None = None
    """The proof of its trading day; made from 5m candles, none for weeks."""
    adjustments: tuple[AdjustmentRow, ...] = ()
    """Later corporate actions, which adjusted prices take in; newest first."""
