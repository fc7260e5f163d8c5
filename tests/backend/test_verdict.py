"""The verdict over the real services, in virtual time."""

from __future__ import annotations

from chartinsightd.control.operations import PAUSE, RESUME, STATUS, VERDICT
from chartinsightd.control.protocol.jobs import PauseRequest
from chartinsightd.domain.verdict import VerdictState
from chartinsightd.facts.krx import KST
from tests.backend.conftest import ask
from tests.backend.test_board import on_board
from tests.support.virtual import in_virtual_time


@in_virtual_time
async def test_a_quiet_morning_is_well_and_says_what_comes_next() -> None:
    """After the first catch-up all is fresh, and the next read is named with its time."""
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        now = world.clock.now()
        verdict = await ask(backend, VERDICT)
        status = await ask(backend, STATUS)

    assert verdict == status.verdict
    assert verdict.state is VerdictState.WELL
    assert verdict.words.en.startswith("1 × 5 fresh · 0 gaps")
    assert verdict.words.ko.startswith("1종목 × 5주기 모두 최신 · 누락 0")
    assert verdict.next_words.en == "5m"
    assert verdict.next_at is not None
    assert now < verdict.next_at <= now.replace(minute=11, second=0)


@in_virtual_time
async def test_a_pause_is_never_well() -> None:
    """From the first beat of a pause until collecting goes on, the verdict asks for a person."""
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        await ask(backend, PAUSE, PauseRequest())
        await world.clock.sleep(10)
        early = await ask(backend, VERDICT)
        await world.clock.sleep(1_200)
        late = await ask(backend, VERDICT)
        await ask(backend, RESUME)
        await world.clock.sleep(240)
        after = await ask(backend, VERDICT)

    assert (early.state, early.words.en) == (VerdictState.ATTENTION, "paused")
    assert late.causes[0].kind == "paused"
    assert late.words.ko.startswith("수집 일시정지 20분째")
    assert late.next_at is None
    assert after.state is VerdictState.WELL


@in_virtual_time
async def test_a_pause_for_a_while_says_until_when_and_ends_itself() -> None:
    """The verdict and the status name its end; after it collecting catches up and all is well."""
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        await ask(backend, PAUSE, PauseRequest())
        outcome = await ask(backend, PAUSE, PauseRequest(for_s=600))
        await world.clock.sleep(400)
        status = await ask(backend, STATUS)
        await world.clock.sleep(440)
        after = await ask(backend, STATUS)

    assert outcome.until is not None
    assert (outcome.state, status.daemon.paused_until) == ("paused", outcome.until)
    assert (status.verdict.next_at, status.verdict.next_words.en) == (outcome.until, "resume")
    assert f"until {outcome.until.astimezone(KST):%H:%M} KST" in status.verdict.words.en
    assert (after.daemon.state, after.daemon.paused_until) == ("running", None)
    assert after.verdict.state is VerdictState.WELL


@in_virtual_time
async def test_a_database_that_is_away_is_trouble_and_gaps_are_not_known() -> None:
    """The first cause is the database; it ends with it, after a moment."""
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        world.archive.is_away = True
        await world.clock.sleep(60)
        away = await ask(backend, VERDICT)
        world.archive.is_away = False
        await world.clock.sleep(60)
        after = await ask(backend, VERDICT)

    assert (away.state, away.causes[0].kind) == (VerdictState.TROUBLE, "database.away")
    assert away.words.en.startswith("the database is away")
    assert after.state is VerdictState.WELL
