"""Indicators against their definitions in plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.indicators.registry import INDICATORS, Indicator, Indicators
from tests.analysis.made_up import candles, walk

Values = list[float]
NAN = math.nan
SERIES = st.builds(
    lambda seed, length: candles(walk(seed, length), volume=_volumes(seed, length)),
    st.integers(0, 2**32),
    st.integers(0, 90),
)
LENGTHS = st.integers(1, 12)
EVERY = pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda one: one.name)


def _volumes(seed: int, length: int) -> list[int]:
    return [int(one) for one in np.random.default_rng(seed).integers(0, 10**6, length)]


def same(found: np.ndarray, expected: Values, scale: float = 1.0) -> None:
    """Assert that a column holds these values, NaN in the same places."""
    np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-9, atol=1e-9 * scale)


def sma(values: Values, length: int) -> Values:
    """Mean of the last values."""
    return [fmean(values[i + 1 - length : i + 1]) if i + 1 >= length else NAN for i in range(len(values))]


def smoothed(values: Values, length: int, weight: float) -> Values:
    """Recursive mean, begun with the plain mean of the first known values."""
    result, known = [NAN] * len(values), [i for i, value in enumerate(values) if not math.isnan(value)]
    if len(known) >= length:
        at = known[length - 1]
        result[at] = fmean(values[i] for i in known[:length])
        for i in range(at + 1, len(values)):
            result[i] = result[i - 1] * (1 - weight) + values[i] * weight
    return result


def ema(values: Values, length: int) -> Values:
    """Exponential mean."""
    return smoothed(values, length, 2 / (length + 1))


def true_ranges(series: Candles) -> Values:
    """Range of each candle with the close before."""
    closes = [series.close[:1].tolist()[0], *series.close[:-1].tolist()] if len(series) else []
    return [
        max(high, before) - min(low, before)
        for high, low, before in zip(series.high.tolist(), series.low.tolist(), closes, strict=True)
    ]


@given(SERIES, LENGTHS)
def test_means(series: Candles, length: int) -> None:
    """SMA and EMA are what their formulas say."""
    closes = series.close.tolist()
    same(series.ind.sma(length), sma(closes, length))
    same(series.ind.ema(length), ema(closes, length))


@given(SERIES, LENGTHS)
def test_rsi(series: Candles, length: int) -> None:
    """RSI is 100 - 100 / (1 + RS) of Wilder's means of gains and losses."""
    closes = series.close.tolist()
    changes = [NAN, *(now - before for before, now in pairwise(closes))][: len(closes)]
    gains = smoothed([max(0, one) if one == one else NAN for one in changes], length, 1 / length)
    losses = smoothed([max(0, -one) if one == one else NAN for one in changes], length, 1 / length)
    expected = [
        NAN
        if gain != gain
        else 50.0
        if gain == loss == 0
        else 100.0
        if loss == 0
        else 100 - 100 / (1 + gain / loss)
        for gain, loss in zip(gains, losses, strict=True)
    ]
    same(series.ind.rsi(length), expected, 100)


@given(SERIES, LENGTHS, LENGTHS, LENGTHS)
def test_macd(series: Candles, fast: int, slow: int, signal: int) -> None:
    """MACD is the difference of two means, its mean, and their difference."""
    closes = series.close.tolist()
    line = [one - other for one, other in zip(ema(closes, fast), ema(closes, slow), strict=True)]
    mean = ema(line, signal)
    found = series.ind.macd(fast, slow, signal)
    same(found.line, line, 50_000)
    same(found.signal, mean, 50_000)
    same(found.histogram, [one - other for one, other in zip(line, mean, strict=True)], 50_000)


@given(SERIES, LENGTHS, st.sampled_from((1.0, 2.0, 2.5)))
def test_bollinger(series: Candles, length: int, deviations: float) -> None:
    """The bands lie as many population deviations from the mean; the width is their share of it."""
    closes = series.close.tolist()
    middle = sma(closes, length)
    spread = [
        deviations * pstdev(closes[i + 1 - length : i + 1]) if i + 1 >= length else NAN
        for i in range(len(closes))
    ]
    found = series.ind.bollinger(length, deviations)
    same(found.upper, [one + off for one, off in zip(middle, spread, strict=True)])
    same(found.lower, [one - off for one, off in zip(middle, spread, strict=True)])
    same(found.width, [2 * off / one for one, off in zip(middle, spread, strict=True)])


@given(SERIES, LENGTHS)
def test_atr(series: Candles, length: int) -> None:
    """ATR is Wilder's mean of the true range."""
    same(series.ind.atr(length), smoothed(true_ranges(series), length, 1 / length))


@given(SERIES, LENGTHS)
def test_adx(series: Candles, length: int) -> None:
    """ADX is Wilder's mean of how far +DI and -DI are apart."""
    highs, lows = series.high.tolist(), series.low.tolist()
    ups = [NAN, *(now - before for before, now in pairwise(highs))][: len(highs)]
    downs = [NAN, *(before - now for before, now in pairwise(lows))][: len(lows)]
    pairs = list(zip(ups, downs, strict=True))
    plus = [NAN if up != up else up if up > down and up > 0 else 0.0 for up, down in pairs]
    minus = [NAN if up != up else down if down > up and down > 0 else 0.0 for up, down in pairs]
    span = smoothed([NAN, *true_ranges(series)[1:]][: len(highs)], length, 1 / length)
    shares = [
        [
            NAN if whole != whole else 100 * part / whole if whole else 0.0
            for part, whole in zip(one, span, strict=True)
        ]
        for one in (smoothed(plus, length, 1 / length), smoothed(minus, length, 1 / length))
    ]
    strength = [
        NAN if one != one else 100 * abs(one - other) / (one + other) if one + other else 0.0
        for one, other in zip(*shares, strict=True)
    ]
    found = series.ind.adx(length)
    same(found.plus, shares[0], 100)
    same(found.minus, shares[1], 100)
    same(found.adx, smoothed(strength, length, 1 / length), 100)


