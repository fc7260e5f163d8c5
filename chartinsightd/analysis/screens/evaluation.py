"""A screen over a universe: every stock is evaluated or excepted with a reason, at one session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chartinsightd.analysis.candles import Bools, Candles, Floats, Ints
from chartinsightd.analysis.screens.expression import (
    Expression,
    Figure,
    Group,
    Hit,
    Listed,
    candles_needed,
    candles_wanted,
    conditions,
    params_of,
)
from chartinsightd.analysis.strategy import Signals, Strategy, shape_fault
from chartinsightd.domain.errors import ChartInsightError


class Reason(StrEnum):
    """Why a stock was not evaluated."""

    TOO_SHORT = "too_short"
    """It has fewer candles than the strategies need."""
    STALE = "stale"
    """It has no candle of the session: late, halted, or not collected."""
    FAILED = "failed"
    """Its candles could not be read, a fact is not known, or a strategy failed on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One stock of the universe of a session."""

    symbol: str
    candles: Candles | None
    """Those that coverage proves; None where there are none to use."""
    fault: str = ""
    """Why there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One figure that decided, with the candle it is of."""

    value: float
    unit: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A stock for which the expression holds at the session."""

    symbol: str
    score: float | None
    """Of the first strategy of the expression that gives one."""
    evidence: Mapping[str, Mapping[str, Seen]]
    """For each strategy its figures at its latest hit."""
    since: int
    """Start of the candle from which on the expression has held without a break, 250 candles back at most."""
    is_new: bool
    """Whether that is the candle of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excepted:
    """A stock that was not evaluated."""

    symbol: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """The answer of a screen: evaluated and excepted stocks add up to the universe."""

    session_ts: int
    matches: tuple[Match, ...]
    """The best score first, those without one last."""
    exceptions: tuple[Excepted, ...]
    universe: int

    @property
    def counts(self) -> dict[str, int]:
        """Stocks of the universe, evaluated, and excepted by reason."""
        by_reason = {str(reason): sum(one.reason is reason for one in self.exceptions) for reason in Reason}
        return {"universe": self.universe, "evaluated": self.universe - len(self.exceptions), **by_reason}


class NotEvaluated(ChartInsightError):
    """A condition cannot be decided for a stock; the screen lists it."""


def screen(
    expression: Expression, strategies: Mapping[str, Strategy], universe: Iterable[Stock], session_ts: int
) -> Screened:
    """Return the matches of an expression at a session, and every stock that could not be evaluated.

    Args:
        expression: the screen.
        strategies: by id; all that the expression names.
        universe: every stock once.
        session_ts: start of the candle that each stock is looked at on; later candles are cut off.
    """
    answers = [(stock, judge(expression, strategies, stock, session_ts)) for stock in universe]
    found = [answer for _, answer in answers]
    matches = sorted((one for one in found if isinstance(one, Match)), key=_rank)
    return Screened(
        session_ts=session_ts,
        matches=tuple(matches),
        exceptions=tuple(one for one in found if isinstance(one, Excepted)),
        universe=len(found),
    )


def _rank(match: Match) -> tuple[bool, float, str]:
    return match.score is None, -(match.score or 0.0), match.symbol


def judge(
    expression: Expression, strategies: Mapping[str, Strategy], stock: Stock, session_ts: int
) -> Match | Excepted | None:
    """Return what a screen says of one stock; None where it was evaluated and does not match."""

    def excepted(reason: Reason, detail: str) -> Excepted:
        return Excepted(symbol=stock.symbol, reason=reason, detail=detail)

    if stock.candles is None:
        return excepted(Reason.FAILED, stock.fault or "no candles")
    candles = stock.candles.part(slice(0, int(np.searchsorted(stock.candles.ts, session_ts, side="right"))))
    if not len(candles) or candles.ts[-1] != session_ts:
        return excepted(Reason.STALE, "no candle of the session")
    needed = candles_needed(expression, strategies)
    if len(candles) < needed:
        return excepted(Reason.TOO_SHORT, f"{len(candles)} of {needed} candles")
    # always as many: what else was read for the stock must not move the last bits of an answer
    candles = candles.part(slice(-candles_wanted(expression, strategies), None))
    try:
        return _match(Evaluation(expression, strategies, candles), stock.symbol)
    except NotEvaluated as error:
        return excepted(Reason.FAILED, str(error))


def _match(evaluation: Evaluation, symbol: str) -> Match | None:
    if not evaluation.holds[-1]:
        return None
    begin = evaluation.since
    return Match(
        symbol=symbol,
        score=evaluation.score,
        evidence=evaluation.evidence(),
        since=int(evaluation.candles.ts[begin]),
        is_new=begin == len(evaluation.candles) - 1,
    )


class Evaluation:
    """An expression over the candles of one stock: whether it holds, candle by candle.

    Raises:
        NotEvaluated: a strategy fails on the candles, or a fact of the newest candle is not known.
    """

    def __init__(self, expression: Expression, strategies: Mapping[str, Strategy], candles: Candles) -> None:
        self.candles = candles
        self._strategies = strategies
        self._signals: dict[str, Signals] = {}
        self.holds: Bools = self._mask(expression)
        """False on the candles before there are enough of them for every strategy."""
        self.holds[: candles_needed(expression, strategies) - 1] = False
        self._positive = [one for one in _asserted(expression) if isinstance(one, Hit)]

    @property
    def since(self) -> int:
        """Number of the first candle of the stretch that the newest one belongs to; it must hold there."""
        breaks = np.flatnonzero(~self.holds)
        return int(breaks[-1]) + 1 if len(breaks) else 0

    @property
    def score(self) -> float | None:
        """The score of the first strategy that hit and gives one."""
        for hit in self._positive:
            score, at = self._said(hit).score, self._latest(hit)
            if score is not None and at is not None and np.isfinite(score[at]):
                return float(score[at])
        return None

    def evidence(self) -> dict[str, dict[str, Seen]]:
        """Return the figures of each strategy at its latest hit; those that are not numbers are left out."""
        found: dict[str, dict[str, Seen]] = {}
        for hit in self._positive:
            at = self._latest(hit)
            if at is not None:
                ts = int(self.candles.ts[at])
                figures = {
                    name: Seen(value=float(column[at]), unit=unit, ts=ts)
                    for name, (column, unit) in self._said(hit).evidence.items()
                    if np.isfinite(column[at])
                }
                found.setdefault(hit.strategy, figures)
        return found

    def _latest(self, hit: Hit) -> int | None:
        begin = max(0, len(self.candles) - hit.within)
        hits = np.flatnonzero(self._said(hit).hit[begin:])
        return begin + int(hits[-1]) if len(hits) else None

    def _mask(self, expression: Expression) -> Bools:
        match expression:
            case Hit():
                return _within(self._said(expression).hit, expression.within)
            case Figure():
                return self._figure(expression)
            case Listed(market=market):
                return self._listed(market)
        return self._group(expression)

    def _group(self, group: Group) -> Bools:
        holds = np.ones(len(self.candles), dtype=np.bool_)
        for part in group.every:
            holds &= self._mask(part)
        if group.some:
            holds &= np.logical_or.reduce([self._mask(part) for part in group.some])
        for part in group.none:
            holds &= ~self._mask(part)
        return holds

    def _said(self, hit: Hit) -> Signals:
        """Return what a strategy says of the candles; asked once for each set of parameters."""
        key = f"{hit.strategy} {hit.params!r}"
        if key not in self._signals:
            self._signals[key] = self._asked(self._strategies[hit.strategy], hit)
        return self._signals[key]

    def _asked(self, strategy: Strategy, hit: Hit) -> Signals:
        params = params_of(hit, strategy)
        candles = self.candles if strategy.needs(params).adjusted else self.candles.as_traded()
        try:
            signals = strategy(candles, params)
        except Exception as error:
            raise NotEvaluated(f"{strategy.id} raises {type(error).__name__}: {error}") from error
        if (fault := shape_fault(signals, len(candles))) is not None:
            raise NotEvaluated(f"{strategy.id} {fault}")
        return signals

    def _figure(self, figure: Figure) -> Bools:
        traded = self.candles.traded.close if figure.fact == "close" else getattr(self.candles, figure.fact)
        if len(traded) and np.isnan(traded[-1]):
            raise NotEvaluated(f"{figure.fact} is not known")
        holds = np.ones(len(traded), dtype=np.bool_)
        if figure.at_least is not None:
            holds &= traded >= figure.at_least
        if figure.at_most is not None:
            holds &= traded <= figure.at_most
        return np.asarray(holds[_next_known(traded)])

    def _listed(self, market: str) -> Bools:
        if not self.candles.market:
            raise NotEvaluated("market is not known")
        return np.full(len(self.candles), self.candles.market == market)


def _asserted(expression: Expression) -> list[Hit | Figure | Listed]:
    """Return the conditions that speak for a match, in reading order; what stands under `not` does not."""
    if isinstance(expression, Group):
        return [one for part in (*expression.every, *expression.some) for one in _asserted(part)]
    return list(conditions(expression))


def _within(hit: Bools, length: int) -> Bools:
    """Return where one of the last candles, the one in hand included, is a hit."""
    counted = np.cumsum(hit)
    before = np.concatenate([np.zeros(min(length, len(hit)), dtype=counted.dtype), counted[:-length]])
    return np.asarray(counted > before)


def _next_known(column: Floats | Ints) -> Ints:
    """Return for each candle the next one of which a fact is known, itself included.

    The newest one is known. What is not known of an earlier day (market values are kept from the day of their
    collection on) must not look like the day on which a match began.
    """
    numbers = np.where(np.isnan(column), len(column), np.arange(len(column)))
    return np.asarray(np.minimum.accumulate(numbers[::-1])[::-1])
