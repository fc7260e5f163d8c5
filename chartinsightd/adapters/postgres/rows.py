"""Candles as one numpy array: comparing them, and PostgreSQL's binary COPY format of them.

Source of the format: PostgreSQL manual, "COPY", binary format. Arrays make a page's COPY stream in 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chartinsightd.domain.candle import Candles, Flags, Ints
from chartinsightd.domain.timeframe import Timeframe

Rows = NDArray[np.void]
"""Records of `ROW`, ascending and unique by `ts`."""

ROW = np.dtype(
    [
        ("ts", "i8"),
        ("volume", "i8"),
        ("value", "i8"),
        ("open", "i4"),
        ("high", "i4"),
        ("low", "i4"),
        ("close", "i4"),
        ("final", "?"),
    ]
)
"""`ts` in seconds since 1970, `value` -1 where there is none, the rest as in `Candles`."""

NO_VALUE = -1
VALUES = ("volume", "value", "open", "high", "low", "close")
"""What a candle says, in contrast to which one it is and how sure we are."""
PRICES = ("open", "high", "low", "close")

_EPOCH_2000_S = 946_684_800
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_LARGEST_INTEGER = 2**31 - 1

_WHOLE = np.dtype((np.void, ROW.itemsize))
"""A record as its bytes: numpy copies those at once, and records of several fields fifty times slower."""

EMPTY = np.empty(0, ROW)


def chosen(rows: Rows, which: Flags | Ints) -> Rows:
    """Return a copy of some records."""
    return rows.view(_WHOLE)[which].view(ROW)


def joined(parts: Sequence[Rows]) -> Rows:
    """Return a copy of the records of one array or several."""
    return np.concatenate([part.view(_WHOLE) for part in parts]).view(ROW)


def holds(known: Rows, rows: Rows) -> bool:
    """Return whether stored records show some others, ascending, unchanged and without one between them."""
    first = int(np.searchsorted(known["ts"], rows["ts"][0]))
    return bool(known[first : first + len(rows)].tobytes() == rows.tobytes())


def columns_of(timeframe: Timeframe) -> tuple[str, ...]:
    """Return the columns of a timeframe's table, in their order."""
    value = () if timeframe.is_intraday else ("value",)
    return ("ts", "volume", *value, *PRICES, "final", "symbol")


def storable(candles: Candles) -> Flags:
    """Return which candles fit the table's columns."""
    # Numbers or-ed bit by bit are below zero, or beyond 31 bits, as soon as one of them is.
    prices = candles.open | candles.high | candles.low | candles.close
    amounts = candles.volume if candles.value is None else candles.volume | candles.value
    return (prices | amounts >= 0) & (prices <= _LARGEST_INTEGER)


def rows_of(candles: Candles) -> Rows:
    """Return candles that are `storable` as records."""
    rows = np.empty(len(candles), ROW)
    for name in ("ts", "volume", *PRICES, "final"):
        rows[name] = getattr(candles, name)
    rows["value"] = NO_VALUE if candles.value is None else candles.value
    return rows


def candles_of(symbol: str, timeframe: Timeframe, rows: Rows) -> Candles:
    """Return records as candles; `value` is None where any of them lacks it."""
    columns: dict[str, Any] = {name: rows[name].astype(np.int64) for name in ("ts", "volume", *PRICES)}
    value = rows["value"].astype(np.int64)
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        value=None if timeframe.is_intraday or bool(np.any(value == NO_VALUE)) else value,
        final=rows["final"].astype(np.bool_),
        **columns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a write would change."""

    added: Rows
    """Candles that are not there yet."""
    changed: Rows
    """Candles to replace, in their new form: other values, or now final."""
    before: Rows
    """The same candles as they are."""
    corrected: int
    """How many of `changed` have other values, not only become final."""
    unchanged: int
    """How many candles of the write say nothing new; those that only become final are among them."""


def difference(new: Rows, known: Rows) -> Difference:
    """Compare a write with what is stored.

    Args:
        new: the write.
        known: everything that is stored in the write's range, at least.

    A final candle is never replaced by one that is not: what came back from a later, provisional read is
    older.
    """
    if not _may_share_times(new, known):
        return Difference(added=new, changed=EMPTY, before=EMPTY, corrected=0, unchanged=0)
    at = np.searchsorted(known["ts"], new["ts"])
    at[at == len(known)] = 0
    is_known = known["ts"][at] == new["ts"]
    both, there = _pairs(new, known, at, is_known)
    differs = _values_differ(both, there)
    allowed = both["final"] | ~there["final"]
    changes = allowed & (differs | (both["final"] & ~there["final"]))
    corrected = int(np.count_nonzero(differs & allowed))
    return Difference(
        added=chosen(new, ~is_known),
        changed=chosen(both, changes),
        before=chosen(there, changes),
        corrected=corrected,
        unchanged=len(both) - corrected,
    )


def _pairs(new: Rows, known: Rows, at: Ints, is_known: Flags) -> tuple[Rows, Rows]:
    """Return the rows of a write that are stored, and what is stored of them.

    A poll repeats the end of what is stored without a hole: then neither side needs a copy.
    """
    count = int(np.count_nonzero(is_known))
    if count and is_known[:count].all() and at[count - 1] - at[0] == count - 1:
        return new[:count], known[at[0] : at[0] + count]
    return chosen(new, is_known), chosen(known, at[is_known])


def _may_share_times(left: Rows, right: Rows) -> bool:
    if not len(left) or not len(right):
        return False
    return bool(left["ts"][0] <= right["ts"][-1] and right["ts"][0] <= left["ts"][-1])


def revised(diff: Difference) -> Flags:
    """Return which of the changed candles were final and get other values."""
    return diff.before["final"] & _values_differ(diff.changed, diff.before)


def final_at(diff: Difference) -> Ints:
    """Return when the candles open that become final, in seconds."""
    added = diff.added["ts"][diff.added["final"]]
    settled = diff.changed["ts"][diff.changed["final"] & ~diff.before["final"]]
    return np.concatenate([added, settled])


def _values_differ(left: Rows, right: Rows) -> Flags:
    differs = np.zeros(len(left), np.bool_)
    for name in VALUES:
        differs |= left[name] != right[name]
    return differs


def merged(known: Rows, diff: Difference) -> Rows:
    """Return what is stored after the write."""
    if not len(diff.added) and not len(diff.changed):
        return known
    together = joined([known, diff.added])
    together[np.searchsorted(known["ts"], diff.changed["ts"])] = diff.changed
    is_later = not len(known) or not len(diff.added) or diff.added["ts"][0] > known["ts"][-1]
    return together if is_later else chosen(together, np.argsort(together["ts"], kind="stable"))


def copy_stream(timeframe: Timeframe, parts: Iterable[tuple[str, Rows]]) -> Iterator[bytes]:
    """Yield the binary COPY stream of several series' rows, in the columns of `columns_of`."""
    yield _HEADER
    for symbol, rows in parts:
        yield _copy_rows(timeframe, symbol.encode(), rows)
    yield _TRAILER


