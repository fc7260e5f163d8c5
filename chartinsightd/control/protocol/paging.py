"""Cursors of long answers: opaque to clients, and bound to the question that they belong to."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated

from pydantic import BaseModel, Field

from chartinsightd.domain.errors import ConfigurationError

Cursor = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")]
"""What an answer gave as `cursor`; empty: from the beginning."""
_NOT_PART_OF_THE_QUESTION = {"cursor", "limit"}
_DIGEST_BYTES = 6
_LARGEST = 2**63 - 1


def cursor_after(question: BaseModel, place: int) -> str:
    """Return the cursor that continues a question after a place."""
    return base64.urlsafe_b64encode(_digest(question) + str(place).encode()).decode().rstrip("=")


def place_of(question: BaseModel, cursor: str) -> int | None:
    """Return the place a cursor means; None for an empty one.

    Raises:
        ConfigurationError: it belongs to another question, or is none.
    """
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = int(raw[_DIGEST_BYTES:].decode("ascii"))
    except (ValueError, binascii.Error):
        raw, place = b"", _LARGEST + 1
    if raw[:_DIGEST_BYTES] != _digest(question) or abs(place) > _LARGEST:
        raise ConfigurationError(
            "cursor: it belongs to another question.",
            remedy="Give it back with the parameters of the answer that had it.",
        )
    return place


def _digest(question: BaseModel) -> bytes:
    said = type(question).__name__ + question.model_dump_json(exclude=_NOT_PART_OF_THE_QUESTION)
    return hashlib.sha256(said.encode()).digest()[:_DIGEST_BYTES]
