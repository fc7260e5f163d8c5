"""What the daemon does about its memory."""

from __future__ import annotations

import gc

from chartinsightd.process.memory import keep_out_of_collections


def test_what_is_there_is_not_looked_through_again() -> None:
    """What exists at the call is out of the collector's sight; what comes later is collected as ever."""
    try:
        keep_out_of_collections()
        assert gc.get_freeze_count() > 1_000
        ring: list[object] = []
        ring.append(ring)
        del ring
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
