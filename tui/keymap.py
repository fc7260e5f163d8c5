"""Keys of one's own: `keys.toml` beside the other choices, and the names that bindings go by in it.

    [keys]
    acknowledge = "k"
    next_page = "ctrl+n"

A name is that of the key's words (`tui/words/keys.py`); the help (`?`) and the key bar show the new keys.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from chartinsight_tui.words.keys import WORDS

_PREFIX = "key."
NAMES = tuple(key.removeprefix(_PREFIX) for key in WORDS if key.startswith(_PREFIX))
_MODIFIED = re.compile(r"((ctrl|shift|alt)\+)+([a-z0-9]|[a-z_]{2,})")
_NAMED = {key.value for key in Keys}


class WrongKeys(Exception):
    """The file of keys cannot be used; the text names the file, the line and what is wrong."""


class Keyed:
    """Gives each binding the name by which `keys.toml` knows it: that of its words."""

    BINDINGS: ClassVar[list[BindingType]]

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the class's own bindings before the framework reads them."""
        if "BINDINGS" in cls.__dict__:
            cls.BINDINGS = [_named(one) for one in cls.BINDINGS]
        super().__init_subclass__(**options)


def read_keys(path: Path) -> dict[str, str]:
    """Return the framework's keys by the names of bindings; empty where there is no file.

    Raises:
        WrongKeys: the file is no TOML, names something that there is not, or one key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WrongKeys(f"{path}: {error}.") from error
    keys = table.get("keys")
    if set(table) != {"keys"} or not isinstance(keys, dict):
        raise WrongKeys(f"{path}: it holds the table [keys] and nothing else.")
    return _checked(keys, path, text)


def _checked(keys: Mapping[str, object], path: Path, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, written in keys.items():
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(NAMES)}."
            raise _wrong(path, text, name, f"there is no key {name!r}.{hint}")
        key = _key(written)
        if key is None:
            raise _wrong(path, text, name, f"{written!r} is no key such as a, ?, f5 or ctrl+k.")
        if key in found.values():
            raise _wrong(path, text, name, f"{written!r} is given twice.")
        found[name] = key
    return found


def _key(written: object) -> str | None:
    """Return the framework's name of a key; None where it is none."""
    if not isinstance(written, str):
        return None
    if len(written) == 1:
        return _of_sign(written)
    return written if written in _NAMED or _MODIFIED.fullmatch(written) else None


def _of_sign(sign: str) -> str | None:
    if not sign.isprintable() or not sign.isascii():
        return None
    if sign.isalnum():
        return sign
    name = unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _wrong(path: Path, text: str, name: str, words: str) -> WrongKeys:
    lines = text.splitlines()
    at = (
        number
        for number, line in enumerate(lines, start=1)
        if re.match(rf'\s*"?{re.escape(name)}"?\s*=', line)
    )
    return WrongKeys(f"{path}, line {next(at, 1)}: {words}")


def _named(one: BindingType) -> BindingType:
    if isinstance(one, Binding) and one.description.startswith(_PREFIX):
        return replace(one, id=one.description.removeprefix(_PREFIX))
    return one
