"""Candles for programs, and the log of their changes, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.candle_reader import PostgresCandleReader, open_candle_reader
from chartinsightd.adapters.postgres.changes import ALWAYS, NewChange, note
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.domain.adjusted import AdjustedCandles
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.changes import Change, ChangeKind
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.candles import CandleSpan
from tests.domain.made_up_charts import split, walk, weekly
from tests.support.fake_backend import FrozenClock
from tests.support.postgres import connected

from .model import page

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAYS = [session.day for session in Calendar().sessions(date(2026, 9, 14), date(2026, 11, 20))]
ACTIONS = [split(date(2026, 10, 21), Fraction(1, 3)), split(date(2026, 11, 2), Fraction(20, 21))]
ALL = CandleSpan()

_numbers = itertools.count()


@pytest.fixture
async def reader(store: Store, database: str) -> AsyncIterator[PostgresCandleReader]:
    """A reader of the store's own schema."""
    del store  # it makes the schema
    async with open_candle_reader(database, "simulation") as opened:
        yield opened


async def save(store: Store, candles: Candles) -> None:
    """Store candles without coverage."""
    await store.candles.save([Write(candles=candles, covered=EMPTY)])


def values(candles: AdjustedCandles) -> list[tuple[int, ...]]:
    """The raw candles, row by row."""
    names = ("ts", "open", "high", "low", "close", "volume")
    return list(zip(*(getattr(candles.raw, name).tolist() for name in names), strict=True))


async def test_a_reader_returns_what_was_stored(store: Store, reader: PostgresCandleReader) -> None:
    """Every series has an entry, oldest first; a forming candle only when it is asked for."""
    is_final = np.arange(50) < 49
    await save(store, page("005930", at=range(50), close=np.arange(50) + 70_000, final=is_final))

    found = await reader.read_many(["000660", "005930"], Timeframe.M5, ALL)
    with_forming = await reader.read("005930", Timeframe.M5, CandleSpan(newest=2), with_forming=True)

    assert list(found) == ["000660", "005930"]
    assert len(found["000660"]) == 0
    assert found["005930"].raw.close.tolist() == list(range(70_000, 70_049))
    assert found["005930"].close.dtype == np.float64
    assert with_forming.raw.final.tolist() == [True, False]


async def test_a_span_is_half_open_and_takes_the_newest(store: Store, reader: PostgresCandleReader) -> None:
    """[start, end) bounds the openings; `newest` keeps the last ones."""
    await save(store, candles := page("005930", at=range(20)))
    start, end = (datetime.fromtimestamp(int(candles.ts[i]), UTC) for i in (5, 15))

    found = await reader.read("005930", Timeframe.M5, CandleSpan(start=start, end=end, newest=3))

    assert found.raw.ts.tolist() == candles.ts[12:15].tolist()


async def test_adjusted_columns_round_to_the_view(
    store: Store, reader: PostgresCandleReader, database: str
) -> None:
    """Unrounded columns give the view's won and shares when rounded; raw ones stay as traded."""
    raw = walk(8, DAYS, 50_000)
    await save(store, raw)
    await save(store, weekly(raw))
    await store.actions.put_actions("005930", ACTIONS, NOW)

    for timeframe, traded in ((Timeframe.D1, raw), (Timeframe.W1, weekly(raw))):
        found = await reader.read("005930", timeframe, ALL)
        async with connected(database) as connection:
            view = await connection.fetch(
                "select extract(epoch from ts)::bigint as ts, open, high, low, close, volume "
                "from candles_adjusted where symbol = '005930' and timeframe = $1 order by ts",
                str(timeframe),
            )
        assert found.raw.close.tolist() == traded.close.tolist()
        assert found.raw.ts.tolist() == [row["ts"] for row in view]
        for name in ("open", "high", "low", "close"):
            assert np.abs(getattr(found, name) - [row[name] for row in view]).max() <= 0.5 + 1e-6
        assert np.abs(found.volume - [row["volume"] for row in view]).max() <= 5.0, "a share a day"
        assert (found.close % 1.0 != 0).any(), "nothing was rounded"


async def test_a_week_without_its_days_is_left_out(store: Store, reader: PostgresCandleReader) -> None:
    """Nothing else says what the prices of a week with an action inside are."""
    raw = weekly(walk(9, DAYS, 50_000))
    await save(store, raw)
    await store.actions.put_actions("005930", ACTIONS, NOW)

    found = await reader.read("005930", Timeframe.W1, ALL)

    assert len(found) == len(raw) - 1


@st.composite
def _pages(draw: st.DrawFn) -> Candles:
    at = sorted(draw(st.sets(st.integers(0, 30), min_size=1, max_size=8)))
    close = [draw(st.integers(101, 103)) for _ in at]
    return page("x", at=at, close=close, final=[draw(st.booleans()) for _ in at])


