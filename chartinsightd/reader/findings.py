"""`points`, `patterns` and `screen`: what the analysis found, as pandas frames."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from chartinsightd.reader.frames import When, as_instant, run
from chartinsightd.reader.place import NotFound, Place, find
from chartinsightd.reader.query import TIMEFRAMES, connect, symbols_of

if TYPE_CHECKING:
    import pandas as pd

_KST = "Asia/Seoul"
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_RULES = (
    "analyser = (select analyser from analysis_state where symbol = $1 and timeframe = $2 "
    "order by analysed_at desc nulls last limit 1)"
)
"""Of the rules that ran last: rows of earlier rules stay in the store beside them."""
_POINTS = (
    "select ts, kind, grade, price, confirmed_at, cause from current_points "
    f"where symbol = $1 and timeframe = $2 and confirmed_at <= $3 and {_RULES} "
    "order by confirmed_at, ts, kind"
)
_PATTERNS = (
    "select pattern_id, kind, state, at, confirmed_at, points, levels, evidence from current_pattern_events "
    f"where symbol = $1 and timeframe = $2 and confirmed_at <= $3 and {_RULES} "
    "order by confirmed_at, pattern_id, state"
)
_RUN = (
    "select id from screen_runs where name = $1 and ($2::date is null or session = $2) "
    "order by session desc, id desc limit 1"
)
_MATCHES = (
    "select m.symbol, coalesce(s.name, '') as name, m.score, m.since, m.is_new, m.evidence "
    "from screen_matches m left join stocks s using (symbol) where m.run_id = $1 "
    "order by m.is_new desc, m.score desc nulls last, m.symbol"
)


def points(
    symbol: str,
    timeframe: str = "1d",
    *,
    until: When = None,
    dsn: str | None = None,
    schema: str | None = None,
) -> pd.DataFrame:
    """Return the peaks and valleys of one stock, in the order in which they became known.

    Args:
        symbol: a code, or the Korean name of one listed stock.
        timeframe: `5m`, `30m`, `1h`, `1d` or `1w`.
        until: market time; points that were confirmed later are left out.
        dsn: the database, in place of the one that the daemon's settings name.
        schema: `live` or `simulation`, likewise.

    Returns:
        A frame with the columns `ts` (start of the point's candle), `kind`, `grade`, `price` (won as traded),
        `confirmed_at` and `cause`; times are those of Asia/Seoul.

    Raises:
        NotFound: no store, or no stock of this code or name.
        ValueError: the timeframe or the time is none.
    """
    return _frame(_of_series(_POINTS, symbol, timeframe, until, dsn, schema), ("ts", "confirmed_at"))


def patterns(
    symbol: str,
    timeframe: str = "1d",
    *,
    until: When = None,
    dsn: str | None = None,
    schema: str | None = None,
) -> pd.DataFrame:
    """Return the states that patterns of one stock entered, in the order in which they became known.

    The arguments and errors are those of `points`.

    Returns:
        A frame with the columns `pattern_id`, `kind`, `state`, `at` (start of the candle of the state),
        `confirmed_at`, `points` (list), `levels` and `evidence` (dicts, won as traded on the day of `at`).
        Times are those of Asia/Seoul.
    """
    return _frame(_of_series(_PATTERNS, symbol, timeframe, until, dsn, schema), ("at", "confirmed_at"))


def screen(
    name: str, session: date | str | None = None, *, dsn: str | None = None, schema: str | None = None
) -> pd.DataFrame:
    """Return what a stored screen matched, new matches first.

    Args:
        name: of the screen.
        session: the day whose run is wanted; None: the newest.
        dsn: the database, in place of the one that the daemon's settings name.
        schema: `live` or `simulation`, likewise.

    Returns:
        A frame with the columns `symbol`, `name`, `score`, `since` (a time of Asia/Seoul), `is_new` and
        `evidence` (dict).

    Raises:
        NotFound: no store, or no run of this screen.
    """
    day = date.fromisoformat(session) if isinstance(session, str) else session

    async def ask(connection: Any) -> Sequence[Any]:
        number = await connection.fetchval(_RUN, name, day)
        if number is None:
            raise NotFound(f"No run of a screen {name!r} is stored; `chartinsightctl screens` lists them.")
        return list(await connection.fetch(_MATCHES, number))

    columns = ("symbol", "name", "score", "since", "is_new", "evidence")
    return _frame((columns, _asked(ask, dsn, schema)), ("since",))


Rows = tuple[Sequence[str], Sequence[Any]]
"""The names of columns, and rows."""


def _of_series(
    statement: str, symbol: str, timeframe: str, until: When, dsn: str | None, schema: str | None
) -> Rows:
    if timeframe not in TIMEFRAMES:
        raise ValueError(f"{timeframe!r} is no timeframe; there are {', '.join(TIMEFRAMES)}.")
    names = statement.partition(" from ")[0].removeprefix("select ").split(", ")
    last = as_instant(until, is_end=True) or _LAST

    async def ask(connection: Any) -> Sequence[Any]:
        code = (await symbols_of(connection, [symbol])).get(symbol)
        if not code:
            raise NotFound(f"No single listed stock has the code or name {symbol}.")
        return list(await connection.fetch(statement, code, timeframe, last))

    return names, _asked(ask, dsn, schema)


def _asked(
    ask: Callable[[Any], Awaitable[Sequence[Any]]], dsn: str | None, schema: str | None
) -> Sequence[Any]:
    """Open a connection, run one query, and close the connection."""
    place = Place(dsn, schema or "live") if dsn else find()

    async def answer() -> Sequence[Any]:
        connection = await connect(place.dsn, place.schema)
        try:
            await connection.set_type_codec(
                "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
            )
            return await ask(connection)
        finally:
            await connection.close()

    return run(answer())


def _frame(rows: Rows, instants: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    names, found = rows
    frame = pd.DataFrame([tuple(row) for row in found], columns=list(names))
    for name in instants:
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(_KST)
    return frame
