"""The form that an answer is asked in: a plain subset of JSON Schema that every provider takes.

Bounds are not sent, because some versions of some providers refuse them; `notes.claims` checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chartinsightd.notes.facts import Direction

CLAIMS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "claims": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "symbol": {"type": "string"},
                    "facts": {"type": "array", "items": {"type": "string"}},
                    "direction": {"type": "string", "enum": [*Direction]},
                    "text": {"type": "string"},
                },
                "required": ["symbol", "facts", "direction", "text"],
            },
        }
    },
    "required": ["claims"],
}
"""Facts and direction stand before the text: a model writes in this order, and settles them first."""


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with `additionalProperties: false` at each object, which strict mode demands."""
    closed = {name: _strict(value) for name, value in schema.items()}
    return closed | {"additionalProperties": False} if schema.get("type") == "object" else closed


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return strict(value)
    return value
