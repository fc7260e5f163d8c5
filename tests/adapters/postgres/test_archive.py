"""The archive answers from a real PostgreSQL what a person asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chartinsightd.adapters.postgres import connection as connection_module
from chartinsightd.adapters.postgres import engine
from chartinsightd.adapters.postgres.archive import PostgresArchive, open_archive
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.cli.export import frame_of
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.archive import CandleText, StockFilter
from chartinsightd.ports.stores import Gap
from tests.campaign.link import Ends, open_link
from tests.support.fakes import listed_stock
from tests.support.postgres import connected

NOW = datetime(2026, 9, 15, 1, 0, tzinfo=UTC)
SAMSUNG = Series(symbol="005930", timeframe=Timeframe.M5)


@pytest.fixture
async def archive(database: str) -> AsyncIterator[PostgresArchive]:
    """The archive of the store under test."""
    async with open_archive(database, "simulation") as opened:
        yield opened


def candles(series: Series, count: int, price: int = 100) -> Candles:
    """Return so many final candles, from NOW on."""
    span = timedelta(minutes=5) if series.timeframe.is_intraday else timedelta(days=1)
    value = None if series.timeframe.is_intraday else 1_000
    rows = [
        Candle(
            symbol=series.symbol,
            timeframe=series.timeframe,
            ts=NOW + number * span,
            open=price + number,
            high=price + number,
            low=price + number,
            close=price + number,
            volume=10,
            value=value,
            final=True,
        )
        for number in range(count)
    ]
    return Candles.of(series.symbol, series.timeframe, rows)


async def save(store: Store, series: Series, count: int, price: int = 100, **changes: Any) -> None:
    """Commit candles."""
    await store.candles.save([Write(candles=candles(series, count, price), covered=RangeSet(), **changes)])


async def list_stocks(store: Store) -> None:
    """Save a list of three."""
    stocks = [
        listed_stock(),
        listed_stock(symbol="035720", name="카카오_%", market="KOSDAQ", listed_shares=100),
        listed_stock(symbol="0126Z0", name="Samsung Epis", listed_shares=1_000),
    ]
    await store.stocks.save_stocks(stocks, frozenset({"005930"}), NOW)


@pytest.mark.parametrize("timeframe", list(Timeframe))
@pytest.mark.parametrize("adjusted", [False, True])
async def test_the_newest_candles_of_a_range_come_oldest_first(
    store: Store, archive: PostgresArchive, timeframe: Timeframe, adjusted: bool
) -> None:
    """A limit keeps the newest; the end of a range is not in it."""
    series = Series(symbol="005930", timeframe=timeframe)
    saved = list(candles(series, 9))
    await save(store, series, 9)

    newest = await archive.candles(series, None, None, 3, adjusted=adjusted)
    middle = await archive.candles(series, saved[2].ts, saved[5].ts, 100, adjusted=adjusted)

    assert newest == saved[-3:]
    assert middle == saved[2:5]


@pytest.mark.parametrize("timeframe", list(Timeframe))
@pytest.mark.parametrize("adjusted", [False, True])
async def test_the_database_writes_the_csv_that_pandas_would(
    store: Store, archive: PostgresArchive, timeframe: Timeframe, adjusted: bool
) -> None:
    """Byte for byte: times with their Korean offset of then, a missing value empty, True and False."""
    series = Series(symbol="005930", timeframe=timeframe)
    now = list(candles(series, 3))
    end_of_summer_time = datetime(1988, 10, 8, 17, tzinfo=UTC)
    kept = [
        replace(now[0], ts=end_of_summer_time - timedelta(hours=1)),
        replace(now[0], ts=end_of_summer_time),
        *now[:2],
        replace(now[2], final=False),
    ]
    written = Candles.of("005930", timeframe, kept)
    await store.candles.save([Write(candles=written, covered=RangeSet())])
    rows = await archive.candles(series, None, None, 100, adjusted=adjusted)

    found = await archive.candle_text(series, None, None, 100, adjusted=adjusted, final_only=False)

    frame = frame_of(
        "005930", timeframe, [CandleRow.model_validate(row, from_attributes=True) for row in rows]
    )
    assert found.text == frame.to_csv(header=False, index=False, lineterminator="\n")
    assert (found.rows, found.first_ts, found.last_ts) == (len(rows), rows[0].ts, rows[-1].ts)


async def test_the_text_of_a_range_keeps_the_oldest(store: Store, archive: PostgresArchive) -> None:
    """A limit keeps the oldest, so that the next block follows; forming candles may be left out."""
    saved = list(candles(SAMSUNG, 9))
    await save(store, SAMSUNG, 9)

    async def read(start: int, end: int, limit: int) -> CandleText:
        ends = saved[start].ts, saved[end].ts
        return await archive.candle_text(SAMSUNG, *ends, limit, adjusted=False, final_only=True)

    block, nothing = await read(2, 7, 3), await read(3, 3, 3)

    assert (block.rows, block.first_ts, block.last_ts) == (3, saved[2].ts, saved[4].ts)
    assert nothing == CandleText(text="", rows=0, first_ts=None, last_ts=None)


async def test_adjusted_prices_apply_later_actions(
    database: str, store: Store, archive: PostgresArchive
) -> None:
    """A split after a candle divides its price and multiplies its volume."""
    series = Series(symbol="005930", timeframe=Timeframe.D1)
    await save(store, series, 2)
    async with connected(database) as connection:
        await connection.execute(
            "insert into adjustments (symbol, ex_date, price_factor, volume_factor)"
            " values ('005930', '2026-09-16', 0.5, 2)"
        )

    before, after = await archive.candles(series, None, None, 10, adjusted=True)

    assert (before.close, before.volume) == (50, 20)
    assert (after.close, after.volume) == (101, 10)


@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.D1])
async def test_a_past_moment_sees_values_before_their_corrections(
    database: str, store: Store, archive: PostgresArchive, timeframe: Timeframe
) -> None:
    """Of several corrections of a candle the first one after the moment says what it was then."""
    series = Series(symbol="005930", timeframe=timeframe)
    for price in (100, 200, 300):
        await save(store, series, 2, price)
    async with connected(database) as connection:
        await connection.execute(
            "update revisions set changed_at = case old_open when 100 then $1::timestamptz"
            " when 200 then $2 else '2027-01-01' end where ts = $3",
            NOW + timedelta(days=10),
            NOW + timedelta(days=20),
            NOW,
        )

    async def closes(days: int) -> list[int]:
        as_of = NOW + timedelta(days=days)
        found = await archive.candles(series, None, None, 10, adjusted=False, as_of=as_of)
        return [candle.close for candle in found]

    assert await closes(9) == [100, 101]
    assert (await closes(10))[0] == (await closes(19))[0] == 200
    assert (await closes(20))[0] == 300


async def test_the_ledger_is_read_newest_first(store: Store, archive: PostgresArchive) -> None:
    """Factors come back as they were put, with their evidence and when they were found."""
    actions = [
        CorporateAction(
            ex_date=date(2018, 5, day),
            price_factor=Fraction(1, 50),
            volume_factor=Fraction(50),
            evidence={"rows": day},
        )
        for day in (4, 5)
    ]
    await store.actions.put_actions("005930", actions, NOW)
    await store.actions.put_actions("000660", actions[:1], NOW)

    found = await archive.adjustments(["005930"], 1)

    assert [(row.symbol, row.action, row.found_at) for row in found.rows] == [("005930", actions[1], NOW)]
    assert found.total == 2
    assert (await archive.adjustments([], 10)).total == 3


async def test_stocks_are_found_by_what_a_person_types(store: Store, archive: PostgresArchive) -> None:
    """Part of a name, the start of a symbol, market and tracking; signs of LIKE mean themselves."""
    await list_stocks(store)

    async def found(limit: int = 10, **wanted: Any) -> tuple[list[str], int]:
        result = await archive.stocks(StockFilter(**wanted), limit)
        return [stock.symbol for stock in result.rows], result.total

    assert await found() == (["005930", "0126Z0", "035720"], 3)
    assert await found(limit=1) == (["005930"], 3)
    assert await found(search="전자") == (["005930"], 1)
    assert await found(search="EPIS") == (["0126Z0"], 1)
    assert await found(search="0126z") == (["0126Z0"], 1)
    assert await found(search="_%") == (["035720"], 1)
    assert await found(search="_\0") == (["035720"], 1)
    assert await found(markets=["KOSDAQ"]) == (["035720"], 1)
    assert await found(tracked=True) == (["005930"], 1)
    assert await found(symbols=["035720", "999999"]) == (["035720"], 1)
    assert await archive.names() == {"005930": "삼성전자", "035720": "카카오_%", "0126Z0": "Samsung Epis"}


async def test_delisted_stocks_come_when_asked(store: Store, archive: PostgresArchive) -> None:
    """What left the list is found only by who wants it."""
    stocks = [listed_stock(symbol=f"{number:06}") for number in range(20)]
    await store.stocks.save_stocks(stocks, frozenset(), NOW)
    await store.stocks.save_stocks(stocks[1:], frozenset(), NOW)

    assert (await archive.stocks(StockFilter(), 100)).total == 19
    assert (await archive.stocks(StockFilter(with_delisted=True), 100)).total == 20
    assert (await archive.facts()).listed == 19


async def test_gaps_revisions_quarantine_and_seals_are_read(
    database: str, store: Store, archive: PostgresArchive
) -> None:
    """Each comes with its total, by symbol and timeframe."""
    gap = Gap(
        series=SAMSUNG,
        from_ts=NOW,
        to_ts=NOW + timedelta(hours=1),
        reason=GapReason.UNKNOWN,
        evidence={"told": "no data served"},
    )
    await store.gaps.replace_gaps([gap], NOW)
    await save(store, SAMSUNG, 2, rejected=(RejectedRow(symbol="005930", reason="odd", payload={"a": "b"}),))
    await save(store, SAMSUNG, 2, price=200)
    async with connected(database) as connection:
        await connection.execute(
            "insert into seals (symbol, session, state) values ('005930', '2026-09-14', 'sealed')"
        )

    gaps = await archive.gaps([], [Timeframe.M5], 10)
    revisions = await archive.revisions(["005930"], [], 1)
    quarantine = await archive.quarantine([], 10)
    seals = await archive.seals([], ["sealed"], date(2026, 9, 14), None, 10)

    assert [(known.gap, known.since) for known in gaps.rows] == [(gap, NOW)]
    assert (await archive.gaps(["000660"], [], 10)).total == 0
    assert (await archive.facts()).gaps == 1
    assert (revisions.rows[0].old.close, revisions.rows[0].new.close, revisions.total) == (100, 200, 2)
    assert [(row.reason, dict(row.payload)) for row in quarantine.rows] == [("odd", {"a": "b"})]
    assert [(seal.day, seal.state) for seal in seals.rows] == [(date(2026, 9, 14), "sealed")]
    assert (await archive.seals([], [], date(2026, 9, 15), None, 10)).total == 0


async def test_wishes_are_kept_and_mark_the_stocks(store: Store, archive: PostgresArchive) -> None:
    """What a person added or removed is kept, and the list of stocks shows it at once."""
    await list_stocks(store)
    await store.tracking.set_tracking(["035720"], True, NOW, "me")
    await store.tracking.set_tracking(["005930"], False, NOW, "me")

    tracked = await archive.stocks(StockFilter(tracked=True), 10)

    assert await store.tracking.tracking() == {"035720": True, "005930": False}
    assert [stock.symbol for stock in tracked.rows] == ["035720"]


async def test_a_database_that_is_away_is_said_so() -> None:
    """Every question to a server that is not there is refused the same way."""
    async with open_archive("postgresql://me@127.0.0.1:1/nowhere", "simulation") as archive:
        with pytest.raises(StoreUnavailable):
            await archive.facts()


async def test_a_black_hole_is_told_within_the_promised_time(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows everything, on an open connection or before one is made, ends a look by its
    deadlines: together they leave room within the twenty seconds of `database.away`.
    """
    assert engine.LONGEST_LOOK_S + connection_module._CONNECT_TIMEOUT_S <= 18
    monkeypatch.setattr(engine, "LONGEST_LOOK_S", 0.1)
    monkeypatch.setattr(connection_module, "_CONNECT_TIMEOUT_S", 0.1)
    folder = parse_qs(urlsplit(database).query)["host"][0]

    async def connect() -> Ends:
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")

    async with open_link(connect) as link:
        dsn = f"postgresql://chartinsight@127.0.0.1:{link.port}/chartinsight"
        async with open_archive(dsn, "simulation") as archive, asyncio.TaskGroup() as group:
            await archive.facts()
            hole = group.create_task(link.swallow(60))
            for _ in range(2):
                await asyncio.sleep(0)
                async with asyncio.timeout(40):
                    with pytest.raises(StoreUnavailable):
                        await archive.facts()
            hole.cancel()
