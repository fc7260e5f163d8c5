"""Where the control socket is when nothing else is set."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from chartinsightd.control.client import ControlClient, DaemonAway
from chartinsightd.control.socket_path import default_socket, is_foreign, own_socket


@pytest.fixture(autouse=True)
def _no_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own session takes no part."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


def test_it_is_where_systemd_or_the_session_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`$RUNTIME_DIRECTORY` wins, then the user's own runtime folder; both sides look in the same place."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "chartinsight").mkdir()

    assert own_socket() == default_socket() == tmp_path / "chartinsight" / "control.sock"

    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/elsewhere:/run/more")

    assert own_socket() == Path("/run/elsewhere/control.sock")


def test_without_a_session_there_is_a_place_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user whom nobody logged in (cron, a container) has a folder of their own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))

    folder = Path(tempfile.gettempdir()) / f"chartinsight-{os.getuid()}"
    assert own_socket() == folder / "control.sock"


async def test_a_folder_that_another_user_made_first_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its name among the temporary files can be guessed: who made it could show what they like."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = own_socket()
    own.parent.mkdir()
    assert not is_foreign(own)

    monkeypatch.setattr(os, "getuid", lambda: 54321)
    (tmp_path / "chartinsight-54321").mkdir()

    with pytest.raises(DaemonAway, match="was made by another user"):
        async with ControlClient(own_socket()):
            pytest.fail("it connected")
