"""Final candles as Parquet, a file a month (days and weeks: a year), each compared with the store."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from chartinsightd.reader.place import NotFound, Place
from chartinsightd.reader.query import (
    KRX,
    NO_VALUE,
    PRICES,
    Columns,
    Ints,
    connect,
    enter,
    is_yearly,
    period_columns,
    period_sums,
)

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
_KST = ZoneInfo("Asia/Seoul")
_SYMBOLS_A_STATEMENT = 100
_MODULUS = 2**31 - 1
_FACTORS = {"open": 179_424_673, "high": 15_485_863, "low": 32_452_843, "close": 49_979_687}
_VOLUME, _VALUE = 67_867_967, 86_028_121
_FORMAT = 1
_LEVEL = 9
"""Of zstd: a fiftieth smaller than 3, and a hundred thousand candles a second."""


class ExportFailed(Exception):
    """A file could not be written, or holds other candles than the store; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFile:
    """One file, and the candles in it."""

    file: str
    """Below the folder: `5m/2026-11.parquet`."""
    timeframe: str
    period: str
    """Korean: the month `2026-11`, of days and weeks the year `2026`."""
    rows: int
    checksum: int
    """Sum of `candle_checksum` of schema.sql over the rows."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did."""

    written: int
    """Files."""
    kept: int
    """Files that were whole already."""
    rows: int
    """Candles in all files."""
    bytes: int


OnFile = Callable[[PeriodFile], None]


async def export_months(
    place: Place,
    folder: Path,
    timeframes: Sequence[str],
    on_file: OnFile = lambda _: None,
    venue: str = KRX,
) -> Exported:
    """Write what is final into a file for each timeframe and Korean month; of days and weeks a year.

    A file that holds what the store holds is kept, so that an export may be interrupted and repeated; one
    whose candles were revised or completed since is written again.

    Args:
        place: the store.
        folder: made where it is not there; `manifest.json` in it names every file with rows and checksum.
            Of a venue beside KRX the same layout lies in `nxt` or `unified` below it.
        timeframes: which.
        on_file: told of each file that is whole.
        venue: whose trades, one of `query.VENUES`.

    Raises:
        ExportFailed: the folder takes no file or holds those of another venue, or a written file read back
            differs from the store.
        NotFound: pyarrow is not installed, or the venue is not kept.
    """
    _require_pyarrow()
    folder = folder_of(folder, venue)
    known = _manifest(folder, venue)
    written = 0
    for timeframe in timeframes:
        async with _snapshot(place, venue) as connection:
            for first, rows, checksum in await period_sums(connection, timeframe):
                period = f"{first:%Y}" if is_yearly(timeframe) else f"{first:%Y-%m}"
                name = f"{timeframe}/{period}.parquet"
                found = known.get(name)
                if (
                    found is None
                    or (found.rows, found.checksum) != (rows, checksum)
                    or not _is_there(folder, found)
                ):
                    table = await _table(connection, timeframe, first)
                    found = _write(folder, name, table, (timeframe, period, rows, checksum))
                    known[name] = found
                    _save(folder, known, venue)
                    written += 1
                on_file(found)
    chosen = [one for one in known.values() if one.timeframe in timeframes]
    return Exported(
        written=written,
        kept=len(chosen) - written,
        rows=sum(one.rows for one in chosen),
        bytes=sum(one.bytes for one in chosen),
    )


def folder_of(folder: Path, venue: str) -> Path:
    """Return where the files of a venue lie: apart from those of KRX, which keep their names."""
    return folder if venue == KRX else folder / venue.lower()


@asynccontextmanager
async def _snapshot(place: Place, venue: str) -> AsyncIterator[Any]:
    connection = await connect(place.dsn, place.schema)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute("set local statement_timeout = 0")
            if venue != KRX:
                await enter(connection, f"{place.schema}_{venue.lower()}", venue)
            yield connection
    finally:
        await connection.close()


