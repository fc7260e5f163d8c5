"""Answers as the listener writes them: each time as seconds and, beside it, as Korean time.

A field `x` that holds an instant becomes `x`, whole seconds since 1970-01-01T00:00Z, and `x_kst`, RFC 3339
with +09:00. The messages themselves, shared with the control socket, know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cache, lru_cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import AwareDatetime, BaseModel

from chartinsightd.facts.krx import KST

SUFFIX = "_kst"


def spelled(value: Any) -> Any:
    """Return a message, or what is in one, in the types of JSON, with every time in both forms."""
    return _speller(value.__class__)(value)


@lru_cache(maxsize=2048)
def korean(instant: datetime) -> str:
    """Return an instant in Korean time, RFC 3339. The patterns of a chart name the same few hundred."""
    return instant.astimezone(KST).isoformat()


@cache
def _speller(kind: type[Any]) -> Callable[[Any], Any]:
    """Return what spells values of a kind; an answer has thousands of values of few kinds."""
    if issubclass(kind, BaseModel) or is_dataclass(kind):
        of = fields_of(kind)
        return partial(_message if any(holds is not Holds.PLAIN for _, holds in of) else _plain, of)
    if issubclass(kind, Mapping):
        return _mapping
    if issubclass(kind, list | tuple):
        return _sequence
    return korean if issubclass(kind, datetime) else _as_is


def _as_is(value: Any) -> Any:
    return value


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): spelled(inner) for name, inner in value.items()}


def _sequence(value: Sequence[Any]) -> Sequence[Any]:
    """Columns hold plain numbers and words: nothing in them has to be looked at."""
    is_plain = not value or _speller(value[0].__class__) is _as_is
    return value if is_plain else [spelled(one) for one in value]


def _plain(of: Sequence[Field], message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name, _ in of}


def _message(of: Sequence[Field], message: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, holds in of:
        value = getattr(message, name)
        if holds is Holds.INSTANT:
            found[name] = None if value is None else int(value.timestamp())
            found[name + SUFFIX] = None if value is None else korean(value)
        else:
            found[name] = value if holds is Holds.PLAIN else spelled(value)
    return found


class Holds(Enum):
    """What the values of a field are to the one who spells them."""

    INSTANT = auto()
    PLAIN = auto()
    """JSON has them: numbers, words, and null."""
    ANY = auto()
    """A value's own type decides."""


Field: TypeAlias = tuple[str, Holds]


@cache
def fields_of(kind: type[Any]) -> tuple[Field, ...]:
    """Return the fields of a message, each with what it holds.

    Types are looked at, not the JSON schema: making that of a chart would hold up the event loop for 70 ms.
    """
    if issubclass(kind, BaseModel):
        return tuple((name, _held(field.annotation)) for name, field in kind.model_fields.items())
    types = get_type_hints(kind)
    return tuple((field.name, _held(types[field.name])) for field in fields(kind))


def _held(annotation: Any) -> Holds:
    """Return what values of a type are, or of one that may be missing."""
    if _is_time(annotation):
        return Holds.INSTANT
    return Holds.PLAIN if _is_plain(annotation) else Holds.ANY


def _is_plain(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return all(map(_is_plain, get_args(annotation)))
    return annotation in (bool, float, int, str, NoneType)


def _is_time(annotation: Any) -> bool:
    """Whether a type is that of an instant, or of one that may be missing."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return any(map(_is_time, get_args(annotation)))
    return annotation in (AwareDatetime, datetime)


def is_instant(field: Mapping[str, Any]) -> bool:
    """Whether the JSON schema of a field is that of an instant, or of one that may be missing."""
    choices = field.get("anyOf", [field])
    return any(choice.get("format") == "date-time" for choice in choices)
