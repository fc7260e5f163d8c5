"""How a long-running process lives and ends: services, signals, systemd."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import structlog

from chartinsightd.process.supervisor import Service, Supervisor
from chartinsightd.task_group import TaskGroup

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LONGEST_END_S = 8.0
"""Longest real seconds from a signal to the exit, even if something hangs, such as a rollback."""
_CANCEL_AGAIN_S = 2.0
"""Real seconds after which a service that is still there is cancelled once more."""
log = structlog.get_logger(__name__)


def keep_files_own() -> None:
    """Let no file or folder of ours be written by others, whatever umask this process was given.

    A spool that anybody may write is a store that anybody may write. Reading stays allowed: an embedded
    PostgreSQL of another account has to enter the state folder.
    """
    os.umask(os.umask(0o022) | 0o022)


class _StopRequested(Exception):
    """Leaves the group of services when a stop was asked for."""


@asynccontextmanager
async def unless_stopped(stop: asyncio.Event) -> AsyncIterator[None]:
    """Let SIGTERM and SIGINT set an event from now on; inside the block they also end the block.

    Leaving the block early is no error: ask the event whether it was left so.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as scope:
            for number in _STOP_SIGNALS:
                loop.add_signal_handler(number, _end, stop, scope)
            yield
    except TimeoutError:
        if not stop.is_set():
            raise
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, _stop, stop)


def _end(stop: asyncio.Event, scope: asyncio.Timeout) -> None:
    _stop(stop)
    scope.reschedule(asyncio.get_running_loop().time())


def _stop(stop: asyncio.Event) -> None:
    """Ask for the end, and see to it that it comes."""
    if not stop.is_set():
        asyncio.get_running_loop().call_later(LONGEST_END_S, _leave_anyway)
    stop.set()


def _leave_anyway() -> None:
    """End as a power cut would, which every start is made for, rather than not at all."""
    tasks = sorted(task.get_name() for task in asyncio.all_tasks())
    log.error("daemon.forced_exit", after_s=LONGEST_END_S, waiting_for=tasks)
    sys.stderr.flush()
    os._exit(0)


async def run_services(services: Mapping[str, Service], stop: asyncio.Event, supervisor: Supervisor) -> None:
    """Run every service until stop is set, then cancel them and wait for them.

    A service that fails is started again by the supervisor; from here on only a signal ends the daemon.
    """

    running: list[asyncio.Task[None]] = []

    async def raise_on_stop() -> None:
        await stop.wait()
        await _end_all(running)
        raise _StopRequested

    try:
        async with TaskGroup() as group:
            for name, service in services.items():
                running.append(group.create_task(supervisor.keep_running(name, service), name=name))
            group.create_task(raise_on_stop(), name="stop")
    except* _StopRequested:
        log.info("daemon.stop_requested")


async def _end_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: before Python 3.13 a TaskGroup whose child fails in the moment of the cancel tells of
    the failure alone, and a service that handles that failure would keep running.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_S)


def notify_systemd(state: str) -> None:
    """Tell systemd our state (sd_notify), where it listens; never fails and never waits.

    A listener that reads nothing more must not stop the event loop, so a message may be lost to a full queue.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), socket.MSG_DONTWAIT, address)
    except OSError as error:
        log.warning("systemd.notify_failed", error=str(error))
