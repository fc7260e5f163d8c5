"""The section `live`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.settings.section import Section


class LiveSettings(Section):
    """Forming candles from Kiwoom's live stream of trades."""

    enabled: bool = True
    """Off: candles come from polls alone."""
    most_symbols: Annotated[int, Field(ge=1, le=1_000)] = 95
    """Stocks registered at most: the watchlist's first, then the targets. Reports name 100 a connection, some
    40; what Kiwoom refuses is left to polls (kiwoom.md#websocket-registration)."""
