"""What the second row says on every screen."""

from __future__ import annotations

import pytest

from chartinsight_tui.state_line import state_line
from chartinsight_tui.store import Link, LinkState, Store
from chartinsight_tui.text import Words
from chartinsightd.control.handlers import Caller
from chartinsightd.control.protocol.jobs import PauseRequest
from tests.support.fake_backend import NOW, FakeBackend, Scene

WORDS = Words("en")


async def known(scene: Scene = Scene.FULL) -> Store:
    """Return a store that has just heard the daemon."""
    store = Store()
    store.put_status(await FakeBackend(scene).status(), 0.0)
    store.link = Link(state=LinkState.ONLINE, since=NOW, heard_at=NOW)
    return store


async def test_the_daemons_verdict_is_shown_word_for_word() -> None:
    """State, facts and what comes next are the daemon's; the dashboard adds the time left."""
    store = await known()
    assert store.status is not None
    line = state_line(store, WORDS, NOW)
    assert (line.kind, line.facts) == (store.status.verdict.state, store.status.verdict.words.en)
    assert line.coming == "next 10:10 5m in 2m 46s · ! cause"
    assert state_line(store, Words("ko"), NOW).facts == store.status.verdict.words.ko


@pytest.mark.parametrize("state", [LinkState.CONNECTING, LinkState.OFFLINE])
async def test_a_daemon_that_is_not_heard_is_unknown(state: LinkState) -> None:
    """Nothing of what was known is said of now."""
    store = await known()
    store.link = Link(state=state, since=NOW, heard_at=NOW)
    line = state_line(store, WORDS, None)
    assert line.kind == "unknown"
    assert "gaps" not in line.facts
    if state is LinkState.OFFLINE:
        assert line.facts == "daemon not reached · nothing known since 10:07:30"


async def test_a_pause_names_the_key_that_ends_it() -> None:
    """While nothing is collected, the line says how to go on."""
    backend = FakeBackend()
    await backend.pause(PauseRequest(), Caller(name="test", may_write=True))
    store = await known()
    store.put_status(await backend.status(), 0.0)
    line = state_line(store, WORDS, NOW)
    assert (line.kind, line.coming) == ("attention", "P resume")


async def test_a_cause_names_the_key_that_leads_there() -> None:
    """Where something is wrong, the line ends with the way to its cause."""
    line = state_line(await known(Scene.ERROR), WORDS, NOW)
    assert line.kind == "trouble"
    assert line.coming.endswith("! cause")
