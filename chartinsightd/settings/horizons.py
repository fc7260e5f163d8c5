"""How far back each timeframe is kept complete, as a person writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.timeframe import Timeframe


def _checked_horizon(text: str) -> str:
    try:
        Horizon.parse(text)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return text


HorizonText = Annotated[str, AfterValidator(_checked_horizon)]


def default_horizons() -> dict[Timeframe, HorizonText]:
    """Return `max` for every timeframe."""
    return dict.fromkeys(Timeframe, "max")


def complete_horizons(value: object) -> object:
    """One text stands for all timeframes; a table names those that differ from `max`."""
    if isinstance(value, str):
        return dict.fromkeys(Timeframe, value)
    if isinstance(value, Mapping):
        return {**default_horizons(), **value}
    return value
