"""The verb `export`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord, start_of
from chartinsightd.cli.endings import CommandFailed, ExitStatus, say
from chartinsightd.cli.parameters import (
    as_of_option,
    range_options,
    refuse_two_measures,
    symbols_argument,
    timeframes_option,
    venue_option,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

if TYPE_CHECKING:
    from chartinsightd.cli.export import Selection
    from chartinsightd.control.client import ControlClient

_STANDARD_OUTPUT = Path("-")
_SPREADSHEETS = frozenset({".xlsx", ".xls", ".ods", ".numbers"})
"""Endings of files that a spreadsheet would refuse to open as CSV."""


@click.command()
@symbols_argument()
@click.option("--tracked", is_flag=True, help="Every tracked symbol.")
@timeframes_option
@range_options
@click.option("--adjusted", is_flag=True, help="In the measure of today: splits and the like applied.")
@as_of_option
@venue_option
@click.option("--final", "final_only", is_flag=True, help="Without the forming candles.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file, replaced when the new one is whole. Default: standard output, as CSV.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "parquet"]),
    help="Default: by the file's ending, else csv.",
)
@click.option(
    "--parquet",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="All that is final, a Parquet file a month (days: a year), into this folder; continues. "
    "Of another venue than KRX into a folder in it, such as nxt.",
)
@pass_connection
def export(
    connection: Connection,
    symbols: tuple[str, ...],
    tracked: bool,
    timeframes: tuple[Timeframe, ...],
    from_day: DayWord | None,
    to_day: DayWord | None,
    adjusted: bool,
    as_of: datetime | None,
    venue: Venue,
    final_only: bool,
    output: Path | None,
    format_: str | None,
    folder: Path | None,
) -> None:
    """Write candles of SYMBOLs as CSV or Parquet, columns as in the table `candles`, times in Korean time."""
    if folder is not None:
        is_named = symbols or tracked or from_day or to_day
        if is_named or adjusted or as_of or output or format_:
            raise click.UsageError("--parquet goes with --timeframe and --venue alone: it takes everything.")
        _write_months(folder, timeframes or tuple(Timeframe), venue)
        return
    _refuse(symbols, tracked, timeframes)
    refuse_two_measures(adjusted, as_of)
    output = None if output == _STANDARD_OUTPUT else output
    is_parquet = _is_parquet(format_, output)
    from chartinsightd.cli.export import Selection

    async def select(client: ControlClient) -> Selection:
        from chartinsightd.cli.lookup import dates_of

        first, last = await dates_of(client, from_day, to_day)
        return Selection(
            symbols=await _codes(client, symbols, tracked),
            timeframes=timeframes,
            from_ts=None if first is None else start_of(first),
            to_ts=None if last is None else start_of(last + timedelta(days=1)),
            adjusted=adjusted,
            as_of=as_of,
            final_only=final_only,
            venue=venue,
        )

    async def work(client: ControlClient) -> tuple[int, int]:
        selection = await select(client)
        with _target(output) as file:
            return await _write(client, selection, file, is_parquet), len(selection.series)

    rows, series = connection.ask(work)
    if not rows:
        say("No candle of these series is stored in this range; `chartinsightctl coverage` shows what is.")
    say(f"{rows:,} candles of {series:,} series{f' in {output}' if output else ''}.")


def _write_months(folder: Path, timeframes: tuple[Timeframe, ...], venue: Venue) -> None:
    from chartinsightd.cli.console import words_console
    from chartinsightd.reader import NotFound
    from chartinsightd.reader.months import ExportFailed, folder_of, run_export
    from chartinsightd.reader.place import find

    console = words_console()
    try:
        with console.status("…") as status:
            names = [one.value for one in timeframes]
            done = run_export(find(), folder, names, lambda one: status.update(one.file), venue)
    except NotFound as error:
        raise CommandFailed(ExitStatus.USAGE, str(error)) from error
    except ExportFailed as error:
        raise CommandFailed(ExitStatus.FAILED, str(error)) from error
    per_candle = done.bytes / max(done.rows, 1)
    files = f"{done.written + done.kept:,} files of {folder_of(folder, venue)}"
    say(
        f"{done.rows:,} candles in {files}, {done.written:,} of them"
        f" new; {per_candle:.1f} bytes a candle, each file compared with the store."
    )


def _refuse(symbols: tuple[str, ...], tracked: bool, timeframes: tuple[Timeframe, ...]) -> None:
    if bool(symbols) is tracked:
        raise click.UsageError("Name symbols, or --tracked.")
    if not timeframes:
        raise click.UsageError("Name one --timeframe or more.")


def _target(output: Path | None) -> AbstractContextManager[IO[bytes]]:
    """Return where the candles go."""
    if output is None:
        return nullcontext(sys.stdout.buffer)
    from chartinsightd.cli.export import in_place, is_replaceable, whole_file

    return whole_file(output) if is_replaceable(output) else in_place(output)


def _is_parquet(format_: str | None, output: Path | None) -> bool:
    if format_ is None and output is not None and output.suffix.lower() in _SPREADSHEETS:
        raise click.UsageError(
            f"{output.suffix} is not written: name a file of CSV or Parquet, or give --format."
        )
    is_parquet = format_ == "parquet" or (
        format_ is None and output is not None and output.suffix == ".parquet"
    )
    if is_parquet:
        from chartinsightd.cli.export import refuse_without_engine

        if output is None:
            raise click.UsageError("Parquet needs a file: --output.")
        refuse_without_engine()
    return is_parquet


async def _codes(client: ControlClient, symbols: tuple[str, ...], tracked: bool) -> tuple[str, ...]:
    from chartinsightd.cli.lookup import symbols_of
    from chartinsightd.control.operations import STOCKS
    from chartinsightd.control.protocol.rows import StockQuery

    if not tracked:
        return await symbols_of(client, symbols)
    return tuple(sorted(stock.symbol for stock in (await client.ask(STOCKS, StockQuery(tracked=True))).items))


async def _write(client: ControlClient, selection: Selection, file: IO[bytes], is_parquet: bool) -> int:
    """Write all series, with a bar on standard error where that is a terminal; return how many rows."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from chartinsightd.cli.console import words_console
    from chartinsightd.cli.export import frames, texts, write_csv, write_parquet

    console = words_console()
    rows = TextColumn("series  {task.fields[rows]:,} rows  ETA")
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), rows, TimeRemainingColumn(), console=console, transient=True
    )
    bar.disable = not console.is_terminal or file.isatty()
    with bar:
        task = bar.add_task("", total=len(selection.series), rows=0)

        def show(read: int, series: float) -> None:
            bar.update(task, completed=series, rows=bar.tasks[task].fields["rows"] + read)

        if is_parquet:
            return await write_parquet(file, frames(client, selection, show))
        return await write_csv(file, texts(client, selection, show))