@given(SERIES, LENGTHS, st.integers(1, 4), st.integers(1, 4))
def test_stochastic(series: Candles, length: int, smooth: int, signal: int) -> None:
    """%K is where the close lies between lowest and highest, averaged; %D is its mean."""
    rows = list(series)
    raw = []
    for i, row in enumerate(rows):
        last = rows[max(0, i + 1 - length) : i + 1]
        top, bottom = max(one.high for one in last), min(one.low for one in last)
        position = 50.0 if top == bottom else 100 * (row.close - bottom) / (top - bottom)
        raw.append(position if i + 1 >= length else NAN)
    k = sma(raw, smooth)
    found = series.ind.stochastic(length, smooth, signal)
    same(found.k, k, 100)
    same(found.d, sma(k, signal), 100)


@given(SERIES, LENGTHS)
def test_volume(series: Candles, length: int) -> None:
    """OBV adds volume on a rise and takes it off on a fall; relative volume compares with the candles
    before."""
    closes, volumes, total, obv = series.close.tolist(), series.volume.tolist(), 0.0, []
    for i, volume in enumerate(volumes):
        change = closes[i] - closes[i - 1] if i else 0.0
        total += volume if change > 0 else -volume if change < 0 else 0.0
        obv.append(total)
    same(series.ind.obv(), obv)
    means = [NAN, *sma(volumes, length)][: len(volumes)]
    same(
        series.ind.relative_volume(length),
        [
            NAN if not mean or mean != mean else volume / mean
            for volume, mean in zip(volumes, means, strict=True)
        ],
    )


@given(SERIES, LENGTHS)
def test_extremes(series: Candles, length: int) -> None:
    """Highest and lowest look at the candle in hand and those before it."""
    highs, lows = series.high.tolist(), series.low.tolist()
    spans = [slice(i + 1 - length, i + 1) if i + 1 >= length else None for i in range(len(highs))]
    same(series.ind.highest(length), [NAN if span is None else max(highs[span]) for span in spans])
    same(series.ind.lowest(length), [NAN if span is None else min(lows[span]) for span in spans])


@EVERY
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 300))
def test_a_prefix_gives_the_same_bits(indicator: Indicator, seed: int, cut: int) -> None:
    """No indicator looks ahead, and none computes earlier values otherwise because more follow."""
    series = candles(walk(seed, 300), volume=_volumes(seed, 300))
    whole, part = (Indicators(one).compute(indicator.name) for one in (series, series.part(slice(0, cut))))
    for line, values in part.items():
        assert values.tobytes() == whole[line][:cut].tobytes()


@EVERY
def test_the_first_value_is_where_the_registry_says(indicator: Indicator) -> None:
    """NaN stands before the first value and nowhere after it."""
    series = candles(walk(7, 400), volume=[1 + one for one in _volumes(7, 400)])
    first = indicator.first(**indicator.parameters)
    unknown = [np.isnan(values) for values in series.ind.compute(indicator.name).values()]
    assert all(one[first:].sum() == 0 for one in unknown)
    assert max(int(one.sum()) for one in unknown) == first


@pytest.mark.parametrize(
    "indicator", [one for one in INDICATORS.values() if one.name != "obv"], ids=lambda one: one.name
)
@pytest.mark.parametrize("seed", range(5))
def test_the_warm_up_suffices(indicator: Indicator, seed: int) -> None:
    """After its warm-up a value is that of a much longer series, to a thousandth of the price, index or
    count."""
    series = candles(walk(seed, 700), volume=[1 + one for one in _volumes(seed, 700)])
    count = indicator.warmup(**indicator.parameters) + 1
    long, short = (
        Indicators(one).compute(indicator.name) for one in (series, series.part(slice(-count, None)))
    )
    for line, unit in indicator.outputs.items():
        scale = {"price": series.close[-1], "0-100": 100.0}.get(unit, 1.0)
        assert abs(long[line][-1] - short[line][-1]) <= 1e-3 * scale


def test_an_indicator_is_computed_once() -> None:
    """Two strategies that ask for the same line get the same read-only array."""
    series = candles(walk(1, 60))
    assert series.ind.sma(20) is series.ind.sma(20)
    assert series.ind.compute("sma")["sma"] is series.ind.sma(20)
    assert not series.ind.sma(20).flags.writeable


def test_unknown_names_are_refused() -> None:
    """A misspelt indicator or parameter is an error, not a default."""
    indicators = candles(walk(1, 60)).ind
    with pytest.raises(KeyError):
        indicators.compute("smaa")
    with pytest.raises(TypeError, match="lenght"):
        indicators.compute("sma", lenght=3)


def test_registry_and_shortcuts_agree() -> None:
    """Each indicator of the registry has a method of its name, and none is missing in the registry."""
    methods: dict[str, Callable[..., object]] = {
        name: getattr(Indicators, name) for name in vars(Indicators) if not name.startswith("_")
    }
    assert set(methods) - {"compute", "crossed_above", "highest_of", "lowest_of"} == set(INDICATORS)
