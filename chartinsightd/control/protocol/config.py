"""The settings of the running daemon."""

from __future__ import annotations

from typing import Any, Literal

from chartinsightd.control.protocol.words import Message


class Setting(Message):
    """One setting as it is in force."""

    name: str
    """`collect.symbols`."""
    value: Any
    """Of a secret only whether there is one: true or false."""
    is_secret: bool = False
    origin: Literal["default", "file", "credential", "environment"]
    place: str = ""
    """The file and its line, the environment variable, or the credential; empty for a default."""


class SettingList(Message):
    """Every setting, in the order of the configuration file."""

    items: tuple[Setting, ...] = ()
