"""Screens: what is written is what is read, and no stock of the universe is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from chartinsightd.analysis import Candles, Needs, Signals, strategy
from chartinsightd.analysis.host.proof_series import proof_series
from chartinsightd.analysis.screens.evaluation import (
    Evaluation,
    Excepted,
    Match,
    Reason,
    Stock,
    judge,
    screen,
)
from chartinsightd.analysis.screens.expression import (
    ScreenInvalid,
    candles_needed,
    candles_wanted,
    parse,
    shown,
)
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.domain.timeframe import Timeframe
from tests.analysis.made_up import candles, walk

D1 = Timeframe.D1


class Params(BaseModel, frozen=True, extra="forbid"):
    """A digit."""

    digit: int = 0
    fails: bool = False


def needs(params: Params) -> Needs:
    """Return a warm-up that is the digit."""
    return Needs(warmup=params.digit)


@strategy(id="ends_with", version=1, title="ends with", timeframes={"1d"}, params=Params)
def ends_with(c: Candles, p: Params) -> Signals:
    """Hit where the hundreds of the close are a digit."""
    if p.fails:
        raise ZeroDivisionError("as asked")
    hundreds = c.close // 100 % 10
    return Signals(hit=hundreds == p.digit, score=c.close, evidence={"hundreds": (hundreds, "won")})


STRATEGIES = {**SHIPPED, "ends_with": ends_with}
HITS = st.builds(
    lambda digit, within: {"strategy": "ends_with", "params": {"digit": digit}, "within": within},
    st.integers(0, 9),
    st.integers(1, 6),
)
FACTS = st.one_of(
    st.builds(lambda bound: {"fact": "close", "at_least": bound}, st.integers(40_000, 60_000)),
    st.builds(lambda bound: {"fact": "volume", "at_most": bound, "at_least": 1}, st.integers(1, 2_000)),
    st.just({"fact": "market", "is": "KOSPI"}),
)
GROUPS = st.sampled_from(("all", "any", "not"))


def grouped(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a group of conditions."""
    lists = st.lists(parts, min_size=1, max_size=3) | parts
    return st.dictionaries(GROUPS, lists, min_size=1, max_size=3)


SCREENS = HITS | FACTS | grouped(HITS | FACTS) | grouped(HITS | FACTS | grouped(HITS | FACTS))


def series(seed: int, length: int = 60) -> Candles:
    """Return a walk of a KOSPI stock."""
    return replace(candles(walk(seed, length)), market="KOSPI")


