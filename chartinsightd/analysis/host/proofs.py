"""What is proved of a strategy before it is used, on series made up for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from chartinsightd.analysis.candles import Candles, Floats
from chartinsightd.analysis.host.proof_series import proof_series
from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.strategy import Needs, Signals, Strategy, shape_fault

SEEDS = (1, 2, 3)
CUTS = 30
"""Prefixes that are tried evenly over a series, and as many again right after hits."""
LONGEST_NEED = 2_000
"""Candles that a strategy may ask for."""
SPLITS = (2.0**-10, 2.0**10)
"""Powers of two: prices are multiplied exactly, so that no rounding can be taken for a fault."""
_SAME = 1e-9
"""Relative difference that the order of additions explains."""
_FORGOTTEN = 1e-3
"""Share of a column's spread that the beginning of a series may still move after the warm-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A strategy that passed with its default parameters."""

    strategy: Strategy
    needs: Needs


def prove(strategy: Strategy) -> Proved:
    """Return a strategy that may be used.

    Raises:
        StrategyRefused: with the first check that it did not pass, and what was found.
    """
    params, needs = _interface(strategy)
    timeframe = min(strategy.timeframes)
    length = max(600, 3 * needs.candles)
    for seed in SEEDS:
        series = proof_series(seed, length, timeframe)
        trial = _Trial(strategy=strategy, params=params, needs=needs, series=series)
        for check in (trial.repeated, trial.prefixes, trial.starts, trial.splits):
            check()
    return Proved(strategy=strategy, needs=needs)


