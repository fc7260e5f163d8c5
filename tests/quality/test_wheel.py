"""The wheel holds all that an installation needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

import chartinsightd

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "schema.sql",
    "config.toml",
    "chartinsightd",
    "chartinsight_tui",
    "systemd",
)
READ_RESOURCES = """
import sys
sys.path.insert(0, sys.argv[1])
from chartinsightd import resources
print(resources.__file__)
print(len(resources.schema_sql()), len(resources.default_config()))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed; return what it prints."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays as it is."""
    copy = tmp_path_factory.mktemp("a checkout")
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, copy / name)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", cwd=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_wheel_carries_its_text_files(installed: Path) -> None:
    """Schema and example configuration come with the program, the same as at the top of the checkout."""
    resources = installed / "chartinsightd" / "resources"
    for name in ("schema.sql", "config.toml"):
        assert (resources / name).read_bytes() == (ROOT / name).read_bytes()


def test_wheel_carries_the_licences_of_all_that_is_in_it(installed: Path) -> None:
    """The product's licence stands beside licence and notice of the bundled chart library, all of them
    named."""
    (info,) = installed.glob("*.dist-info")
    metadata = (info / "METADATA").read_text(encoding="utf-8")
    assert "License-Expression: MIT AND Apache-2.0" in metadata
    vendored = Path("chartinsightd", "web", "static", "vendor")
    for name in (Path("LICENSE"), vendored / "LICENSE", vendored / "NOTICE"):
        assert f"License-File: {name}" in metadata
        assert (info / "licenses" / name).read_bytes() == (ROOT / name).read_bytes()


def test_installed_program_reads_its_own_text_files(installed: Path) -> None:
    """Away from any checkout the resources are those of the wheel."""
    output = run(sys.executable, "-I", "-c", READ_RESOURCES, installed, cwd=installed)
    place, sizes = output.splitlines()
    assert Path(place).is_relative_to(installed)
    assert [int(size) for size in sizes.split()] == [
        len((ROOT / name).read_text(encoding="utf-8")) for name in ("schema.sql", "config.toml")
    ]


def test_wheel_has_the_commands(installed: Path) -> None:
    """Each command of `pyproject.toml` is an entry point, and the module it names is in the wheel."""
    (file,) = installed.glob("*.dist-info/entry_points.txt")
    entries = ConfigParser()
    entries.read(file, encoding="utf-8")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert dict(entries["console_scripts"]) == scripts
    modules = [target.split(":")[0].replace(".", "/") + ".py" for target in scripts.values()]
    assert [module for module in modules if not (installed / module).is_file()] == []


def test_version_stands_in_one_place(wheel: Path) -> None:
    """The wheel's version is that of `chartinsightd.__version__`, which its commands show."""
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert wheel.name.split("-")[1] == chartinsightd.__version__


def test_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    """Packages, their typing marker, metadata and licence; no tests, no caches, no stray top-level module."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"chartinsightd", "chartinsight_tui"}
    assert "chartinsightd/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert [name for name in names if "__pycache__" in name] == []
