"""JSON schemas as pydantic writes them: values that fit one, and what is wrong with a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_FIRST, _LAST = datetime(1950, 1, 1), datetime(2110, 1, 1)  # noqa: DTZ001 - hypothesis wants naive bounds
"""Times made lie between these: a little more than the API takes."""
_SHORT = 6
"""The longest list made; the limits of the API are far above."""


class Schemas:
    """The schemas of one OpenAPI document."""

    def __init__(self, document: Schema) -> None:
        self._named: dict[str, Schema] = document["components"]["schemas"]

    def resolved(self, schema: Schema) -> Schema:
        """Follow a reference."""
        reference = schema.get("$ref")
        return self._named[reference.rpartition("/")[2]] if reference else schema

    def values(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Return values that fit."""
        schema = self.resolved(schema)
        if "anyOf" in schema:
            return st.one_of([self.values(choice) for choice in schema["anyOf"]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        made = self._typed(schema)
        if "examples" not in schema:
            return made
        known = st.sampled_from(schema["examples"])
        # Mostly what exists: else hardly any request would be done.
        return st.integers(0, 9).flatmap(lambda chance: made if chance == 9 else known)

    def _typed(self, schema: Schema) -> st.SearchStrategy[Any]:
        match schema.get("type"):
            case "string":
                return _strings(schema)
            case "integer":
                return st.integers(schema.get("minimum"), schema.get("maximum"))
            case "number":
                return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
            case "array":
                return st.lists(
                    self.values(schema["items"]), min_size=schema.get("minItems", 0), max_size=_SHORT
                )
            case "object":
                return self._objects(schema)
        raise NotImplementedError(f"no values for {schema}")

    def _objects(self, schema: Schema) -> st.SearchStrategy[Any]:
        if "properties" not in schema:  # free-form: any JSON object
            return st.dictionaries(st.text(max_size=_SHORT), st.integers(-9, 9), max_size=_SHORT)
        fields = {name: self.values(field) for name, field in schema["properties"].items()}
        required = {name: fields.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(required, optional=fields)

    def mistakes(self, schema: Schema, value: Any, place: str = "$") -> Iterator[str]:
        """Yield what of a value does not fit."""
        schema = self.resolved(schema)
        if "anyOf" in schema:
            if all(any(True for _ in self.mistakes(choice, value, place)) for choice in schema["anyOf"]):
                yield f"{place}: {value!r} fits none of the choices"
            return
        kinds = _TYPES.get(schema.get("type", ""), (object,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds in {(int,), (int, float)}):
            yield f"{place}: {value!r} is no {schema['type']}"
            return
        yield from _wrong_scalar(schema, value, place)
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self.mistakes(schema.get("items", {}), item, f"{place}[{number}]")
        if isinstance(value, dict):
            yield from self._wrong_fields(schema, value, place)

    def _wrong_fields(self, schema: Schema, value: dict[str, Any], place: str) -> Iterator[str]:
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", not known)
        for name in set(schema.get("required", ())) - set(value):
            yield f"{place}: {name} is missing"
        for name, item in value.items():
            if name in known:
                yield from self.mistakes(known[name], item, f"{place}.{name}")
            elif more is False or (more is True and known):
                yield f"{place}: {name} is not documented"
            elif isinstance(more, dict):
                yield from self.mistakes(more, item, f"{place}.{name}")


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    match schema:
        case {"format": "date"}:
            return st.dates(_FIRST.date(), _LAST.date()).map(str)
        case {"format": "date-time"}:
            return st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)).map(datetime.isoformat)
        case {"pattern": pattern}:
            return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)
    return st.text(max_size=min(schema.get("maxLength", 20), 20))


def _wrong_scalar(schema: Schema, value: Any, place: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not one of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place}: {value!r} does not match {schema['pattern']}"
    if ("minimum" in schema and value < schema["minimum"]) or (
        "maximum" in schema and value > schema["maximum"]
    ):
        yield f"{place}: {value!r} is out of range"
    if schema.get("format") == "date-time" and not datetime.fromisoformat(value).tzinfo:
        yield f"{place}: {value!r} has no offset"
