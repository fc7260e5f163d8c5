"""The backend as a whole."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.control.operations import LOGS, OPERATIONS
from chartinsightd.facts.krx import KST
from tests.backend.conftest import BoardWorld
from tests.support.virtual import run_virtually


def test_every_operation_has_a_handler() -> None:
    """What is declared is offered; the log's lines come from the tap, which the composition adds."""

    async def main() -> None:
        backend = BoardWorld(datetime(2026, 9, 15, 10, 2, tzinfo=KST)).new_backend()
        assert set(OPERATIONS) - set(backend.handlers) == {LOGS}

    run_virtually(main())
