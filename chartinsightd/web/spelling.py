"""Answers as the listener writes them: each time as seconds and, beside it, as Korean time.

A field `x` that holds an instant becomes `x`, whole seconds since 1970-01-01T00:00Z, and `x_kst`, RFC 3339
with +09:00. The messages themselves, shared with the control socket, know nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel

from chartinsightd.facts.krx import KST

SUFFIX = "_kst"


def spelled(value: Any) -> Any:
    """Return a message, or what is in one, in the types of JSON, with every time in both forms."""
    if isinstance(value, BaseModel):
        return dict(_fields(value))
    if isinstance(value, Mapping):
        return {str(name): spelled(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        # Columns hold plain numbers and words: nothing in them has to be looked at.
        is_plain = not value or not isinstance(value[0], BaseModel | Mapping | list | tuple | datetime)
        return value if is_plain else [spelled(one) for one in value]
    return korean(value) if isinstance(value, datetime) else value


def korean(instant: datetime) -> str:
    """Return an instant in Korean time, RFC 3339."""
    return instant.astimezone(KST).isoformat()


def _fields(message: BaseModel) -> Iterator[tuple[str, Any]]:
    instants = _instants(type(message))
    for name, value in message.__dict__.items():
        if name not in instants:
            yield name, spelled(value)
            continue
        yield name, None if value is None else int(value.timestamp())
        yield name + SUFFIX, None if value is None else korean(value)


@cache
def _instants(kind: type[BaseModel]) -> frozenset[str]:
    """Return the fields of a message that hold an instant."""
    schema = kind.model_json_schema(mode="serialization", ref_template="{model}")
    return frozenset(name for name, field in schema.get("properties", {}).items() if is_instant(field))


def is_instant(field: Mapping[str, Any]) -> bool:
    """Whether the JSON schema of a field is that of an instant, or of one that may be missing."""
    choices = field.get("anyOf", [field])
    return any(choice.get("format") == "date-time" for choice in choices)
