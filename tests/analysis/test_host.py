"""Wrong strategies are refused with the reason, right ones pass."""

from __future__ import annotations

import inspect
import json

import pytest

from chartinsightd.analysis.host.proof_series import proof_series
from chartinsightd.analysis.host.proofs import prove
from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.host.source import load
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.analysis.strategies import macd_golden_cross as shipped_module
from chartinsightd.analysis.strategy import Strategy
from chartinsightd.domain.timeframe import Timeframe

HEAD = """
import numpy as np
from pydantic import BaseModel, Field
from chartinsightd.analysis import Candles, Needs, Signals, strategy

class Params(BaseModel, frozen=True, extra="forbid"):
    length: int = Field(20, ge=2, le=200)

def needs(params: Params) -> Needs:
    return Needs(warmup=params.length)

SEEN = []

@strategy(id="mine", version=1, title="mine", timeframes={"1d"}, params=Params)
def evaluate(c: Candles, p: Params) -> Signals:
"""
RIGHT = """
    mean = c.ind.sma(p.length)
    return Signals(hit=c.close > mean, score=c.close / mean, evidence={"mean": (mean, "won")})
"""
WRONG = {
    "look-ahead by one candle": (
        Check.LOOK_AHEAD,
        """
    up = np.zeros(len(c), dtype=bool)
    up[:-1] = c.close[1:] > c.close[:-1]
    return Signals(hit=up)
""",
    ),
    "centred window": (
        Check.LOOK_AHEAD,
        """
    mean = np.convolve(c.close, np.ones(5) / 5, mode="same")
    return Signals(hit=c.close > mean)
""",
    ),
    "normalised over the whole series": (
        Check.LOOK_AHEAD,
        """
    z = (c.close - c.close.mean()) / c.close.std()
    return Signals(hit=z > 1, score=z)
""",
    ),
    "too short a warm-up": (
        Check.WARM_UP,
        """
    mean = c.ind.sma(5 * p.length)
    return Signals(hit=c.close > mean, evidence={"mean": (mean, "won")})
""",
    ),
    "a recursive mean with the warm-up of a plain one": (
        Check.WARM_UP,
        """
    mean = c.ind.ema(p.length)
    return Signals(hit=c.close > mean, evidence={"mean": (mean, "won")})
""",
    ),
    "mutation of the candles": (
        Check.MUTATION,
        """
    c.close[0] = 1.0
    return Signals(hit=c.close > 0)
""",
    ),
    "mutation behind the candles' back": (
        Check.MUTATION,
        """
    c.close.base.flags.writeable = True
    c.close.base[5] *= 2
    return Signals(hit=c.close > 0)
""",
    ),
    "an indicator changed for all others": (
        Check.MUTATION,
        """
    mean = c.ind.sma(p.length)
    mean *= 2
    return Signals(hit=c.close > mean)
""",
    ),
    "chance": (
        Check.SOURCE,
        """
    return Signals(hit=np.random.default_rng().random(len(c)) > 0.5)
""",
    ),
    "an identity that differs each time": (
        Check.DETERMINISM,
        """
    SEEN.append(object())
    return Signals(hit=c.close > 0, score=np.full(len(c), float(len(SEEN))))
""",
    ),
    "an exception": (
        Check.FAILS,
        """
    return Signals(hit=c.close > {}["threshold"])
""",
    ),
    "a threshold in won": (
        Check.SCALE,
        """
    return Signals(hit=c.close > 50_000)
""",
    ),
    "a threshold in shares": (
        Check.SCALE,
        """
    return Signals(hit=c.volume > 300_000)
""",
    ),
    "parameters that leak into the next call": (
        Check.DETERMINISM,
        """
    if not SEEN or p.length != 20:
        SEEN.append(p.length)
    mean = c.ind.sma(max(2, SEEN[-1] - 1))
    return Signals(hit=c.close > mean, score=mean / c.close)
""",
    ),
    "parameters that are changed": (
        Check.SOURCE,
        """
    object.__setattr__(p, "length", 3)
    return Signals(hit=c.close > 0)
""",
    ),
    "one value too few": (
        Check.SHAPE,
        """
    return Signals(hit=np.diff(c.close) > 0)
""",
    ),
    "one answer for the whole series": (
        Check.SHAPE,
        """
    return Signals(hit=bool(c.close[-1] > c.close[0]))
""",
    ),
    "a figure without a unit": (
        Check.SHAPE,
        """
    return Signals(hit=c.close > 0, evidence={"close": (c.close, "")})
""",
    ),
    "reading a file": (
        Check.SOURCE,
        """
    open("/etc/passwd").read()
    return Signals(hit=c.close > 0)
""",
    ),
    "reading a file through numpy": (
        Check.SOURCE,
        """
    np.fromfile("/etc/passwd")
    return Signals(hit=c.close > 0)
""",
    ),
    "importing the system": (
        Check.SOURCE,
        """
    import os
    return Signals(hit=c.close > 0)
""",
    ),
    "a way behind the interface": (
        Check.SOURCE,
        """
    ().__class__.__base__.__subclasses__()
    return Signals(hit=c.close > 0)
""",
    ),
}


