"""The shipped strategies, one module each; `SHIPPED` knows them by id."""

from __future__ import annotations

from collections.abc import Mapping

from chartinsightd.analysis.strategies import (
    bollinger_squeeze,
    double_bottom_completed,
    ma_crossover,
    macd_golden_cross,
    new_high_52w,
    rsi_oversold,
    trend_up,
    volume_surge,
)
from chartinsightd.analysis.strategy import Strategy

_MODULES = (
    macd_golden_cross,
    rsi_oversold,
    bollinger_squeeze,
    ma_crossover,
    new_high_52w,
    volume_surge,
    trend_up,
    double_bottom_completed,
)
SHIPPED: Mapping[str, Strategy] = {module.evaluate.id: module.evaluate for module in _MODULES}
