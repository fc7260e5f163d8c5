"""Questions and orders that name a venue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from chartinsightd.backend.assembly import Backend
from chartinsightd.backend.venues import ByVenue
from chartinsightd.control.handlers import UnknownThing
from chartinsightd.control.metrics import prometheus_text
from chartinsightd.control.operations import BACKFILL, EXPLAIN, JOB, STATUS, VERIFY
from chartinsightd.control.protocol.analysis import PatternQuery, PointsQuery
from chartinsightd.control.protocol.coverage import CoverageQuery, GapQuery, SealQuery
from chartinsightd.control.protocol.history import ExplainQuery, Standing
from chartinsightd.control.protocol.jobs import BackfillRequest, JobPath, JobState, VerifyRequest
from chartinsightd.control.protocol.screens import ScreenerQuery, ScreenRequest
from chartinsightd.control.protocol.statistics import StatisticsQuery
from chartinsightd.control.protocol.words import Request
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.facts.krx import KST
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.venues.jobs import VenueJobs
from chartinsightd.service.venues.selection import VenueSelection
from tests.backend.conftest import BackendWorld, ask
from tests.support.virtual import cancelled_after, in_virtual_time
from tests.support.world import CALENDAR

MORNING = datetime(2026, 9, 15, 10, 2, tzinfo=KST)
NXT_CALENDAR = CALENDAR.of_venue(Venue.NXT)
OLD = date(2026, 8, 24)


@asynccontextmanager
async def two_venues() -> AsyncIterator[tuple[BackendWorld, BackendWorld, Backend]]:
    """Run a backend over KRX and NXT, each with its own store; give them five minutes."""
    krx = BackendWorld(MORNING)
    nxt = BackendWorld(MORNING, calendar=NXT_CALENDAR, history=VenueJobs(krx.jobs, Venue.NXT))
    krx.venues = {Venue.NXT: nxt.kept(traded=["005930"])}
    async with nxt.running("005930"), asyncio.TaskGroup() as group:
        runs = (nxt.backfills.run, nxt.proofs.verifications.run)
        tasks = [group.create_task(run()) for run in runs]
        async with krx.on_board() as backend:
            await krx.clock.sleep(300)
            yield krx, nxt, backend
        for task in tasks:
            task.cancel()


def test_a_question_without_a_venue_is_about_krx() -> None:
    """So is an order; and the name of a venue is taken in any case."""
    at = MORNING.astimezone(UTC)
    for query, fields in (
        (CoverageQuery, {}),
        (GapQuery, {}),
        (SealQuery, {}),
        (VerifyRequest, {}),
        (BackfillRequest, {"symbols": ["005930"]}),
        (ExplainQuery, {"symbol": "005930", "timeframe": "5m", "at": at}),
    ):
        assert query.model_validate(fields).venue is Venue.KRX
        assert query.model_validate(fields | {"venue": "nxt"}).venue is Venue.NXT


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (PointsQuery, {"symbol": "005930"}),
        (PatternQuery, {}),
        (ScreenerQuery, {"screen": "mine"}),
        (ScreenRequest, {"expression": {}}),
        (StatisticsQuery, {"pattern": "double_bottom"}),
    ],
)
def test_what_is_analysed_is_krx_alone(query: type[Request], fields: dict[str, object]) -> None:
    """A question about what was found at another venue is refused, never answered with KRX."""
    query.model_validate(fields | {"venue": "krx"})
    with pytest.raises(ValidationError, match="candles of KRX alone: leave venue out"):
        query.model_validate(fields | {"venue": "nxt"})


def test_a_venue_that_is_not_collected_is_said_to_be_so() -> None:
    """Not an empty list, which would say that nothing is missing."""
    kept = ByVenue({Venue.KRX: 1, Venue.UNIFIED: 2})
    assert (kept.of(Venue.KRX), kept.of(Venue.UNIFIED)) == (1, 2)
    with pytest.raises(UnknownThing, match="NXT is not collected") as caught:
        kept.of(Venue.NXT)
    assert 'venues.collect = ["NXT"]' in caught.value.remedy


@in_virtual_time
async def test_an_order_is_carried_out_at_its_venue() -> None:
    """A backfill and a verification of NXT touch no candle of KRX, their jobs name NXT, and without a venue
    they touch none of NXT; the job of KRX has no venue, as it always had none."""
    minutes = Series(symbol="005930", timeframe=Timeframe.M5)
    wanted = {"symbols": ("005930",), "timeframes": (Timeframe.M5,), "from_day": OLD}
    async with two_venues() as (krx, nxt, backend):

        def covered() -> tuple[bool, ...]:
            at = int(midnight(OLD).timestamp()) + 10 * 3600
            return tuple(at in one.ledger.state(minutes).covered for one in (krx, nxt))

        assert covered() == (False, False)
        of_nxt = await ask(backend, BACKFILL, BackfillRequest(**wanted, venue=Venue.NXT))
        await krx.clock.sleep(60)
        assert covered() == (False, True)
        verifying = await ask(backend, VERIFY, VerifyRequest(**wanted, venue=Venue.NXT))
        of_krx = await ask(backend, BACKFILL, BackfillRequest(**wanted))
        await krx.clock.sleep(60)
        assert covered() == (True, True)
        asked = [JobPath(job_id=one.job_id or 0) for one in (of_nxt, verifying, of_krx)]
        jobs = [await ask(backend, JOB, one) for one in asked]
    assert [job.state for job in jobs] == [JobState.DONE] * 3
    assert [job.params.get("venue") for job in jobs] == ["NXT", "NXT", None]
    assert (krx.audited, nxt.audited) == ([], [("005930",)])


@in_virtual_time
async def test_a_stock_that_is_not_on_nxt_is_refused_there() -> None:
    """Kiwoom would answer a blank row: nothing would be wrong, and nothing would ever come."""
    async with two_venues() as (_, _, backend):
        for operation, request in (
            (BACKFILL, BackfillRequest(symbols=("000660",), venue=Venue.NXT)),
            (VERIFY, VerifyRequest(symbols=("000660",), venue=Venue.NXT)),
        ):
            with pytest.raises(UnknownThing, match="000660 is not traded on NXT"):
                await ask(backend, operation, request)


@in_virtual_time
async def test_a_moment_belongs_to_the_candles_of_its_venue() -> None:
    """At 08:30 NXT trades and KRX does not; the answer says whose candle it is."""
    at = datetime(2026, 9, 15, 8, 32, tzinfo=KST).astimezone(UTC)
    asked = {"symbol": "005930", "timeframe": Timeframe.M5, "at": at}
    async with two_venues() as (_, _, backend):
        of_krx = await ask(backend, EXPLAIN, ExplainQuery(**asked))
        of_nxt = await ask(backend, EXPLAIN, ExplainQuery(**asked, venue=Venue.NXT))
        other = await ask(backend, EXPLAIN, ExplainQuery(**asked | {"symbol": "000660"}, venue=Venue.NXT))
    assert (of_krx.venue, of_krx.standing) == (Venue.KRX, Standing.NO_SESSION)
    assert (of_nxt.venue, of_nxt.standing, of_nxt.covered) == (Venue.NXT, Standing.FINAL, True)
    assert of_nxt.ts == datetime(2026, 9, 15, 8, 30, tzinfo=KST)
    assert other.standing is Standing.NOT_KEPT


@in_virtual_time
async def test_the_status_counts_each_venue_for_itself() -> None:
    """Freshness and completeness of NXT stand beside those of KRX, and change no figure of KRX; the metrics
    have names of their own, so that a sum over an old name means what it meant."""
    async with two_venues() as (krx, nxt, backend):
        status = await ask(backend, STATUS)
        text = prometheus_text(await backend.metrics())
    [venue] = status.venues
    assert (venue.venue, venue.symbols, venue.missing, venue.complete_ratio) == (Venue.NXT, 1, 0, 1.0)
    assert venue.expected > 0
    assert [(one.timeframe, one.late) for one in venue.freshness] == [(one, 0) for one in Timeframe]
    assert venue.rows_today.inserted == len(nxt.store.candles) != len(krx.store.candles)
    assert status.rows_today.inserted == len(krx.store.candles)
    assert 'chartinsight_venue_sessions_missing{venue="NXT"} 0' in text
    assert f'chartinsight_venue_rows_total{{venue="NXT",outcome="inserted"}} {len(nxt.store.candles)}' in text
    assert f'chartinsight_rows_total{{outcome="inserted"}} {len(krx.store.candles)}' in text


@in_virtual_time
async def test_without_a_venue_nothing_of_venues_is_shown() -> None:
    """Neither in the status nor in the metrics."""
    world = BackendWorld(MORNING)
    async with world.on_board() as backend:
        assert (await ask(backend, STATUS)).venues == ()
        assert "venue" not in prometheus_text(await backend.metrics())


@in_virtual_time
async def test_nxt_is_collected_once_the_stock_list_is_read() -> None:
    """The targets are known before any list, and only the list says who is on NXT: not the next morning."""
    world, own = BackendWorld(MORNING), CollectedStocks()
    selection = VenueSelection(
        venue=Venue.NXT,
        symbols=(),
        with_universe=False,
        krx=world.collected,
        listing=world.stock_list.listing,
        collected=own,
        clock=world.clock,
    )
    world.stock_list.on_read(selection.look_again)
    async with asyncio.TaskGroup() as group:
        for run in (world.stock_list.run, selection.run):
            group.create_task(cancelled_after(run(), 60))
    assert own.symbols == ("005930",)