def refused(source: str) -> StrategyRefused:
    """Return why a source is refused; fail where it is not."""
    with pytest.raises(StrategyRefused) as caught:
        prove(load(source, "mine"))
    return caught.value


def test_a_right_strategy_passes() -> None:
    """A strategy that keeps the rules is proved, and says what it needs."""
    proved = prove(load(HEAD + RIGHT, "mine"))
    assert proved.strategy.id == "mine"
    assert proved.needs.candles == 21


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_strategy_is_refused(name: str) -> None:
    """Each kind of fault is found by the check that is there for it, and named with the strategy."""
    check, body = WRONG[name]
    error = refused(HEAD + body)
    assert error.check is check, error
    assert "mine" in str(error)


@pytest.mark.parametrize(
    ("source", "check"),
    [
        ("def broken(:", Check.SOURCE),
        ("x = 1", Check.SOURCE),
        ("1 / 0", Check.SOURCE),
        ("#" * 300_000, Check.SOURCE),
        (HEAD.replace("def needs", "def wants") + RIGHT, Check.INTERFACE),
        (HEAD.replace("Field(20", "Field(...") + RIGHT, Check.INTERFACE),
        (HEAD.replace("warmup=params.length", "warmup=10**7") + RIGHT, Check.INTERFACE),
        (HEAD.replace('id="mine"', 'id="My Strategy"') + RIGHT, Check.INTERFACE),
        (HEAD.replace("frozen=True, ", "") + RIGHT, Check.INTERFACE),
        (HEAD.replace('timeframes={"1d"}', 'timeframes={"2d"}') + RIGHT, Check.SOURCE),
        ((HEAD + RIGHT) + (HEAD + RIGHT).replace("def evaluate", "def other"), Check.SOURCE),
    ],
)
def test_what_is_no_strategy_is_refused(source: str, check: Check) -> None:
    """A source that cannot be one, or whose interface is incomplete, is refused before it is tried."""
    assert refused(source).check is check


def test_a_price_bound_strategy_may_say_so() -> None:
    """Who needs prices in won declares it, and is not held to the proof of scale."""
    declared = HEAD.replace('title="mine"', 'title="mine", price_bound=True')
    body = "\n    return Signals(hit=c.close > 50_000)\n"
    assert prove(load(declared + body, "mine")).strategy.price_bound


@pytest.mark.parametrize("strategy", SHIPPED.values(), ids=lambda one: one.id)
def test_shipped_strategies_are_proved(strategy: Strategy) -> None:
    """Every shipped strategy passes what a user's has to pass."""
    assert prove(strategy).strategy is strategy


@pytest.mark.parametrize("strategy", SHIPPED.values(), ids=lambda one: one.id)
def test_shipped_sources_are_plug_ins(strategy: Strategy) -> None:
    """A shipped module is an example: its source loads as a user's would, with the four promised names."""
    source = inspect.getsource(inspect.getmodule(strategy.evaluate))  # type: ignore[arg-type]
    assert load(source, strategy.id).id == strategy.id


def test_the_strategy_of_a_module_is_named_after_it() -> None:
    """Ids and file names agree, so that a user finds the source of an answer."""
    assert shipped_module.__name__.endswith(shipped_module.evaluate.id)
    assert all(id_ == strategy.id for id_, strategy in SHIPPED.items())


@pytest.mark.parametrize("strategy", SHIPPED.values(), ids=lambda one: one.id)
def test_a_strategy_describes_itself(strategy: Strategy) -> None:
    """Surfaces get its name, its timeframes in order and the bounds of its parameters, ready for JSON."""
    described = json.loads(json.dumps(strategy.described()))
    assert described["id"] == strategy.id
    assert described["title"]
    assert described["timeframes"]
    assert set(described["params"].get("properties", {})) == set(strategy.params.model_fields)


@pytest.mark.parametrize("timeframe", Timeframe)
def test_proof_series_are_the_same_each_time(timeframe: Timeframe) -> None:
    """The series that strategies are proved on depend on their seed alone, and hold halts and limit moves."""
    one, other = proof_series(1, 600, timeframe), proof_series(1, 600, timeframe)
    assert one.close.tobytes() == other.close.tobytes()
    assert (one.volume == 0).any()
    assert ((one.high == one.low) & (one.volume > 0)).any()
