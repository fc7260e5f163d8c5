"""Candles out of the store into a file: paged through the control API, whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from chartinsightd.cli.endings import CommandFailed, ExitStatus
from chartinsightd.control.operations import CANDLE_TEXT, CANDLES
from chartinsightd.control.protocol.rows import CandleQuery, CandleRow, CandleText, CandleTextQuery
from chartinsightd.control.protocol.words import MAX_ROWS, MAX_TEXT_ROWS
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    import pandas as pd

    from chartinsightd.control.client import ControlClient

COLUMNS = ("symbol", "timeframe", "ts", "open", "high", "low", "close", "volume", "value", "final")
"""As those of the relation `candles`."""
_STANDARD_OUTPUT = 1
"""Its file descriptor."""
_INSTANT = timedelta(seconds=1)
"""Candles open at whole seconds."""
OnRead = Callable[[int, float], None]
"""Called after each answer with its rows, and with how many series have been read, the last one in part."""
PARQUET_ENGINES = ("pyarrow", "fastparquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which candles."""

    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    from_ts: datetime | None = None
    to_ts: datetime | None = None
    """Not included."""
    adjusted: bool = False
    as_of: datetime | None = None
    """As known then; None: now."""
    final_only: bool = False
    venue: Venue = Venue.KRX

    @property
    def series(self) -> list[tuple[str, Timeframe]]:
        """Return every symbol in every timeframe."""
        return [(symbol, timeframe) for symbol in self.symbols for timeframe in self.timeframes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Candles as CSV without a header."""

    text: str
    rows: int


def refuse_without_engine() -> None:
    """Say what is missing where pandas cannot write Parquet.

    Raises:
        CommandFailed: no engine can be imported.
    """
    if not any(find_spec(name) for name in PARQUET_ENGINES):
        raise CommandFailed(
            ExitStatus.USAGE,
            "Parquet needs pyarrow, which is not installed.",
            "`pip install pyarrow` into this environment, or take --format csv.",
        )


async def frames(client: ControlClient, selection: Selection, on_read: OnRead) -> AsyncIterator[pd.DataFrame]:
    """Yield a frame for each series, oldest candle first.

    Args:
        client: asks the daemon.
        selection: which candles.
        on_read: called after each page.

    Returns:
        Columns `COLUMNS`; `ts` in Korean time, prices and volume int64, value Int64, final bool.
    """
    for place, (symbol, timeframe) in enumerate(selection.series):
        rows: list[CandleRow] = []
        async for page in _newest_first(client, symbol, timeframe, selection):
            on_read(len(page), place)
            rows += [row for row in reversed(page) if row.final or not selection.final_only]
        on_read(0, place + 1)
        yield frame_of(symbol, timeframe, rows[::-1])


def frame_of(symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]) -> pd.DataFrame:
    """Return candles of one series as a frame; see `frames`."""
    import pandas as pd

    index = range(len(rows))
    ts = pd.to_datetime([row.ts for row in rows], utc=True).tz_convert(KST).as_unit("us")
    columns: dict[str, Any] = {
        "symbol": pd.Series(symbol, index=index, dtype="str"),
        "timeframe": pd.Series(timeframe.value, index=index, dtype="str"),
        "ts": pd.Series(ts, index=index),
    }
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = pd.Series([getattr(row, name) for row in rows], index=index, dtype="int64")
    columns["value"] = pd.Series([row.value for row in rows], index=index, dtype="Int64")
    columns["final"] = pd.Series([row.final for row in rows], index=index, dtype="bool")
    return pd.DataFrame(columns)


async def _newest_first(
    client: ControlClient, symbol: str, timeframe: Timeframe, selection: Selection
) -> AsyncIterator[Sequence[CandleRow]]:
    """Yield pages of one series, the newest page first; each page has its oldest candle first."""
    query = CandleQuery(
        symbol=symbol,
        timeframe=timeframe,
        from_ts=selection.from_ts,
        to_ts=selection.to_ts,
        limit=MAX_ROWS,
        adjusted=selection.adjusted,
        as_of=selection.as_of,
        venue=selection.venue,
    )
    while True:
        page = await client.ask(CANDLES, query)
        yield page.items
        if len(page.items) < MAX_ROWS:
            return
        query = query.model_copy(update={"to_ts": page.items[0].ts})


async def texts(client: ControlClient, selection: Selection, on_read: OnRead) -> AsyncIterator[Lines]:
    """Yield lines of CSV, series after series, oldest candle first.

    The database writes the lines, so neither daemon nor client handles single rows. Candles as of an instant
    are judged one by one: their frames are written as CSV here.
    """
    if selection.as_of is not None:
        async for frame in frames(client, selection, on_read):
            yield Lines(text=frame.to_csv(header=False, index=False, lineterminator="\n"), rows=len(frame))
        return
    for place, (symbol, timeframe) in enumerate(selection.series):
        async for block, part in _blocks(client, _text_query(symbol, timeframe, selection)):
            on_read(block.rows, place + part)
            yield Lines(text=block.text, rows=block.rows)


def _text_query(symbol: str, timeframe: Timeframe, selection: Selection) -> CandleTextQuery:
    return CandleTextQuery(
        symbol=symbol,
        timeframe=timeframe,
        from_ts=selection.from_ts,
        to_ts=selection.to_ts,
        limit=MAX_TEXT_ROWS,
        adjusted=selection.adjusted,
        final=selection.final_only,
        venue=selection.venue,
    )


async def _blocks(client: ControlClient, query: CandleTextQuery) -> AsyncIterator[tuple[CandleText, float]]:
    """Yield blocks of one series, and which part of its time they have come to, up to 1."""
    first = block = await client.ask(CANDLE_TEXT, query)
    newest = await _newest(client, query) if block.rows == query.limit else None
    while block.rows == query.limit and first.first_ts and block.last_ts and newest:
        yield block, (block.last_ts - first.first_ts) / max(newest - first.first_ts, _INSTANT)
        block = await client.ask(CANDLE_TEXT, query.model_copy(update={"from_ts": block.last_ts + _INSTANT}))
    yield block, 1.0


async def _newest(client: ControlClient, query: CandleTextQuery) -> datetime | None:
    """Return when the newest candle of a series opens."""
    newest = CandleQuery(
        symbol=query.symbol, timeframe=query.timeframe, to_ts=query.to_ts, limit=1, venue=query.venue
    )
    found = await client.ask(CANDLES, newest)
    return found.items[-1].ts if found.items else None


async def write_csv(file: IO[bytes], blocks: AsyncIterator[Lines]) -> int:
    """Write lines below one header; return how many rows. Nothing is written before the first answer."""
    header, count = f"{','.join(COLUMNS)}\n", 0
    async for lines in blocks:
        file.write(f"{header}{lines.text}".encode())
        header = ""
        count += lines.rows
    file.write(header.encode())
    return count


async def write_parquet(file: IO[bytes], series: AsyncIterator[pd.DataFrame]) -> int:
    """Write frames as one table, all in memory at once; return how many rows."""
    import pandas as pd

    whole = pd.concat([frame async for frame in series], ignore_index=True)
    whole.to_parquet(file, index=False)
    return len(whole)


def is_replaceable(path: Path) -> bool:
    """Whether a new file may take this name: nothing is there, or a plain file that no shell writes to now.

    A device, a pipe, a link or this command's own standard output (`/dev/stdout`) is written to instead.
    """
    if not os.path.lexists(path):
        return True
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and not os.path.samestat(found, os.fstat(_STANDARD_OUTPUT))


@contextmanager
def in_place(path: Path) -> Iterator[IO[bytes]]:
    """Write to what is there, from its beginning.

    Raises:
        CommandFailed: it cannot be written to.
    """
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that takes its name when it is whole, and is gone when anything failed.

    Raises:
        CommandFailed: it cannot be written there.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> CommandFailed:
    return CommandFailed(ExitStatus.FAILED, f"{path} cannot be written: {error.strerror or error}.")
