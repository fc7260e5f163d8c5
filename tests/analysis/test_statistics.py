"""Statistics: no edge where there is none, found where there is one, and never a percentage of a few."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from chartinsightd.analysis.statistics import (
    LEAST_EVENTS,
    Events,
    Figures,
    Report,
    Statistic,
    begins,
    forward_returns,
    hits_at,
    report,
)
from tests.analysis.made_up import DAY_S, FIRST_TS, Prices, candles, walk

NEVER = 2**40
"""A split after all candles: everything is in sample."""


def market(
    seed: int, *, stocks: int = 10, days: int = 400, edge: float = 0.0, together: bool = False
) -> list[Events]:
    """Return stocks that move with their market, random events, and an edge for the five candles after each.

    With `together` all stocks have their events on the same days, so that they are far fewer cases than
    events.
    """
    random = np.random.default_rng(seed)
    common = random.normal(0, 0.01, (days, 2))
    found, shared = [], random.random(days) < 0.04
    for _ in range(stocks):
        hit = shared if together else random.random(days) < 0.02
        drift = np.convolve(np.concatenate([[0.0], hit[:-1]]), np.ones(5))[:days] * edge / 5
        steps = common + random.normal(0, 0.01, (days, 2))
        steps[:, 1] += drift
        path = np.rint(50_000 * np.exp(np.cumsum(steps)).reshape(days, 2)).astype(int)
        prices: list[Prices] = [(int(o), int(max(o, c)), int(min(o, c)), int(c)) for o, c in path]
        found.append(Events(candles=candles(prices), hit=hit))
    return found


@cache
def verdicts(edge: float, seeds: int, *, together: bool = False) -> list[tuple[int, str]]:
    """Return horizon and verdict of every figure of some markets."""
    return [
        (statistic.horizon, figures.verdict)
        for seed in range(seeds)
        for statistic in report(
            market(seed, edge=edge, together=together), split_ts=NEVER, cost=0.0025
        ).in_sample
        for figures in shown(statistic)
    ]


def shown(statistic: Statistic) -> list[Figures]:
    """Return the figures of a statistic with events enough."""
    return [one for one in (statistic.rise, statistic.mean) if one is not None]


@pytest.mark.parametrize("together", [False, True])
def test_random_walks_give_no_edge(together: bool) -> None:
    """Where events mean nothing, at least 93 of 100 intervals hold the base, also where they come
    together."""
    found = verdicts(0.0, 150, together=together)
    assert len(found) >= 800
    assert sum(verdict == "same" for _, verdict in found) / len(found) >= 0.93


def test_a_planted_edge_is_found() -> None:
    """Three percent in the five candles after an event are seen at that horizon in every market."""
    found = [verdict for horizon, verdict in verdicts(0.03, 10) if horizon == 5]
    assert found == ["above"] * len(found)
    assert found


def test_an_edge_is_seen_on_both_sides_of_the_split() -> None:
    """Figures before the split and after it come from other days, and add up to all events but the cut
    ones."""
    stocks = market(1, days=800, edge=0.03)
    split = FIRST_TS + 400 * DAY_S
    found = report(stocks, split_ts=split, cost=0.0025)
    for sample in (found.in_sample, found.out_of_sample):
        assert [one.rise.verdict for one in sample[1:2] if one.rise] == ["above"]
    whole = report(stocks, split_ts=NEVER, cost=0.0025)
    for before, after, both in zip(found.in_sample, found.out_of_sample, whole.in_sample, strict=True):
        assert both.n - 20 * len(stocks) <= before.n + after.n <= both.n


def test_later_days_do_not_touch_the_sample_before() -> None:
    """A case whose exit lies after the split is in neither sample: the test stays unseen."""
    stocks = market(2)
    split = FIRST_TS + 200 * DAY_S
    cut = [Events(candles=one.candles.part(slice(0, 200)), hit=one.hit[:200]) for one in stocks]
    assert (
        report(stocks, split_ts=split, cost=0.0).in_sample == report(cut, split_ts=split, cost=0.0).in_sample
    )


@pytest.mark.parametrize("count", [0, 1, LEAST_EVENTS - 1])
def test_a_few_events_give_no_figure(count: int) -> None:
    """Below thirty events there is their number, and no percentage."""
    data = candles(walk(1, 400))
    found = report([Events(candles=data, hit=hits_at(400, range(1, 2 * count, 2)))], split_ts=NEVER, cost=0.0)
    for statistic in found.in_sample:
        assert (statistic.n, statistic.is_too_few) == (count, True)
        assert statistic.rise is None
        assert statistic.mean is None


def test_figures_are_what_a_person_could_have_had() -> None:
    """Entry at the next open, exit at the close of the horizon, less the cost; the base is every candle."""
    data = candles(walk(3, 200))
    hit = hits_at(200, range(0, 200, 4))
    found = report([Events(candles=data, hit=hit)], split_ts=NEVER, cost=0.002)
    for statistic in found.in_sample:
        gains = [
            data.close[i + statistic.horizon] / data.open[i + 1] - 1 - 0.002
            for i in range(200 - statistic.horizon)
        ]
        events = [gain for i, gain in enumerate(gains) if hit[i]]
        assert statistic.n == len(events)
        assert statistic.base_n == len(gains)
        assert statistic.rise is not None
        assert statistic.mean is not None
        assert statistic.mean.value == pytest.approx(np.mean(events))
        assert statistic.mean.base == pytest.approx(np.mean(gains))
        assert statistic.rise.value == pytest.approx(np.mean([gain > 0 for gain in events]))


def test_cases_that_are_not_over_do_not_count() -> None:
    """An event whose exit has not come is no case of that horizon."""
    data = candles(walk(1, 30))
    assert np.isnan(forward_returns(data, 20)).tolist() == [False] * 10 + [True] * 20
    assert np.isnan(forward_returns(data, 40)).all()


def test_a_run_of_hits_is_one_event() -> None:
    """A level that holds for days is counted where it begins, so that one move is not counted many times."""
    hit = np.array([True, True, False, True, True, True, False])
    assert begins(hit).tolist() == [True, False, False, True, False, False, False]


def test_candles_of_the_warm_up_take_no_part() -> None:
    """Where an event could not be seen yet, returns do not count for the base either."""
    data = candles(walk(1, 300))
    hit = hits_at(300, range(100, 300, 3))
    found = report([Events(candles=data, hit=hit, first=100)], split_ts=NEVER, cost=0.0)
    assert found.in_sample[0].base_n == 199


def test_the_same_data_give_the_same_interval() -> None:
    """Lots are drawn with a seed from the data: an answer can be computed again to the last bit."""
    assert report(market(5), split_ts=NEVER, cost=0.0) == report(market(5), split_ts=NEVER, cost=0.0)


def test_nothing_gives_an_empty_report() -> None:
    """Without stocks or events there is a report that says so."""
    nothing = report([], split_ts=NEVER, cost=0.0)
    assert isinstance(nothing, Report)
    assert [one.n for one in nothing.in_sample] == [0, 0, 0]
