"""The one file of pinned packages can be trusted."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)", re.MULTILINE)


def pins() -> dict[str, set[Version]]:
    """Return the pinned versions of each package; a package may have one for each range of Pythons."""
    found: dict[str, set[Version]] = {}
    for pin in PIN.finditer((ROOT / "requirements.txt").read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(pin["name"]), set()).add(Version(pin["version"]))
    return found


def test_requirements_name_no_place() -> None:
    """Names, versions and hashes only: whoever installs chooses the registry."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--?(index|extra-index|find-links|trusted|i\b)", text, re.MULTILINE)


def test_every_pin_has_hashes() -> None:
    """A package whose content was exchanged is refused."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    assert [entry.split()[0] for entry in entries if PIN.match(entry) and "--hash=sha256:" not in entry] == []
    assert all(PIN.match(entry) for entry in entries if entry.strip() and not entry.startswith("#"))


def test_pins_are_what_the_project_asks_for() -> None:
    """Each dependency of `pyproject.toml` is pinned, at versions it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    pinned = pins()
    for requirement in map(Requirement, asked):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not pinned"
        assert all(version in requirement.specifier for version in versions), f"{requirement}: {versions}"