def _copy_rows(timeframe: Timeframe, symbol: bytes, rows: Rows) -> bytes:
    if timeframe.is_intraday:
        return _encoded(("volume", *PRICES), symbol, rows)
    lacks = rows["value"] == NO_VALUE
    if not lacks.any():
        return _encoded(("volume", "value", *PRICES), symbol, rows)
    if lacks.all():
        return _encoded(("volume", None, *PRICES), symbol, rows)
    return _copy_rows(timeframe, symbol, rows[lacks]) + _copy_rows(timeframe, symbol, rows[~lacks])


def _encoded(names: tuple[str | None, ...], symbol: bytes, rows: Rows) -> bytes:
    """Encode rows whose fields all have the same lengths; None stands for a null."""
    fields: list[tuple[str, str]] = [("count", ">i2"), ("ts_length", ">i4"), ("ts", ">i8")]
    for i, name in enumerate(names):
        fields.append((f"length{i}", ">i4"))
        if name is not None:
            fields.append((name, ">i4" if name in PRICES else ">i8"))
    fields += [
        ("final_length", ">i4"),
        ("final", "?"),
        ("symbol_length", ">i4"),
        ("symbol", f"S{len(symbol)}"),
    ]
    out = np.empty(len(rows), np.dtype(fields))
    out["count"] = len(names) + 3
    out["ts_length"], out["ts"] = 8, (rows["ts"] - _EPOCH_2000_S) * 1_000_000
    for i, name in enumerate(names):
        out[f"length{i}"] = -1 if name is None else out.dtype[name].itemsize
        if name is not None:
            out[name] = rows[name]
    out["final_length"], out["final"] = 1, rows["final"]
    out["symbol_length"], out["symbol"] = len(symbol), symbol
    return out.tobytes()


READ_AS = ("part", "ts", "volume", "value", *PRICES, "final")
"""The columns that `split_columns` expects, in this order."""


def read_columns(timeframe: Timeframe, table: str = "") -> str:
    """Return the expressions for `READ_AS`, the number of the part left out; `table` is such as `c.`."""
    value = f"{NO_VALUE}::bigint" if timeframe.is_intraday else f"coalesce({table}value, {NO_VALUE})"
    prices = ", ".join(f"{table}{name}" for name in PRICES)
    return f"extract(epoch from {table}ts)::bigint, {table}volume, {value}, {prices}, {table}final"


def split_columns(columns: Sequence[bytes], parts: int) -> list[Rows]:
    """Return the rows of each part, given columns as `READ_AS` names them, in any order of rows.

    Args:
        columns: each an array as the server sends it (`array_send`).
    """
    part, *values = map(_elements, columns)
    rows = np.empty(len(part), ROW)
    for name, column in zip(READ_AS[1:], values, strict=True):
        rows[name] = column
    order = np.lexsort((rows["ts"], part))
    rows = chosen(rows, order)
    edges = np.searchsorted(part[order], np.arange(parts + 1))
    return [rows[edges[i] : edges[i + 1]] for i in range(parts)]


_ARRAY_HEAD = 20
"""Bytes before the first element of an array: dimensions, flags, type, count and first index, four each."""
_SENT_AS = {1: "?", 4: ">i4", 8: ">i8"}
"""How the server sends an element, by its bytes: boolean, integer, bigint."""


def _elements(sent: bytes) -> NDArray[Any]:
    """Return the elements of an array without nulls as the server sends it; no bytes: none."""
    if not sent:
        return np.empty(0, np.int64)
    count = int.from_bytes(sent[12:16], "big")
    size = (len(sent) - _ARRAY_HEAD) // count - 4  # the length of each stands before it
    element = np.dtype([("length", ">i4"), ("value", _SENT_AS[size])])
    found: NDArray[Any] = np.frombuffer(sent, element, offset=_ARRAY_HEAD)["value"]
    return found
