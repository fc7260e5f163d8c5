"""The section `universe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.settings.horizons import HorizonText, complete_horizons, default_horizons
from chartinsightd.settings.section import Section

_PAGE_LONG: Mapping[Timeframe, HorizonText] = {Timeframe.D1: "2y", Timeframe.W1: "5y"}
"""What one answer holds: 600 days, 300 weeks (kiwoom.md#page-sizes)."""


def _complete_universe_horizons(value: object) -> object:
    """One text stands for all timeframes; a table names those that differ from the default."""
    if isinstance(value, Mapping):
        return {**default_horizons(), **_PAGE_LONG, **value}
    return complete_horizons(value)


class UniverseSettings(Section):
    """The stocks that are collected and screened beside the targets, and what is left out of them."""

    enabled: bool = True
    """Off: the targets alone."""
    min_market_cap: Annotated[int, Field(ge=0, le=10**18)] = 100_000_000_000
    """Won, by the morning's stock list; 0: of any size, the whole market."""
    timeframes: tuple[Timeframe, ...] = (Timeframe.D1, Timeframe.W1)
    """Those of the collected timeframes that are collected of them."""
    horizon: Annotated[dict[Timeframe, HorizonText], BeforeValidator(_complete_universe_horizons)] = Field(
        default_factory=lambda: {**default_horizons(), **_PAGE_LONG}
    )
    """How far back each timeframe is kept complete; by default as far as one request reaches."""
    exclude_funds: bool = True
    """ETFs, ETNs, REITs, funds and other issues that are no shares."""
    exclude_spacs: bool = True
    """기업인수목적회사 (스팩)."""
    exclude_preferred: bool = True
    """우선주."""
    exclude_administrative: bool = True
    """관리종목."""
    exclude_halted: bool = True
    """거래정지."""

    @property
    def horizons(self) -> dict[Timeframe, Horizon]:
        """The horizons, parsed."""
        return {timeframe: Horizon.parse(text) for timeframe, text in self.horizon.items()}
