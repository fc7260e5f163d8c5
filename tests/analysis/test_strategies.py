"""Shipped strategies against an independent computation in plain Python."""

from __future__ import annotations

import math
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, settings

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.analysis.strategy import Signals, Strategy
from tests.analysis.made_up import Prices, candles, shapes, walk
from tests.analysis.test_indicators import ema, sma, smoothed
from tests.analysis.test_trend import plain_trends

SEEDS = pytest.mark.parametrize("seed", range(6))
NAN = math.nan


def series(seed: int, length: int = 420) -> Candles:
    """Return a walk with volumes that surge now and then."""
    random = np.random.default_rng(seed)
    volume = random.integers(500, 1_500, length) * np.where(random.random(length) < 0.05, 5, 1)
    return candles(walk(seed, length), volume=volume.tolist())


def said(name: str, candles_: Candles, **params: float) -> Signals:
    """Return what a shipped strategy says."""
    strategy = SHIPPED[name]
    return strategy(candles_, strategy.params(**params))


def hits(signals: Signals) -> list[int]:
    """Return the candles of the hits."""
    return np.flatnonzero(signals.hit).tolist()


def crossings(line: list[float], other: list[float]) -> list[int]:
    """Return where one line comes to lie over another."""
    return [i for i in range(1, len(line)) if line[i - 1] <= other[i - 1] and line[i] > other[i]]


@SEEDS
def test_macd_golden_cross(seed: int) -> None:
    """A hit where the line crosses its signal upwards; figures are shares of the close."""
    data = series(seed)
    closes = data.close.tolist()
    line = [fast - slow for fast, slow in zip(ema(closes, 12), ema(closes, 26), strict=True)]
    signal = ema(line, 9)
    found = said("macd_golden_cross", data)
    expected = crossings(line, signal)
    assert expected
    assert hits(found) == expected
    assert found.score is not None
    i = expected[-1]
    assert found.score[i] == pytest.approx(100 * (line[i] - signal[i]) / closes[i])
    shares, unit = found.evidence["macd"]
    assert list(shares) == pytest.approx(
        [100 * a / b for a, b in zip(line, closes, strict=True)], nan_ok=True
    )
    assert unit == "%"
    under = said("macd_golden_cross", data, below_zero=True)
    assert hits(under) == [i for i in expected if line[i] < 0]


@SEEDS
def test_rsi_oversold(seed: int) -> None:
    """A hit on each candle with RSI under 30."""
    data = series(seed)
    closes = data.close.tolist()
    changes = [NAN, *np.diff(closes).tolist()]
    gains = smoothed([max(0, one) if one == one else NAN for one in changes], 14, 1 / 14)
    losses = smoothed([max(0, -one) if one == one else NAN for one in changes], 14, 1 / 14)
    rsi = [100 * gain / (gain + loss) for gain, loss in zip(gains, losses, strict=True)]
    found = said("rsi_oversold", data)
    assert hits(found) == [i for i, value in enumerate(rsi) if value < 30]
    values, unit = found.evidence["rsi"]
    assert list(values) == pytest.approx(rsi, nan_ok=True)
    assert unit == "0-100"


@SEEDS
def test_bollinger_squeeze(seed: int) -> None:
    """A hit where the bands are narrower than on any of the 120 candles before."""
    data = series(seed)
    closes = data.close.tolist()
    widths = [NAN] * 19 + [
        4 * pstdev(closes[i - 19 : i + 1]) / fmean(closes[i - 19 : i + 1]) for i in range(19, len(closes))
    ]
    expected = [i for i in range(139, len(closes)) if widths[i] < min(widths[i - 120 : i])]
    assert hits(said("bollinger_squeeze", data)) == expected


@SEEDS
def test_ma_crossover(seed: int) -> None:
    """A hit where the mean of 20 crosses the mean of 60 upwards."""
    data = series(seed)
    closes = data.close.tolist()
    assert hits(said("ma_crossover", data)) == crossings(sma(closes, 20), sma(closes, 60))


@SEEDS
def test_new_high_52w(seed: int) -> None:
    """A hit where the close is over all highs of the 250 candles before."""
    data = series(seed)
    highs, closes = data.high.tolist(), data.close.tolist()
    expected = [i for i in range(250, len(closes)) if closes[i] > max(highs[i - 250 : i])]
    found = said("new_high_52w", data)
    assert hits(found) == expected
    for i in expected:
        assert found.evidence["high_before"][0][i] == max(highs[i - 250 : i])


@SEEDS
def test_volume_surge(seed: int) -> None:
    """A hit on a rise with three times the mean volume of the 20 candles before."""
    data = series(seed)
    closes, volumes = data.close.tolist(), data.volume.tolist()
    expected = [
        i
        for i in range(20, len(closes))
        if volumes[i] >= 3 * fmean(volumes[i - 20 : i]) and closes[i] > closes[i - 1]
    ]
    assert expected
    assert hits(said("volume_surge", data)) == expected


@SEEDS
def test_trend_up(seed: int) -> None:
    """A hit from the candle that begins an upward trend to the one before its end; the age counts from 1."""
    prices = walk(seed, 300)
    now, expected, changes = "sideways", [], dict(plain_trends(prices))
    for i in range(len(prices)):
        now = changes.get(i, now)
        expected.append(now == "up")
    found = said("trend_up", candles(prices))
    assert found.hit.tolist() == expected
    begins = [i for i, trend in changes.items() if trend == "up"]
    ages, unit = found.evidence["age"]
    assert unit == "candles"
    assert [ages[i] for i in begins] == [1.0] * len(begins)


def test_double_bottom_completed() -> None:
    """A hit on each candle that completes a double bottom, and nowhere else."""
    total = 0
    for seed in range(20):
        data = series(seed)
        expected = [
            event.known
            for event in data.structure.learned.patterns
            if (event.kind, event.state) == ("double_bottom", "completed")
        ]
        assert hits(said("double_bottom_completed", data)) == sorted(set(expected))
        total += len(expected)
    assert total > 3


@pytest.mark.parametrize("strategy", SHIPPED.values(), ids=lambda one: one.id)
@settings(max_examples=25)
@given(prices=shapes())
def test_no_shape_of_candles_fails(strategy: Strategy, prices: list[Prices]) -> None:
    """Halts, one-price candles and short series give an answer of their length, and no hit without a
    figure."""
    signals = strategy(candles(prices))
    assert signals.hit.dtype == np.bool_
    assert len(signals.hit) == len(prices)


@pytest.mark.parametrize("strategy", SHIPPED.values(), ids=lambda one: one.id)
def test_every_figure_has_a_unit(strategy: Strategy) -> None:
    """Evidence says in what it is measured, with the same names on every series."""
    evidence = strategy(series(1)).evidence
    assert evidence
    assert all(unit in {"%", "won", "0-100", "times", "candles", "atr"} for _, unit in evidence.values())
