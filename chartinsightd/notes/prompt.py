"""Prompts: a typed head and a text with fields, filled in strictly."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MARK = "+++"
_FIELD = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


class PromptError(ValueError):
    """A prompt file is not what it has to be; the message names the place."""


class PromptHead(BaseModel):
    """What a prompt says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    version: int = Field(ge=1)
    title: str = Field(min_length=1, max_length=100)
    fields: tuple[str, ...]
    """Names that the text may hold in double braces."""
    max_tokens: int = Field(ge=64, le=16_384)
    temperature: float = Field(ge=0.0, le=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt."""

    head: PromptHead
    text: str
    hash: str
    """Of the whole file: another word is another prompt."""

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with its fields.

        Raises:
            PromptError: a field has no value, or a value has no field.
        """
        if values.keys() != set(self.head.fields):
            raise PromptError(f"prompt {self.head.id}: it takes {', '.join(self.head.fields)}")
        return _FIELD.sub(lambda found: values[found[1]], self.text)


def parse_prompt(source: str, name: str) -> Prompt:
    """Return the prompt that a file holds: a TOML head between two lines of `+++`, then the text.

    Args:
        source: the file's text.
        name: the file's name, for messages.

    Raises:
        PromptError: the head is missing or wrong, or the text holds an unknown field.
    """
    parts = source.split(f"{_MARK}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{name}: it begins with a TOML head between two lines of {_MARK}")
    head = _head(parts[1], name)
    text = parts[2].strip() + "\n"
    used = set(_FIELD.findall(text))
    if used != set(head.fields):
        odd = ", ".join(sorted(used ^ set(head.fields)))
        raise PromptError(f"{name}: fields of the head and of the text differ: {odd}")
    return Prompt(head=head, text=text, hash=sha256(source.encode()).hexdigest()[:20])


def _head(source: str, name: str) -> PromptHead:
    try:
        values: dict[str, Any] = tomllib.loads(source)
        return PromptHead.model_validate(values)
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{name}: the head is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PromptError(f"{name}: {place}: {first['msg']}") from None
