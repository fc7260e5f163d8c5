"""What became of rows, as it is shown."""

from __future__ import annotations

from chartinsightd.control.protocol.status import RowCounts
from chartinsightd.domain.write import Written


def row_counts(written: Written) -> RowCounts:
    """Return what became of rows, as it is shown."""
    return RowCounts(
        inserted=written.inserted,
        changed=written.changed,
        unchanged=written.unchanged,
        quarantined=written.quarantined,
    )
