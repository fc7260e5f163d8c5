"""Volume: OBV, and volume against the candles before."""

from __future__ import annotations

from typing import cast

import numpy as np

from chartinsightd.analysis.indicators.averages import Floats, ratio, shifted, sma


def obv(close: Floats, volume: Floats) -> Floats:
    """Return the running sum of volume, added on a rise and taken off on a fall; it begins at 0.

    Only its changes mean something: its level depends on where the series begins.
    """
    signs = np.sign(np.diff(close, prepend=close[:1]))
    return cast(Floats, np.cumsum(signs * volume))


def relative_volume(volume: Floats, length: int) -> Floats:
    """Return volume over the mean of the `length` candles before; NaN where those had none."""
    return ratio(volume, shifted(sma(volume, length)))
