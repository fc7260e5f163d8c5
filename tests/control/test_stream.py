"""The stream of events: order, resume, readers that lag, readers that are many."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import aclosing
from pathlib import Path

import pytest
import structlog

from chartinsightd.control.client import ControlClient, DaemonAway
from chartinsightd.control.events import EventHub, EventTap, ReaderDropped
from chartinsightd.control.operations import PAUSE
from chartinsightd.control.protocol.events import Event, EventType, StateChange
from chartinsightd.control.protocol.jobs import Job, Outcome, OutcomeState, PauseRequest
from chartinsightd.control.protocol.rows import LogLine, LogQuery
from chartinsightd.control.stream import StreamPace
from tests.support.fake_backend import NOW, FakeBackend, serving

CHANGE = StateChange(part="token", state="valid")
OUTCOME = Outcome(changed=True, state=OutcomeState.STARTED)


def hub_of(size: int = 100) -> EventHub:
    return EventHub(lambda: NOW, size)


async def first(client: ControlClient, count: int, *, after: str = "") -> list[Event]:
    """Read the first events of a stream."""
    found: list[Event] = []
    async with aclosing(client.events(after)) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                return found
    return found


async def test_events_arrive_in_order_and_typed(client: ControlClient, backend: FakeBackend) -> None:
    """A reader is told where the stream begins, then gets what happens, as the messages the types name."""
    async with aclosing(client.events()) as events:
        begin = await anext(events)
        backend.log("info", "backfill.page_stored", symbol="005930", rows=900)
        await client.ask(PAUSE, PauseRequest())
        following = [await anext(events) for _ in range(2)]

    assert begin.type is EventType.RESET
    assert following[0].message() == LogLine(
        at=NOW,
        level="info",
        event="backfill.page_stored",
        part="backfill",
        symbol="005930",
        fields={"rows": 900},
    )
    assert following[1].message() == StateChange(part="daemon", state="paused", previous="running")


async def test_a_reader_that_comes_back_misses_nothing(client: ControlClient, backend: FakeBackend) -> None:
    """Given the last id, the stream continues after it, without a `reset`."""
    [begin] = await first(client, 1)
    for number in range(3):
        backend.log("info", f"part.happened_{number}")
    [one] = await first(client, 1, after=begin.id)

    rest = await first(client, 2, after=one.id)

    assert [event.data["event"] for event in [one, *rest]] == [f"part.happened_{n}" for n in range(3)]


@pytest.mark.parametrize("after", ["deadbeef-5", "nonsense", "-", "0" * 100])
async def test_a_place_in_another_daemons_stream_begins_anew(client: ControlClient, after: str) -> None:
    """An id of a daemon that was restarted, or of nobody, gets a `reset` and goes on."""
    [event] = await first(client, 1, after=after)

    assert event.type is EventType.RESET


async def test_only_the_wanted_types_come(client: ControlClient, backend: FakeBackend) -> None:
    """A filter leaves the rest out."""
    async with aclosing(client.events(types=(EventType.STATE,))) as events:
        await anext(events)
        backend.log("info", "part.happened")
        backend.tick()
        await client.ask(PAUSE, PauseRequest())
        event = await anext(events)

    assert event.type is EventType.STATE


async def test_a_reader_that_lags_gets_only_the_newest_of_what_is_replaced() -> None:
    """Progress of one job is worth its newest state, and nothing once it ended; no log line is left out."""
    hub = hub_of()
    reader = hub.reader()
    reader.begin()
    for pages in range(5):
        job = Job(id=1, kind="backfill", state="running", created_at=NOW, eta_s=pages)
        hub.publish(EventType.PROGRESS, job, "1")
        hub.publish(EventType.LOG, LogLine(at=NOW, level="info", event=f"e.{pages}"))
    hub.publish(EventType.PROGRESS, Job(id=2, kind="sync", state="running", created_at=NOW), "2")

    entries = await reader.take()

    assert [(entry.type, entry.key) for entry in entries if entry.type is EventType.PROGRESS] == [
        ("progress", "1"),
        ("progress", "2"),
    ]
    assert entries[-2].type is EventType.LOG
    assert sum(entry.type is EventType.LOG for entry in entries) == 5
    hub.publish(EventType.JOB, job.model_dump_json().encode(), "1")
    assert [entry.key for entry in hub.since(0) if entry.type is EventType.PROGRESS] == ["2"]


async def test_a_reader_that_falls_out_of_the_ring_is_dropped() -> None:
    """A reader is never given a stream with a hole: it is told, and comes back to a `reset`."""
    hub = hub_of(size=10)
    reader = hub.reader()
    [begin] = reader.begin()
    for _ in range(11):
        hub.publish(EventType.SYMBOLS, OUTCOME)

    with pytest.raises(ReaderDropped):
        await reader.take()
    assert [entry.type for entry in hub.reader(after=begin.id).begin()] == [EventType.RESET]


async def test_what_is_replaced_pushes_nothing_else_out() -> None:
    """After a flood of forming candles a reader still has all other events, and the newest of each key."""
    hub = hub_of(size=10)
    reader = hub.reader()
    reader.begin()
    hub.publish(EventType.SYMBOLS, OUTCOME)
    for number in range(1_000):
        hub.publish(EventType.STATE, CHANGE, key=str(number % 3))

    entries = await reader.take()
    assert [(entry.type, entry.key) for entry in entries] == [
        (EventType.SYMBOLS, ""),
        *((EventType.STATE, str(number % 3)) for number in range(997, 1_000)),
    ]
    assert [entry.number for entry in entries] == sorted(entry.number for entry in entries)


async def test_more_keys_than_there_is_room_for_drop_a_reader() -> None:
    """Also of what is replaced nothing is lost without a word."""
    hub = hub_of(size=10)
    reader = hub.reader()
    reader.begin()
    for number in range(11):
        hub.publish(EventType.STATE, CHANGE, key=str(number))

    with pytest.raises(ReaderDropped):
        await reader.take()


async def test_a_slow_reader_on_the_socket_gets_a_last_word(tmp_path: Path) -> None:
    """The stream of a dropped reader ends with `dropped`; the client comes back by itself to a `reset`."""
    backend = FakeBackend()
    backend.hub = hub_of(size=4)
    async with (
        serving(backend, tmp_path / "s", StreamPace(batch_s=0.02)) as path,
        ControlClient(path) as client,
        aclosing(client.events()) as events,
    ):
        await anext(events)
        for _ in range(5):
            backend.hub.publish(EventType.SYMBOLS, OUTCOME)
        types = [(await anext(events)).type for _ in range(2)]

    assert types == [EventType.DROPPED, EventType.RESET]


async def test_a_reader_that_takes_nothing_is_cut(tmp_path: Path) -> None:
    """A reader that is stuck holds its connection for `stuck_s`, not for ever."""
    backend = FakeBackend()
    async with serving(backend, tmp_path / "s", StreamPace(batch_s=0.0, stuck_s=0.05)) as path:
        reader, writer = await asyncio.open_unix_connection(path, limit=1_024)
        writer.write(b"GET /v1/events HTTP/1.1\r\nHost: d\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        with structlog.testing.capture_logs() as logs:
            while not any(line["event"] == "control.reader_stuck" for line in logs):
                backend.hub.publish(EventType.STATE, StateChange(part="x" * 50_000, state="y"))
                await asyncio.sleep(0.001)
        writer.close()


async def test_a_silent_stream_says_that_it_lives(tmp_path: Path) -> None:
    """Comments come while nothing happens, so that a dead connection can be told from a quiet day."""
    async with serving(FakeBackend(), tmp_path / "s", StreamPace(keep_alive_s=0.01, batch_s=0.0)) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /v1/events HTTP/1.1\r\nHost: d\r\n\r\n")
        await reader.readuntil(b": alive\n\n")
        await reader.readuntil(b": alive\n\n")
        writer.close()


async def test_the_end_of_the_daemon_ends_the_stream_at_once(tmp_path: Path) -> None:
    """A stopping daemon leaves its readers without waiting for them."""
    async with ControlClient(tmp_path / "s") as client:
        async with serving(FakeBackend(), tmp_path / "s"):
            stream = client.events(reconnect=False)
            await anext(stream)
            began = time.monotonic()
        assert time.monotonic() - began < 1
        with pytest.raises(DaemonAway):
            await anext(stream)


async def test_the_client_comes_back_after_a_restart(tmp_path: Path) -> None:
    """The daemon is restarted under a reader: it connects again and is told to read everything."""
    async with ControlClient(tmp_path / "s") as client, aclosing(client.events()) as events:
        async with serving(FakeBackend(), tmp_path / "s"):
            before = await anext(events)
        async with serving(FakeBackend(), tmp_path / "s"):
            after = await anext(events)

    assert before.type is after.type is EventType.RESET
    assert before.id != after.id


async def test_events_may_be_published_from_any_thread() -> None:
    """A log call in a worker thread wakes the reader on the loop."""
    hub = hub_of()
    reader = hub.reader()
    reader.begin()
    waiting = asyncio.ensure_future(reader.take())
    await asyncio.sleep(0)

    worker = threading.Thread(target=hub.publish, args=(EventType.STATE, CHANGE))
    worker.start()
    [entry] = await asyncio.wait_for(waiting, 60)
    worker.join()

    assert entry.data == CHANGE


def test_what_is_logged_is_shown_and_passed_on_unchanged() -> None:
    """The tap takes any value without failing, and the log goes on as if it were not there."""
    tap = EventTap(hub_of(), lambda: NOW)
    logged = {
        "event": "store.page_saved",
        "level": "warning",
        "symbol": "0126Z0",
        "path": object,
        "loss": float("nan"),
        "odd": "\udcff",
        "nested": {"days": {1}, "\udcfe": 2},
        "deep": json.loads("[" * 300 + "]" * 300),
    }
    before = dict(logged)

    assert tap(None, "warning", logged) is logged
    [line] = tap.recent(LogQuery()).items
    assert logged == before
    assert (line.at, line.level, line.part, line.symbol) == (NOW, "warning", "store", "0126Z0")
    assert json.dumps(line.fields["deep"]).count("[") < 300
    assert {name: value for name, value in line.fields.items() if name != "deep"} == {
        "path": "<class 'object'>",
        "loss": "nan",
        "odd": "\\udcff",
        "nested": {"days": [1], "\\udcfe": 2},
    }
    assert LogLine.model_validate_json(line.model_dump_json()) == line


async def test_fifty_readers_cost_who_publishes_nothing() -> None:
    """Publishing takes as long with fifty readers as with none: it is one step, whoever listens."""
    alone, crowded = hub_of(), hub_of()
    waiting = [asyncio.ensure_future(crowded.reader().take()) for _ in range(50)]
    await asyncio.sleep(0)

    def cost(hub: EventHub) -> float:
        """Return CPU seconds for a thousand events."""
        began = time.thread_time()
        for _ in range(1_000):
            hub.publish(EventType.STATE, CHANGE)
        return time.thread_time() - began

    pairs = [(cost(alone), cost(crowded)) for _ in range(15)]
    for task in waiting:
        task.cancel()

    assert min(crowded for _, crowded in pairs) < 3 * min(alone for alone, _ in pairs)


async def test_a_reader_that_leaves_before_the_stream_begins_is_no_failure(tmp_path: Path) -> None:
    """Who asks and hangs up at once is nobody's mistake; nothing is logged as one."""
    socket = tmp_path / "control.sock"
    with structlog.testing.capture_logs() as logs:
        async with serving(FakeBackend(), socket):
            for _ in range(20):
                _, writer = await asyncio.open_unix_connection(socket)
                writer.write(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
                writer.close()
                await writer.wait_closed()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == []
