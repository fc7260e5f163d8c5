"""The language of texts for people: the one of their locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "ko"]


def language_of(environment: Mapping[str, str]) -> Language:
    """Return the language of a locale as POSIX names it: LC_ALL, then LC_MESSAGES, then LANG."""
    names = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    first = next((name for name in names if name), "")
    return "ko" if first.lower().startswith("ko") else "en"
