"""How a long-running process lives and ends: services, signals, systemd."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping

import structlog

Service = Callable[[], Awaitable[None]]
log = structlog.get_logger(__name__)


class _StopRequested(Exception):  # noqa: N818 - not an error: the orderly way out of the group
    """Leaves the group of services when a stop was asked for."""


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set an event, and do nothing else."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def run_services(services: Mapping[str, Service], stop: asyncio.Event) -> None:
    """Run every service until stop is set, then cancel them and wait for them.

    Raises:
        BaseExceptionGroup: a service failed in a way it does not handle; the others were cancelled.
    """

    async def raise_on_stop() -> None:
        await stop.wait()
        raise _StopRequested

    async def named(name: str, service: Service) -> None:
        await service()
        log.debug("service.ended", service=name)

    try:
        async with asyncio.TaskGroup() as group:
            for name, service in services.items():
                group.create_task(named(name, service), name=name)
            group.create_task(raise_on_stop(), name="stop")
    except* _StopRequested:
        log.info("daemon.stop_requested")


def notify_systemd(state: str) -> None:
    """Tell systemd our state (sd_notify), where it listens; never fails."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address)
    except OSError as error:
        log.warning("systemd.notify_failed", error=str(error))
