"""The simulated market behind the broker's simulator: generated, or fed from a folder of real candles."""

from __future__ import annotations

from pathlib import Path

from chartinsightd.simulator.market.csvdata import FolderRefused
from chartinsightd.simulator.market.engine import SimulatedMarket
from chartinsightd.simulator.market.folder import FolderSource
from chartinsightd.simulator.market.generator import GeneratedSource
from chartinsightd.simulator.market.options import MarketOptions
from chartinsightd.simulator.market.venues import VenueMarket

__all__ = [
    "FolderRefused",
    "MarketOptions",
    "SimulatedMarket",
    "VenueMarket",
    "create_from_folder",
    "create_generated",
]


def create_generated(seed: int, symbols: int, options: MarketOptions | None = None) -> SimulatedMarket:
    """Return a market that is a pure function of (seed, symbol, time).

    Args:
        seed: another seed, another market.
        symbols: how many issues, listed or not at a given moment; the thirty targets come first.
        options: the reading of what is unknown; default: kiwoom.md#disagreements.
    """
    stand = options or MarketOptions()
    return SimulatedMarket(GeneratedSource(seed, symbols, stand), stand)


def create_from_folder(path: Path, options: MarketOptions | None = None) -> SimulatedMarket:
    """Return a market of the real candles in a folder (layouts: `csvdata.Layout`; choices: `FolderSource`).

    Raises:
        FolderRefused: there is no such folder, no candle in it, or a row that cannot be read.
    """
    stand = options or MarketOptions()
    return SimulatedMarket(FolderSource(path, stand), stand)
