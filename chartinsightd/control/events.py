"""The stream of events: published without ever waiting, kept for a while, read by any number of readers.

There is one ring of the latest events and no queue a reader: a reader is a place in the stream. Publishing
costs the same with fifty readers as with none. Of events that replace each other only the newest of a key is
held, so that however many come they push nothing out; a reader that lags gets that one. A reader that missed
an event for good is dropped and learns why.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from math import isfinite
from operator import attrgetter
from typing import Any

from pydantic import BaseModel
from structlog.typing import EventDict, WrappedLogger

from chartinsightd.control.protocol.events import REPLACED, EventType, StreamNote
from chartinsightd.control.protocol.rows import LogLevel, LogLine, LogList, LogQuery

RING_SIZE = 4_096
"""Events kept for readers that lag or come back, and as many of those that replace each other: forming
candles come hundreds a second, and push nothing else out.
"""
LOG_LINES = 2_000
"""Log lines kept for `/v1/logs`."""


class ReaderDropped(Exception):
    """The reader was so slow that events it has not read are gone."""


class Entry:
    """One event of the ring; its JSON is made when the first reader wants it, and then once for all."""

    __slots__ = ("_json", "at", "data", "id", "key", "number", "type")

    def __init__(
        self, number: int, id_: str, kind: EventType, key: str, at: datetime, data: BaseModel | bytes
    ) -> None:
        self.number = number
        self.id = id_
        self.type = kind
        self.key = key
        self.at = at
        self.data = None if isinstance(data, bytes) else data
        """The message; None where only its JSON was published."""
        self._json = data if isinstance(data, bytes) else None

    @property
    def text(self) -> bytes:
        """The event as the stream carries it (server-sent events), with its blank line."""
        if self._json is None:
            assert self.data is not None  # one of the two was published
            self._json = self.data.model_dump_json().encode()
        at = self.at.isoformat().replace("+00:00", "Z")
        place = f"id: {self.id}\n" if self.id else ""
        head = f'"id":"{self.id}","type":"{self.type}","at":"{at}"'
        return f'{place}event: {self.type}\ndata: {{{head},"data":'.encode() + self._json + b"}\n\n"


class EventHub:
    """Takes events from any thread and hands them to readers on one event loop.

    Args:
        now: the clock's: says when an event happened.
        size: events kept.
    """

    def __init__(self, now: Callable[[], datetime], size: int = RING_SIZE) -> None:
        self._now = now
        self._size = size
        self._ring: deque[Entry] = deque()
        """Events that stand for themselves."""
        self._newest: dict[tuple[EventType, str], Entry] = {}
        """Of those that replace each other the newest of each key, in the order of their numbers."""
        self._lost = 0
        """Number of the last event that neither holds any more and that nothing newer replaced."""
        self._stream = secrets.token_hex(4)
        """Names this process's stream: an id of an earlier daemon is recognised as such."""
        self._last = 0
        self._lock = threading.Lock()
        self._news: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        # A reader says nothing when it leaves: its stream drops it, and so does this set.
        self._readers: weakref.WeakSet[Reader] = weakref.WeakSet()

    @property
    def has_readers(self) -> bool:
        """Whether anybody reads: events that only readers want need not be made without one."""
        return len(self._readers) > 0

    @property
    def last_number(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._last

    @property
    def last_id(self) -> str:
        """The id of the newest event."""
        return self._id(self._last)

    def publish(self, kind: EventType, data: BaseModel | bytes, key: str = "") -> None:
        """Add an event; never waits, never fails for a reader's sake.

        Args:
            kind: what the data is about.
            data: the message that belongs to the type; it must not change any more. Or its JSON, a quarter of
                the memory, for types that come often and that only the control API tells.
            key: of the types in `REPLACED`, what it is about (a job's id, a symbol and timeframe): the newest
                of a key replaces older ones.
        """
        at = self._now()
        with self._lock:
            self._last += 1
            self._hold(Entry(self._last, self._id(self._last), kind, key, at, data))
            news, self._news = self._news, None
        if news is not None and self._loop is not None:
            self._wake(self._loop, news)

    def reader(self, after: str = "", types: Collection[EventType] = ()) -> Reader:
        """Return a new reader; call it on the event loop that will read.

        Args:
            after: id of the last event it has read, of this or an earlier process; empty: none.
            types: only these, `reset` and `dropped`; empty: all.
        """
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        reader = Reader(self, self._number(after), frozenset(types))
        self._readers.add(reader)
        return reader

    def note(self, kind: EventType, reason: str) -> Entry:
        """Return an event about the stream itself, for one reader; a `reset` says where to continue."""
        id_ = self.last_id if kind is EventType.RESET else ""
        return Entry(self._last, id_, kind, "", self._now(), StreamNote(reason=reason))

    async def wait_for_news(self, number: int) -> None:
        """Return when there is an event after this number."""
        while True:
            with self._lock:
                if self._last > number:
                    return
                if self._news is None:
                    self._news = asyncio.Event()
                news = self._news
            await news.wait()

    def since(self, number: int) -> list[Entry]:
        """Return the events after a number, oldest first.

        Raises:
            ReaderDropped: the first of them is gone.
        """
        with self._lock:
            if number < self._lost:
                raise ReaderDropped
            held = (reversed(self._ring), reversed(self._newest.values()))
            found = [entry for part in held for entry in takewhile(lambda one: one.number > number, part)]
        return sorted(found, key=attrgetter("number"))

    def _hold(self, entry: Entry) -> None:
        """Keep an event; what it replaces goes, and the oldest where there is no room."""
        if entry.type is EventType.JOB:  # it tells the whole job, its progress too
            self._newest.pop((EventType.PROGRESS, entry.key), None)
        if entry.type not in REPLACED:
            self._ring.append(entry)
            if len(self._ring) > self._size:
                self._lost = max(self._lost, self._ring.popleft().number)
            return
        key = (entry.type, entry.key)
        self._newest.pop(key, None)  # so that the order of the keys is that of the numbers
        self._newest[key] = entry
        if len(self._newest) > self._size:
            oldest = next(iter(self._newest))
            self._lost = max(self._lost, self._newest.pop(oldest).number)

    def _wake(self, loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
        if threading.get_ident() == self._thread:
            news.set()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(news.set)

    def _id(self, number: int) -> str:
        return f"{self._stream}-{number}"

    def _number(self, id_: str) -> int | None:
        """Return the number of an id; None where it is not of this stream."""
        stream, _, number = id_.partition("-")
        if stream != self._stream or not (number.isascii() and number.isdecimal()):
            return None
        return int(number) if len(number) < 16 and int(number) <= self._last else None


class Reader:
    """One reader's place in the stream."""

    def __init__(self, hub: EventHub, place: int | None, types: frozenset[EventType]) -> None:
        self._hub = hub
        self._types = types or frozenset(EventType)
        self._place = place
        """Number of the last event it has; None where its events are not in this stream."""

    def begin(self) -> list[Entry]:
        """Return a `reset` unless the stream continues after the reader's place without a hole."""
        try:
            if self._place is not None:
                self._hub.since(self._place)
                return []
        except ReaderDropped:
            pass  # the place is too old: a returning reader starts from the present
        note = self._hub.note(EventType.RESET, "The stream begins here: read again what you show.")
        self._place = note.number
        return [note]

    async def take(self) -> list[Entry]:
        """Wait for news and return it, oldest first: of what is replaced only the newest. May be empty.

        Raises:
            ReaderDropped: events after the reader's place are gone.
        """
        place = self._place if self._place is not None else self._hub.last_number
        await self._hub.wait_for_news(place)
        entries = self._hub.since(place)
        self._place = entries[-1].number
        return _newest_of_each([entry for entry in entries if entry.type in self._types])


def _newest_of_each(entries: list[Entry]) -> list[Entry]:
    """Leave out what a later entry of the same type and key replaces; keep the order."""
    seen: set[tuple[EventType, str]] = set()
    kept: list[Entry] = []
    for entry in reversed(entries):
        if entry.type in REPLACED:
            if (entry.type, entry.key) in seen:
                continue
            seen.add((entry.type, entry.key))
        kept.append(entry)
    return kept[::-1]


class EventTap:
    """A structlog processor that shows what is logged: to the stream, and to who asks for recent lines.

    It stands after the processor that takes secrets out and changes nothing of the event.
    """

    def __init__(self, hub: EventHub, now: Callable[[], datetime], size: int = LOG_LINES) -> None:
        self._hub = hub
        self._now = now
        self._lines: deque[bytes] = deque(maxlen=size)
        """As JSON, the same bytes that the stream holds: as messages they would take two kilobytes each."""
        self.keep: Callable[[int, str], None] | None = None
        """Takes each line that is about a job, as JSON, with the job's id; quick, from any thread."""

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Work as a structlog processor."""
        del logger
        line = self._line(method, event)
        written = line.model_dump_json().encode()
        self._lines.append(written)
        self._hub.publish(EventType.LOG, written)
        job_id = line.fields.get("job")
        if self.keep is not None and isinstance(job_id, int) and job_id > 0:
            self.keep(job_id, _bounded(line).model_dump_json())
        return event

    async def logs(self, query: LogQuery) -> LogList:
        """Answer the operation `LOGS`."""
        return self.recent(query)

    def recent(self, query: LogQuery) -> LogList:
        """Return the newest lines that match, oldest first."""
        if query.last_s is not None:
            began = self._now() - timedelta(seconds=query.last_s)
            query = query.model_copy(update={"since": max(began, query.since or began)})
        newest_first = map(LogLine.model_validate_json, reversed(tuple(self._lines)))
        matching = (line for line in newest_first if query.admits(line))
        return LogList(items=tuple(islice(matching, query.limit))[::-1])

    def _line(self, method: str, event: EventDict) -> LogLine:
        """Make a line of an event, unchecked: a log call never fails for what is logged."""
        fields = {name: _plain(value) for name, value in event.items() if name not in _HEAD}
        name = str(_plain(event.get("event", "")))
        return LogLine.model_construct(
            at=self._instant(event.get("timestamp")),
            level=_LEVELS.get(str(event.get("level", method)), LogLevel.INFO),
            event=name,
            part=name.partition(".")[0],
            symbol=str(_plain(event.get("symbol") or "")),
            fields=fields,
        )

    def _instant(self, timestamp: object) -> datetime:
        try:
            return datetime.fromisoformat(str(timestamp)).astimezone(UTC)
        except ValueError:
            return self._now()


def _bounded(line: LogLine) -> LogLine:
    """Return a line whose fields take little room: a traceback alone would push out all other lines."""
    fields = {name: _shortened(value) for name, value in islice(line.fields.items(), _MOST_FIELDS)}
    return line.model_copy(update={"event": str(_shortened(line.event)), "fields": fields})


def _shortened(value: Any) -> Any:
    """Return the end of a long text, where a traceback names the error; other values as short text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST_FIELD else f"… {text[-_LONGEST_FIELD:]}"


_LONGEST_FIELD = 400
"""Characters of a field of a line that is kept with a job."""
_MOST_FIELDS = 12
_HEAD = frozenset({"event", "level", "timestamp", "symbol"})
_LEVELS = {level.value: level for level in LogLevel} | {"exception": LogLevel.ERROR, "warn": LogLevel.WARNING}


_DEEPEST_FIELD = 40
"""Levels of a field; the encoder fails far below what Python can hold."""


def _plain(value: Any, levels: int = _DEEPEST_FIELD) -> Any:
    """Return a copy that JSON can carry and that does not change any more."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case float():
            return value if isfinite(value) else str(value)
        case Mapping() | list() | tuple() | set() | frozenset() if not levels:
            return "nested too deep"
        case Mapping():
            return {_plain(str(key)): _plain(inner, levels - 1) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner, levels - 1) for inner in value]
        case _:
            return _plain(str(value))
