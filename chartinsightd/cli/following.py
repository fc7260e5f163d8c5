"""The daemon's log, shown and followed: from the daemon, and from the journal while it is away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from chartinsightd.cli.console import data_console
from chartinsightd.cli.endings import say
from chartinsightd.cli.journal import Journal, has_journal, open_journal
from chartinsightd.cli.lookup import is_code, symbols_of
from chartinsightd.cli.present import print_json
from chartinsightd.control.client import DaemonAway
from chartinsightd.control.operations import LOGS, STATUS
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.rows import LogLevel, LogLine, LogQuery
from chartinsightd.domain.foreign_text import printable
from chartinsightd.facts.krx import KST
from chartinsightd.task_group import TaskGroup

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient

_REMEMBERED = 2_000
"""Lines shown last, to tell what comes twice: by the stream, the recent lines and the journal."""
_SEARCHED = 20_000
"""Journal lines looked through for those that match a filter."""
_RETRY_S = 0.5
_NOTHING_IN_JOURNAL = (
    "The journal has no such line either (only the group systemd-journal sees those of the system)."
)
_STYLES = {
    LogLevel.WARNING: "yellow",
    LogLevel.ERROR: "red",
    LogLevel.CRITICAL: "bold red",
    LogLevel.DEBUG: "dim",
}


class LogPrinter:
    """Writes log lines on standard output."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = data_console()

    def __call__(self, line: LogLine) -> None:
        """Write one line: JSON, or words that a terminal may wrap."""
        if self._as_json:
            print_json(line)
        else:
            self._console.print(text_of(line), soft_wrap=True)


def text_of(line: LogLine) -> Text:
    """Return a line as it is shown: Korean time, level, event, fields."""
    text = Text(f"{line.at.astimezone(KST):%Y-%m-%d %H:%M:%S} ", style="")
    text.append(f"{line.level.value:8} ", style=_STYLES.get(line.level, ""))
    text.append(printable(line.event), style="bold")
    return text.append(f"  {printable(line.details)}" if line.details else "")


class LogFollower:
    """Shows lines that match, each once.

    Args:
        query: which lines, and how many at first.
        symbols: only about these, as a person named them.
        show: writes one line.
    """

    def __init__(self, *, query: LogQuery, symbols: tuple[str, ...], show: Callable[[LogLine], None]) -> None:
        self._query = query
        self._symbols = symbols
        self._show = show
        self._shown: deque[tuple[datetime, str, str]] = deque(maxlen=_REMEMBERED)

    async def show_recent(self, client: ControlClient) -> None:
        """Show the last lines; those of the journal when the daemon is away.

        Raises:
            DaemonAway: there is no journal either, or it holds no such line.
        """
        try:
            await self._name_symbols(client)
            self._show_all((await client.ask(LOGS, self._query)).items)
        except DaemonAway as error:
            if not await self._show_journal(error):
                raise DaemonAway(f"{error.reason} {_NOTHING_IN_JOURNAL}", error.remedy) from error

    async def follow(self, client: ControlClient) -> None:
        """Show the last lines and follow the log without end, across restarts of the daemon.

        Raises:
            DaemonAway: it is away at the start, and there is no journal to read instead.
        """
        has_begun = False
        while True:
            try:
                await self._name_symbols(client)
                async for _ in self._from_daemon(client):
                    has_begun = True
            except DaemonAway as error:
                if has_begun:
                    say(f"chartinsightctl: {error} Waiting for it.")
                elif not await self._show_journal(error):
                    say(f"chartinsightctl: {error} {_NOTHING_IN_JOURNAL} Waiting for it.")
                has_begun = True
            await self._follow_journal(client)

    async def _name_symbols(self, client: ControlClient) -> None:
        """Put the codes of the symbols into the query; the daemon knows those of names."""
        if self._symbols and not self._query.symbol:
            codes = await symbols_of(client, self._symbols)
            self._query = self._query.model_copy(update={"symbol": codes})

    async def _from_daemon(self, client: ControlClient) -> AsyncIterator[None]:
        """Show what the daemon sends until it goes; yield after each event."""
        async with aclosing(client.events(types=(EventType.LOG,), reconnect=False)) as events:
            async for event in events:
                if event.type is EventType.LOG:
                    self._show_new(LogLine.model_validate(event.data))
                else:
                    self._show_all((await client.ask(LOGS, self._query)).items)
                yield

    async def _follow_journal(self, client: ControlClient) -> None:
        """Show what the journal has until the daemon answers again."""
        if not has_journal():
            return await _back(client)
        since = self._shown[-1][0] if self._shown else None
        lines = 0 if since is None else _SEARCHED
        async with (
            open_journal(lines=lines, follow=True, since=since) as journal,
            TaskGroup() as group,
        ):
            group.create_task(_stop_when_back(client, journal))
            async for line in journal:
                self._show_new(line)
        return None

    async def _show_journal(self, error: DaemonAway) -> bool:
        """Show the last lines of the journal, because the daemon is away; return whether there were any.

        Raises:
            DaemonAway: there is no journal, or it cannot be asked for stocks by name.
        """
        if not has_journal() or not all(is_code(word) for word in self._symbols):
            raise error
        last: deque[LogLine] = deque(maxlen=self._query.limit)
        length = None if self._query.last_s is None else timedelta(seconds=self._query.last_s)
        since = self._query.since or length
        async with open_journal(lines=_SEARCHED, follow=False, since=since) as journal:
            async for line in journal:
                if self._matches(line):
                    last.append(line)
        if last:
            say(f"chartinsightctl: {error} From the journal:")
        self._show_all(tuple(last))
        return bool(last)

    def _show_all(self, lines: tuple[LogLine, ...]) -> None:
        for line in lines:
            self._show_new(line)

    def _show_new(self, line: LogLine) -> None:
        """Show a line that matches and was not shown."""
        key = (line.at, line.event, line.symbol)
        if self._matches(line) and key not in self._shown:
            self._shown.append(key)
            self._show(line)

    def _matches(self, line: LogLine) -> bool:
        wanted = self._query.symbol or tuple(word.upper() for word in self._symbols)
        return self._query.model_copy(update={"symbol": wanted}).admits(line)


async def _stop_when_back(client: ControlClient, journal: Journal) -> None:
    await _back(client)
    journal.stop()


async def _back(client: ControlClient) -> None:
    """Wait until the daemon answers; a refusal is an answer."""
    while True:
        await asyncio.sleep(_RETRY_S)
        with suppress(DaemonAway):
            await client.ask(STATUS)
            return
