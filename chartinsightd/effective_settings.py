"""The settings in force, one by one, each with the place its value comes from."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chartinsightd.settings.loading import credentials_folder, find_config, line_of
from chartinsightd.settings.model import PREFIX, SECRET_SETTINGS, SECRETS, Settings
from chartinsightd.settings.section import Section


class Origin(StrEnum):
    """What a setting's value was read from."""

    DEFAULT = "default"
    FILE = "file"
    CREDENTIAL = "credential"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetting:
    """One setting as it is in force."""

    name: str
    """`collect.symbols`."""
    value: Any
    """As JSON has it. A secret: whether there is one."""
    is_secret: bool
    origin: Origin
    place: str = ""
    """The file and its line, the environment variable, or the credential; empty for a default."""


def effective_settings(settings: Settings, config: Path | None = None) -> dict[str, EffectiveSetting]:
    """Return every setting by its name; call it right after `load_settings`.

    Args:
        settings: what was loaded.
        config: what `load_settings` was given.
    """
    path = config or find_config()
    text = path.read_text(encoding="utf-8") if path else ""
    shown = settings.model_dump(mode="json")
    found: dict[str, EffectiveSetting] = {}
    for keys in _keys(settings):
        origin, place = _origin(keys, path, text)
        value, is_secret = _inside(shown, keys), keys in SECRET_SETTINGS
        found[".".join(keys)] = EffectiveSetting(
            name=".".join(keys),
            value=_is_there(_inside(settings, keys)) if is_secret else value,
            is_secret=is_secret,
            origin=origin,
            place=place,
        )
    return found


def _keys(settings: Settings) -> Iterator[tuple[str, ...]]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Section):
            yield from ((name, key) for key in type(value).model_fields)
        else:
            yield (name,)


def _inside(tree: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        tree = tree[key] if isinstance(tree, dict) else getattr(tree, key)
    return tree


def _is_there(secret: SecretStr | tuple[SecretStr, ...]) -> bool:
    given = (secret,) if isinstance(secret, SecretStr) else secret
    return any(one.get_secret_value() for one in given)


def _origin(keys: tuple[str, ...], path: Path | None, text: str) -> tuple[Origin, str]:
    """Return where a value comes from, in the order in which sources win over each other."""
    if variable := _variable(keys):
        return Origin.ENVIRONMENT, variable
    credential, folder = SECRETS.get((keys[0], keys[-1])), credentials_folder(path)
    if credential and folder and (folder / credential).is_file():
        return Origin.CREDENTIAL, credential
    if not _has(tomllib.loads(text), keys):
        return Origin.DEFAULT, ""
    line = line_of(text, keys)
    return Origin.FILE, f"{path}:{line}" if line else str(path)


def _variable(keys: tuple[str, ...]) -> str | None:
    """Return the variable that sets a key: its own, one of a part of it, or its section's, as JSON."""
    own, section = PREFIX + "__".join(keys).upper(), PREFIX + keys[0].upper()
    for name, value in os.environ.items():
        if name.upper() == own or name.upper().startswith(f"{own}__"):
            return name
        if name.upper() == section and _has(json.loads(value), keys[1:]):
            return name
    return None


def _has(tree: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(tree, dict) or key not in tree:
            return False
        tree = tree[key]
    return True
