"""What the analysis costs a candle, against a bare pass over the same candles; and a screen of the market.

    python -m benchmarks.analysis [--rounds 9] [--stocks 1300]

The methods run in turns, in a new order every round; a ratio is the median of the ratios of single rounds.
CPU time is measured, because the loop that the analysis shares a machine with is not its own.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from benchmarks.table import Table
from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.analyser import Analysis, analyse
from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.host.proof_series import proof_series
from chartinsightd.analysis.screens.evaluation import Stock, screen
from chartinsightd.analysis.screens.expression import parse
from chartinsightd.analysis.statistics import Events, report
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.analysis.structure import Structure
from chartinsightd.domain.timeframe import Timeframe
from tests.analysis.made_up import candles, walk

SERIES = 6
LENGTH = 2_000
UNIVERSE_LENGTH = 500
"""Candles of each stock of the market."""
STRUCTURE_US = 5.0
WHOLE_US = 8.0
SCREEN_S = 1.0

Method = Callable[[], object]


def bare(series: Sequence[Sequence[AdjustedCandle]]) -> int:
    """Unpack each candle and compare two prices: the least that any pass in Python does."""
    rises, before = 0, 0.0
    for one in series:
        for candle in one:
            _, _, _, high, _, close, _, _, _ = candle
            if high > before and close > before:
                rises += 1
            before = high
    return rises


def structure(series: Sequence[Sequence[AdjustedCandle]]) -> None:
    """Peaks and valleys alone."""
    for one in series:
        machine = Structure()
        for candle in one:
            machine.take(candle)


def whole(series: Sequence[Sequence[AdjustedCandle]]) -> None:
    """Structure, trend and patterns."""
    for one in series:
        analyse(one)


def cpu_s(method: Method) -> float:
    """Return the processor time of one call."""
    began_at = time.process_time()
    method()
    return time.process_time() - began_at


def measured(methods: Mapping[str, Method], rounds: int) -> list[dict[str, float]]:
    """Return the seconds of each method, round by round."""
    taken = []
    for _ in range(rounds):
        order = random.sample(sorted(methods), len(methods))
        taken.append({name: cpu_s(methods[name]) for name in order})
    return taken


def measure_candles(table: Table, rounds: int) -> None:
    """Microseconds a candle, and how many bare passes that is."""
    series = [list(candles(walk(seed, LENGTH))) for seed in range(SERIES)]
    methods: dict[str, Method] = {
        "bare": lambda: bare(series),
        "structure": lambda: structure(series),
        "structure, trend, patterns": lambda: whole(series),
    }
    taken = measured(methods, rounds)
    for name, goal in (("bare", None), ("structure", STRUCTURE_US), ("structure, trend, patterns", WHOLE_US)):
        us = 1e6 * min(one[name] for one in taken) / (SERIES * LENGTH)
        if goal is None:
            table.note(f"{name} pass, a candle", f"{us:.3f} us")
        else:
            table.at_most(f"{name}, a candle", us, goal, " us")
            table.note(f"{name} / bare", f"{median(one[name] / one['bare'] for one in taken):.1f}")


def measure_increment(table: Table) -> None:
    """One more candle for a stored state: read, take, write."""
    rows = list(candles(walk(1, LENGTH)))
    state = Analysis()
    analyse(rows[:-1], state)
    stored = state.dump()

    def evening() -> bytes:
        carried = Analysis.load(stored)
        carried.take(rows[-1])
        return carried.dump()

    taken = [cpu_s(lambda: [evening() for _ in range(100)]) / 100 for _ in range(5)]
    table.note("a stored state: bytes", f"{len(stored):,}")
    table.note("load, one candle, dump", f"{1e6 * min(taken):.0f} us")


def measure_market(table: Table, stocks: int) -> None:
    """A screen and a statistic over as many stocks as the universe has."""
    universe = [
        Stock(symbol=f"{number:06}", candles=proof_series(number, UNIVERSE_LENGTH, Timeframe.D1))
        for number in range(stocks)
    ]
    session_ts = int(_series(universe[0]).ts[-1])
    expression = parse({"strategy": "macd_golden_cross"}, SHIPPED, Timeframe.D1)
    seconds = min(cpu_s(lambda: screen(expression, SHIPPED, universe, session_ts)) for _ in range(3))
    table.at_most(f"a screen of {stocks:,} stocks x {UNIVERSE_LENGTH} candles", seconds, SCREEN_S, " s")
    crossed = SHIPPED["macd_golden_cross"]
    events = [Events(candles=_series(one), hit=crossed(_series(one)).hit) for one in universe]
    split_ts = int(_series(universe[0]).ts[UNIVERSE_LENGTH // 2])
    seconds = cpu_s(lambda: report(events, split_ts=split_ts, cost=0.0025))
    table.note(f"statistics of a strategy over {stocks:,} stocks", f"{seconds:.2f} s")


def _series(stock: Stock) -> Candles:
    assert stock.candles is not None
    return stock.candles


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--stocks", type=int, default=1_300)
    options = parser.parse_args()
    table = Table(f"Analysis: {SERIES} walks of {LENGTH:,} candles, CPU time, {options.rounds} rounds")
    measure_candles(table, options.rounds)
    measure_increment(table)
    measure_market(table, options.stocks)
    table.show()


if __name__ == "__main__":
    main()
