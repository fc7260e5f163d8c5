"""The tables of facts hold together."""

from __future__ import annotations

from itertools import pairwise

from chartinsightd.facts import krx
from chartinsightd.facts.targets import TARGETS


def test_tables_ascend_and_name_their_sources() -> None:
    """A row without a source is a guess; rows out of order would be read wrongly."""
    days = [
        [row.first_day for row in krx.REGULAR_HOURS],
        [row.first_day for row in krx.AFTER_MARKET_HOURS],
        [row.day for row in krx.SPECIAL_DAYS],
        [row.day for row in krx.UNLISTED_CLOSURES],
    ]

    assert all(earlier < later for table in days for earlier, later in pairwise(table))
    tables = (krx.REGULAR_HOURS, krx.AFTER_MARKET_HOURS, krx.SPECIAL_DAYS, krx.UNLISTED_CLOSURES)
    assert all(row.source for table in tables for row in table)


def test_there_are_thirty_targets() -> None:
    """Thirty symbols of six characters, each with a name."""
    assert len(TARGETS) == 30
    assert all(len(symbol) == 6 and name for symbol, name in TARGETS.items())
