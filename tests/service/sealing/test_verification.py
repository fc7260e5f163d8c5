"""A verification: what it finds unequal is written, whatever anybody remembers of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chartinsightd.domain.ranges import RangeSet
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.sealing.verification import _Verifying
from chartinsightd.service.state.jobs import Jobs
from tests.support.fakes import FakeCheckpoint
from tests.support.sealing_store import SealingStore
from tests.support.virtual import LoopClock
from tests.support.writes import START, write


@pytest.mark.parametrize("lost", [0, 1])
async def test_what_differs_is_claimed_no_longer(lost: int) -> None:
    """Until its page is written a range with a difference is not covered; one that is equal stays so."""
    page = write(0)
    whole = replace(page.candles, final=np.ones(len(page.candles), np.bool_))
    ts = whole.ts.tolist()
    page = replace(page, candles=whole, covered=RangeSet.of((ts[0], ts[-1] + 1)))
    store = SealingStore(covered={page.series: page.covered})
    store._save(replace(page, candles=whole.where(whole.ts >= ts[lost])))
    ledger = CoverageLedger(store, FakeCheckpoint())
    await ledger.open()
    job = await Jobs(store, LoopClock(START)).begin("verify", "", {})

    verifying = _Verifying(store, ledger, job)
    await verifying.inspect(page.covered)(page)

    assert job.findings["missing"] == lost
    rows = verifying.results.fields()["results"]
    assert [(row["day"] is None, row["missing"], row["outcome"]) for row in rows] == (
        [(False, 1, "corrected")] if lost else [(True, 0, "same")]
    )
    assert sum(row["equal"] for row in rows) == len(ts) - lost
    assert ledger.state(page.series).covered == (RangeSet() if lost else page.covered)
