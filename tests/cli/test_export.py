"""Candles in files."""

from __future__ import annotations

import io
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from chartinsightd.cli import export
from chartinsightd.cli.export import PARQUET_ENGINES, frame_of, whole_file
from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import CANDLE_TEXT
from chartinsightd.control.protocol.rows import CandleQuery, CandleText, CandleTextQuery
from chartinsightd.domain.timeframe import Timeframe
from tests.cli.conftest import Run
from tests.cli.live_daemon import LiveDaemon
from tests.support.fake_backend import FakeBackend, Scene


def read(text: str) -> pd.DataFrame:
    """Read an exported CSV as a person would."""
    return pd.read_csv(io.StringIO(text), dtype={"symbol": str}, parse_dates=["ts"])


def test_a_file_holds_the_candles(run: Run, tmp_path: Path) -> None:
    """Every candle of every series is a row, symbols are text, times are Korean, and words say how many."""
    file = tmp_path / "candles.csv"

    result = run("export", "005930", "삼성SDI", "-t", "1d,1w", "--from", "-60d", "-o", file)

    frame = read(file.read_text())
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{len(frame):,} candles of 4 series in {file}.\n"
    assert list(frame.columns) == [
        "symbol",
        "timeframe",
        "ts",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "value",
        "final",
    ]
    assert {*zip(frame.symbol, frame.timeframe, strict=True)} == {
        (symbol, timeframe) for symbol in ("005930", "006400") for timeframe in ("1d", "1w")
    }
    assert str(frame.ts.iloc[0]) == "2026-08-17 00:00:00+09:00"
    assert frame.groupby(["symbol", "timeframe"]).ts.is_monotonic_increasing.all()


async def test_a_frame_is_what_the_store_holds(tmp_path: Path) -> None:
    """Prices and volume are integers, times exact; a value that Kiwoom does not give is missing."""
    del tmp_path
    query = CandleQuery(symbol="005930", timeframe=Timeframe.M5, limit=7)
    candles = (await FakeBackend().candles(query)).items

    frame = frame_of("005930", Timeframe.M5, candles)

    assert frame.close.tolist() == [candle.close for candle in candles]
    assert frame.ts.tolist() == [candle.ts for candle in candles]
    assert frame.value.isna().all()
    assert {str(kind) for kind in frame.dtypes[["open", "volume", "value", "final"]]} == {
        "int64",
        "Int64",
        "bool",
    }


def test_more_than_an_answer_holds_is_paged(
    run: Run, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series longer than one answer arrives whole: each candle once, in order."""
    monkeypatch.setattr(export, "MAX_TEXT_ROWS", 5_000)
    asked: list[CandleTextQuery] = []

    async def answer(query: CandleTextQuery) -> CandleText:
        asked.append(query)
        return await backend.candle_text(query)

    backend.handlers.add(CANDLE_TEXT, answer)

    frame = read(run("export", "005930", "-t", "5m").stdout)

    assert len(asked) == len(frame) // 5_000 + 1
    assert len(frame) > 10_000
    assert frame.ts.is_unique
    assert frame.ts.is_monotonic_increasing


async def test_a_block_says_how_far_a_series_is_read(
    daemon: LiveDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a long series the progress rises from block to block and ends at one series."""
    monkeypatch.setattr(export, "MAX_TEXT_ROWS", 5_000)
    seen: list[tuple[int, float]] = []
    selection = export.Selection(symbols=("005930",), timeframes=(Timeframe.M5,))

    async with ControlClient(daemon.socket) as client:
        blocks = [block async for block in export.texts(client, selection, lambda *step: seen.append(step))]

    parts = [part for _, part in seen]
    assert [rows for rows, _ in seen] == [block.rows for block in blocks]
    assert parts == sorted(parts)
    assert parts[0] < 0.5
    assert parts[-1] == 1.0


def test_a_dash_is_standard_output(run: Run) -> None:
    """As everywhere on Unix: no file of that name is made."""
    wanted = ("export", "005930", "-t", "1d", "--from", "-5d")
    assert run(*wanted, "-o", "-").stdout == run(*wanted).stdout != ""
    assert not Path("-").exists()


def test_forming_candles_may_be_left_out(run: Run) -> None:
    """With `--final` a candle that may change is not exported."""
    every = read(run("export", "005930", "-t", "1d", "--from", "-5d").stdout)
    final = read(run("export", "005930", "-t", "1d", "--from", "-5d", "--final").stdout)

    assert len(final) == len(every) - 1
    assert final.final.all()


def test_all_that_is_tracked_is_exported(run: Run, backend: FakeBackend) -> None:
    """`--tracked` means every tracked symbol; with none there is a header alone."""
    some = read(run("export", "--tracked", "-t", "1w", "--from", "-30d").stdout)
    backend.reset(Scene.EMPTY)
    none = run("export", "--tracked", "-t", "1w")

    assert some.symbol.nunique() == 30
    assert none.stdout == "symbol,timeframe,ts,open,high,low,close,volume,value,final\n"


def test_a_failure_leaves_the_old_file(run: Run, tmp_path: Path) -> None:
    """A file is replaced whole or not at all, and nothing half-written stays."""
    file = tmp_path / "candles.csv"
    file.write_text("old")

    result = run("export", "005930", "999999", "-t", "1d", "-o", file)

    assert result.exit_code == 2
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["candles.csv"]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle of writing is a failure like any other."""

    def write() -> None:
        with whole_file(tmp_path / "new.csv") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    """What cannot be written says so, with status 1."""
    result = run("export", "005930", "-t", "1d", "-o", tmp_path / "none" / "x.csv")

    assert result.exit_code == 1
    assert "cannot be written: No such file or directory." in result.stderr


@pytest.mark.skipif(any(map(find_spec, PARQUET_ENGINES)), reason="an engine is installed")
def test_parquet_without_an_engine_says_what_to_install(run: Run, tmp_path: Path) -> None:
    """The message names the package, before anything is fetched."""
    result = run("export", "005930", "-t", "1d", "-o", tmp_path / "x.parquet")

    assert result.exit_code == 2
    assert "pip install pyarrow" in result.stderr
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.skipif(not any(map(find_spec, PARQUET_ENGINES)), reason="no engine for Parquet is installed")
def test_parquet_holds_the_candles(run: Run, tmp_path: Path) -> None:
    """The same rows as the CSV, with their types."""
    file = tmp_path / "x.parquet"

    run("export", "005930", "-t", "1d", "--from", "-5d", "-o", file)

    assert len(pd.read_parquet(file)) == 4


def test_what_is_no_plain_file_is_written_to_and_stays(run: Run, tmp_path: Path) -> None:
    """A pipe and a link keep what they are: only a plain file is replaced."""
    pipe, link, real = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "real.csv"
    os.mkfifo(pipe)
    link.symlink_to(real)
    real.write_text("older and longer" * 10_000)
    piped = tmp_path / "piped.csv"
    with piped.open("wb") as file, subprocess.Popen(["cat", str(pipe)], stdout=file):
        results = [run("export", "005930", "-t", "1d", "-o", str(place)) for place in (pipe, link)]

    assert [result.exit_code for result in results] == [0, 0]
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert piped.read_text() == real.read_text() == run("export", "005930", "-t", "1d").stdout
