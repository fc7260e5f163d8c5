"""The words and bounds that all messages share."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

API_VERSION = 1
"""Counts up when an old client could misread a new answer; the paths begin with `/v1`."""
MAX_SYMBOLS = 4_000
"""Symbols that one request may name: more than are listed in both markets."""
MAX_ROWS = 10_000
"""Rows that one answer may hold where a request sets a limit."""
MAX_TEXT_ROWS = 20_000
"""Candles that one answer may hold as text: about 1.5 MB."""
MAX_JOB_ID = 2**63 - 1
"""Job ids are PostgreSQL's bigint."""

_When = TypeVar("_When", bound=date)
_FIRST_YEAR = 1956
"""The Korea Exchange opened on 1956-03-03."""
_LAST_YEAR = 2100
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso_only(value: object) -> object:
    """Refuse the numbers that pydantic would take for seconds since 1970."""
    if isinstance(value, str) and _ISO.match(value):
        return value
    if isinstance(value, date):
        return value
    raise ValueError("not ISO 8601, such as 2026-09-14 or 2026-09-14T00:00:00Z")


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("too far away to be shown in UTC") from None


def _of_our_time(value: _When) -> _When:
    """Refuse years that no calendar here reaches, before arithmetic with them overflows."""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


def _without_nul(value: str) -> str:
    """Refuse what PostgreSQL cannot hold in a text, before it is asked for it."""
    if "\0" in value:
        raise ValueError("holds a NUL character")
    return value


def _krx_alone(venue: Venue) -> Venue:
    """Refuse another venue, rather than answer with what was found at KRX."""
    if venue is not Venue.KRX:
        raise ValueError(
            "points, patterns, screens and statistics are found in candles of KRX alone: leave venue out; "
            f"/v1/candles has those of {venue}"
        )
    return venue


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""Aware, UTC. Any offset is understood, `Z` is written."""
Day = date
"""A Korean date."""
AskedInstant = Annotated[Instant, BeforeValidator(_iso_only), AfterValidator(_of_our_time)]
"""An instant in a request, where it may be anything; answers are trusted, they hold too many."""
AskedDay = Annotated[Day, BeforeValidator(_iso_only), AfterValidator(_of_our_time)]
"""A day in a request."""
Symbol = Annotated[str, Field(pattern=r"^[0-9A-Z]{6}$", examples=["005930"])]
"""A Kiwoom stock code."""
Symbols = Annotated[tuple[Symbol, ...], Field(max_length=MAX_SYMBOLS)]
Timeframes = Annotated[tuple[Timeframe, ...], Field(max_length=len(Timeframe))]
VenueName = Annotated[Venue, BeforeValidator(lambda name: name.upper() if isinstance(name, str) else name)]
"""A venue, its name in any case."""
AnalysedVenue = Annotated[VenueName, AfterValidator(_krx_alone)]
"""KRX: candles of another venue are not analysed, and a question about them is refused."""
Text = Annotated[str, AfterValidator(_without_nul)]
Words = Annotated[tuple[Annotated[Text, Field(max_length=100)], ...], Field(max_length=50)]
Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0.0)]
Limit = Annotated[int, Field(ge=1, le=MAX_ROWS)]


class Message(BaseModel):
    """An answer, or a part of one: frozen; fields this side does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Request(BaseModel):
    """Something asked: frozen; a field the daemon does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Nothing(Request):
    """No parameters."""
