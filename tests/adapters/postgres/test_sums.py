"""What the store claims is tied to rows: what is done to them behind its back is found, and exactly that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.rows import ROW
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.adapters.postgres.sums import checksums, piece_end, piece_starts
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Written
from chartinsightd.ports.candles import RowDifference
from tests.adapters.postgres.model import FIRST, page, rows, write
from tests.adapters.postgres.test_candles import ALWAYS
from tests.support.postgres import connected

M5 = Series(symbol="005930", timeframe=Timeframe.M5)
EVERYTHING = (0, 4_000_000_000)


async def found(store: Store) -> list[RowDifference]:
    """Return every difference."""
    return [
        one for part in await store.candles.audit_parts() for one in await store.candles.differences(part)
    ]


async def fill(store: Store) -> None:
    """Write every timeframe: new rows, corrections, and forming rows that become final."""
    for timeframe in Timeframe:
        whole = page("005930", timeframe, at=range(200))
        forming = replace(whole, final=np.zeros(len(whole), np.bool_))
        for candles in (forming, whole, page("005930", timeframe, at=range(50, 60), close=77)):
            await store.candles.save([write(candles, EVERYTHING)])
    await store.candles.save([write(page("000660", Timeframe.D1, at=range(5)), EVERYTHING)])


async def test_what_was_written_is_what_is_there(store: Store, database: str) -> None:
    """After any kind of write the sums of the writer are those of the server; final candles alone count."""
    await fill(store)
    assert await found(store) == []
    async with connected(database) as connection:
        total = await connection.fetchval("select sum(rows) from coverage_sums")
        assert total == await connection.fetchval("select count(*) from candles where final")
    await store.candles.withdraw_finality({Timeframe.M5: FIRST + 300}, date(2026, 7, 1))
    assert await found(store) == []


OLDEST = "where ts = (select min(ts) from candles_5m)"
EARLIER = "ts - interval '5 minutes', volume, open, high, low, close, final, symbol"


@pytest.mark.parametrize(
    "harm",
    [
        "truncate candles_5m",
        f"delete from candles_5m {OLDEST}",
        f"update candles_5m set close = close + 1 {OLDEST}",
        f"update candles_5m set open = close, close = open {OLDEST}",
        f"update candles_5m set volume = volume + 1 {OLDEST}",
        f"update candles_5m set final = false {OLDEST}",
        f"insert into candles_5m select {EARLIER} from candles_5m {OLDEST}",
    ],
)
async def test_harm_is_found_and_heals(harm: str, store: Store, database: str) -> None:
    """Rows that were deleted, changed or added take exactly their piece out of the coverage, once."""
    whole = page("005930", Timeframe.M5, at=range(200))
    whole = replace(whole, open=whole.open - 1)
    await store.candles.save([write(whole, EVERYTHING)])
    async with connected(database) as connection:
        await connection.execute(harm)
    differing = await found(store)
    assert differing
    assert {one.series for one in differing} == {M5}

    taken = await store.candles.withdraw(differing)

    pieces = RangeSet.of(*((one.first, one.end) for one in sorted(differing, key=lambda one: one.first)))
    assert taken == {M5: pieces}
    assert (await store.candles.coverage())[M5] == RangeSet.of(EVERYTHING) - pieces
    assert await found(store) == []
    await store.candles.save([write(whole, EVERYTHING)])
    stored = rows(await store.candles.candles("005930", Timeframe.M5, *ALWAYS))
    assert set(rows(whole)) <= set(stored)
    assert await found(store) == []


async def test_other_series_keep_their_claims(store: Store, database: str) -> None:
    """A difference in one series and piece withdraws nothing else."""
    await fill(store)
    before = await store.candles.coverage()
    async with connected(database) as connection:
        await connection.execute("delete from candles_1d where symbol = '000660'")
    [only] = await found(store)
    assert (only.written, only.found) == (5, 0)
    await store.candles.withdraw([only])
    after = await store.candles.coverage()
    assert {series for series in before if before[series] != after[series]} == {only.series}


async def test_what_differs_is_not_believed_from_memory(store: Store, database: str) -> None:
    """After a withdrawal the same page is compared with the rows that are there, and written again."""
    whole = page("005930", Timeframe.M5, at=range(100))
    await store.candles.save([write(whole, EVERYTHING)])
    async with connected(database) as connection:
        await connection.execute("delete from candles_5m")
    assert await store.candles.save([write(whole, EVERYTHING)]) == [Written(unchanged=100)]
    await store.candles.withdraw(await found(store))
    assert await store.candles.save([write(whole, EVERYTHING)]) == [Written(inserted=100)]


@pytest.mark.parametrize("count", [3, 100])
async def test_rows_that_are_swallowed_are_noticed_at_once(count: int, store: Store, database: str) -> None:
    """The server's own count is compared with what was sent, in both ways of sending."""
    async with connected(database) as connection:
        await connection.execute(_SWALLOW)
        with pytest.raises(StoreRefused, match=f"stored {count - 1} of {count}"):
            await store.candles.save([write(page(at=range(count)), EVERYTHING)])
        assert await connection.fetchval("select count(*) from candles_5m") == 0
        await connection.execute("drop trigger swallow on candles_5m")
    assert await store.candles.save([write(page(at=range(count)), EVERYTHING)]) == [Written(inserted=count)]


_SWALLOW = f"""
create function swallow() returns trigger language plpgsql as $$
begin
    if new.ts = to_timestamp({FIRST}) then return null; end if;
    return new;
end $$;
create trigger swallow before insert on candles_5m for each row execute function swallow()
"""

prices = st.integers(0, 2**31 - 1)
large = st.integers(0, 2**63 - 1)
a_row = st.tuples(
    st.integers(0, 2**32).map(lambda minutes: minutes // 60 * 60),
    large,
    st.one_of(st.just(-1), large),
    prices,
    prices,
    prices,
    prices,
    st.just(True),
)


async def test_both_sides_sum_alike(database: str) -> None:
    """Whatever numbers the columns take, the writer's checksum is the one of `schema.sql`."""
    drawn: list[tuple[int, ...]] = []

    @given(a_row)
    def draw(row: tuple[int, ...]) -> None:
        drawn.append(row)

    draw()
    array = np.array(drawn, ROW)
    async with connected(database) as connection:
        theirs = await connection.fetch(
            "select candle_checksum(to_timestamp(t), o, h, l, c, v, nullif(a, -1)) as checksum from"
            " unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::bigint[], $7::bigint[])"
            " with ordinality as u(t, o, h, l, c, v, a, place) order by place",
            *(array[name].tolist() for name in ("ts", "open", "high", "low", "close", "volume", "value")),
        )
    assert checksums(array).tolist() == [row["checksum"] for row in theirs]


@given(st.sampled_from(Timeframe), st.integers(0, 2**32))
def test_pieces_tile_time(timeframe: Timeframe, instant: int) -> None:
    """Every instant lies in one piece, and the next piece begins where it ends."""
    [first] = piece_starts(timeframe, np.array([instant])).tolist()
    end = piece_end(timeframe, first)
    assert first <= instant < end
    assert piece_starts(timeframe, np.array([end, end - 1])).tolist() == [end, first]
