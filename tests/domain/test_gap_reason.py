"""Which word of the contract says why something is missing."""

from __future__ import annotations

from datetime import date

import pytest

from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    SourceError,
    SourceUnavailable,
    StillBlocked,
    TokenRejected,
)
from chartinsightd.domain.gap_reason import GapReason, Listing, Why, of_error, of_silence
from chartinsightd.domain.seal import SealState

LISTED = date(2026, 9, 15)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceUnavailable("away"), "outage"),
        (RateLimited("slower"), "outage"),
        (TokenRejected("8005"), "outage"),
        (MalformedAnswer("cut"), "broker_error"),
        (RequestRefused("1504"), "broker_error"),
        (SourceError("new"), "broker_error"),
        (AccessBlocked("8050"), "blocked"),
        (StillBlocked("8050"), "blocked"),
    ],
)
def test_a_failure_has_one_meaning(error: SourceError, reason: str) -> None:
    """The broker was not reached, answered wrongly, or refuses us."""
    assert of_error(error) == reason


@pytest.mark.parametrize(
    ("last_day", "listing", "why"),
    [
        (LISTED, None, Why(reason=GapReason.UNKNOWN)),
        (
            LISTED,
            Listing(state="증거금100%|거래정지", listed_on=LISTED),
            Why(reason=GapReason.HALTED, evidence={"state": "증거금100%|거래정지"}),
        ),
        (
            date(2026, 9, 14),
            Listing(state="증거금20%", listed_on=LISTED),
            Why(reason=GapReason.BEFORE_LISTING, evidence={"listed_on": "2026-09-15"}),
        ),
        (
            LISTED,
            Listing(state="증거금20%", listed_on=LISTED),
            Why(reason=GapReason.UNKNOWN, evidence={"state": "증거금20%"}),
        ),
        (LISTED, Listing(state="", listed_on=None), Why(reason=GapReason.UNKNOWN, evidence={"state": ""})),
    ],
)
def test_silence_is_explained_by_the_stock_list(last_day: date, listing: Listing | None, why: Why) -> None:
    """A halt comes before a listing, and what the list does not explain stays unknown, with what it says."""
    assert of_silence(last_day, listing) == why


def test_an_open_seal_is_a_reason_by_its_own_word() -> None:
    """Whatever is not sealed can be listed as a gap."""
    assert {GapReason(state) for state in SealState if state is not SealState.SEALED} == {
        GapReason.BROKEN,
        GapReason.UNPROVED,
    }
