"""Where the store is: found as the daemon finds it."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PREFIX = "CHARTINSIGHT_"


class NotFound(Exception):
    """The store, or a stock in it, cannot be found; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A store: its database and the schema in it."""

    dsn: str
    schema: str
    """`live` or `simulation`."""


def find() -> Place:
    """Return the store that the settings of this process name.

    Environment variables come before the file, like in the daemon: `CHARTINSIGHT_DATABASE__DSN`,
    `CHARTINSIGHT_MODE`, `CHARTINSIGHT_STATE_DIR`, and `CHARTINSIGHT_CONFIG` for the file itself. An embedded
    database is found by the file that the running daemon keeps in its state folder.

    Raises:
        NotFound: the file cannot be read, or no daemon with an embedded database runs.
    """
    settings = _settings()
    schema = _setting(settings, "mode") or "live"
    if dsn := _setting(settings, "database", "dsn"):
        return Place(dsn, schema)
    state = Path(_setting(settings, "state_dir") or _default_state_dir()).expanduser()
    return Place(_embedded(state / schema / "daemon.json"), schema)


def _settings() -> dict[str, Any]:
    path = _config()
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotFound(f"The settings in {path} cannot be read: {error}") from error


def _config() -> Path | None:
    if named := os.environ.get(f"{_PREFIX}CONFIG"):
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    places = (home / "chartinsight" / "config.toml", Path("/etc/chartinsight/config.toml"))
    return next((place for place in places if place.is_file()), None)


def _setting(settings: dict[str, Any], *path: str) -> str:
    if given := os.environ.get(_PREFIX + "__".join(path).upper()):
        return given
    found: Any = settings
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _default_state_dir() -> str:
    if given := os.environ.get("STATE_DIRECTORY"):
        return given.split(":")[0]
    return str(Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state") / "chartinsight")


def _embedded(runtime_file: Path) -> str:
    try:
        dsn = str(json.loads(runtime_file.read_text(encoding="utf-8"))["database"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound(
            f"No running daemon with an embedded database is known at {runtime_file}. Start chartinsightd, "
            f"or set {_PREFIX}DATABASE__DSN to the URL of the database."
        ) from error
    if not dsn:
        raise NotFound(
            f"The running daemon uses a database of the user's own, and {_PREFIX}DATABASE__DSN is not set."
        )
    return dsn
