"""`Archive`: what is kept, for people to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from tests.adapters.postgres.model import FIRST, STEP_S, page, write
from tests.support.fakes import listed_stock

from .conftest import Stores

NOW = datetime(2026, 9, 15, 1, 0, tzinfo=UTC)


async def test_jobs_come_newest_first_by_state_and_kind(stores: Stores) -> None:
    """`before` pages through the history and does not change the total."""
    jobs, archive = stores.jobs, stores.archive
    ids = [await jobs.add_job(kind, "me", {"n": 1}, NOW) for kind in ("sync", "backfill", "sync")]
    await jobs.finish_job(ids[0], "failed", {"pages": 3}, "why", NOW)

    everything = await archive.jobs([], [], None, 2)
    older = await archive.jobs([], [], ids[1], 2)
    failed = await archive.jobs(["failed"], ["sync"], None, 2)

    assert ([job.id for job in everything.rows], everything.total) == ([ids[2], ids[1]], 3)
    assert ([job.id for job in older.rows], older.total) == ([ids[0]], 3)
    assert [(job.error, job.progress) for job in failed.rows] == [("why", {"pages": 3})]
    assert (await archive.job(ids[1])) == everything.rows[1]
    assert await archive.job(999) is None


async def test_the_newest_candles_of_a_range_come_oldest_first(stores: Stores) -> None:
    """The range is half-open, the limit takes from its end."""
    await stores.candles.save([write(page(at=range(10))), write(page("000660", at=range(10)))])
    first = datetime.fromtimestamp(FIRST, UTC)
    span = (first + timedelta(seconds=2 * STEP_S), first + timedelta(seconds=8 * STEP_S))

    found = await stores.archive.candles(
        Series(symbol="005930", timeframe=Timeframe.M5), *span, 3, adjusted=False
    )

    assert [int(one.ts.timestamp() - FIRST) // STEP_S for one in found] == [5, 6, 7]
    assert {one.symbol for one in found} == {"005930"}


async def test_names_and_figures_are_those_of_the_list(stores: Stores) -> None:
    """Every stock that was listed has its name."""
    await stores.stocks.save_stocks(
        [listed_stock(), listed_stock(symbol="035720", name="카카오")], frozenset(), NOW
    )

    assert await stores.archive.names() == {"005930": "삼성전자", "035720": "카카오"}
    assert (await stores.archive.facts()).listed == 2
