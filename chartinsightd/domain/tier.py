"""How often, and how far back, a symbol is collected."""

from enum import StrEnum


class Tier(StrEnum):
    """What a symbol is to the user."""

    TARGET = "target"
    """Named by the user: read at each close, in all timeframes."""
    UNIVERSE = "universe"
    """Chosen by its market cap: read each evening and each morning."""
