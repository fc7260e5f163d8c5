"""Why something is missing, in words for a person."""

from __future__ import annotations

from collections.abc import Mapping

from chartinsightd.domain.gap_reason import GapReason

WORDS: Mapping[GapReason, str] = {
    GapReason.NOT_FETCHED_YET: "not fetched yet",
    GapReason.PAUSED: "collecting is paused",
    GapReason.OUTAGE: "the broker does not answer",
    GapReason.BLOCKED: "the broker refuses the key or address",
    GapReason.BROKER_ERROR: "the broker answers with an error",
    GapReason.QUARANTINED: "the broker's rows cannot be candles",
    GapReason.HALTED: "trading is suspended",
    GapReason.BEFORE_LISTING: "before the listing",
    GapReason.BEYOND_RETENTION: "older than the broker's answers reach",
    GapReason.BROKEN: "stored, but contradicts itself",
    GapReason.UNPROVED: "stored, but not proved complete",
    GapReason.UNKNOWN: "the broker gives nothing",
}
