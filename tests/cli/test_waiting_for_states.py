"""Scripts that wait for the daemon to come so far."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.support.fake_backend import SEALED_DAY, FakeBackend


def test_a_state_that_does_not_come_ends_with_4_and_says_what_is_missing(run: Run) -> None:
    """One late series is enough for `fresh` to time out."""
    ended = run("wait", "--for", "fresh", "--timeout", "1s")
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert ended.stderr == "chartinsightctl: Timed out waiting: 1 of the series of 30 targets late.\n"


def test_a_session_is_sealed_when_every_target_is(
    run: Run, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three broken days keep the session unsealed; without them the wait is over at once."""
    early = run("wait", "--for", "sealed", "--timeout", "1s")
    monkeypatch.setattr(backend, "_gaps", list)
    ended = run("wait", "--for", "sealed")
    assert (early.exit_code, ended.exit_code) == (4, 0)
    assert f"{SEALED_DAY} is sealed for 27 of 30 targets." in early.stderr
    assert ended.stderr == f"{SEALED_DAY} is sealed for 30 of 30 targets.\n"


def test_a_word_that_names_no_state_is_refused(run: Run) -> None:
    """So is a wait for nothing, and a time that is none."""
    tries = [("--for", "well"), (), ("--for", "idle", "--timeout", "soon")]
    assert [run("wait", *words).exit_code for words in tries] == [2, 2, 2]
