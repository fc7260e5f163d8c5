"""The section `venues`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, model_validator

from chartinsightd.domain.venue import OTHER_VENUES, Venue
from chartinsightd.settings.collect import Symbol
from chartinsightd.settings.section import Section


def _named(value: object) -> object:
    """Take names in any case; what is none of ours is left to be refused."""
    return value.upper() if isinstance(value, str) else value


class VenueSettings(Section):
    """What is collected beside KRX: NXT, and both exchanges together."""

    collect: tuple[Annotated[Venue, BeforeValidator(_named)], ...] = ()
    """`NXT`, `UNIFIED`; empty: KRX alone."""
    symbols: tuple[Symbol, ...] = ()
    """Targets that are collected there; empty: all of them. What is not traded on NXT is left out of NXT."""
    universe: bool = False
    """Whether the universe's stocks are collected there too, in their timeframes."""

    @model_validator(mode="after")
    def _krx_is_always_collected(self) -> Self:
        if Venue.KRX in self.collect:
            raise ValueError("KRX is always collected: name NXT or UNIFIED")
        return self

    @property
    def wanted(self) -> tuple[Venue, ...]:
        """The venues, each once; NXT before what it is a part of."""
        return tuple(venue for venue in OTHER_VENUES if venue in self.collect)
