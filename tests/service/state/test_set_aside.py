"""A unit of work that fails costs itself; after five failures it is named and left alone for an hour."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.service.state.set_aside import SetAside
from tests.support.fake_backend import FrozenClock


def test_the_fifth_failure_sets_a_unit_aside_and_names_it() -> None:
    """Before that it is tried again within minutes; one success forgets all."""
    clock = FrozenClock()
    aside = SetAside(clock)
    waits: list[int] = []
    with capture_logs() as logs:
        for _ in range(5):
            assert aside.look() == {}
            with aside.unit("proof", "005930 2026-09-14"):
                raise KeyError("close")
            waits.append(0)
            while not aside.may_try("proof", "005930 2026-09-14"):
                clock.advance(30)
                waits[-1] += 30
    [condition] = aside.look().values()

    assert waits == [30, 60, 120, 240, 3600]
    assert "proof 005930 2026-09-14 (KeyError: 'close')" in condition.message
    assert [("raised_at" in line, line["failures"]) for line in logs] == [
        (number == 1, number) for number in range(1, 6)
    ]
    with aside.unit("proof", "005930 2026-09-14"):
        pass
    assert aside.look() == {}


def test_expected_errors_pass() -> None:
    """Whoever calls knows what an error of ours means."""
    aside = SetAside(FrozenClock())
    with pytest.raises(StoreUnavailable), aside.unit("proof", "x"):
        raise StoreUnavailable("away")
    assert aside.may_try("proof", "x")


def test_what_is_remembered_is_bounded() -> None:
    """A thousand units at most, the newest ones; the alert names three."""
    aside = SetAside(FrozenClock())
    with capture_logs():
        for number in range(1_100):
            aside.failed("page", str(number), ValueError("x" * 10_000), tries=5)
    [condition] = aside.look().values()

    assert "and 997 more" in condition.message
    assert len(condition.message) < 1_000
