"""The breakages can still be applied: each text is there once, each test exists, each promise has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promises.breakages import BREAKAGES, Breakage
from tests.quality.test_documents import is_test

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda one: f"{one.promise}-{one.file}")
def test_a_breakage_can_be_applied(breakage: Breakage) -> None:
    """`python -m tests.promises` changes what it says, and runs a test that exists."""
    text = (ROOT / breakage.file).read_text(encoding="utf-8")

    assert text.count(breakage.old) == 1
    assert breakage.old != breakage.new
    assert is_test(breakage.test)


def test_every_promise_is_broken_on_purpose() -> None:
    """Every promise has a breakage, at least."""
    assert {one.promise for one in BREAKAGES} == set(range(1, 17))
