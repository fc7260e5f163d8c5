"""Runs the daemon: opens the resources, builds the services over them, ends with an exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
import uvloop

from chartinsightd import __version__
from chartinsightd.adapters.postgres.connection import ignore_lost_connection_errors
from chartinsightd.app.learning import with_learned
from chartinsightd.app.opening import load_calendar, open_clock, open_resources
from chartinsightd.app.reload import Logging, Reloader
from chartinsightd.app.web import open_web
from chartinsightd.app.wiring import assemble_services, new_backend, plan_rules
from chartinsightd.clock import CheckedClock, SystemClock
from chartinsightd.control.events import EventHub, EventTap
from chartinsightd.control.operations import LOGS
from chartinsightd.control.server import serve
from chartinsightd.control.socket_path import own_socket
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.language import language_of
from chartinsightd.domain.told import told
from chartinsightd.process.crash_logging import install_crash_logging
from chartinsightd.process.exit_status import ExitStatus, status_of
from chartinsightd.process.lifecycle import keep_files_own, notify_systemd, run_services, unless_stopped
from chartinsightd.process.logs import JOURNAL_ERROR, REDACTOR, is_under_systemd
from chartinsightd.process.memory import keep_out_of_collections, limit_allocator, return_freed_memory
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings

log = structlog.get_logger(__name__)


def run_daemon(config: Path | None) -> int:
    """Run the daemon with the settings of this process; return the exit status.

    Every error is explained; the first one decides the status.
    """
    status: int = ExitStatus.OK
    limit_allocator()
    keep_files_own()
    try:
        settings = load_settings(config)
        Logging(clock=SystemClock()).set_up(settings)
        install_crash_logging()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(run(settings, config))
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the end that was asked for is here
    except* ChartInsightError as group:
        errors = [*_leaves(group)]
        for error in errors:
            _explain(error)
        status = status_of(errors[0])
    return status


def _leaves(group: BaseExceptionGroup[ChartInsightError]) -> Iterator[ChartInsightError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _explain(error: ChartInsightError) -> None:
    """Tell the person what went wrong and what to do, in the language of the locale."""
    prefix = JOURNAL_ERROR if is_under_systemd() else ""
    language = language_of(os.environ)
    print(f"{prefix}chartinsightd: {REDACTOR.clean(told(error.message, language))}", file=sys.stderr)
    if error.remedy:
        print(f"{prefix}  -> {REDACTOR.clean(told(error.remedy, language))}", file=sys.stderr)


async def run(settings: Settings, config: Path | None = None) -> None:
    """Run the daemon until it is asked to stop.

    Raises:
        ChartInsightError: it cannot start as it is set up; alone or in a group.
    """
    stop = asyncio.Event()
    ignore_lost_connection_errors(asyncio.get_running_loop())
    async with AsyncExitStack() as stack:
        async with unless_stopped(stop):
            clock = CheckedClock(await open_clock(settings))
            hub = EventHub(clock.now)
            tap = EventTap(hub, clock.now)
            logging = Logging(clock=clock, taps=(tap,))
            logging.set_up(settings)
            current_rules = CurrentRules(plan_rules(settings, load_calendar(settings)))
            bounded = with_learned(settings, clock)
            resources = await open_resources(stack, bounded, clock)
            services = assemble_services(bounded, resources, current_rules, hub)
            tap.keep = services.shared.jobs.take_line
            reloader = Reloader(
                settings=settings, config=config, logging=logging, stock_list=services.stock_list
            )
            backend = new_backend(bounded, resources, services, hub, reloader)
            backend.handlers.add(LOGS, tap.logs)
            await services.open()
            await backend.open()
            await open_web(stack, settings, backend.handlers, hub)
            socket = settings.control.socket or own_socket()
            keep_listening = await stack.enter_async_context(
                serve(socket, backend.handlers, hub, backend.metrics, group=settings.control.group)
            )
        if stop.is_set():
            return
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.reload_on_signal)
        keep_out_of_collections()
        notify_systemd("READY=1\nSTATUS=Running")
        log.info("daemon.started", version=__version__, mode=settings.mode, pid=os.getpid(), now=clock.now())
        running = {**resources.services, **services.running(), **backend.services()}
        running |= services.recording.services(backend.replay.take) | {"control": keep_listening}
        await run_services({**running, "memory": return_freed_memory}, stop, services.supervisor)
        notify_systemd("STOPPING=1")
    log.info("daemon.stopped")
