"""What is to be read once more after an outage, though it is covered: corrections may have come meanwhile.

The newest page shows the last sessions each time it is read, so a correction of one of them is seen whenever
it comes. After an outage of some days that page begins later, and what it showed before is read separately.
"""

from __future__ import annotations

from chartinsightd.domain.grid import DAY_S
from chartinsightd.domain.ranges import EMPTY, RangeSet

_OUTAGE_S = DAY_S
"""After a shorter time without a read the newest page shows all that it showed before, but for a session."""
_CORRECTED_WITHIN_S = 7 * DAY_S
"""A newest page of 5m candles, the shortest there is, reaches this far back (900 rows: seven sessions)."""


def to_recheck(covered: RangeSet, newest: RangeSet) -> RangeSet:
    """Return the covered part that a newest page would have shown while the daemon was away, and does not.

    Args:
        covered: before the page, in seconds since the epoch.
        newest: what the page covers.
    """
    if not covered or not newest:
        return EMPTY
    left_at, begins = covered.spans[-1][1], newest.spans[0][0]
    if newest.spans[-1][1] - left_at < _OUTAGE_S:
        return EMPTY
    return covered.clip(left_at - _CORRECTED_WITHIN_S, min(left_at, begins))
