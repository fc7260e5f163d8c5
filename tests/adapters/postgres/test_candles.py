"""The store of candles keeps what its contract says, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from tests.support.postgres import connected

from .model import FIRST, STEP_S, page, rows, write

SERIES = Series(symbol="005930", timeframe=Timeframe.M5)
ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

_numbers = itertools.count()


async def test_rows_in_are_rows_accounted_for(store: Store) -> None:
    """Inserted, changed, unchanged and quarantined add up to what came; a rejected row costs only itself."""
    bad = RejectedRow(symbol="005930", reason="high_below_close", payload={"cur_prc": "-\x00\ud800", "n": 1})
    huge = page(at=range(3), close=[100, 2**31 + 7, 102])

    [written] = await store.candles.save([write(huge, rejected=(bad,), api_id="ka10080")])

    assert written == Written(inserted=2, quarantined=2)


async def test_quarantine_keeps_the_row_and_its_reason(store: Store, database: str) -> None:
    """What could not be a candle is kept as it came, as far as PostgreSQL can hold it."""
    bad = RejectedRow(symbol="005930", reason="not_a_number", payload={"cur_prc": "1\x00", "x": float("nan")})

    await store.candles.save([write(page(at=[]), rejected=(bad,), api_id="ka10080")])

    async with connected(database) as connection:
        row = await connection.fetchrow(
            "select api_id, symbol, reason, payload ->> 'cur_prc' from quarantine"
        )
    assert tuple(row) == ("ka10080", "005930", "not_a_number", "1\ufffd")


async def test_an_unchanged_page_writes_nothing(store: Store, database: str) -> None:
    """A page that says nothing new sends no statement at all, even with the database away."""
    await store.candles.save([write(page(), (FIRST, FIRST + 60))])
    async with connected(database) as connection:
        await connection.execute(_END_OTHERS)

    assert await store.candles.save([write(page(), (FIRST, FIRST + 30))]) == [Written(unchanged=900)]

    async with connected(database) as connection:
        assert await connection.fetchval(_OTHERS) == 0


async def test_an_unchanged_page_writes_nothing_after_a_restart(store: Store, database: str) -> None:
    """Without memory the page is compared with the table: no row gets a new version."""
    await store.candles.save([write(page(), (FIRST, FIRST + 60))])
    versions = "select array_agg(xmin::text || ctid::text order by ts) from candles_5m"
    async with connected(database) as connection:
        before = await connection.fetchval(versions)
        store.candles.forget_everything()

        assert await store.candles.save([write(page(), (FIRST, FIRST + 60))]) == [Written(unchanged=900)]

        assert await connection.fetchval(versions) == before


async def test_a_poll_writes_its_two_rows(store: Store, database: str) -> None:
    """Of 898 same rows, one that moved and a new one, two are written."""
    await store.candles.save([write(page(at=range(900), final=np.arange(900) < 899))])
    close = np.full(900, 70_000)
    close[-2:] = 70_100
    poll = page(at=range(1, 901), close=close, final=np.arange(900) < 899)

    assert await store.candles.save([write(poll)]) == [Written(inserted=1, changed=1, unchanged=898)]

    async with connected(database) as connection:
        assert await connection.fetchval("select count(distinct xmin::text) from candles_5m") == 2


async def test_a_changed_final_candle_leaves_a_revision(store: Store, database: str) -> None:
    """Old and new values of a corrected final candle are kept, with the cause."""
    await store.candles.save([write(page("000660", Timeframe.D1, at=[0], close=100))])
    await store.candles.save([write(page("000660", Timeframe.D1, at=[0], close=101))])

    async with connected(database) as connection:
        row = await connection.fetchrow(
            "select old_close, old_value, new_close, new_value, cause from revisions"
        )
    assert tuple(row) == (100, 1000, 101, 1010, "reread")


async def test_all_writes_or_none(store: Store, database: str) -> None:
    """A failure in the last statement takes the rows of the first with it; the call may be repeated."""
    async with connected(database) as connection:
        await connection.execute("alter table coverage rename to elsewhere")
        with pytest.raises(StoreRefused, match="42P01"):
            await store.candles.save([write(page(), (FIRST, FIRST + 60))])
        assert await connection.fetchval("select count(*) from candles_5m") == 0
        await connection.execute("alter table elsewhere rename to coverage")

    assert await store.candles.save([write(page(), (FIRST, FIRST + 60))]) == [Written(inserted=900)]


async def test_a_lost_connection_is_unavailable_and_comes_back(store: Store, database: str) -> None:
    """The call that meets the loss says so and has written nothing; the next one connects again."""
    async with connected(database) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("lock table coverage in access exclusive mode")
        async with asyncio.TaskGroup() as group:
            save = group.create_task(_unavailable(store))
            while await connection.fetchval(_WAITING) == 0:  # noqa: ASYNC110 - the server does not tell
                await asyncio.sleep(0)
            await connection.execute(_END_OTHERS)
            assert await save
        await transaction.rollback()

    assert await store.candles.save([write(page(at=range(10)), (0, 9))]) == [Written(inserted=10)]


async def _unavailable(store: Store) -> bool:
    with pytest.raises(StoreUnavailable):
        await store.candles.save([write(page(at=range(10)), (0, 9))])
    return True


async def test_a_connection_lost_between_two_calls_is_not_noticed(store: Store, database: str) -> None:
    """An idle connection that the server ended is opened again, and nothing is believed from before."""
    await store.candles.save([write(page(at=range(10)))])
    async with connected(database) as connection:
        await connection.execute(_END_OTHERS)
        await connection.execute("delete from candles_5m")
    await asyncio.sleep(0.05)

    assert await store.candles.save([write(page(at=range(20)))]) == [Written(inserted=20)]


async def test_a_cancelled_save_is_rolled_back(store: Store, database: str) -> None:
    """Cancelling a save that waits leaves nothing behind, and the store keeps working."""
    async with connected(database) as connection, connection.transaction():
        await connection.execute("lock table coverage in access exclusive mode")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await store.candles.save([write(page(), (FIRST, FIRST + 60))])

    assert await store.candles.save([write(page(), (FIRST, FIRST + 60))]) == [Written(inserted=900)]


async def test_a_row_somebody_else_wrote_is_found_on_the_second_try(store: Store, database: str) -> None:
    """A foreign row that memory does not know makes the save fail softly; the next one sees and keeps it."""
    await store.candles.save([write(page(at=range(60)))])
    async with connected(database) as connection:
        await connection.execute(
            "insert into candles_5m select ts + interval '5 hours', volume, open, high, low, close, final, "
            "symbol from candles_5m"
        )

    with pytest.raises(StoreUnavailable):
        await store.candles.save([write(page(at=range(60, 120)))])

    assert await store.candles.save([write(page(at=range(60, 120)))]) == [Written(unchanged=60)]


async def test_ten_pages_newest_first_are_one_copy(store: Store, database: str) -> None:
    """A backfill's pages go in together, one overlapping row counted once as new and once as unchanged."""
    pages = [page(at=range(start, start + 900)) for start in range(8091, -1, -899)]

    written = await store.candles.save([write(one) for one in pages])

    assert written == [Written(inserted=900)] + [Written(inserted=899, unchanged=1)] * 9
    async with connected(database) as connection:
        assert await connection.fetchval("select count(*) from candles_5m") == 900 + 9 * 899


