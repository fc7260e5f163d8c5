"""Stored screens over a real store: run once for each session, with what is new, told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.screens import PostgresScreens
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.service.analysing.stored_screens import StoredScreens
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.service.analysing.test_screening import FRIDAY, NOW, World, chart, world
from tests.support.postgres import connected

__all__ = ["world"]
ALWAYS = {"fact": "close", "at_least": 1}
NEVER = {"fact": "close", "at_most": 1}


class Stand:
    """Stored screens over four stocks."""

    def __init__(self, world: World, store: PostgresScreens) -> None:
        self.world = world
        self.store = store
        self.is_analysed = True
        self.told: list[str] = []
        self.screens = StoredScreens(
            screener=world.screener,
            store=store,
            clock=world.clock,
            is_analysed=lambda: self.is_analysed,
            announce=self.announce,
        )

    def announce(self, kind: AlertKind, condition: Condition) -> None:
        """Note what people are told."""
        assert kind is AlertKind.SCREEN_MATCH
        self.told.append(condition.message)


@pytest.fixture
async def stand(world: World, database: str) -> AsyncIterator[Stand]:
    """Screens in the world's own store."""
    connection = ReconnectingConnection(database, looking("simulation", "a test"))
    yield Stand(world, PostgresScreens(connection))
    await connection.close()


async def test_a_screen_runs_once_for_what_it_rests_on(stand: Stand) -> None:
    """Looked at again nothing is run; a late candle or a new version runs it again, and nothing is lost."""
    await stand.screens.save("morning", ALWAYS)
    await stand.screens.look()
    await stand.screens.look()
    [run] = await stand.screens.runs("morning", 10)
    assert (run.session, run.version, run.counts["evaluated"], len(run.exceptions)) == (FRIDAY, 1, 3, 1)
    assert {one.symbol for one in run.matches} == {"000660", "005930", "035720"}
    assert not any(one.is_new for one in run.matches), "no run before it says what was there"

    await stand.world.save(chart("035420", 3))
    await stand.screens.look()
    [again] = await stand.screens.runs("morning", 10)
    assert again.counts["evaluated"] == 4
    assert again.data_id != run.data_id

    await stand.screens.save("morning", NEVER)
    await stand.screens.look()
    [changed] = await stand.screens.runs("morning", 10)
    assert (changed.version, changed.matches) == (2, ())


async def test_new_matches_are_told_once(stand: Stand) -> None:
    """What the run of the session before did not have is new, and told; the next look tells nothing."""
    world = stand.world
    await stand.screens.save("morning", NEVER)
    world.clock.advance(-timedelta(days=1).total_seconds())  # Friday morning: Thursday is the last session
    await stand.screens.look()
    world.clock.advance(timedelta(days=1).total_seconds())
    await stand.screens.save("morning", ALWAYS)

    await stand.screens.look()
    await stand.screens.look()

    run, before = await stand.screens.runs("morning", 10)
    assert before.session < run.session
    assert all(one.is_new for one in run.matches)
    [told] = stand.told
    assert told.startswith(f"morning at {FRIDAY}: ")
    assert "이름005930" in told

    await world.save(chart("035420", 3))  # a late stock is new too, the others were told
    await stand.screens.look()
    assert stand.told[1:] == [f"morning at {FRIDAY}: 이름035420."]


async def test_a_removed_screen_runs_no_longer(stand: Stand) -> None:
    """A screen is removed by a new version; its runs stay, and saved again it goes on counting."""
    await stand.screens.save("morning", ALWAYS)
    await stand.screens.look()
    assert await stand.screens.remove("morning") == 2
    assert await stand.screens.remove("morning") is None
    assert await stand.screens.screens() == []
    assert len(await stand.screens.runs("morning", 10)) == 1
    assert await stand.screens.save("morning", ALWAYS) == 3


@pytest.mark.parametrize(
    ("name", "expression", "words"),
    [
        ("trend_up", ALWAYS, "name of a strategy"),
        ("mine", {"strategy": "moon"}, "no strategy"),
        ("mine", {}, "none of"),
    ],
)
async def test_what_is_no_screen_is_not_stored(
    stand: Stand, name: str, expression: dict[str, object], words: str
) -> None:
    """A wrong expression is refused when it is saved, not in the night when it runs."""
    with pytest.raises(ScreenInvalid, match=words):
        await stand.screens.save(name, expression)
    assert await stand.screens.screens() == []


async def test_a_screen_that_cannot_run_costs_itself_only(stand: Stand) -> None:
    """A strategy that is gone is named with the screen; the others run."""
    await stand.store.save_screen("broken", {"strategy": "gone"}, NOW)
    await stand.screens.save("works", ALWAYS)
    await stand.screens.look()
    assert "gone" in stand.screens.faults["broken"]
    assert len(await stand.screens.runs("works", 1)) == 1


async def test_runs_are_never_changed(stand: Stand, database: str) -> None:
    """The database refuses to change or remove what a run found."""
    await stand.screens.save("morning", ALWAYS)
    await stand.screens.look()
    async with connected(database) as connection:
        for table in ("screens", "screen_runs", "screen_matches"):
            with pytest.raises(asyncpg.PostgresError, match="append"):
                await connection.execute(f"delete from simulation.{table}")
