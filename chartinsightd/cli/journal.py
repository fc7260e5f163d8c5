"""The daemon's log as the systemd journal has it: what there is to read when the daemon is away."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from chartinsightd.control.protocol.rows import LogLevel, LogLine

_UNIT = "chartinsightd.service"
_HEAD = frozenset({"event", "level", "timestamp", "symbol"})
_LEVELS = {level.value: level for level in LogLevel} | {"exception": LogLevel.ERROR, "warn": LogLevel.WARNING}
_BY_PRIORITY = (
    *(LogLevel.CRITICAL,) * 3,
    LogLevel.ERROR,
    LogLevel.WARNING,
    *(LogLevel.INFO,) * 2,
    LogLevel.DEBUG,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_LINE = 2**22
"""Bytes of one journal entry as JSON; a longer one ends the reading."""


def has_journal() -> bool:
    """Whether this machine has a journal to read."""
    return shutil.which("journalctl") is not None


class Journal:
    """Lines of the journal, as they come. `stop` ends the reading."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def __aiter__(self) -> AsyncIterator[LogLine]:
        """Yield lines, oldest first."""
        assert self._process.stdout is not None
        while raw := await self._process.stdout.readline():
            if (line := line_of_entry(raw)) is not None:
                yield line

    def stop(self) -> None:
        """Let the lines end."""
        if self._process.returncode is None:
            # Before 3.14 `Process.terminate` collects the exit status of a process that has just ended, and
            # asyncio, which waits for it in a thread, warns on standard error of an unknown child.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)


@asynccontextmanager
async def open_journal(
    *, lines: int, follow: bool, since: datetime | timedelta | None = None
) -> AsyncIterator[Journal]:
    """Read the daemon's unit, the system's and the user's own, for the length of the block.

    Args:
        lines: how many of the last.
        follow: whether new lines follow them, without end.
        since: only lines after this, aware, or so old at most. None: any.
    """
    command = [
        "journalctl",
        f"--unit={_UNIT}",
        f"--user-unit={_UNIT}",
        "--output=json",
        "--quiet",
        "--no-pager",
    ]
    command += [f"--lines={lines}", *(["--follow"] if follow else [])]
    if since is not None:
        command.append(f"--since={_journals_word(since)}")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=_LONGEST_LINE
    )
    journal = Journal(process)
    try:
        yield journal
    finally:
        journal.stop()
        await process.wait()


def _journals_word(since: datetime | timedelta) -> str:
    """Return a moment, or how long ago it was, as journalctl reads it."""
    if isinstance(since, datetime):
        return f"@{since.timestamp():.6f}"
    return f"-{since.total_seconds():.0f}s"


def line_of_entry(raw: bytes) -> LogLine | None:
    """Return the log line in one journal entry (`journalctl -o json`); None where there is no message.

    What is not our JSON (systemd's own words, a traceback) becomes a line whose event is the text.
    """
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    text = _text_of(entry.get("MESSAGE")) if isinstance(entry, dict) else ""
    if not text:
        return None
    return _own_line(text) or _foreign_line(text, entry)


def _text_of(message: Any) -> str:
    """Return a message; the journal writes one that is no UTF-8 as a list of bytes."""
    if isinstance(message, list):
        return bytes(message).decode("utf-8", "backslashreplace")
    return message if isinstance(message, str) else ""


def _own_line(text: str) -> LogLine | None:
    try:
        event = json.loads(text)
        at = datetime.fromisoformat(event["timestamp"]).astimezone(UTC)
        name = str(event["event"])
    except (ValueError, KeyError, TypeError):
        return None
    return LogLine(
        at=at,
        level=_LEVELS.get(str(event.get("level")), LogLevel.INFO),
        event=name,
        part=name.partition(".")[0],
        symbol=str(event.get("symbol") or ""),
        fields={key: value for key, value in event.items() if key not in _HEAD},
    )


def _foreign_line(text: str, entry: Mapping[str, Any]) -> LogLine:
    priority = str(entry.get("PRIORITY", "6"))
    microseconds = str(entry.get("__REALTIME_TIMESTAMP", "0"))
    return LogLine(
        at=_EPOCH + timedelta(microseconds=int(microseconds) if microseconds.isdigit() else 0),
        level=_BY_PRIORITY[int(priority)] if priority in "01234567" else LogLevel.INFO,
        event=text,
    )
