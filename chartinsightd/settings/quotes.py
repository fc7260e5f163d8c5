"""The section `quotes`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.settings.section import Section


class QuoteSettings(Section):
    """Latest prices of the stocks that the live stream does not give."""

    enabled: bool = True
    """Off: only stocks of the live stream have a price that moves; the others show their last candle."""
    every_s: Annotated[float, Field(ge=1.0, le=3_600.0)] = 15.0
    """Seconds from round to round. A request asks for a hundred stocks, so the whole market costs 27."""
