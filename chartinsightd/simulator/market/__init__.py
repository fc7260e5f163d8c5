"""The simulated market behind the broker's simulator: generated, or fed from a folder of real candles."""

from __future__ import annotations

from chartinsightd.simulator.market.engine import SimulatedMarket
from chartinsightd.simulator.market.generator import GeneratedSource
from chartinsightd.simulator.market.options import MarketOptions

__all__ = ["MarketOptions", "SimulatedMarket", "create_generated"]


def create_generated(seed: int, symbols: int, options: MarketOptions | None = None) -> SimulatedMarket:
    """Return a market that is a pure function of (seed, symbol, time).

    Args:
        seed: another seed, another market.
        symbols: how many issues, listed or not at a given moment; the thirty targets come first.
        options: the stand on what nobody knows; default: API.md section 13.
    """
    stand = options or MarketOptions()
    return SimulatedMarket(GeneratedSource(seed, symbols, stand), stand)
