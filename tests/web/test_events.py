"""The listener's stream: resumable, alive, ended with its session, and nobody's brake."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from chartinsightd.control.events import RING_SIZE
from chartinsightd.control.protocol.events import CandleChange, EventType, LabelChange, StateChange
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.control.stream import StreamPace
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.web.server import MOST_STREAMS
from tests.support.fake_backend import NOW
from tests.web.conftest import Browser, Door


@pytest.fixture
def door(door: Door) -> Door:
    """A door whose streams say soon that they live."""
    door.pace = StreamPace(keep_alive_s=0.2, batch_s=0.01)
    return door


class Heard:
    """What one reader of the stream gets, block by block."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self._rest = b""

    async def block(self) -> str:
        """Return the next block, without its blank line."""
        async with asyncio.timeout(60):
            while b"\n\n" not in self._rest:
                chunk = await self.answer.content.readany()
                if not chunk:
                    raise EOFError
                self._rest += chunk
        text, _, self._rest = self._rest.partition(b"\n\n")
        return text.decode()

    async def event(self) -> dict[str, Any]:
        """Return the next event, signs of life left out."""
        while "data: " not in (text := await self.block()):
            pass
        found: dict[str, Any] = json.loads(text.split("data: ", 1)[1])
        return found


@asynccontextmanager
async def stream(browser: Browser, query: str = "", **headers: str) -> AsyncIterator[Heard]:
    """Read the stream inside the block."""
    async with browser.http.get(f"{browser.origin}/v1/events{query}", headers=headers) as answer:
        assert answer.status == 200
        yield Heard(answer)


def label(number: int) -> LabelChange:
    """A label that was drawn."""
    return LabelChange(id=number, symbol="005930", timeframe=Timeframe.D1)


def candle(close: int, *, final: bool) -> CandleChange:
    """The newest candle of a series."""
    row = CandleRow(ts=NOW, open=close, high=close, low=close, close=close, volume=1, final=final)
    return CandleChange(symbol="005930", timeframe=Timeframe.M5, candle=row)


async def test_a_stream_begins_with_one_reset_and_continues_after_the_last_event(
    door: Door, browser: Browser
) -> None:
    """A browser that comes back with Last-Event-ID gets what it missed, in order, and no reset."""
    hub = door.backend.hub
    async with stream(browser) as heard:
        first = await heard.block()
        assert first.startswith("retry: 2000\n")
        assert "event: reset" in first
        hub.publish(EventType.LABEL, label(1))
        last = await heard.event()
    hub.publish(EventType.LABEL, label(2))
    hub.publish(EventType.LABEL, label(3))

    async with stream(browser, **{"Last-Event-ID": last["id"]}) as heard:
        missed = [await heard.event() for _ in range(2)]

    assert [event["data"]["id"] for event in missed] == [2, 3]
    assert last["at_kst"].endswith("+09:00")


async def test_a_place_that_the_ring_has_passed_is_one_reset(door: Door, browser: Browser) -> None:
    """After too long an absence the page reads again what it shows; so it does after a restart."""
    hub = door.backend.hub
    hub.publish(EventType.LABEL, label(0))
    old = hub.last_id
    for number in range(RING_SIZE + 1):
        hub.publish(EventType.LABEL, label(number))

    for place in (old, "another-7"):
        async with stream(browser, **{"Last-Event-ID": place}) as heard:
            hub.publish(EventType.LABEL, label(99))
            kinds = [(await heard.event())["type"] for _ in range(2)]
        assert kinds == ["reset", "label"]


async def test_a_silent_stream_says_that_it_lives(browser: Browser) -> None:
    """The pace of the product is a sign within 15 s."""
    assert StreamPace().keep_alive_s <= 15
    async with stream(browser) as heard:
        await heard.block()
        assert await heard.block() == ": alive"


async def test_nothing_of_the_daemons_inner_work_is_streamed(door: Door, browser: Browser) -> None:
    """States, logs and jobs are not told, and cannot be asked for."""
    async with stream(browser) as heard:
        await heard.block()
        door.backend.hub.publish(EventType.STATE, StateChange(part="token", state="valid"))
        door.backend.hub.publish(EventType.LABEL, label(1))
        assert (await heard.event())["type"] == "label"
    assert (await browser.ask("GET", "/v1/events?types=log"))[0] == 422


async def test_forming_candles_coalesce_and_final_ones_do_not(door: Door, browser: Browser) -> None:
    """Of a burst a reader gets the newest forming candle and every final one."""
    hub = door.backend.hub
    async with stream(browser, "?types=candle") as heard:
        await heard.block()
        for close in range(100, 200):
            hub.publish(EventType.CANDLE, candle(close, final=False), "005930/5m")
        hub.publish(EventType.CANDLE, candle(200, final=True), f"005930/5m/{NOW.timestamp():.0f}")
        hub.publish(EventType.CANDLE, candle(201, final=False), "005930/5m")
        events = [await heard.event() for _ in range(2)]

    assert [(event["data"]["candle"]["close"], event["data"]["candle"]["final"]) for event in events] == [
        (200, True),
        (201, False),
    ]


async def test_a_stream_ends_with_its_session(door: Door, browser: Browser) -> None:
    """Who is revoked hears nothing more."""
    async with stream(browser) as heard:
        await heard.block()
        door.sessions.end(None)
        door.backend.hub.publish(EventType.LABEL, label(1))
        with pytest.raises(EOFError):
            await heard.event()


async def test_readers_that_take_nothing_slow_nobody(door: Door, browser: Browser) -> None:
    """Sixteen streams that are never read: publishing costs the same, answers come, the next one is 429."""
    open_streams = [
        await browser.http.get(f"{browser.origin}/v1/events", headers={}) for _ in range(MOST_STREAMS)
    ]
    refused = await browser.ask("GET", "/v1/events")
    loop = asyncio.get_running_loop()
    began, began_cpu_s = loop.time(), time.thread_time()
    for number in range(2_000):
        door.backend.hub.publish(EventType.LABEL, label(number))
    published_s, cost_s = loop.time() - began, time.thread_time() - began_cpu_s
    status, _, _ = await browser.ask("GET", "/v1/session")
    for answer in open_streams:
        answer.close()

    assert (refused[0], status) == (429, 200)
    assert cost_s < 1.0
    assert published_s < 10.0  # nothing is waited for; the machine may be busy with other tests
