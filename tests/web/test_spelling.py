"""Times in answers of the listener."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from chartinsightd.control.protocol.radar import ChartLevel, ChartPatternEvent, ChartPatternPoint
from chartinsightd.control.protocol.words import Message
from chartinsightd.web.spelling import Holds, fields_of, is_instant, spelled


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
        found = {name: holds is Holds.INSTANT for name, holds in fields_of(kind)}
        assert found == {name: is_instant(field) for name, field in fields.items()}, kind
    assert any(holds is Holds.INSTANT for kind in every for _, holds in fields_of(kind))


def test_values_of_every_kind_are_spelled() -> None:
    """Plain values stay, instants get both forms, and what lies in tuples and mappings is found."""
    at = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    point = ChartPatternPoint("neck", at, 100)
    level = {"neckline": ChartLevel(100.5, None)}
    event = ChartPatternEvent(state="forming", at=at, confirmed_at=at, points=(point,), levels=level)
    both = {"at": 1_795_156_200, "at_kst": "2026-11-20T15:30:00+09:00"}
    assert spelled(event) == {
        "state": "forming",
        **both,
        **{f"confirmed_{name}": value for name, value in both.items()},
        "points": [
            {"role": "neck", "ts": both["at"], "ts_kst": both["at_kst"], "price": 100, "y": None},
        ],
        "levels": {"neckline": {"price": 100.5, "y": None}},
        "evidence": {},
    }