def plain(value: dict[str, Any], data: Candles, at: int) -> bool:
    """Return whether a screen in JSON holds at a candle, read literally."""
    if "strategy" in value:
        digit, within = value["params"]["digit"], value.get("within", 1)
        last = data.close[max(0, at + 1 - within) : at + 1].tolist()
        return any(int(close) // 100 % 10 == digit for close in last)
    if value.get("fact") == "market":
        return bool(value["is"] == "KOSPI")
    if "fact" in value:
        figure = getattr(data, value["fact"])[at]
        return bool(value.get("at_least", -1) <= figure <= value.get("at_most", 1e18))
    parts = {name: one if isinstance(one, list) else [one] for name, one in value.items()}
    return (
        all(plain(one, data, at) for one in parts.get("all", []))
        and (not parts.get("any") or any(plain(one, data, at) for one in parts["any"]))
        and not any(plain(one, data, at) for one in parts.get("not", []))
    )


@given(SCREENS)
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    """Parsing what an expression shows of itself gives the expression."""
    expression = parse(value, STRATEGIES, D1)
    assert parse(shown(expression), STRATEGIES, D1) == expression


@settings(max_examples=60)
@given(SCREENS, st.integers(0, 2**32))
def test_a_screen_means_what_it_says(value: dict[str, Any], seed: int) -> None:
    """On every candle with history enough the expression holds where its words, read literally, do."""
    data = series(seed)
    expression = parse(value, STRATEGIES, D1)
    begin = candles_needed(expression, STRATEGIES) - 1
    holds = Evaluation(expression, STRATEGIES, data).holds
    assert holds.tolist()[begin:] == [plain(value, data, at) for at in range(begin, len(data))]
    assert not holds[:begin].any()


@settings(max_examples=60)
@given(SCREENS, st.integers(0, 2**32), st.integers(20, 59))
def test_the_answer_of_a_day_is_the_answer_given_on_it(value: dict[str, Any], seed: int, at: int) -> None:
    """A screen as of a session says what it said when that session was the last."""
    data = series(seed)
    expression = parse(value, STRATEGIES, D1)
    session = int(data.ts[at])
    then = judge(expression, STRATEGIES, Stock(symbol="005930", candles=data.part(slice(0, at + 1))), session)
    assert judge(expression, STRATEGIES, Stock(symbol="005930", candles=data), session) == then


@pytest.mark.parametrize("name", SHIPPED)
def test_more_history_changes_no_bit(name: str) -> None:
    """An answer rests on the same candles however many were read, and finds the beginning of a long match."""
    expression = parse({"any": [{"strategy": name, "within": 150}]}, STRATEGIES, D1)
    wanted = candles_wanted(expression, STRATEGIES)
    matches = 0
    for seed in range(12):
        data = proof_series(seed, 700, D1)
        session = int(data.ts[-1])
        answers = [
            judge(expression, STRATEGIES, Stock(symbol="1", candles=data.part(slice(-count, None))), session)
            for count in (700, wanted + 5, wanted)
        ]
        assert answers[0] == answers[1] == answers[2]
        matches += isinstance(answers[0], Match)
    assert matches


def test_evaluated_and_excepted_are_the_universe() -> None:
    """Late, short, unreadable and failing stocks are listed by name; the others are evaluated; none is
    lost."""
    data = series(1)
    session = int(data.ts[-1])
    universe = [
        *(Stock(symbol=f"{i:06}", candles=series(i)) for i in range(20)),
        Stock(symbol="LATE00", candles=data.part(slice(0, -1))),
        Stock(symbol="SHORT0", candles=data.part(slice(-3, None))),
        Stock(symbol="NONE00", candles=None, fault="coverage ends on 2020-02-01"),
        Stock(symbol="FACT00", candles=replace(data, market="")),
    ]
    value = {
        "any": [{"strategy": "ends_with", "params": {"digit": digit}} for digit in range(6)],
        "all": {"fact": "market", "is": "KOSPI"},
    }

    found = screen(parse(value, STRATEGIES, D1), STRATEGIES, universe, session)

    assert {one.symbol: one.reason for one in found.exceptions} == {
        "LATE00": Reason.STALE,
        "SHORT0": Reason.TOO_SHORT,
        "NONE00": Reason.FAILED,
        "FACT00": Reason.FAILED,
    }
    assert found.counts == {"universe": 24, "evaluated": 20, "too_short": 1, "stale": 1, "failed": 2}
    assert found.matches
    scores = [one.score for one in found.matches if one.score is not None]
    assert scores == sorted(scores, reverse=True)


def test_a_failing_strategy_costs_its_stock_only() -> None:
    """An exception is a listed stock with the strategy's name and words, not a failed screen."""
    data = series(2)
    value = {"strategy": "ends_with", "params": {"fails": True}}
    found = judge(
        parse(value, STRATEGIES, D1), STRATEGIES, Stock(symbol="005930", candles=data), int(data.ts[-1])
    )
    assert found == Excepted(
        symbol="005930", reason=Reason.FAILED, detail="ends_with raises ZeroDivisionError: as asked"
    )


def test_a_match_says_since_when_and_why() -> None:
    """Since is the first candle of the unbroken stretch; evidence is of the latest hit, with its unit and
    candle."""
    closes = [50_100, 50_300, 50_300, 50_100, 50_300, 50_100, 50_100]
    data = candles([(close,) * 4 for close in closes])
    value = {"strategy": "ends_with", "params": {"digit": 3}, "within": 3}
    found = judge(parse(value, STRATEGIES, D1), STRATEGIES, Stock(symbol="1", candles=data), int(data.ts[-1]))
    assert isinstance(found, Match)
    assert found.since == data.ts[5]
    assert not found.is_new
    seen = found.evidence["ends_with"]["hundreds"]
    assert (seen.value, seen.unit, seen.ts) == (3.0, "won", data.ts[4])


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([], "screen is no object"),
        ({}, "holds none of"),
        ({"all": []}, "screen.all is empty"),
        ({"all": [{"fact": "close"}]}, "screen.all[0] has neither"),
        ({"any": [{"strategy": "nothing"}]}, "screen.any[0]: no strategy 'nothing'"),
        ({"strategy": "new_high_52w", "params": {"length": 1}}, "screen.params.length"),
        ({"strategy": "new_high_52w", "params": {"lenght": 99}}, "screen.params.lenght"),
        ({"strategy": "new_high_52w", "within": 0}, "screen.within"),
        ({"strategy": "new_high_52w", "within": True}, "screen.within"),
        ({"strategy": "new_high_52w", "when": 1}, "screen holds when"),
        ({"fact": "profit", "at_least": 1}, "no fact 'profit'"),
        ({"fact": "close", "at_least": float("nan")}, "screen.at_least is no number"),
        ({"fact": "market", "is": 3}, "screen.is"),
        ({"not": {"not": {"not": {"not": {"fact": "market", "is": "KOSPI"}}}}}, "at most 4 deep"),
        ({"all": [{"fact": "market", "is": "KOSPI"}] * 41}, "at most 40 conditions"),
    ],
)
def test_what_is_no_screen_is_refused_by_its_place(value: object, place: str) -> None:
    """A fault is named with the place in the expression, before anything is evaluated."""
    with pytest.raises(ScreenInvalid) as caught:
        parse(value, STRATEGIES, D1)
    assert place in str(caught.value)


