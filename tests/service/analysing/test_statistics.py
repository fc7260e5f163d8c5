"""Statistics over a real store: of strategies and patterns, with too few named as such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import asyncpg
import pytest

from chartinsightd.adapters.strategies.sandbox import ProcessSandbox
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import AnalysisStore, PatternEnd
from chartinsightd.service.analysing.statistics import NoStatistics, Statistics, StatisticsQuestion
from tests.service.analysing.test_screening import DAYS, World, evaluators, world

__all__ = ["world"]
RSI = StatisticsQuestion(strategy="rsi_oversold", timeframe=Timeframe.D1, cost=0.0)
DOUBLE_TOP = StatisticsQuestion(pattern="double_top", timeframe=Timeframe.D1, cost=0.0)


class Patterns:
    """A store that knows a double top of each of three stocks, on the hundredth day; two are completed."""

    async def pattern_ends(
        self, analyser: str, timeframe: Timeframe, until: datetime | None
    ) -> Sequence[PatternEnd]:
        """Return them, and one that failed."""
        assert (analyser, timeframe) == ("structure-1", Timeframe.D1)
        del until
        ts = int(midnight(DAYS[100]).timestamp())
        ends = [("000660", "completed"), ("005930", "completed"), ("035420", "failed")]
        return [PatternEnd(symbol, "double_top", state, ts) for symbol, state in ends]


def statistics_of(world: World) -> Statistics:
    """Statistics over the stocks of the world, with nothing counted yet."""
    return Statistics(
        reader=world.reader,
        stocks=world.stocks,
        store=cast(AnalysisStore, Patterns()),
        evaluators=evaluators(),
        sandbox=ProcessSandbox(),
        rules={},
        analyser="structure-1",
        current_rules=world.current_rules,
    )


@pytest.fixture
def statistics(world: World) -> Statistics:
    """Statistics over the stocks of the world."""
    return statistics_of(world)


async def test_both_samples_are_counted(statistics: Statistics, world: World) -> None:
    """Every horizon has its events and its base; asked again nothing is read; too few have no figure."""
    answer = await statistics.answer(RSI)
    rows = [*answer.report.in_sample, *answer.report.out_of_sample]
    assert [one.horizon for one in rows] == [1, 5, 20] * 2
    assert all(one.base_n > 0 for one in rows)
    assert all((one.rise is None) == (one.n < 30) for one in rows)
    assert answer.stocks == 4
    assert answer.split in DAYS

    world.reader.asked.clear()
    assert await statistics.answer(RSI) == answer
    assert world.reader.asked == []


async def test_patterns_are_counted_where_they_ended(statistics: Statistics) -> None:
    """Each completed pattern is one event, before or after the split as its day is."""
    before = await statistics.answer(DOUBLE_TOP)
    after = await statistics.answer(replace(DOUBLE_TOP, split=DAYS[50]))
    assert [one.n for one in before.report.in_sample] == [2, 2, 2]
    assert [one.n for one in before.report.out_of_sample] == [0, 0, 0]
    assert [one.n for one in after.report.out_of_sample] == [2, 2, 2]
    assert all(one.is_too_few for one in after.report.out_of_sample)
    assert before.code_id != after.code_id


async def test_cut_at_a_moment_nothing_later_counts(
    statistics: Statistics, world: World, database: str
) -> None:
    """The figures as of a moment are those of a store that holds nothing of later."""
    until = midnight(DAYS[201])
    questions = [replace(RSI, until=until), replace(DOUBLE_TOP, until=until)]
    cut = await statistics.answers(questions)
    assert world.reader.asked == ["000660", "005930", "035420", "035720"]  # read once for both
    assert cut[0] != await statistics.answer(RSI)
    assert cut[0] != await statistics.answer(replace(RSI, until=midnight(DAYS[180])))
    assert len(world.reader.asked) == 4, "other moments are parts of the same candles"
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("delete from simulation.candles_1d where ts >= $1", until)
    finally:
        await connection.close()
    bare = await statistics_of(world).answers([RSI, DOUBLE_TOP])
    told = [(one.report, one.split, one.stocks, one.left_out) for one in (*cut, *bare)]
    assert told[:2] == told[2:]
    assert cut[0].stocks == 3
    with pytest.raises(NoStatistics, match="no candles"):
        await statistics.answer(replace(RSI, until=midnight(DAYS[0])))


async def test_what_cannot_be_counted_says_why(statistics: Statistics) -> None:
    """An unknown strategy, and a timeframe of which nothing is collected, are refused by name."""
    with pytest.raises(ScreenInvalid, match="no strategy moon"):
        await statistics.answer(replace(RSI, strategy="moon"))
    with pytest.raises(NoStatistics, match="no candles"):
        await statistics.answer(replace(RSI, timeframe=Timeframe.M5))
