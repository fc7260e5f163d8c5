"""Changes a settings file and leaves the rest of it, comments included, as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from chartinsightd.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a setting shall be."""

    keys: tuple[str, ...]
    """`("collect", "symbols")`."""
    value: Any
    default: Any
    """In force where the file does not name the setting."""
    normal: Callable[[Any], Any] = lambda value: value
    """Makes equal what means the same, such as `"1y"` and a table of it."""


def with_changes(text: str, changes: Iterable[Change]) -> str:
    """Return TOML text in which the settings have their values; nothing is written that is so already.

    Raises:
        ConfigurationError: the text is not valid TOML, or has a value where a table belongs.
    """
    try:
        document = tomlkit.parse(text)
        for change in changes:
            if not _holds(document, change):
                _set(document, change.keys, change.value)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"The settings file cannot be changed: {error}.") from error
    return tomlkit.dumps(document)


def _holds(document: tomlkit.TOMLDocument, change: Change) -> bool:
    tree: Any = document.unwrap()
    for key in change.keys:
        if key not in tree:
            return bool(change.value == change.default)
        tree = tree[key]
    return bool(change.normal(tree) == change.value)


def _set(document: Any, keys: tuple[str, ...], value: Any) -> None:
    table = document
    for key in keys[:-1]:
        if key not in table:
            table[key] = tomlkit.table()
        table = table[key]
    found = table.get(keys[-1])
    if isinstance(value, Mapping) and isinstance(found, MutableMapping):
        for name, part in value.items():
            if found.get(name) != part:
                found[name] = part
    elif isinstance(value, Mapping):
        # A table of its own would swallow the keys that follow it.
        table[keys[-1]] = tomlkit.inline_table()
        table[keys[-1]].update(value)
    else:
        table[keys[-1]] = value