def test_a_strategy_is_not_asked_on_other_timeframes() -> None:
    """A screen of weeks cannot name a strategy that is made for days."""
    with pytest.raises(ScreenInvalid, match="1w"):
        parse({"strategy": "new_high_52w"}, STRATEGIES, Timeframe.W1)


def test_history_counts_as_long_as_within_looks_back() -> None:
    """A stock needs the warm-up and the candles that the condition looks back to."""
    value = {"all": [{"strategy": "ma_crossover", "within": 10}, {"fact": "close", "at_least": 1}]}
    assert candles_needed(parse(value, STRATEGIES, D1), STRATEGIES) == 60 + 10


def test_a_fact_that_was_not_kept_begins_no_match() -> None:
    """A market value known of the newest day alone decides on that day, and leaves the stretch before
    unbroken."""
    caps = np.full(60, np.nan)
    caps[-1] = 5e11
    data = replace(series(1), market_cap=caps)
    value = {"fact": "market_cap", "at_least": 1e11}
    found = judge(parse(value, STRATEGIES, D1), STRATEGIES, Stock(symbol="1", candles=data), int(data.ts[-1]))
    assert isinstance(found, Match)
    assert (found.since, found.is_new) == (data.ts[0], False)
    caps[-1] = np.nan
    unknown = Stock(symbol="1", candles=replace(data, market_cap=caps))
    answer = judge(parse(value, STRATEGIES, D1), STRATEGIES, unknown, int(data.ts[-1]))
    assert isinstance(answer, Excepted)
    assert "market_cap is not known" in answer.detail


def test_an_empty_universe_is_no_error() -> None:
    """A screen over nothing answers that nothing was evaluated."""
    found = screen(parse({"fact": "close", "at_least": 1}, STRATEGIES, D1), STRATEGIES, [], 0)
    assert found.counts == {"universe": 0, "evaluated": 0, "too_short": 0, "stale": 0, "failed": 0}
    assert found.matches == ()
