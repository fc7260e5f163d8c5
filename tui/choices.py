"""What a person chose last time: colours and language, in a small file that may be damaged or missing."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_VALUES: Mapping[str, tuple[str, ...]] = {
    "theme": ("dark", "light", "contrast", "colour-blind"),
    "rise": ("red", "green"),
    "language": ("ko", "en"),
    "signs": ("auto", "full", "ascii"),
    "hints": ("seen",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What was chosen; None where nothing was."""

    theme: str | None = None
    rise: str | None = None
    """`red` or `green`: the colour of rising prices."""
    language: str | None = None
    signs: str | None = None
    """`auto`, `full` or `ascii`."""
    hints: str | None = None
    """`seen` once the hints of the first minute were closed."""

    def updated(self, **chosen: str | None) -> Choices:
        """Return these choices with others in their place, as far as there are any."""
        return Choices(**{**asdict(self), **{name: value for name, value in chosen.items() if value}})


@dataclass(slots=True)
class KeptChoices:
    """Choices and the file that holds them."""

    path: Path
    chosen: Choices

    def keep(self, **chosen: str | None) -> None:
        """Take other choices over, and write them down."""
        self.chosen = self.chosen.updated(**chosen)
        write_choices(self.path, self.chosen)


def choices_file(environment: Mapping[str, str]) -> Path:
    """Return where choices are kept: by the XDG base directory specification, below the configuration."""
    folder = environment.get("XDG_CONFIG_HOME", "")
    base = Path(folder) if folder.startswith("/") else Path(environment.get("HOME", "/")) / ".config"
    return base / "chartinsight" / "tui.json"


def read_choices(path: Path) -> Choices:
    """Return what is kept; what cannot be read, or is no choice of ours, was not chosen."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Choices()
    if not isinstance(found, dict):
        return Choices()
    names = (field.name for field in fields(Choices))
    return Choices(**{name: found[name] for name in names if found.get(name) in _VALUES[name]})


def write_choices(path: Path, choices: Choices) -> None:
    """Keep choices, the whole file at once; where that cannot be, they last as long as the dashboard."""
    working = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        working.write_text(json.dumps(asdict(choices)) + "\n", encoding="utf-8")
        working.replace(path)
