"""What can be seen in candles: structure, trend, patterns, indicators, strategies, screens, statistics.

Pure: candles in, values out. The four names below are all that a strategy of the user imports.
"""

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.strategy import Needs, Signals, strategy

__all__ = ["Candles", "Needs", "Signals", "strategy"]
