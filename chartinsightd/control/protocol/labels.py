"""What people say of stretches of charts."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chartinsightd.control.protocol.paging import Cursor
from chartinsightd.control.protocol.words import (
    MAX_JOB_ID,
    AskedInstant,
    Count,
    Instant,
    Message,
    Request,
    Symbol,
    Symbols,
    Text,
    Timeframes,
    Words,
)
from chartinsightd.domain.timeframe import Timeframe

Verdict = Literal["own", "agree", "disagree", "withdrawn"]
LabelId = Annotated[int, Field(ge=1, le=MAX_JOB_ID)]
MAX_LABELS = 1_000
_MOST_POINTS = 20
_HIGHEST_PRICE = 2**31 - 1
"""Prices are PostgreSQL's integer."""


class LabelPoint(Message):
    """A point that the person marked."""

    ts: Instant
    price: Count
    """Won, as traded on that day."""


class AskedPoint(Request):
    """A point that the person marked."""

    ts: AskedInstant
    price: Annotated[int, Field(ge=1, le=_HIGHEST_PRICE)]
    """Won, as traded on that day."""


class LabelRow(Message):
    """What a person said of a stretch, in one version."""

    id: int
    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    from_ts: Instant
    """Start of the first candle of the stretch."""
    to_ts: Instant
    """Start of its last candle."""
    kind: str
    """A kind of pattern, or a word of the person's."""
    points: tuple[LabelPoint, ...] = ()
    verdict: Verdict
    """`own`: found by the person; `agree`, `disagree`: with a pattern that was found; `withdrawn`."""
    pattern_id: str | None = None
    note: str = ""
    author: str
    created_at: Instant
    seen_until: Instant
    """Start of the last candle that was in sight."""
    hindsight: bool
    """Whether candles after the stretch were in sight."""
    data_id: str
    """The candles at that time."""
    replaces: int | None = None
    """The version before it."""
    replaced_by: int | None = None
    versions: Count = 1
    """How many there are up to this one."""


class LabelRequest(Request):
    """A label to add; with `replaces` as the next version of one."""

    symbol: Symbol
    timeframe: Timeframe
    from_ts: AskedInstant
    to_ts: AskedInstant
    kind: Annotated[Text, Field(min_length=1, max_length=40)]
    points: Annotated[tuple[AskedPoint, ...], Field(max_length=_MOST_POINTS)] = ()
    verdict: Verdict = "own"
    pattern_id: Annotated[Text, Field(max_length=100)] | None = None
    note: Annotated[Text, Field(max_length=2_000)] = ""
    seen_until: AskedInstant
    replaces: LabelId | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.to_ts < self.from_ts or self.seen_until < self.to_ts:
            raise ValueError("from_ts, to_ts and seen_until follow one another")
        if self.verdict in {"agree", "disagree"} and self.pattern_id is None:
            raise ValueError("agree and disagree name the pattern that is meant: pattern_id")
        if self.verdict == "withdrawn" and self.replaces is None:
            raise ValueError("withdrawn names the label that is meant: replaces")
        return self


class LabelQuery(Request):
    """Which labels."""

    symbol: Symbols = ()
    timeframe: Timeframes = ()
    kind: Words = ()
    verdict: Words = ()
    q: Annotated[Text, Field(max_length=50)] = ""
    """Part of the kind, the note, the code or the name."""
    history: bool = False
    """Whether older versions and withdrawn labels come too."""
    as_of: AskedInstant | None = None
    """What was said later is left out."""
    limit: Annotated[int, Field(ge=1, le=MAX_LABELS)] = 200
    cursor: Cursor = ""


class Agreement(Message):
    """How often people agreed with a kind of pattern that was found."""

    kind: str
    n: Count
    agreed: Count
    rate: float | None = None
    """Share of `n`; None where `n` is below 30."""


class LabelList(Message):
    """Labels, the newest first."""

    items: tuple[LabelRow, ...] = ()
    total: Count = 0
    agreement: tuple[Agreement, ...] = ()
    """Of all labels, by kind, whatever else was asked."""
    cursor: str | None = None
