"""The section `collect`."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.targets import TARGETS
from chartinsightd.settings.horizons import HorizonText, complete_horizons, default_horizons
from chartinsightd.settings.section import Section, UsablePath

_SYMBOL = re.compile(r"[0-9A-Z]{6}")


def _checked_symbol(symbol: str) -> str:
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(
            f"{symbol!r} is not a Kiwoom stock code: six digits or capital letters, such as 005930"
        )
    return symbol


Symbol = Annotated[str, AfterValidator(_checked_symbol)]


class CollectSettings(Section):
    """What is collected."""

    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    symbols: tuple[Symbol, ...] = tuple(TARGETS)
    """The targets: collected in all timeframes; default: the thirty target stocks."""
    fold: tuple[Literal[Timeframe.M30, Timeframe.H1], ...] = ()
    """Timeframes built from final 5m candles during the day instead of polled."""
    horizon: Annotated[dict[Timeframe, HorizonText], BeforeValidator(complete_horizons)] = Field(
        default_factory=default_horizons
    )
    """How far back each timeframe is kept complete: `20d`, `6m`, `1y`, `max` (what Kiwoom serves)."""
    poll_delay_s: Annotated[float, Field(ge=0, le=240)] = 5.0
    """How long after a candle's close it is read."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How long after its close a candle must have been read to be final (kiwoom.md#candle-in-progress)."""
    spool_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """MiB of pages that may wait on disk while PostgreSQL is away; a quarter is kept for live polls."""
    calendar_overrides: UsablePath | None = None
    """A TOML file of trading days and hours that correct the built-in calendar."""

    @model_validator(mode="after")
    def _folds_need_five_minutes(self) -> Self:
        if self.fold and Timeframe.M5 not in self.timeframes:
            raise ValueError("fold needs 5m among the timeframes")
        if stray := set(self.fold) - set(self.timeframes):
            raise ValueError(f"fold names timeframes that are not collected: {', '.join(sorted(stray))}")
        return self

    @property
    def horizons(self) -> dict[Timeframe, Horizon]:
        """The horizons, parsed."""
        return {timeframe: Horizon.parse(text) for timeframe, text in self.horizon.items()}
