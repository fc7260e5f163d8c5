"""The section `analysis`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.settings.section import Section


class AnalysisSettings(Section):
    """Points, trends and patterns of what is collected."""

    enabled: bool = True
    """Off: series are analysed only on order; what was found stays readable."""
    timeframes: tuple[Timeframe, ...] = ()
    """Those of the collected timeframes that are analysed; empty: all."""
    guard_minutes: Annotated[int, Field(ge=1, le=720)] = 50
    """A run stops after this long and continues at the next look."""
