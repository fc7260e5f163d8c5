"""`chartinsightd check`: settings, calendar, database and broker in turn, each with its remedy."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

from chartinsightd.adapters.kiwoom.session import open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.adapters.postgres.check import check_database
from chartinsightd.adapters.postgres.data_folder import fix_modes
from chartinsightd.adapters.postgres.dsn import place_of
from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.adapters.postgres.venues import schema_of
from chartinsightd.adapters.strategies.folder import StrategyFolderOnDisk
from chartinsightd.app.alerting import channels_of
from chartinsightd.app.broker import accesses, believes_dates, block_files
from chartinsightd.app.learning import FILE, learn
from chartinsightd.app.opening import load_calendar, open_clock
from chartinsightd.app.reload import Logging
from chartinsightd.clock import Clock, SystemClock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import ChartInsightError, ConfigurationError
from chartinsightd.domain.language import language_of
from chartinsightd.domain.told import told
from chartinsightd.domain.venue import Venue
from chartinsightd.facts.krx import KST
from chartinsightd.process.exit_status import ExitStatus, status_of
from chartinsightd.process.logs import REDACTOR
from chartinsightd.process.runtime_file import read_runtime_file
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings, state_file

_SAME_TIME = timedelta(seconds=5)
Check = Callable[[Settings], AsyncIterator[str]]
"""Yields a line for each thing that is well."""


def run_check(config: Path | None, *, fix: bool = False, learns: bool = False) -> int:
    """Run all checks, print a line for each, and return the first failure's exit status.

    Args:
        config: the settings file; None for the usual places.
        fix: first set the modes of our own folders, which a copy may have changed.
        learns: where nothing fails, find out what no source knows of the broker (kiwoom.md#unknown).
    """
    try:
        settings = load_settings(config)
    except ChartInsightError as error:
        _print_failure("settings", error)
        return status_of(error)
    Logging(clock=SystemClock()).set_up(settings)
    _print_well("settings", f"mode {settings.mode}")
    if fix:
        _fix(settings)
    status = asyncio.run(_run_checks(settings, CHECKS))
    if status == ExitStatus.OK and learns:
        return asyncio.run(_run_checks(settings, {"learn": _learn}))
    return status


def _fix(settings: Settings) -> None:
    try:
        for line in fix_modes(settings.state_dir):
            print(f"fixed {'state':<10} {line}")
    except OSError as error:
        print(f"FAIL  {'state':<10} {error.filename} cannot be changed: {error.strerror}")


async def _run_checks(settings: Settings, checks: Mapping[str, Check]) -> int:
    worst = ExitStatus.OK
    for name, check in checks.items():
        try:
            async for line in check(settings):
                _print_well(name, line)
        except ChartInsightError as error:
            _print_failure(name, error)
            worst = worst or status_of(error)
    return worst


def _print_well(name: str, line: str) -> None:
    print(f"ok    {name:<10} {_told(line)}")


def _print_failure(name: str, error: ChartInsightError) -> None:
    print(f"FAIL  {name:<10} {REDACTOR.clean(_told(error.message))}")
    if error.remedy:
        print(f"      {'':<10} -> {REDACTOR.clean(_told(error.remedy))}")
    sys.stdout.flush()


def _told(text: str) -> str:
    return told(text, language_of(os.environ))


async def _state(settings: Settings) -> AsyncIterator[str]:
    file = state_file(settings, "check")
    try:
        file.write_text("", encoding="utf-8")
        file.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"The state folder {file.parent} takes no files: {error.strerror}.",
            remedy="Make it writable for this user, or set state_dir to another folder.",
        ) from error
    yield str(file.parent)


async def _calendar(settings: Settings) -> AsyncIterator[str]:
    clock = await open_clock(settings)
    calendar = load_calendar(settings)
    yield _describe_next_session(calendar, clock)


async def _alerts(settings: Settings) -> AsyncIterator[str]:
    """Say where alerts go; that they arrive is for `chartinsightctl alerts test`."""
    names = ", ".join(channel.name for channel in channels_of(settings.alerts))
    if names:
        yield f"sent by {names}; `chartinsightctl alerts test` tries it"
    else:
        yield "sent nowhere: set alerts.slack_webhook or alerts.smtp_host to hear of trouble"


async def _strategies(settings: Settings) -> AsyncIterator[str]:
    """Say whether the folder of strategies is read; each one is proved by the daemon alone."""
    folder = StrategyFolderOnDisk(settings.strategies.folder)
    found = folder.read()
    for fault in (found.fault, *found.refused.values()):
        if fault is not None:
            raise ConfigurationError(fault.reason, remedy=fault.remedy)
    if folder.path:
        yield f"{len(found.sources)} in {folder.path}; `chartinsightctl strategies` says how each stands"
    else:
        yield "the shipped ones; strategies.folder names a folder of your own"


def _describe_next_session(calendar: Calendar, clock: Clock) -> str:
    today = clock.now().astimezone(KST).date()
    session = calendar.session(today) or calendar.next_session(today)
    hours = f"{_clock_time(session.open_at)}-{_clock_time(session.close_at)}"
    if session.after_open_at and session.after_close_at:
        after = f"{_clock_time(session.after_open_at)}-{_clock_time(session.after_close_at)}"
        hours = f"{hours}, after-market {after}"
    if session.day == today:
        return f"today's session {hours} KST"
    return f"closed today, next session {session.day} {hours} KST"


def _clock_time(instant: datetime) -> str:
    return f"{instant.astimezone(KST):%H:%M}"


async def _database(settings: Settings) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        dsn = settings.database.dsn.get_secret_value()
        if dsn:
            yield f"external, at {place_of(dsn)}"
        elif (found := read_runtime_file(state_file(settings, "daemon.json"))) is not None:
            dsn = found.database
            yield f"embedded, kept by the running daemon (process {found.pid})"
        if not dsn:
            server = await stack.enter_async_context(
                open_embedded(settings.state_dir, await open_clock(settings))
            )
            dsn = server.dsn
            yield f"embedded PostgreSQL {server.version} runs"
        for venue in (Venue.KRX, *settings.venues.wanted):
            yield await check_database(dsn, schema_of(settings.mode, venue))


async def _broker(settings: Settings) -> AsyncIterator[str]:
    clock = await open_clock(settings)
    differences: list[timedelta] = []
    files = block_files(settings)
    for name, access in accesses(settings).items():
        expires_at = await _log_in(settings, access, clock, differences)
        # A person asked, and it works: the daemon need not wait any longer.
        files[name].save(None)
        until = f"{expires_at.astimezone(KST):%Y-%m-%d %H:%M} KST"
        where = f"{settings.kiwoom.environment} at {settings.kiwoom.rest_url}"
        which = f"the key of account {name}" if len(files) > 1 else "the key"
        yield f"{where} accepts {which}; the token is good until {until}"
    if differences:
        yield _describe_difference(differences[-1])


async def _log_in(
    settings: Settings, access: KiwoomAccess, clock: Clock, differences: list[timedelta]
) -> datetime:
    """Ask for a token; note how far the clock is from the broker's. Return when the token ends."""

    def compare(_sent_s: float, date: datetime) -> None:
        differences.append(clock.now() - date)

    opened = open_kiwoom(
        access,
        clock,
        settings.kiwoom.pace,
        settings.kiwoom.gate,
        on_date=compare if believes_dates(settings) else None,
    )
    async with opened as kiwoom:
        return await kiwoom.log_in()


def _describe_difference(of_clocks: timedelta) -> str:
    """Say how far the clock is from the broker's; a wrong one is no reason not to start."""
    if abs(of_clocks) < _SAME_TIME:
        return "its clock shows the same time as this machine's"
    where = "ahead of" if of_clocks > timedelta() else "behind"
    return (
        f"this machine's clock is {abs(of_clocks).total_seconds():.0f} s {where} its clock:"
        " let a time service set it (`timedatectl set-ntp true`)"
    )


async def _learn(settings: Settings) -> AsyncIterator[str]:
    """Say what each question about the broker came to; the daemon reads the answers at its next start."""
    async for finding in learn(settings):
        answer = "unknown" if finding.answer is None else json.dumps(finding.answer)
        yield f"{finding.question:<26} {answer:<13} {finding.words}"
    yield f"written to {state_file(settings, FILE)}; the daemon reads it at its next start"


CHECKS: Mapping[str, Check] = {
    "state": _state,
    "calendar": _calendar,
    "alerts": _alerts,
    "strategies": _strategies,
    "database": _database,
    "broker": _broker,
}
"""In this order."""
