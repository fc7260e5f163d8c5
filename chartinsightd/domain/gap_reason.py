"""Why something is missing: the words of the contract, and which of them holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from chartinsightd.domain.errors import (
    AccessBlocked,
    RateLimited,
    SourceError,
    SourceUnavailable,
    TokenRejected,
)

_SUSPENDED = "거래정지"
"""In `auditInfo` or `state` of the stock list (kiwoom.md#stock-states)."""


class GapReason(StrEnum):
    """Why a range that should hold candles is not covered, or not proved."""

    NOT_FETCHED_YET = "not_fetched_yet"
    """It is due, nothing failed, and its turn at the gate has not come."""
    PAUSED = "paused"
    """A person paused collecting."""
    OUTAGE = "outage"
    """The broker was not reached, did not answer in time, or gives no token."""
    BLOCKED = "blocked"
    """The broker refuses the key or the address."""
    BROKER_ERROR = "broker_error"
    """The broker answered, with an error or with what no answer should be."""
    QUARANTINED = "quarantined"
    """The broker's row for it cannot be a candle."""
    HALTED = "halted"
    """The broker has no rows, and its list says that trading is suspended."""
    BEFORE_LISTING = "before_listing"
    """The broker has no rows, and the stock was not listed before the range ended."""
    BEYOND_RETENTION = "beyond_retention"
    """The broker's answers end before the range, without saying that nothing older exists."""
    BROKEN = "broken"
    """It is stored, but its witnesses contradict each other; the seal's own word, like the next."""
    UNPROVED = "unproved"
    """It is stored, but nothing proves that no candle is missing."""
    UNKNOWN = "unknown"
    """The broker does not give it and says nothing that explains why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A reason, and what it rests on."""

    reason: GapReason
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON. `told` is what was said last, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the stock list says of a symbol."""

    state: str
    """As the broker words it."""
    listed_on: date | None
    last_price: int | None = None
    """In won, at the time of the list; None where it gives none."""
    is_on_nxt: bool = False
    """Whether it is traded on NXT."""


def of_error(error: SourceError) -> GapReason:
    """Return what a failed request means for what it was sent for."""
    if isinstance(error, AccessBlocked):
        return GapReason.BLOCKED
    if isinstance(error, SourceUnavailable | RateLimited | TokenRejected):
        return GapReason.OUTAGE
    return GapReason.BROKER_ERROR


def of_silence(last_day: date, listing: Listing | None) -> Why:
    """Return why the broker has no rows at all for a range that ends within a Korean day."""
    if listing is None:
        return Why(reason=GapReason.UNKNOWN)
    if _SUSPENDED in listing.state:
        return Why(reason=GapReason.HALTED, evidence={"state": listing.state})
    if listing.listed_on is not None and last_day < listing.listed_on:
        return Why(reason=GapReason.BEFORE_LISTING, evidence={"listed_on": listing.listed_on.isoformat()})
    return Why(reason=GapReason.UNKNOWN, evidence={"state": listing.state})
