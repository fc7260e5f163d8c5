"""How the dashboard stands with the daemon: there, away, silent, back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chartinsight_tui import connection
from chartinsight_tui.clock import SystemClock
from chartinsight_tui.connection import Connection
from chartinsight_tui.store import LinkState, Part, Store
from chartinsightd.control.client import ControlClient, DaemonAway
from chartinsightd.control.protocol.jobs import PauseRequest
from chartinsightd.control.protocol.rows import LogLine
from tests.support.fake_backend import CALLER, FakeBackend, Scene
from tests.tui.dashboards import Daemon, connected, dashboard, eventually, nowhere, offline, shown, until


async def test_a_killed_daemon_is_noticed_and_its_data_stays() -> None:
    """The state is unknown from then on, and says since when; what was known is still shown."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        daemon.kill()
        await offline(pilot)
        text = shown(app)
        assert "? UNKNOWN  daemon not reached · nothing known since 10:07:30" in text
        assert "30 stocks" not in text.splitlines()[1]
        assert "10-13" in text


async def test_a_daemon_that_comes_back_is_found() -> None:
    """Nobody has to press a key: the banner goes, and what changed meanwhile is read."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test() as pilot:
        await connected(pilot)
        daemon.kill()
        await offline(pilot)
        await daemon.backend.pause(PauseRequest(), CALLER)
        daemon.start_again()
        await until(pilot, lambda: "P resume" in shown(app) and "UNKNOWN" not in shown(app))
        assert app.store.is_online


async def test_a_daemon_that_never_was_is_told_with_its_remedy() -> None:
    """Without a daemon from the start the first line says why, and what to do."""
    app = dashboard(nowhere)
    async with app.run_test(size=(120, 24)) as pilot:
        await offline(pilot)
        text = shown(app)
        assert "daemon not reached" in text
        assert "No daemon at /nowhere/control.sock: there is no such socket. Start" in text


async def test_a_silent_daemon_is_away(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A daemon whose process hangs keeps its socket open; its silence is noticed all the same."""

    class Hanging(FakeBackend):
        async def status(self):  # type: ignore[no-untyped-def]
            await asyncio.Event().wait()

    monkeypatch.setattr(connection, "_SILENCE_S", 0.05)
    daemon = Daemon()
    daemon.backend = Hanging()
    app = dashboard(daemon.open)
    async with app.run_test() as pilot:
        await offline(pilot)
        assert app.store.link.reason == "The daemon does not answer."


async def test_events_are_shown_as_they_come() -> None:
    """A new log line, a job's progress and a tracked symbol appear without a key."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        daemon.backend.log("error", "store.failed", symbol="005930")
        await app.action_show("log")
        await until(pilot, lambda: "store.failed" in shown(app))


async def test_what_cannot_be_read_does_not_end_the_connection() -> None:
    """With its database away the daemon answers what it can; the reason stands beside the rest."""
    store, changed = Store(), list[Part]()
    linked = Connection(Daemon(Scene.ERROR).open, store, SystemClock(), changed.append)
    linked.need(Part.COVERAGE)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(linked.run())
        await eventually(lambda: Part.COVERAGE in store.failures)
        running.cancel()
    assert store.link.state is LinkState.ONLINE
    assert store.failures[Part.COVERAGE].reason == "PostgreSQL is not reachable."


async def test_questions_without_a_connection_have_an_answer() -> None:
    """Who asks while nobody is there is told so at once."""
    linked = Connection(nowhere, Store(), SystemClock(), lambda _: None)
    assert str(await linked.cancel(7)) == "The daemon is not connected. Wait for the connection."


async def test_odd_events_are_passed_over() -> None:
    """An event whose data is not understood is skipped; the next one is taken."""
    backend = FakeBackend()

    class Odd(ControlClient):
        async def events(self, *_args, **_options):  # type: ignore[no-untyped-def]
            async for event in super().events(reconnect=False):
                yield event.model_copy(update={"data": {"level": "loud"}}) if event.type == "job" else event

    @asynccontextmanager
    async def open_odd() -> AsyncIterator[ControlClient]:
        daemon = Daemon()
        daemon.backend = backend
        async with daemon.open() as client, Odd(client._path) as odd:
            yield odd

    store = Store()
    linked = Connection(open_odd, store, SystemClock(), lambda _: None)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(linked.run())
        await eventually(lambda: Part.LOGS in store.loaded)
        await backend.sync(CALLER)
        backend.log("info", "after.the_odd_one")
        await eventually(lambda: any(line.event == "after.the_odd_one" for line in store.logs))
        running.cancel()
    assert isinstance(store.logs[-1], LogLine)


async def test_other_errors_are_not_hidden() -> None:
    """Only the daemon's absence is waited out; a mistake of ours ends the dashboard."""

    @asynccontextmanager
    async def broken() -> AsyncIterator[ControlClient]:
        raise ZeroDivisionError
        yield

    linked = Connection(broken, Store(), SystemClock(), lambda _: None)
    try:
        await linked.run()
    except ZeroDivisionError:
        return
    raise AssertionError("the mistake was hidden") from DaemonAway("x")


def test_a_way_of_the_price_that_is_known_is_no_news() -> None:
    """The same closes again give nothing to draw; other closes of one stock do."""
    store = Store()
    assert store.put_trends({"005930": [1, 2], "000660": [3]})
    assert not store.put_trends({"005930": [1, 2], "000660": [3]})
    assert store.put_trends({"005930": [1, 2, 4]})
