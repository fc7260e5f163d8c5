"""Reads the settings of this process: `config.toml`, environment variables, systemd credentials.

Environment (`CHARTINSIGHT_<SECTION>__<KEY>`, lists and tables as JSON) wins over credentials, those over
the file, the file over the defaults. Whatever is unknown or wrong is refused with its name and place.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.foreign_text import shortened
from chartinsightd.settings.alerts import AlertSettings
from chartinsightd.settings.collect import CollectSettings
from chartinsightd.settings.kiwoom import KiwoomSettings
from chartinsightd.settings.model import HIDDEN, PREFIX, SECRETS, Settings
from chartinsightd.settings.section import Section
from chartinsightd.settings.universe import UniverseSettings
from chartinsightd.settings.venues import VenueSettings

CONFIG_VARIABLE = "CHARTINSIGHT_CONFIG"
_WITH_LISTS: Mapping[str, type[Section]] = {
    "collect": CollectSettings,
    "kiwoom": KiwoomSettings,
    "universe": UniverseSettings,
    "venues": VenueSettings,
    "alerts": AlertSettings,
}
_RENAMED = {
    ("collect", "universe"): "Instead of collect.universe set universe.enabled to true or false.",
    ("collect", "min_market_cap"): "Instead of collect.min_market_cap set universe.min_market_cap.",
}
"""Settings of earlier versions, and what to set now."""
_ACCOUNT_KEYS = frozenset({"app_key", "secret_key"})


def load_settings(config: Path | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        config: the file; without it `$CHARTINSIGHT_CONFIG`, the XDG configuration folder, then `/etc`.

    Raises:
        ConfigurationError: something is wrong; the message names each key and where it was set.
    """
    path = config or find_config()
    text = _read(path) if path else ""
    values = _parse(text, path)
    _refuse_secrets(values, text, path)
    _refuse_keys_of_accounts(values, text, path)
    _refuse_unknown_variables()
    try:
        return Settings(**_with_credentials(values, credentials_folder(path)))
    except ValidationError as error:
        raise ConfigurationError(_explain(error, text, path), remedy=_new_names(error)) from None
    except SettingsError as error:
        raise ConfigurationError(
            f"{_not_json() or error}: lists and tables are JSON in the environment.",
            remedy=f'Example: {PREFIX}COLLECT__SYMBOLS=\'["005930", "000660"]\'.',
        ) from None


def find_config() -> Path | None:
    """Return the settings file of this process where none is named: the first place that has one."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    places = [Path("/etc/chartinsight/config.toml")]
    with suppress(RuntimeError):  # a user without a home has no settings there
        home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        places.insert(0, home / "chartinsight" / "config.toml")
    return next((place for place in places if _is_file(place)), None)


def credentials_folder(path: Path | None) -> Path | None:
    """Return where secrets lie as files: the folder of systemd, else `credentials` beside the settings file.

    `chartinsightd init` writes the second, so that a daemon started by hand finds it.
    """
    if handed := os.environ.get("CREDENTIALS_DIRECTORY"):
        return Path(handed)
    return path.parent / "credentials" if path else None


def _is_file(path: Path) -> bool:
    """Whether there is a regular file; a folder that may not be entered holds none of ours."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.",
            remedy="Name a readable TOML file with --config.",
        ) from error


