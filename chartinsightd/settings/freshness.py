"""The section `freshness`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.settings.section import Section


class FreshnessSettings(Section):
    """How late candles may be before a person should know."""

    target_s: Mapping[Timeframe, Annotated[float, Field(ge=1.0, le=604_800.0)]] = {}
    """By timeframe, seconds of trading time that the latest of the targets may be late; none: no target."""
