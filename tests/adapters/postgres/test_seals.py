"""Chains are kept beside their candles; what has news is asked for many symbols at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.facts.krx import KST
from chartinsightd.ports.stores import Seal
from tests.support.postgres import connected

from .model import FIRST, page, write

DAY = datetime.fromtimestamp(FIRST, KST).date()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


def chain(day: date = DAY, **changes: Any) -> Chain:
    """Return a session that is proved."""
    return replace(Chain(day=day, state=ChainState.PROVED, rows=3, volume=30), **changes)


def day_candle(symbol: str, timeframe: Timeframe, start: int, volume: int) -> Candles:
    """Return one final day or week."""
    candle = Candle(
        symbol=symbol,
        timeframe=timeframe,
        ts=datetime.fromtimestamp(start, UTC),
        open=10,
        high=10,
        low=10,
        close=10,
        volume=volume,
        value=50,
        final=True,
    )
    return Candles.of(symbol, timeframe, [candle])


def minutes(symbol: str, chains: Sequence[Chain], *, at: Sequence[int] = (0, 1, 2), **changes: Any) -> Write:
    """Return a 5m page with chains."""
    return replace(write(page(symbol, Timeframe.M5, at=at)), chains=tuple(chains), **changes)


async def test_a_correction_of_any_timeframe_asks_for_its_session_again(store: Store) -> None:
    """A revised hour unseals its session, without a word of the chain."""
    hours = page("005930", Timeframe.H1, at=[0, 1], final=[True, True])
    await store.candles.save([write(hours)])
    sealed = [Seal(symbol="005930", day=DAY, state="sealed", evidence={"chain": "no candle"})]
    await store.seals.save_seals(sealed, LONG_AGO)
    assert await store.seals.unsealed(["005930"], [DAY]) == []

    await store.candles.save([write(page("005930", Timeframe.H1, at=[0], close=[177], final=[True]))])

    assert [one.day for one in await store.seals.unsealed(["005930"], [DAY])] == [DAY]


async def test_a_seal_that_says_more_than_its_chain_counts_as_none(store: Store, database: str) -> None:
    """Written by hand, or with a chain that was deleted or changed behind its back, it is judged again."""
    days = [DAY - timedelta(days=back) for back in range(5)]
    await store.candles.save([minutes("005930", [chain(day) for day in days])])
    proved = [Seal(symbol="005930", day=day, state="sealed", evidence={"chain": "proved"}) for day in days]
    await store.seals.save_seals(proved, FOREVER)
    assert await store.seals.unsealed(["005930"], days) == []

    async with connected(database) as connection:
        await connection.execute("delete from chains where session = $1", days[0])
        await connection.execute("update chains set state = 'broken' where session = $1", days[1])
        await connection.execute("update seals set state = 'fine' where session = $1", days[2])
        await connection.execute("update seals set evidence = '{}' where session = $1", days[3])

    assert [one.day for one in await store.seals.unsealed(["005930"], days)] == days[3::-1]


async def test_a_corrected_week_or_day_asks_for_the_rest_of_its_week_again(store: Store) -> None:
    """The week's last session judges the week: a revision of the week, or of a day before, unseals it."""
    monday = DAY - timedelta(days=DAY.weekday())
    friday, next_monday = monday + timedelta(days=4), monday + timedelta(days=7)
    days = [monday, friday, next_monday]
    start = int(datetime.combine(monday, datetime.min.time(), KST).timestamp())
    for symbol, timeframe in (("005930", Timeframe.D1), ("000660", Timeframe.W1)):
        await store.candles.save([write(day_candle(symbol, timeframe, start, volume=5))])
        seals = [
            Seal(symbol=symbol, day=one, state="sealed", evidence={"chain": "no candle"}) for one in days
        ]
        await store.seals.save_seals(seals, LONG_AGO)
        await store.candles.save([write(day_candle(symbol, timeframe, start, volume=6))])

        assert [one.day for one in await store.seals.unsealed([symbol], days)] == [monday, friday]


async def test_the_newest_page_notes_only_what_it_changed(store: Store) -> None:
    """A poll that repeats what is stored notes no chain; a read to prove something always does."""
    first = minutes("005930", [chain()], is_newest=True)
    again = replace(first, chains=(chain(rows=2),))

    noted = [(await store.candles.save([one]))[0].chains for one in (first, first, again)]
    proof = replace(again, cause="verify", is_newest=False)
    noted += [(await store.candles.save([one]))[0].chains for one in (proof, proof)]

    assert noted == [1, 0, 0, 1, 0]
    [known] = await store.seals.chains([("005930", DAY)])
    assert known.chain == chain(rows=2)


async def test_revisions_say_why_the_candle_was_read_again(store: Store, database: str) -> None:
    """The cause of a write is kept with each change it makes, also among others in one transaction."""
    await store.candles.save([minutes("005930", [], at=[0, 1]), minutes("000660", [], at=[0, 1])])
    new = [
        write(page("005930", Timeframe.M5, at=[1], close=[177], final=[True]), cause="seal"),
        write(page("000660", Timeframe.M5, at=[1], close=[177], final=[True]), cause="verify"),
    ]

    await store.candles.save(new)

    async with connected(database) as connection:
        rows = await connection.fetch("select symbol, cause from revisions order by symbol")
    assert [tuple(row) for row in rows] == [("000660", "verify"), ("005930", "seal")]
