"""What is kept of a moment says all that was recorded, in little room."""

from __future__ import annotations

import asyncio
import zlib
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.backend.kept_moments import body_of, recorded_in
from chartinsightd.control.protocol.replay import Recorded
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from tests.support.fake_backend import FakeBackend

STATUS = asyncio.run(FakeBackend().status())
_WINDOW_BYTES = 32 * 1024
"""So far back zlib finds what repeats."""
frames = st.dictionaries(st.sampled_from(Timeframe), st.none() | st.integers(0, 9), min_size=1, max_size=3)
missing = st.dictionaries(st.from_regex(r"[0-9A-Z]{6}", fullmatch=True), frames, max_size=8)


@given(missing)
def test_what_is_kept_can_be_read_again(missing: dict[str, dict[Timeframe, int | None]]) -> None:
    """Each series has the figure it had, in the order of the watchlist."""
    found = recorded_in(body_of(Recorded(status=STATUS, missing=missing)))

    assert found is not None
    assert list(found.missing.items()) == list(missing.items())
    assert found.status == STATUS


@given(missing)
def test_moments_of_earlier_versions_can_be_read(missing: dict[str, dict[Timeframe, int | None]]) -> None:
    """Those that were recorded before neighbours were put together had a line for each stock."""
    recorded = Recorded(status=STATUS, missing=missing)

    assert recorded_in(recorded.model_dump_json(exclude_defaults=True).encode()) == recorded


def test_a_moment_of_the_whole_market_repeats_the_one_before() -> None:
    """A month of 2,700 stocks would not fit into the record's room, if each moment had them all."""
    stocks = {f"{code:06}": dict.fromkeys(Timeframe, 0) for code in range(100_000, 102_700)}
    first = body_of(Recorded(status=STATUS, missing=stocks))
    clock = STATUS.clock.model_copy(update={"now": datetime(2026, 9, 15, 10, 2, 50, tzinfo=KST)})
    second = body_of(Recorded(status=STATUS.model_copy(update={"clock": clock}), missing=stocks))
    packer = zlib.compressobj(9, zdict=first)

    assert len(first) < _WINDOW_BYTES
    assert len(packer.compress(second) + packer.flush()) < 500