async def test_candles_are_read_back(store: Store) -> None:
    """A half-open range of one series comes back as it was written, null values as none."""
    await store.candles.save([write(page(at=range(10))), write(page("000660", at=range(10)))])
    span = (datetime.fromtimestamp(FIRST + STEP_S, UTC), datetime.fromtimestamp(FIRST + 4 * STEP_S, UTC))

    found = await store.candles.candles("005930", Timeframe.M5, *span)

    assert rows(found) == rows(page(at=range(1, 4)))


async def test_days_may_lack_a_value(store: Store) -> None:
    """A daily candle folded from minutes has no value; one from the broker gives it later."""
    folded = replace(page("005930", Timeframe.D1, at=range(60)), value=None)
    await store.candles.save([Write(candles=folded, covered=RangeSet())])
    assert rows(await store.candles.candles("005930", Timeframe.D1, *ALWAYS)) == rows(folded)

    whole = page("005930", Timeframe.D1, at=range(60))
    assert await store.candles.save([write(whole)]) == [Written(changed=60)]
    assert rows(await store.candles.candles("005930", Timeframe.D1, *ALWAYS)) == rows(whole)


async def test_closed_partitions_are_clustered_once(database: str) -> None:
    """Maintenance orders half-years that are over by their key, and each only once."""

    class LaterClock(SystemClock):
        def now(self) -> datetime:
            return datetime.fromtimestamp(FIRST, UTC) + timedelta(days=2)

    async with open_store(database, "simulation", LaterClock()) as store:
        await store.candles.save([write(page(at=range(start, 100, 10))) for start in range(10)])

        assert await store.upkeep.maintain() == ["candles_5m_2026h1"]
        assert await store.upkeep.maintain() == []


_OTHERS = (
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
    "and backend_type = 'client backend'"
)
_WAITING = (
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
)
_END_OTHERS = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "
    "and pid <> pg_backend_pid() and backend_type = 'client backend'"
)


async def test_two_stores_do_not_mix(database: str) -> None:
    """What is written in simulation mode is not there in live mode."""
    async with (
        open_store(database, "simulation", SystemClock()) as simulated,
        open_store(database, "live", SystemClock()) as live,
    ):
        await simulated.candles.save([write(page(at=range(10)), (0, 100))])

        assert len(await live.candles.candles("005930", Timeframe.M5, *ALWAYS)) == 0
        assert await live.candles.coverage() == {}


async def test_an_odd_row_of_coverage_covers_nothing(store: Store, database: str) -> None:
    """A row that a person or another program put there costs itself, and neither the start nor the rest."""
    await store.candles.save([write(page(at=[0]), (FIRST, FIRST + 300))])
    before = await store.candles.coverage()
    async with connected(database) as connection:
        await connection.execute(
            "insert into coverage values ('005930', '3m', '2026-01-01Z', '2026-01-02Z'),"
            " ('005930', '1w', '-infinity', '1970-01-01Z'), ('005930', '1d', '1970-01-01Z', 'infinity')"
        )
    store.candles.forget_everything()
    assert await store.candles.coverage() == before
