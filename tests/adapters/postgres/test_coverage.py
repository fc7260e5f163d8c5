"""A claim grows out of what is stored, and never over what a restored backup lacks."""

from __future__ import annotations

import pytest

from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Written
from tests.adapters.postgres.model import FIRST, page, write
from tests.support.postgres import connected

M5 = Series(symbol="005930", timeframe=Timeframe.M5)
SET_BACK = "delete from candles_5m where ts > (select min(ts) from candles_5m); "


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("update coverage set to_ts = to_ts - interval '5 minutes'", RangeSet.of((FIRST, FIRST + 300))),
        ("delete from coverage", RangeSet()),
    ],
)
async def test_an_older_coverage_is_believed(
    change: str, left: RangeSet, store: Store, database: str
) -> None:
    """Set back under a living session, the claim of the next write does not cover what was lost."""
    await store.candles.save([write(page(at=range(2)), (FIRST, FIRST + 600))])
    async with connected(database) as connection:
        await connection.execute(SET_BACK + change)
    later = write(page(at=range(3)), (FIRST + 600, FIRST + 900))

    with pytest.raises(StoreUnavailable, match="set back or changed"):
        await store.candles.save([later])
    assert store.presence.changed.is_set()
    assert (await store.candles.coverage()).get(M5, RangeSet()) == left
    assert await store.candles.save([later]) == [Written(inserted=2, unchanged=1)]
    assert (await store.candles.coverage())[M5] == left | RangeSet.of((FIRST + 600, FIRST + 900))


@pytest.mark.parametrize(
    "change",
    [
        "insert into coverage select symbol, timeframe, from_ts + interval '5 minutes', to_ts from coverage",
        "update coverage set to_ts = to_ts + interval '1 millisecond'",
    ],
)
async def test_rows_of_somebody_else_are_written_as_ours(change: str, store: Store, database: str) -> None:
    """Ranges that overlap, and parts of a second, stop no write: they are believed for what they mean."""
    await store.candles.save([write(page(at=range(2)), (FIRST, FIRST + 600))])
    async with connected(database) as connection:
        await connection.execute(change)
        store.candles.forget_everything()
        await store.candles.save([write(page(at=range(3)), (FIRST + 600, FIRST + 900))])
        stored = await connection.fetch(
            "select extract(epoch from from_ts)::int, extract(epoch from to_ts) from coverage"
        )

    assert [tuple(row) for row in stored] == [(FIRST, FIRST + 900)]


async def test_only_what_was_written_and_is_stored_is_covered(store: Store, database: str) -> None:
    """A range added behind the daemon's back rests on no answer; one taken away may be an older backup."""
    hours = Series(symbol="005930", timeframe=Timeframe.H1)
    days = Series(symbol="005930", timeframe=Timeframe.D1)
    for series in (M5, hours):
        rows = page(timeframe=series.timeframe, at=range(2))
        await store.candles.save([write(rows, (FIRST, FIRST + 600))])
    assert await store.candles.withdraw_changed_coverage() == {}
    async with connected(database) as connection:
        await connection.execute(
            "update coverage set to_ts = to_ts + interval '1 year' where timeframe = '5m'"
        )
        await connection.execute(
            "update coverage set from_ts = to_timestamp($1) where timeframe = '1h'", FIRST + 60
        )
        await connection.execute("insert into coverage values ('005930', '1d', '2020-01-01', '2021-01-01')")

    lost = await store.candles.withdraw_changed_coverage()

    assert lost == {M5: RangeSet(), hours: RangeSet.of((FIRST, FIRST + 60)), days: RangeSet()}
    left = {M5: RangeSet.of((FIRST, FIRST + 600)), hours: RangeSet.of((FIRST + 60, FIRST + 600))}
    assert await store.candles.coverage() == left
    store.candles.forget_everything()
    assert await store.candles.coverage() == left
