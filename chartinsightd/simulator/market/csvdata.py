"""Reading a folder of real candles: CSV files, plain or gzipped, told apart by their header."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import cache
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path

import numpy as np

from chartinsightd.simulator.market.days import hours_on
from chartinsightd.simulator.market.rows import Action, Minutes
from chartinsightd.simulator.model import Ints


class FolderRefused(Exception):
    """The folder cannot be used; the message says what was expected."""


class Layout(Enum):
    """The files that are understood, by the columns their header must have."""

    DAILY = ("code", "date", "open", "high", "low", "close", "volume", "value", "basis", "source")
    MINUTES = ("code", "date", "label", "open", "high", "low", "close", "volume", "cum_value")
    """Label: start of the minute; `cum_value`: won traded in the day at the end of the minute."""
    MINUTES_BY_END = ("code", "date", "label", "open", "high", "low", "close", "volume")
    """Label: end of the minute; the closing auction is labelled by the close."""
    STOCKS = ("Code", "Name", "Market", "Stocks", "ListingDate")
    ACTIONS = ("code", "event", "effective", "factor")
    TRADING_DAYS = ("date", "weekday")


_EXPECTED = "; ".join(
    f"{layout.name.lower()}: {','.join(layout.value)}"
    for layout in (Layout.DAILY, Layout.MINUTES, Layout.MINUTES_BY_END, Layout.STOCKS)
)

DailyRow = tuple[int, int, int, int, int, int, int]
"""Day (ordinal), open, high, low, close, shares, won; won is -1 where the source has none."""


@dataclass(slots=True)
class DailySource:
    """The daily rows of one code from one source."""

    name: str
    is_raw: bool
    has_volume: bool
    rows: list[DailyRow] = field(default_factory=list)


@dataclass(slots=True)
class Folder:
    """What a folder holds."""

    daily: dict[str, dict[str, DailySource]] = field(default_factory=dict)
    """Code and source to rows, in file order."""
    minutes: dict[str, dict[int, Minutes]] = field(default_factory=dict)
    """Code and day (ordinal) to one-minute rows."""
    stocks: dict[str, Mapping[str, str]] = field(default_factory=dict)
    actions: dict[str, list[Action]] = field(default_factory=dict)
    trading_days: set[int] = field(default_factory=set)


def read_folder(path: Path) -> Folder:
    """Read every CSV file of a folder whose header is known; others are left alone.

    Raises:
        FolderRefused: there is no such folder, no candle in it, or a row that cannot be read.
    """
    if not path.is_dir():
        raise FolderRefused(f"{path} is not a folder. Expected CSV files with the columns of {_EXPECTED}.")
    folder = Folder()
    for file in sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")]):
        _read_file(file, folder)
    if not folder.daily and not folder.minutes:
        raise FolderRefused(
            f"{path} holds no candles. Expected .csv or .csv.gz with the columns of {_EXPECTED}."
        )
    return folder


def _read_file(file: Path, folder: Folder) -> None:
    with _opened(file) as text:
        reader = csv.reader(text)
        header = next(reader, [])
        layout = _layout(header)
        try:
            if layout is not None:
                _read_rows(layout, reader, header, folder)
        except (ValueError, IndexError) as error:
            columns = ",".join(layout.value if layout else ())
            raise FolderRefused(f"{file}, line {reader.line_num}: {error}. Expected {columns}.") from error


def _opened(file: Path) -> TextIOWrapper:
    if file.suffix == ".gz":
        return TextIOWrapper(gzip.open(file), encoding="utf-8-sig", newline="")
    return file.open(encoding="utf-8-sig", newline="")


def _layout(header: list[str]) -> Layout | None:
    """Return the layout of a header: the one with the most columns of those it satisfies."""
    found = [layout for layout in Layout if set(layout.value) <= set(header)]
    exact = [layout for layout in found if layout is not Layout.TRADING_DAYS or len(header) == 2]
    return max(exact, key=lambda layout: len(layout.value), default=None)


def _read_rows(layout: Layout, reader: Iterator[list[str]], header: list[str], folder: Folder) -> None:
    columns = itemgetter(*(header.index(name) for name in layout.value))
    rows = (columns(row) for row in reader if row)
    match layout:
        case Layout.DAILY:
            _read_daily(rows, folder)
        case Layout.MINUTES | Layout.MINUTES_BY_END:
            _read_minutes(rows, folder, by_end=layout is Layout.MINUTES_BY_END)
        case Layout.STOCKS:
            folder.stocks.update({row[0]: dict(zip(layout.value, row, strict=True)) for row in rows})
        case Layout.ACTIONS:
            _read_actions(rows, folder)
        case Layout.TRADING_DAYS:
            folder.trading_days.update(date.fromisoformat(row[0]).toordinal() for row in rows)


def _read_daily(rows: Iterator[Sequence[str]], folder: Folder) -> None:
    for code, day, opening, high, low, close, volume, value, basis, name in rows:
        sources = folder.daily.setdefault(code, {})
        source = sources.setdefault(name, DailySource(name, basis == "raw", has_volume=False))
        source.has_volume |= volume != ""
        prices = (_won(opening), _won(high), _won(low), _won(close))
        ordinal = _ordinal(day)
        source.rows.append((ordinal, *prices, int(volume or 0), int(value) if value else -1))


@cache
def _ordinal(day: str) -> int:
    """Return the number of a day; each stands in the rows of hundreds of stocks."""
    return date.fromisoformat(day).toordinal()


def _won(text: str) -> int:
    """Return a price; adjusted ones may have a fraction."""
    return int(text) if text.isdigit() else round(float(text))


def _read_actions(rows: Iterator[Sequence[str]], folder: Folder) -> None:
    """Read what has a day and a factor; an event "between" two days cannot be applied."""
    for code, _, effective, factor in rows:
        if factor and effective[:4].isdigit():
            price = float(factor)
            action = Action(
                ex_date=date.fromisoformat(effective), price_factor=price, volume_factor=1 / price
            )
            folder.actions.setdefault(code, []).append(action)


def _read_minutes(rows: Iterator[Sequence[str]], folder: Folder, *, by_end: bool) -> None:
    days: dict[tuple[str, str], list[Sequence[str]]] = {}
    for row in rows:
        days.setdefault((row[0], row[1]), []).append(row[2:])
    for (code, text), found in days.items():
        day = date.fromisoformat(text)
        minutes = _minutes(found, hours_on(day).closes if by_end else None)
        kept = folder.minutes.setdefault(code, {})
        # A collector that was stopped and started again left two files: the fuller one counts.
        if len(minutes) > len(kept.get(day.toordinal(), ())):
            kept[day.toordinal()] = minutes


def _minutes(rows: list[Sequence[str]], end_label_close: int | None) -> Minutes:
    """Return the rows of a day that traded, by start label; end_label_close: the close, for labels by end."""
    labels = np.array([int(row[0][:2]) * 60 + int(row[0][3:5]) for row in rows], dtype=np.int64)
    if end_label_close is not None:
        labels = np.where(labels == end_label_close, labels, labels - 1)
    numbers = np.array([[int(number) for number in row[1:6]] for row in rows], dtype=np.int64)
    opening, high, low, close, volume = numbers.T
    running = np.array([int(row[6]) if len(row) > 6 else 0 for row in rows], dtype=np.int64)
    if end_label_close is not None:
        running = np.cumsum(volume * (opening + high + low + close) // 4)
    order: Ints = np.argsort(labels, kind="stable").astype(np.int64)
    minutes = Minutes(
        label=labels, open=opening, high=high, low=low, close=close, volume=volume, running_value=running
    ).where(order)
    _refuse_repeated(minutes.label)
    return minutes.where(minutes.volume > 0)


def _refuse_repeated(labels: Ints) -> None:
    if len(labels) > 1 and not bool(np.all(np.diff(labels) > 0)):
        raise ValueError("a minute label comes twice in one day")
