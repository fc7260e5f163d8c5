"""What does not change while the daemon runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chartinsightd.domain.timeframe import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What does not change while the daemon runs."""

    version: str
    mode: Literal["live", "simulation"]
    environment: Literal["real", "paper"]
    database: Literal["embedded", "external"]
    pace: int
    """Requests a second and api-id, as configured."""
    timeframes: tuple[Timeframe, ...]
    started_at: datetime
