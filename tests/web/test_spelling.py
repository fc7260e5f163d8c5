"""Times in answers of the listener."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter

from chartinsightd.control.protocol.radar import ChartPatternEvent, ChartPatternPoint
from chartinsightd.control.protocol.words import Message
from chartinsightd.web.spelling import fields_of, is_instant


def kinds(of: type[BaseModel]) -> Iterator[type[Any]]:
    """Every message, and the parts of a chart that are none."""
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_the_types_name_the_same_instants_as_the_published_schema() -> None:
    """Each field of each message gets its Korean time exactly where the OpenAPI document has it."""
    every = [*kinds(Message), ChartPatternEvent, ChartPatternPoint]
    for kind in every:
        fields = TypeAdapter(kind).json_schema(mode="serialization", by_alias=False)["properties"]
        assert fields_of(kind) == tuple((name, is_instant(field)) for name, field in fields.items()), kind
    assert any(is_time for kind in every for _, is_time in fields_of(kind))
