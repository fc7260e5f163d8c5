"""Questions that name a venue."""

from __future__ import annotations

import pytest

from chartinsightd.backend.venues import ByVenue
from chartinsightd.control.handlers import UnknownThing
from chartinsightd.control.protocol.coverage import CoverageQuery, GapQuery, SealQuery
from chartinsightd.domain.venue import Venue


def test_a_question_without_a_venue_is_about_krx() -> None:
    """And the name of one is taken in any case."""
    for query in (CoverageQuery, GapQuery, SealQuery):
        assert query().venue is Venue.KRX
        assert query.model_validate({"venue": "nxt"}).venue is Venue.NXT


def test_a_venue_that_is_not_collected_is_said_to_be_so() -> None:
    """Not an empty list, which would say that nothing is missing."""
    kept = ByVenue({Venue.KRX: 1, Venue.UNIFIED: 2})
    assert (kept.of(Venue.KRX), kept.of(Venue.UNIFIED)) == (1, 2)
    with pytest.raises(UnknownThing, match="NXT is not collected") as caught:
        kept.of(Venue.NXT)
    assert 'venues.collect = ["NXT"]' in caught.value.remedy