def test_as_of_gives_the_answer_that_was_given(database: str) -> None:
    """Whatever is stored and corrected later, `as_of` returns the final candles that were known then."""
    clock = FrozenClock(NOW)
    with asyncio.Runner() as runner:
        opened = open_store(database, "simulation", clock)
        reading = open_candle_reader(database, "simulation")
        store, reader = runner.run(opened.__aenter__()), runner.run(reading.__aenter__())

        @settings(max_examples=40, deadline=None)
        @given(st.lists(_pages(), min_size=1, max_size=6))
        def holds(pages: list[Candles]) -> None:
            runner.run(_replay(store, reader, clock, pages))

        try:
            holds()
        finally:
            runner.run(reading.__aexit__(None, None, None))
            runner.run(opened.__aexit__(None, None, None))


async def _replay(
    store: Store, reader: PostgresCandleReader, clock: FrozenClock, pages: list[Candles]
) -> None:
    symbol = f"{next(_numbers):06}"
    answers: list[tuple[datetime, list[tuple[int, ...]]]] = []
    for candles in pages:
        await save(store, replace_symbol(candles, symbol))
        answers.append((clock.now(), values(await reader.read(symbol, Timeframe.M5, ALL))))
        clock.advance(60)
    for moment, answer in answers:
        assert values(await reader.read(symbol, Timeframe.M5, ALL, as_of=moment)) == answer


def replace_symbol(candles: Candles, symbol: str) -> Candles:
    """The same candles of another stock."""
    names = ("ts", "open", "high", "low", "close", "volume", "value", "final")
    columns: dict[str, Any] = {name: getattr(candles, name) for name in names}
    return Candles(symbol=symbol, timeframe=candles.timeframe, **columns)


async def test_an_action_found_later_does_not_adjust_the_past(
    store: Store, reader: PostgresCandleReader
) -> None:
    """`as_of` before the find gives the prices that the store gave then."""
    await save(store, raw := walk(8, DAYS, 50_000))
    await store.actions.put_actions("005930", ACTIONS, datetime.now(UTC) + timedelta(days=1))

    before = await reader.read("005930", Timeframe.D1, ALL, as_of=datetime.now(UTC) + timedelta(hours=1))
    after = await reader.read("005930", Timeframe.D1, ALL, as_of=datetime.now(UTC) + timedelta(days=2))

    assert before.close.tolist() == raw.close.tolist()
    assert after.close[0] == pytest.approx(raw.close[0] * 20 / 63, rel=1e-12)


async def kinds(reader: PostgresCandleReader, number: int) -> list[tuple[ChangeKind, str | None, int]]:
    """What changed after a number: kind, symbol and the seconds from the first to the last candle."""
    return [
        (one.kind, one.symbol, int((one.to_ts - one.from_ts).total_seconds()))
        for one in await reader.changes_since(number, 100)
        if one.kind is not ChangeKind.ADJUSTED
    ]


async def test_every_change_of_final_candles_is_logged_once(
    store: Store, reader: PostgresCandleReader
) -> None:
    """New and revised candles are; forming ones and pages without news are not."""
    await save(store, page("005930", at=range(10), final=np.arange(10) < 9))
    first = await reader.last_number()
    await save(store, page("005930", at=range(10), final=np.arange(10) < 9))
    assert await reader.last_number() == first
    assert await kinds(reader, 0) == [(ChangeKind.NEW, "005930", 8 * 300)]

    await save(store, page("005930", at=range(8, 12), close=[70_001, 70_000, 70_000, 70_000]))

    assert await kinds(reader, first) == [
        (ChangeKind.NEW, "005930", 2 * 300),
        (ChangeKind.REVISED, "005930", 0),
    ]


async def test_the_ledger_and_the_calendar_are_logged(store: Store, reader: PostgresCandleReader) -> None:
    """Each new factor and each learned day is one change; saying the same again is none."""
    opened = LearnedDay(day=date(2026, 10, 9), is_open=True, evidence={}, learned_at=NOW)
    await store.actions.put_actions("005930", ACTIONS, NOW)
    await store.actions.put_actions("005930", await store.actions.actions("005930"), NOW)
    await store.learned_days.save_learned_day(opened)
    await store.learned_days.save_learned_day(opened)
    await store.learned_days.forget_learned_day(opened.day, NOW)

    changes: list[Change] = await reader.changes_since(0, 100)

    assert [(one.kind, one.symbol) for one in changes] == [
        (ChangeKind.ADJUSTED, "005930"),
        (ChangeKind.LEARNED_DAY, None),
        (ChangeKind.LEARNED_DAY, None),
    ]
    assert [one.number for one in changes] == [1, 2, 3]


async def test_numbers_become_visible_in_their_order(store: Store, reader: PostgresCandleReader) -> None:
    """A commit with a larger number waits for the smaller one, so a cursor skips nothing."""
    change = NewChange(
        kind=ChangeKind.LEARNED_DAY, symbol=None, timeframe=None, from_ts=ALWAYS[0], to_ts=ALWAYS[1]
    )
    dsn = reader._link._dsn
    del store
    async with connected(dsn) as slow, connected(dsn) as quick, asyncio.TaskGroup() as tasks:
        transaction = slow.transaction()
        await transaction.start()
        await note(slow, [change], NOW)
        waiting = tasks.create_task(note(quick, [change], NOW))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        assert await reader.last_number() == 0
        await transaction.commit()
    assert [one.number for one in await reader.changes_since(0, 10)] == [1, 2]
