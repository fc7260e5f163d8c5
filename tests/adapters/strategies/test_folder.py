"""The folder of strategies is read only where the administrator alone can write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chartinsightd.adapters.strategies.folder import MAX_BYTES, StrategyFolderOnDisk

ME = frozenset({os.geteuid()})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one strategy, its test, and a file that is none."""
    path = tmp_path / "strategies"
    path.mkdir(mode=0o755)
    for name in ("mine.py", "test_mine.py", "_draft.py", "notes.txt"):
        (path / name).write_text("x = 1", encoding="utf-8")
        (path / name).chmod(0o644)
    return path


def test_strategies_are_read_and_nothing_else(folder: Path) -> None:
    """Tests, drafts and other files are no strategies; without a folder there is none and no fault."""
    found = StrategyFolderOnDisk(folder, ME).read()
    assert [(one.name, one.text) for one in found.sources] == [("mine", "x = 1")]
    assert not found.refused
    assert found.fault is None
    assert StrategyFolderOnDisk(None).read().fault is None


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    """Whoever can write the folder could run code as the daemon; the remedy takes the right away."""
    folder.chmod(mode)
    found = StrategyFolderOnDisk(folder, ME).read()
    assert found.fault is not None
    assert "go-w" in found.fault.remedy
    assert not found.sources


def test_what_another_user_owns_is_refused(folder: Path) -> None:
    """An owner can write whatever the mode says."""
    found = StrategyFolderOnDisk(folder, frozenset({os.geteuid() + 1})).read()
    assert found.fault is not None
    assert "chown" in found.fault.remedy


def test_a_file_is_refused_alone(folder: Path) -> None:
    """A file that others can write, a link, a large one and one that is no text cost themselves only."""
    (folder / "shared.py").write_text("x = 1", encoding="utf-8")
    (folder / "shared.py").chmod(0o666)
    (folder / "link.py").symlink_to(folder / "mine.py")
    (folder / "large.py").write_bytes(b"#" * (MAX_BYTES + 1))
    (folder / "binary.py").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(folder / "pipe.py")
    found = StrategyFolderOnDisk(folder, ME).read()
    assert sorted(found.refused) == ["binary", "large", "link", "pipe", "shared"]
    assert [one.name for one in found.sources] == ["mine"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_has_a_remedy(tmp_path: Path, name: str) -> None:
    """A mistyped name is told, and no reason to stop."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    fault = StrategyFolderOnDisk(tmp_path / name, ME).read().fault
    assert fault is not None
    assert fault.remedy