def _parse(text: str, path: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        raise ConfigurationError(f"{path}: not valid TOML: {error or 'nested too deep'}.") from None


def _refuse_secrets(values: Mapping[str, Any], text: str, path: Path | None) -> None:
    for (section, key), credential in SECRETS.items():
        given = values.get(section)
        if isinstance(given, Mapping) and key in given:
            anew = "issuing a new key" if section == "kiwoom" else "making a new one"
            raise ConfigurationError(
                f"{path}, line {line_of(text, (section, key))}: {section}.{key} does not belong in a file.",
                remedy=f"Set {PREFIX}{section.upper()}__{key.upper()} or the systemd credential"
                f" {credential}, take it out of the file, and consider {anew}.",
            )


def _refuse_keys_of_accounts(values: Mapping[str, Any], text: str, path: Path | None) -> None:
    for account in _accounts(values):
        for key in _ACCOUNT_KEYS & account.keys():
            name = account.get("name", "…")
            raise ConfigurationError(
                f"{path}, line {line_of(text, ('kiwoom', 'accounts', key))}: kiwoom.accounts.{key} does not"
                " belong in a file.",
                remedy=f"Use the systemd credential kiwoom_{name}_{key}, or set all accounts as JSON in"
                f" {PREFIX}KIWOOM__ACCOUNTS; take it out of the file, and consider issuing a new key.",
            )


def _accounts(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the tables `[[kiwoom.accounts]]`; what is none is refused later, with the other mistakes."""
    kiwoom = values.get("kiwoom")
    found = kiwoom.get("accounts") if isinstance(kiwoom, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper != CONFIG_VARIABLE and upper.split("__")[0] not in known:
            raise ConfigurationError(f"Environment variable {name}: no such setting.")


def _not_json() -> str | None:
    """Name the variable whose value should be JSON and is not; the value only where it is no secret."""
    for section, model in _WITH_LISTS.items():
        for key, field in model.model_fields.items():
            variable = f"{PREFIX}{section}__{key}".upper()
            given = next((value for name, value in os.environ.items() if name.upper() == variable), None)
            if given is not None and _is_list(field.annotation) and not _is_json(given):
                shown = "" if (section, key) in HIDDEN else f" ({given!r})"
                return f"Environment variable {variable}{shown}"
    return None


def _is_list(annotation: object) -> bool:
    """Whether a setting is a list or a table."""
    return str(annotation).startswith(("tuple[", "dict["))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _with_credentials(values: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """Add the secrets that lie in files, as systemd hands them over (LoadCredential)."""
    if folder is None:
        return values
    merged = dict(values)
    for (section, key), name in SECRETS.items():
        file, given = folder / name, merged.get(section, {})
        if _is_file(file) and isinstance(given, Mapping):
            merged[section] = {**given, key: file.read_text(encoding="utf-8").strip()}
    if accounts := _accounts(merged):
        merged["kiwoom"] = {
            **merged["kiwoom"],
            "accounts": [_with_keys(one, folder) for one in accounts],
        }
    return merged


def _with_keys(account: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Add the keys of an account from its credentials, as `kiwoom_second_app_key`."""
    files = {key: folder / f"kiwoom_{account.get('name')}_{key}" for key in _ACCOUNT_KEYS}
    return dict(account) | {
        key: file.read_text(encoding="utf-8").strip() for key, file in files.items() if _is_file(file)
    }


def _new_names(error: ValidationError) -> str:
    """Return what to set in the place of settings that have another name now; empty without any."""
    unknown = [one["loc"] for one in error.errors(include_url=False) if one["type"] == "extra_forbidden"]
    return " ".join(_RENAMED[keys] for keys in unknown if keys in _RENAMED)


def _explain(error: ValidationError, text: str, path: Path | None) -> str:
    """Say in one line for each mistake which key is wrong, where it was set, and why."""
    return "\n".join(_explain_one(dict(mistake), text, path) for mistake in error.errors(include_url=False))


def _explain_one(mistake: Mapping[str, Any], text: str, path: Path | None) -> str:
    keys = tuple(str(part) for part in mistake["loc"] if isinstance(part, str))
    why = (
        "no such setting"
        if mistake["type"] == "extra_forbidden"
        else mistake["msg"].removeprefix("Value error, ")
    )
    secret = keys[:2] in HIDDEN or len(keys) < 2
    given = (
        ""
        if secret or mistake["type"] in {"extra_forbidden", "value_error"}
        else f" (given: {shortened(repr(mistake['input']))})"
    )
    name = ".".join(keys)
    return f"{_place(text, path, keys)}: {name + ': ' if name else ''}{why}{given}"


def _place(text: str, path: Path | None, keys: tuple[str, ...]) -> str:
    """Name where a key was set: the environment variable, or the file and the line."""
    variable = PREFIX + "__".join(keys[:2]).upper()
    if keys and any(name.upper() == variable for name in os.environ):
        return f"Environment variable {variable}"
    if path is None:
        return "Settings"
    line = line_of(text, keys)
    return f"{path}, line {line}" if line else str(path)


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Return the line (from 1) that sets a key; the line of its table when it is written in another way."""
    section: tuple[str, ...] = ()
    best: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            section = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            found = section
        elif assignment := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            found = section + tuple(part.strip("\"'") for part in assignment[1].split("."))
        else:
            continue
        if found == keys:
            return number
        if found and found == keys[: len(found)]:
            best = number
    return best
