"""What the second row says on every screen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chartinsight_tui.state_line import state_line
from chartinsight_tui.store import Link, LinkState, Store
from chartinsight_tui.text import Words
from chartinsightd.control.protocol.status import Alert, DaemonState
from tests.control.fake_backend import NOW, FakeBackend, Scene

WORDS = Words("en")


async def known(scene: Scene = Scene.FULL) -> Store:
    """Return a store that has just heard the daemon."""
    store = Store()
    store.put_status(await FakeBackend(scene).status(), 0.0)
    store.link = Link(state=LinkState.ONLINE, since=NOW, heard_at=NOW)
    return store


async def test_what_runs_is_said_without_praise() -> None:
    """Facts, and what comes next with its time; that all is well is for the daemon to say."""
    line = state_line(await known(), WORDS, NOW)
    assert (line.kind, line.facts) == ("plain", "30 stocks · 5m: 1 late · 14 gaps")
    assert line.coming == "next 15:20 in 5h 12m"


@pytest.mark.parametrize("state", [LinkState.CONNECTING, LinkState.OFFLINE])
async def test_a_daemon_that_is_not_heard_is_unknown(state: LinkState) -> None:
    """Nothing of what was known is said of now."""
    store = await known()
    store.link = Link(state=state, since=NOW, heard_at=NOW)
    line = state_line(store, WORDS, None)
    assert line.kind == "unknown"
    assert "30 stocks" not in line.facts
    if state is LinkState.OFFLINE:
        assert line.facts == "daemon not reached · nothing known since 10:07:30"


async def test_a_pause_wants_attention() -> None:
    """While nothing is collected the state is never plain, and the key that ends it is named."""
    store = await known()
    assert store.status is not None
    paused = store.status.daemon.model_copy(update={"state": DaemonState.PAUSED})
    store.put_status(store.status.model_copy(update={"daemon": paused}), 0.0)
    line = state_line(store, WORDS, NOW)
    assert (line.kind, line.coming) == ("attention", "P resume")


async def test_the_worst_and_oldest_alert_is_the_first_cause() -> None:
    """An error comes before a warning, of equals the one that began first; the others are counted."""
    store = await known()
    assert store.status is not None
    alerts = tuple(
        Alert(at=NOW - timedelta(minutes=age), level=level, event=event, message=event)
        for age, level, event in ((9, "warning", "a"), (2, "error", "b"), (5, "error", "c"))
    )
    store.put_status(store.status.model_copy(update={"alerts": alerts}), 0.0)
    line = state_line(store, WORDS, NOW)
    assert (line.kind, line.facts, line.coming) == ("trouble", "c · 2 more", "! cause")
