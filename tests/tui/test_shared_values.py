"""Rows that share their values are the rows that came."""

from __future__ import annotations

import asyncio

from chartinsight_tui.shared_values import held_once
from chartinsightd.control.protocol.coverage import CoverageQuery
from tests.support.fake_backend import FakeBackend


def test_shared_rows_equal_those_that_came() -> None:
    """Nothing is lost, no number becomes another kind of number, and what is equal is one object."""
    rows = asyncio.run(FakeBackend().coverage(CoverageQuery())).items
    shared = list(held_once(rows))

    assert shared == list(rows)
    assert [row.model_dump_json() for row in shared] == [row.model_dump_json() for row in rows]
    assert len({id(row.to_ts) for row in shared}) == len({row.to_ts for row in rows})