async def _table(connection: Any, timeframe: str, first: date) -> pa.Table:
    """Return the candles of a period, sorted by symbol and time."""
    import pyarrow as pa

    start, end = period_bounds(first, months=12 if is_yearly(timeframe) else 1)
    rows = await connection.fetch("select distinct symbol from coverage_sums where timeframe = $1", timeframe)
    symbols = sorted(row["symbol"] for row in rows)
    parts: list[tuple[str, Columns]] = []
    for place in range(0, len(symbols), _SYMBOLS_A_STATEMENT):
        found = await period_columns(
            connection, timeframe, symbols[place : place + _SYMBOLS_A_STATEMENT], start, end
        )
        parts += sorted(found.items())
    names = [symbol for symbol, _ in parts]
    counts = [len(columns["ts"]) for _, columns in parts]
    whole = {
        name: np.concatenate([columns[name] for _, columns in parts]) if parts else np.empty(0, np.int64)
        for name in ("ts", *PRICES, "volume", "value")
    }
    indices = pa.array(np.repeat(np.arange(len(names), dtype=np.int32), counts))
    arrays: dict[str, pa.Array] = {
        "symbol": pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string())),
        "ts": pa.array(whole["ts"] * 1000, pa.timestamp("ms", "UTC")),
        **{name: pa.array(whole[name].astype(np.int32)) for name in PRICES},
        "volume": pa.array(whole["volume"]),
    }
    if is_yearly(timeframe):
        arrays["value"] = pa.array(whole["value"], mask=whole["value"] == NO_VALUE)
    return pa.table(arrays)


def _write(folder: Path, name: str, table: pa.Table, told: tuple[str, str, int, int]) -> PeriodFile:
    """Write a file that takes its name when what is read back equals what the store counts."""
    import pyarrow.parquet as pq

    target = folder / name
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    integers = [column for column in table.column_names if column != "symbol"]
    timeframe, period, rows, checksum = told
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table,
            partial,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=["symbol"],
            column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
            sorting_columns=pq.SortingColumn.from_ordering(
                table.schema, [("symbol", "ascending"), ("ts", "ascending")]
            ),
        )
        found = _sums_of(partial)
        if found != (rows, checksum):
            raise ExportFailed(
                f"{name} holds {found[0]:,} candles where the store counts {rows:,}, or others. Nothing was"
                " kept of it: look after the disk, and export again."
            )
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise ExportFailed(
            f"{target} cannot be written: {error.strerror or error}. Free some space or name another folder;"
            " whole files are kept, and the same command continues."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    size = target.stat().st_size
    return PeriodFile(file=name, timeframe=timeframe, period=period, rows=rows, checksum=checksum, bytes=size)


def _sums_of(file: Path) -> tuple[int, int]:
    """Return how many candles a file holds, and the sum of their checksums."""
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    columns: dict[str, Ints] = {
        name: table[name].cast("int64").to_numpy() for name in ("ts", *PRICES, "volume")
    }
    mixed = sum(columns[name] * factor for name, factor in _FACTORS.items())
    mixed = mixed + columns["volume"] % _MODULUS * _VOLUME
    if "value" in table.column_names:
        value = table["value"].fill_null(NO_VALUE).to_numpy()
        mixed = mixed + np.where(value == NO_VALUE, 0, value % _MODULUS + 1) * _VALUE
    sums: Ints = columns["ts"] // 60_000 * (mixed % _MODULUS) % _MODULUS
    return len(table), int(sums.sum())


def period_bounds(first: date, *, months: int) -> tuple[datetime, datetime]:
    """Return when a period of Korean months begins and ends, UTC."""
    years, month = divmod(first.month - 1 + months, 12)
    after = date(first.year + years, month + 1, 1)
    return _midnight(first), _midnight(after)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_KST).astimezone(UTC)


def _is_there(folder: Path, known: PeriodFile) -> bool:
    try:
        return (folder / known.file).stat().st_size == known.bytes
    except OSError:
        return False


def _manifest(folder: Path, venue: str) -> dict[str, PeriodFile]:
    """Return the files that an earlier export made; none where it is not readable.

    Raises:
        ExportFailed: they are another venue's.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if (held := content.get("venue", KRX)) != venue:
            raise ExportFailed(f"{folder} holds candles of {held}, not of {venue}: name another folder.")
        return {one["file"]: PeriodFile(**one) for one in content["files"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _save(folder: Path, known: Mapping[str, PeriodFile], venue: str) -> None:
    draft = folder / f".{MANIFEST}.partial"
    files = [asdict(known[name]) for name in sorted(known)]
    said = {"format": _FORMAT, "venue": venue, "files": files}
    draft.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / MANIFEST)


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise NotFound("Parquet needs pyarrow: pip install 'chartinsight[parquet]'.") from error


def run_export(
    place: Place, folder: Path, timeframes: Sequence[str], on_file: OnFile, venue: str = KRX
) -> Exported:
    """Do the same outside an event loop."""
    return asyncio.run(export_months(place, folder, timeframes, on_file, venue))
