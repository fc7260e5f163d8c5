"""`export --parquet`: a file a month that equals the store, whole, resumable, and read by three libraries."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.reader.months import ExportFailed, export_months
from chartinsightd.reader.place import NotFound, Place
from tests.adapters.postgres.model import FIRST, page, write
from tests.support.postgres import connected

pytest.importorskip("pyarrow", reason="pyarrow is not installed (the extra `parquet`)")


@pytest.fixture
async def place(store: Store, database: str) -> Place:
    """A store with two symbols in 5m over two Korean months and in days, one candle still forming."""
    for symbol in ("005930", "000660"):
        await store.candles.save([write(page(symbol, close=[70_000 + i % 50 for i in range(900)]))])
        await store.candles.save([write(page(symbol, Timeframe.D1, at=range(3)))])
    await store.candles.save([write(page("005930", at=[900], final=False), (FIRST, FIRST + 300))])
    return Place(database, "simulation")


def _stored(file: Path) -> list[tuple[Any, ...]]:
    import pyarrow.parquet as pq

    table = pq.read_table(file).to_pydict()
    names = ("symbol", "ts", "open", "high", "low", "close", "volume")
    return list(zip(*(table[name] for name in names), strict=True))


async def test_the_files_hold_what_is_final_sorted(place: Place, tmp_path: Path) -> None:
    """Every final candle once, sorted by symbol and time, and counted; a second run writes none."""
    done = await export_months(place, tmp_path, ["5m", "1d"])

    rows = [row for file in sorted((tmp_path / "5m").iterdir()) for row in _stored(file)]
    async with connected(place.dsn) as connection:
        expected = await connection.fetch(
            "select symbol, ts, open, high, low, close, volume from candles_5m where final"
        )
    assert sorted(rows) == sorted(tuple(row) for row in expected)
    for file in (tmp_path / "5m").iterdir():
        assert _stored(file) == sorted(_stored(file))
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert [one["file"] for one in files if one["timeframe"] == "5m"] == ["5m/2026-07.parquet"]
    assert sum(one["rows"] for one in files) == done.rows == 1800 + 6

    again = await export_months(place, tmp_path, ["5m", "1d"])
    assert (again.written, again.kept) == (0, len(files))


async def test_a_venue_has_its_own_files_below_those_of_krx(
    place: Place, database: str, tmp_path: Path
) -> None:
    """Same names in a folder of its own, from the venue's tables and compared with them; the files of KRX and
    their manifest stay what they were. What is not kept, and a folder of another venue, are refused."""
    with pytest.raises(NotFound, match="NXT is not kept"):
        await export_months(place, tmp_path, ["5m"], venue="NXT")
    opened = open_store(database, "simulation_nxt", SystemClock(), ledger_in="simulation")
    async with opened as nxt:
        await nxt.candles.save([write(page("005930", at=range(80), close=35_000))])
    krx = await export_months(place, tmp_path, ["5m"])
    kept = (tmp_path / "manifest.json").read_bytes()
    done = await export_months(place, tmp_path, ["5m"], venue="NXT")
    again = await export_months(place, tmp_path, ["5m"], venue="NXT")
    assert (krx.rows, done.rows, done.written, again.written, again.kept) == (1800, 80, 1, 0, 1)
    assert {row[5] for row in _stored(tmp_path / "nxt" / "5m" / "2026-07.parquet")} == {35_000}
    assert (tmp_path / "manifest.json").read_bytes() == kept
    assert (await export_months(place, tmp_path, ["5m"])).written == 0
    with pytest.raises(ExportFailed, match="holds candles of NXT, not of KRX"):
        await export_months(place, tmp_path / "nxt", ["5m"])


async def test_a_manifest_of_before_there_were_venues_is_of_krx(place: Place, tmp_path: Path) -> None:
    """An archive that an earlier version began is continued."""
    await export_months(place, tmp_path, ["1d"])
    manifest = tmp_path / "manifest.json"
    said = json.loads(manifest.read_text())
    del said["venue"]
    manifest.write_text(json.dumps(said))
    assert (await export_months(place, tmp_path, ["1d"])).written == 0


async def test_a_revised_month_and_a_lost_file_are_written_again(
    place: Place, store: Store, tmp_path: Path
) -> None:
    """An export continues where it was interrupted, and follows corrections."""
    first = await export_months(place, tmp_path, ["5m", "1d"])
    (tmp_path / "1d" / "2026.parquet").unlink()
    await store.candles.save([write(page(at=[3], close=60_000))])

    again = await export_months(place, tmp_path, ["5m", "1d"])

    assert again.written == 2
    assert again.rows == first.rows
    assert 60_000 in [row[5] for row in _stored(tmp_path / "5m" / "2026-07.parquet")]


async def test_another_file_than_the_store_is_not_kept(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read back is compared; a folder that takes no file is told with what to do."""
    monkeypatch.setattr("chartinsightd.reader.months._sums_of", lambda _: (1, 1))
    with pytest.raises(ExportFailed, match="holds 1 candles where the store counts"):
        await export_months(place, tmp_path, ["5m"])
    assert _names(tmp_path) == ["5m"]
    with pytest.raises(ExportFailed, match="cannot be written"):
        await export_months(place, Path("/dev/null"), ["5m"])


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


@pytest.mark.parametrize("reader", ["duckdb", "pandas", "polars"])
async def test_three_libraries_read_the_same(place: Place, tmp_path: Path, reader: str) -> None:
    """Names, types and sums are equal in DuckDB, pandas and polars."""
    library = pytest.importorskip(reader, reason=f"{reader} is not installed")
    await export_months(place, tmp_path, ["5m"])
    file = str(tmp_path / "5m" / "2026-07.parquet")

    def summed() -> tuple[int, int, str]:
        if reader == "duckdb":
            query = f"select count(*), sum(close)::bigint, min(symbol) from '{file}'"
            return tuple(library.sql(query).fetchall()[0])
        frame = library.read_parquet(file)
        symbols = [str(symbol) for symbol in frame["symbol"]]
        return len(frame), int(frame["close"].sum()), min(symbols)

    found = await asyncio.to_thread(summed)
    assert found == (1800, 2 * sum(70_000 + i % 50 for i in range(900)), "000660")
