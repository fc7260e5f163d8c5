"""`read` and `read_many`: candles as pandas frames."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from chartinsightd.reader.adjusting import adjusted as apply_actions
from chartinsightd.reader.adjusting import following_mondays, mixed_weeks, with_weeks_of_days
from chartinsightd.reader.place import NotFound, Place, find
from chartinsightd.reader.query import (
    KRX,
    NO_VALUE,
    PRICES,
    TIMEFRAMES,
    VENUES,
    Action,
    Asked,
    Columns,
    actions_of,
    columns_of,
    connect,
    enter,
    symbols_of,
)

if TYPE_CHECKING:
    import pandas as pd

_KST = ZoneInfo("Asia/Seoul")
_FIRST = datetime(1956, 3, 3, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
When = str | date | datetime | None
"""A Korean day, or an instant; a text as ISO 8601. An instant without a zone is Korean."""
T = TypeVar("T")


def read(
    symbol: str,
    timeframe: str,
    start: When = None,
    end: When = None,
    *,
    adjusted: bool = True,
    as_of: When = None,
    dsn: str | None = None,
    schema: str | None = None,
    venue: str = KRX,
) -> pd.DataFrame:
    """Return the candles of one stock, oldest first.

    Args:
        symbol: a code such as `005930`, or the Korean name of one listed stock.
        timeframe: `5m`, `30m`, `1h`, `1d` or `1w`.
        start: the first day or instant; None: from the first candle on.
        end: the last day, itself included, or the instant before which candles open; None: up to the last.
        adjusted: prices and volumes in the measure of the newest day; False: as traded.
        as_of: what the store knew then: candles that became final later are left out, later corrections and
            corporate actions are undone. Without it the forming candle is included, with `final` False.
        dsn: the database, in place of the one that the daemon's settings name.
        schema: `live` or `simulation`, likewise.
        venue: whose trades: `KRX`, `NXT`, or `UNIFIED` for both together, where the daemon collects them.

    Returns:
        A frame with the index `ts` (start of the candle, Asia/Seoul) and the columns `open`, `high`, `low`,
        `close` (int64, won), `volume` (int64, shares), `value` (Int64, won traded; missing in minute charts)
        and `final` (bool); days and weeks also have `day` (date). Empty where nothing is stored.

    Raises:
        NotFound: no store, no stock of this code or name, or a venue that is not kept.
        ValueError: the timeframe, the venue or a time is none.
    """
    found = read_many(
        [symbol], timeframe, start, end, adjusted=adjusted, as_of=as_of, dsn=dsn, schema=schema, venue=venue
    )
    return found[symbol]


def read_many(
    symbols: Sequence[str],
    timeframe: str,
    start: When = None,
    end: When = None,
    *,
    adjusted: bool = True,
    as_of: When = None,
    dsn: str | None = None,
    schema: str | None = None,
    venue: str = KRX,
) -> dict[str, pd.DataFrame]:
    """Return a frame as `read` does for each of many stocks, by the word that named it."""
    found = columns_by_word(
        symbols, timeframe, start, end, adjusted=adjusted, as_of=as_of, dsn=dsn, schema=schema, venue=venue
    )
    return {word: _frame(columns, timeframe) for word, columns in found.items()}


def columns_by_word(
    symbols: Sequence[str],
    timeframe: str,
    start: When,
    end: When,
    *,
    adjusted: bool,
    as_of: When,
    dsn: str | None,
    schema: str | None,
    venue: str = KRX,
) -> dict[str, Columns]:
    """Return the columns behind `read_many` and `read_arrow`, by the word that named a stock."""
    if timeframe not in TIMEFRAMES:
        raise ValueError(f"{timeframe!r} is no timeframe; there are {', '.join(TIMEFRAMES)}.")
    if venue.upper() not in VENUES:
        raise ValueError(f"{venue!r} is no venue; there are {', '.join(VENUES)}.")
    asked = Asked(
        timeframe=timeframe,
        start=as_instant(start) or _FIRST,
        end=as_instant(end, is_end=True) or _LAST,
        as_of=as_instant(as_of, is_end=True),
    )
    place = Place(dsn, schema or "live") if dsn else find()
    return run(_read(place, list(symbols), asked, venue.upper(), is_adjusted=adjusted))


async def _read(
    place: Place, words: list[str], asked: Asked, venue: str, *, is_adjusted: bool
) -> dict[str, Columns]:
    connection = await connect(place.dsn, place.schema)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            codes = await symbols_of(connection, words)
            if unknown := [word for word in words if not codes.get(word)]:
                raise NotFound(f"No single listed stock has the code or name {', '.join(unknown)}.")
            symbols = list(dict.fromkeys(codes.values()))
            # Stocks and corporate actions are kept once, beside the candles of KRX.
            actions = await actions_of(connection, symbols, asked.as_of) if is_adjusted else {}
            if venue != KRX:
                await enter(connection, f"{place.schema}_{venue.lower()}", venue)
            found = await columns_of(connection, symbols, asked)
            if is_adjusted:
                found = {
                    symbol: await _adjusted(connection, symbol, found[symbol], actions[symbol], asked)
                    for symbol in symbols
                }
    finally:
        await connection.close()
    return {word: found[codes[word]] for word in words}


async def _adjusted(
    connection: Any, symbol: str, columns: Columns, actions: Sequence[Action], asked: Asked
) -> Columns:
    changed = apply_actions(columns, actions)
    mixed = mixed_weeks(columns["ts"], actions) if asked.timeframe == "1w" else np.empty(0, np.int64)
    if not len(mixed):
        return changed
    span = Asked(
        timeframe="1d",
        start=datetime.fromtimestamp(int(columns["ts"][mixed[0]]), UTC),
        end=datetime.fromtimestamp(int(following_mondays(columns["ts"][mixed[-1:]])[0]), UTC),
        as_of=asked.as_of,
    )
    days = (await columns_of(connection, [symbol], span))[symbol]
    return with_weeks_of_days(changed, mixed, apply_actions(days, actions))


def _frame(columns: Columns, timeframe: str) -> pd.DataFrame:
    import pandas as pd

    index = pd.to_datetime(columns["ts"], unit="s", utc=True).tz_convert(_KST)
    frame = pd.DataFrame({name: columns[name] for name in (*PRICES, "volume")}, index=index)
    frame.index.name = "ts"
    value = pd.array(columns["value"], dtype="Int64")
    value[columns["value"] == NO_VALUE] = pd.NA
    frame["value"] = value
    frame["final"] = columns["final"] != 0
    if timeframe in {"1d", "1w"}:
        frame["day"] = index.date
    return frame


def as_instant(when: When, *, is_end: bool = False) -> datetime | None:
    """Return an instant; a day begins, or as an end is over, at 00:00 KST."""
    if when is None:
        return None
    if isinstance(when, str):
        when = date.fromisoformat(when) if len(when) == len("2026-01-01") else datetime.fromisoformat(when)
    if isinstance(when, datetime):
        return when if when.tzinfo else when.replace(tzinfo=_KST)
    midnight = datetime.combine(when, time(), _KST)
    return midnight + timedelta(days=1) if is_end else midnight


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, also inside a notebook, whose own loop runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
