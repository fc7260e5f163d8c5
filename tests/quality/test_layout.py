"""A test is found by the place of what it tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
OTHERS = {
    "campaign": "storms over real processes, drawn from seeds",
    "integration": "whole days with real processes",
    "page": "the web page's own scripts, in a browser and in Node",
    "ports": "one suite a port, over all that implements it",
    "promises": "edits of the product that a named test must notice",
    "quality": "the repository itself",
    "systemd": "the units and their installation",
}
"""Folders whose tests are about no single room of the package, and what they hold."""


def test_unit_tests_mirror_the_package() -> None:
    """`tests/a/b` tests `chartinsightd/a/b`, or `tui`; the few other folders are listed here."""
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    units = {folder for folder in folders if not folder.parts or folder.parts[0] not in OTHERS}
    rooms = {folder: (ROOT if folder.parts[:1] == ("tui",) else ROOT / "chartinsightd") for folder in units}
    assert [str(folder) for folder, top in rooms.items() if not (top / folder).is_dir()] == []


def test_every_other_folder_is_there() -> None:
    """The list of other folders names none that is gone."""
    assert [name for name in OTHERS if not any((TESTS / name).rglob("test_*.py"))] == []


def test_helpers_import_no_test() -> None:
    """What tests share is in `tests/support`, and knows no test."""
    imported = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in sorted((TESTS / "support").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("from tests.", "import tests.")) and not line.startswith("from tests.support.")
    ]
    assert imported == []
