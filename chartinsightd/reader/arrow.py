"""`read_arrow`: candles as one Arrow table, for polars, DuckDB, or pandas with Arrow's types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chartinsightd.reader.frames import When, columns_by_word
from chartinsightd.reader.place import NotFound
from chartinsightd.reader.query import KRX, NO_VALUE, PRICES, Columns

if TYPE_CHECKING:
    import pyarrow as pa


def read_arrow(
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
) -> pa.Table:
    """Return the candles of many stocks in one table, stock by stock in the order asked for, oldest first.

    The arguments are those of `read`.

    Returns:
        A table with the columns `symbol` (dictionary of the words asked for), `ts` (start of the candle,
        seconds, Asia/Seoul), `open`, `high`, `low`, `close` (int64, won), `volume` (int64, shares), `value`
        (int64, won traded; null in minute charts) and `final` (bool).

    Raises:
        NotFound: pyarrow is not installed, or no store, or no stock of a code or name.
        ValueError: the timeframe or a time is none.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise NotFound("Arrow tables need pyarrow: pip install 'chartinsight[arrow]'.") from error
    found = columns_by_word(
        symbols, timeframe, start, end, adjusted=adjusted, as_of=as_of, dsn=dsn, schema=schema, venue=venue
    )
    words = list(found)
    rows = np.array([len(found[word]["ts"]) for word in words], dtype=np.int64)
    codes = pa.array(np.repeat(np.arange(len(words), dtype=np.int32), rows))
    value = _joined(found, "value")
    return pa.table(
        {
            "symbol": pa.DictionaryArray.from_arrays(codes, pa.array(words, pa.string())),
            "ts": pa.array(_joined(found, "ts")).cast(pa.timestamp("s", tz="Asia/Seoul")),
            **{name: _joined(found, name) for name in (*PRICES, "volume")},
            "value": pa.array(value, mask=value == NO_VALUE),
            "final": _joined(found, "final") != 0,
        }
    )


def _joined(found: dict[str, Columns], name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a column of all stocks, one after the other."""
    return np.concatenate([np.empty(0, np.int64), *(columns[name] for columns in found.values())])
