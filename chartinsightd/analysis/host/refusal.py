"""Why a strategy is not used."""

from __future__ import annotations

from enum import StrEnum

from chartinsightd.domain.errors import ChartInsightError


class Check(StrEnum):
    """What is proved of a strategy when it is loaded."""

    SOURCE = "source"
    """It is Python, imports what computes alone, and defines one strategy."""
    INTERFACE = "interface"
    """Its parameters have defaults and a schema, and `needs` answers."""
    FAILS = "fails"
    """It raises nothing."""
    SHAPE = "shape"
    """It gives one value a candle, and every figure with its unit."""
    MUTATION = "mutation"
    """It leaves candles and parameters as they were."""
    DETERMINISM = "determinism"
    """It gives the same twice, also after other parameters."""
    LOOK_AHEAD = "look_ahead"
    """What it says of a candle does not depend on later ones."""
    WARM_UP = "warm_up"
    """The candles that it asks for suffice."""
    SCALE = "scale"
    """A split changes nothing."""


class StrategyRefused(ChartInsightError):
    """A strategy that did not pass; the others go on.

    Args:
        check: what it did not pass.
        message: what was found.
        remedy: what its author may do.
    """

    def __init__(self, check: Check, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.check = check
