"""A simulator for tests whose own work is done by other programs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.market import create_generated
from chartinsightd.simulator.server import open_server
from chartinsightd.simulator.simulation import Simulation
from tests.simulator.server_client import NOON, UNLIMITED


@contextmanager
def simulator_in_thread(issues: int = 5) -> Iterator[str]:
    """Serve a generated market from a thread; yield the address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    simulation = Simulation.of(UNLIMITED, VirtualClock(start=NOON, speed=0), create_generated(7, issues))
    server = open_server(simulation)
    try:
        address = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
        try:
            yield address.url
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