def _interface(strategy: Strategy) -> tuple[BaseModel, Needs]:
    """Return the default parameters and what the strategy needs with them."""
    who = strategy.id
    if not who.isascii() or not who.replace("_", "").isalnum() or who.lower() != who:
        raise StrategyRefused(Check.INTERFACE, f"The id {who!r} is not lower case letters, digits and _.")
    try:
        params = strategy.params()
        strategy.params.model_json_schema()
        needs = strategy.needs(params)
    except Exception as error:
        raise StrategyRefused(
            Check.INTERFACE,
            f"{who}: {type(error).__name__}: {error}",
            remedy="Give every parameter a default, and define needs(params) -> Needs beside the strategy.",
        ) from error
    if not isinstance(needs, Needs) or min(needs.bars, needs.warmup + 1) < 1 or needs.candles > LONGEST_NEED:
        raise StrategyRefused(
            Check.INTERFACE, f"{who}: needs() gives {needs!r}.", remedy=f"At most {LONGEST_NEED} candles."
        )
    if not strategy.timeframes or not strategy.params.model_config.get("frozen"):
        raise StrategyRefused(Check.INTERFACE, f"{who}: no timeframes, or parameters that are not frozen.")
    return params, needs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A strategy on one series."""

    strategy: Strategy
    params: BaseModel
    needs: Needs
    series: Candles

    def repeated(self) -> None:
        """Prove that nothing is changed, and that the same is said twice, also after other parameters."""
        before = _bytes(self.series)
        first = self.signals(self.series)
        if _bytes(self.series) != before:
            raise self._refusal(Check.MUTATION, "changes the candles that it is given")
        for other in [self.params, *_others(self.params)]:
            self.signals(self.series, other)
            if self.params != self.strategy.params():
                raise self._refusal(Check.MUTATION, "changes its parameters")
            if (found := _difference(first, self.signals(self._copy()), 0.0)) is not None:
                raise self._refusal(Check.DETERMINISM, f"says other than before of the same candles: {found}")

    def prefixes(self) -> None:
        """Prove that later candles change nothing."""
        whole = self.signals(self.series)
        for cut in _cuts(whole.hit, self.needs.candles):
            part = self.signals(self.series.part(slice(0, cut)))
            if (found := _difference(_first(whole, cut), part, _SAME)) is not None:
                raise self._refusal(
                    Check.LOOK_AHEAD, f"says other when the series ends at candle {cut}: {found}"
                )

    def starts(self) -> None:
        """Prove that the warm-up suffices: all candles before it change nothing that matters."""
        count = self.needs.candles
        whole = self.signals(self.series)
        known = {name: column for name, column in _columns(whole).items() if np.isfinite(column).any()}
        spreads = {name: float(np.nanstd(column[np.isfinite(column)])) for name, column in known.items()}
        for end in _cuts(whole.hit, 2 * count):
            short = self.signals(self.series.part(slice(end - count, end)))
            expected, found = (
                _sliced(one, slice(-self.needs.bars, None)) for one in (_first(whole, end), short)
            )
            if (what := _difference(expected, found, _FORGOTTEN, spreads)) is not None:
                raise self._refusal(
                    Check.WARM_UP, f"says other of candle {end - 1} than with more candles before: {what}"
                )

    def splits(self) -> None:
        """Prove that prices and shares in another measure give the same hits and scores."""
        if self.strategy.price_bound:
            return
        plain = self.signals(self.series)
        for factor in SPLITS:
            split = self.signals(_split(self.series, factor))
            without = Signals(hit=plain.hit, score=plain.score), Signals(hit=split.hit, score=split.score)
            if (found := _difference(*without, _SAME)) is not None:
                raise self._refusal(
                    Check.SCALE, f"depends on the price in won: with prices times {factor:g} {found}"
                )

    def signals(self, candles: Candles, params: BaseModel | None = None) -> Signals:
        """Return what the strategy says, after a look at its shape."""
        try:
            signals = self.strategy(candles, self.params if params is None else params)
        except Exception as error:
            check = Check.MUTATION if "read-only" in str(error) else Check.FAILS
            raise self._refusal(check, f"raises {type(error).__name__}: {error}") from error
        if (fault := shape_fault(signals, len(candles))) is not None:
            raise self._refusal(Check.SHAPE, fault)
        return signals

    def _copy(self) -> Candles:
        return self.series.part(slice(None))

    def _refusal(self, check: Check, what: str) -> StrategyRefused:
        return StrategyRefused(check, f"{self.strategy.id} {what}.", remedy=_REMEDIES.get(check, ""))


_REMEDIES = {
    Check.MUTATION: "Work on copies: candles and parameters belong to every strategy.",
    Check.DETERMINISM: "Keep nothing between calls, and draw no lots.",
    Check.LOOK_AHEAD: "Compute each value from its candle and earlier ones; a shift looks back, never ahead.",
    Check.WARM_UP: "Raise needs().warmup: five lengths for exponential means, ten for Wilder's.",
    Check.SCALE: "Compare prices with prices, or declare price_bound=True.",
    Check.SHAPE: "Return Signals with one bool a candle, and figures as (column, unit).",
}


def _columns(signals: Signals) -> dict[str, Floats]:
    score = {} if signals.score is None else {"score": signals.score}
    return score | {name: column for name, (column, _) in signals.evidence.items()}


def _difference(
    expected: Signals, found: Signals, tolerance: float, spreads: Mapping[str, float] | None = None
) -> str | None:
    """Return the first difference in words; None where two answers say the same."""
    if (at := _first_true(expected.hit != found.hit)) is not None:
        return f"hit is {found.hit[at]} instead of {expected.hit[at]}"
    theirs = _columns(found)
    for name, column in _columns(expected).items():
        other = theirs.get(name)
        if other is None:
            return f"{name} is missing"
        allowed = tolerance * (np.abs(column) if spreads is None else spreads.get(name, 0.0))
        with np.errstate(invalid="ignore"):
            same = (
                (column == other) | (np.isnan(column) & np.isnan(other)) | (np.abs(column - other) <= allowed)
            )
        if (at := _first_true(~same)) is not None:
            return f"{name} is {other[at]:g} instead of {column[at]:g}"
    return None


def _first_true(mask: NDArray[np.bool_]) -> int | None:
    places = np.flatnonzero(mask)
    return int(places[0]) if len(places) else None


def _cuts(hit: NDArray[np.bool_], least: int) -> list[int]:
    """Return lengths of prefixes to try: evenly, and right after hits, where a glance ahead shows first."""
    if least >= len(hit):
        return []
    even = np.linspace(least, len(hit) - 1, CUTS).astype(int).tolist()
    hits = [one + 1 for one in np.flatnonzero(hit).tolist() if least <= one + 1 < len(hit)]
    return sorted({*even, *hits[:: max(1, len(hits) // CUTS)]})


def _first(signals: Signals, count: int) -> Signals:
    return _sliced(signals, slice(0, count))


def _sliced(signals: Signals, where: slice) -> Signals:
    return Signals(
        hit=signals.hit[where],
        score=None if signals.score is None else signals.score[where],
        evidence={name: (column[where], unit) for name, (column, unit) in signals.evidence.items()},
    )


def _bytes(candles: Candles) -> bytes:
    names = ("open", "high", "low", "close", "volume", "value", "ts")
    return b"".join(getattr(candles, name).tobytes() for name in names)


def _split(candles: Candles, factor: float) -> Candles:
    """Return candles as they are after a split: prices times a factor, shares divided by it, won as
    before."""
    prices: dict[str, Any] = {
        name: getattr(candles, name) * factor for name in ("open", "high", "low", "close")
    }
    return Candles(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        ts=candles.ts,
        closes_at=candles.closes_at,
        volume=candles.volume / factor,
        value=candles.value,
        traded=candles.traded,
        factor=candles.factor * factor,
        market=candles.market,
        market_cap=candles.market_cap,
        **prices,
    )


def _others(params: BaseModel) -> Sequence[BaseModel]:
    """Return some other parameters, where the bounds allow any."""
    return [other for other in _tried(params) if other != params][:3]


def _tried(params: BaseModel) -> Iterator[BaseModel]:
    for name, value in params.model_dump().items():
        for new in (
            (not value,) if isinstance(value, bool) else (value + 1, value - 1) if _is_number(value) else ()
        ):
            try:
                yield type(params)(**params.model_dump() | {name: new})
            except ValidationError:
                continue


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
