"""A running daemon says where it can be found; one that is gone does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chartinsightd.process.runtime_file import Running, read_runtime_file, runtime_file


def test_a_running_daemon_is_found_and_an_ended_one_is_not(tmp_path: Path) -> None:
    """The file is there as long as the daemon is."""
    path = tmp_path / "daemon.json"

    with runtime_file(path, database="postgresql:///x"):
        assert read_runtime_file(path) == Running(os.getpid(), "postgresql:///x")

    assert read_runtime_file(path) is None


def test_a_disk_that_takes_no_file_does_not_keep_the_daemon_from_running(tmp_path: Path) -> None:
    """A full disk at the start costs the file, not the daemon."""
    path = tmp_path / "daemon.json"
    path.with_suffix(".new").symlink_to("/dev/full")

    with capture_logs() as logs, runtime_file(path, database=""):
        assert read_runtime_file(path) is None

    assert not path.exists()
    assert [line["event"] for line in logs] == ["daemon.place_not_told"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x"}', '{"pid": 999999999, "database": ""}', "\0"])
def test_what_a_killed_daemon_or_anybody_left_is_not_believed(tmp_path: Path, text: str) -> None:
    """A stale or foreign file is no daemon."""
    path = tmp_path / "daemon.json"
    path.write_text(text, encoding="utf-8")

    assert read_runtime_file(path) is None
