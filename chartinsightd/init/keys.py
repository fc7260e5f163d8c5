"""Where Kiwoom's keys are kept: never in the settings file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chartinsightd.init.new_files import NewFile

SYSTEM_FOLDER = Path("/etc/chartinsight")
_CREDSTORE = Path("/etc/credstore")
"""Where the unit's LoadCredential= looks."""
_CREDENTIALS = ("kiwoom_app_key", "kiwoom_secret_key")
_VARIABLES = ("CHARTINSIGHT_KIWOOM__APP_KEY", "CHARTINSIGHT_KIWOOM__SECRET_KEY")
_MODE = 0o600


class Place(StrEnum):
    """What keeps the keys."""

    CREDENTIALS = "credentials"
    """A file each, as systemd hands them over."""
    ENVIRONMENT = "environment"
    """One file of variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStore:
    """The place of the keys of one settings file."""

    config: Path
    place: Place

    @property
    def path(self) -> Path:
        """The folder of credentials, or the file of variables."""
        folder = self.config.parent
        if self.place is Place.ENVIRONMENT:
            return folder / "environment"
        return _CREDSTORE if folder == SYSTEM_FOLDER else folder / "credentials"

    def files(self, app_key: str, secret_key: str) -> tuple[NewFile, ...]:
        """Return what has to be written, other variables of the file kept."""
        keys = (app_key, secret_key)
        if self.place is Place.CREDENTIALS:
            return tuple(
                NewFile(path=self.path / name, text=f"{key}\n", mode=_MODE)
                for name, key in zip(_CREDENTIALS, keys, strict=True)
            )
        others = [line for line in self._lines() if line.partition("=")[0].strip() not in _VARIABLES]
        ours = [f"{name}={key}" for name, key in zip(_VARIABLES, keys, strict=True)]
        return (NewFile(path=self.path, text="\n".join([*others, *ours, ""]), mode=_MODE),)

    def has_keys(self) -> bool:
        """Whether both are there.

        Raises:
            OSError: they cannot be looked at.
        """
        if self.place is Place.CREDENTIALS:
            return all((self.path / name).is_file() for name in _CREDENTIALS)
        return {line.partition("=")[0].strip() for line in self._lines()}.issuperset(_VARIABLES)

    def environment(self) -> Mapping[str, str]:
        """Return what a process started by hand has to find in its environment."""
        if self.place is Place.CREDENTIALS:
            return {"CREDENTIALS_DIRECTORY": str(self.path)}
        pairs = (line.partition("=") for line in self._lines())
        return {name.strip(): value.strip() for name, equals, value in pairs if equals and name[:1] != "#"}

    def shell(self, command: str) -> str:
        """Return a line for a shell that starts a command with the keys."""
        if self.path == self.config.parent / "credentials":
            return command  # found beside the settings
        if self.place is Place.CREDENTIALS:
            return f"CREDENTIALS_DIRECTORY='{self.path}' {command}"
        return f"set -a; . '{self.path}'; set +a; {command}"

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
