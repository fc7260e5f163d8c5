"""From a chart's JSON to columns of candles: a clean page at once, others row by row.

What the rows hold: kiwoom.md#charts.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, overload
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from chartinsightd.adapters.kiwoom.bounds import check_page, check_rows
from chartinsightd.domain.candle import Candles, Flags, Ints
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.foreign_text import quoted
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.timeframe import Timeframe

_LARGEST_PRICE = 2**31 - 1
"""Prices are stored in four bytes."""
_LARGEST_NUMBER = 2**63 - 2
"""One less than numpy turns any longer number into."""
_TIME_DIGITS, _NUMBER_DIGITS = 19, 40
"""From that many digits on a text is not worth turning into a number."""
_DAY_S = 86_400
_KST_OFFSET_S = 9 * 3600
_LAST_DST_DAY = 6857
"""1988-10-10 in days since 1970: from then on KST is UTC+9; before it, some years had summer time."""
_FIRST_YEAR, _LAST_YEAR = 1950, 2199
_MILLION = 1_000_000


class _MinuteRow(msgspec.Struct, gc=False):
    cntr_tm: str | None = None
    open_pric: str | None = None
    high_pric: str | None = None
    low_pric: str | None = None
    cur_prc: str | None = None
    trde_qty: str | None = None
    acc_trde_qty: str | None = None


class _DayRow(msgspec.Struct, gc=False):
    dt: str | None = None
    open_pric: str | None = None
    high_pric: str | None = None
    low_pric: str | None = None
    cur_prc: str | None = None
    trde_qty: str | None = None
    trde_prica: str | None = None


class _MinutePage(msgspec.Struct):
    stk_cd: str | None = None
    rows: list[_MinuteRow] | None = msgspec.field(name="stk_min_pole_chart_qry", default=None)


class _DayPage(msgspec.Struct):
    stk_cd: str | None = None
    rows: list[_DayRow] | None = msgspec.field(name="stk_dt_pole_chart_qry", default=None)


class _WeekPage(msgspec.Struct):
    stk_cd: str | None = None
    rows: list[_DayRow] | None = msgspec.field(name="stk_stk_pole_chart_qry", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How one chart is written."""

    decoder: (
        msgspec.json.Decoder[_MinutePage] | msgspec.json.Decoder[_DayPage] | msgspec.json.Decoder[_WeekPage]
    )
    lists: tuple[str, ...]
    """The key of its rows; then the one of an older document."""
    fields: tuple[str, ...]
    """Time, open, high, low, close, volume, and last the one that whole pages may lack."""
    has_clock: bool
    """Whether its times are YYYYMMDDHHMMSS, not YYYYMMDD."""
    value_won: int = 1
    """How many won its last field counts in; day charts give millions, week charts won."""


_MINUTES = _Layout(
    decoder=msgspec.json.Decoder(_MinutePage),
    lists=("stk_min_pole_chart_qry",),
    fields=_MinuteRow.__struct_fields__,
    has_clock=True,
)
_DAYS = _Layout(
    decoder=msgspec.json.Decoder(_DayPage),
    lists=("stk_dt_pole_chart_qry",),
    fields=_DayRow.__struct_fields__,
    has_clock=False,
    value_won=_MILLION,
)
_WEEKS = _Layout(
    decoder=msgspec.json.Decoder(_WeekPage),
    lists=("stk_stk_pole_chart_qry", "stk_wk_pole_chart_qry"),
    fields=_DayRow.__struct_fields__,
    has_clock=False,
)
_LAYOUTS = {Timeframe.D1: _DAYS, Timeframe.W1: _WEEKS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedChart:
    """What one answer of a chart holds."""

    candles: Candles
    """Oldest first, none marked final; day and week with value in won."""
    running_volume: Ints | None
    """As in `ports.ChartPage`."""
    raw_rows: Sequence[Mapping[str, Any]]
    """The row of each candle as it came."""
    rejected: tuple[RejectedRow, ...]
    repeated: int
    """Rows that say the same as another one."""
    rows: int
    """Rows that are not the blank one that stands for no data: candles, rejected and repeated ones."""
    sent: int
    """Rows as the broker counts them in `resp-cnt`, the blank one included."""


def decode_chart(document: bytes, code: str, timeframe: Timeframe) -> DecodedChart:
    """Decode an answer of ka10080, ka10081 or ka10082.

    Numbers lose their signs (they only show a direction), unknown fields are ignored, rows may stand in any
    order. Of rows with the same time the last one counts; one that differs from it is rejected.

    Args:
        document: the JSON body, its `return_code` checked already.
        code: the one asked for, with the suffix of its exchange; the candles bear the symbol alone. What the
            broker echoes may carry the suffix or not.
        timeframe: the one asked for.

    Raises:
        MalformedAnswer: no JSON, no list of rows, more than a page can have, or the chart of another code.
    """
    check_page(document, f"The chart of {code}")
    layout = _LAYOUTS.get(timeframe, _MINUTES)
    try:
        page = layout.decoder.decode(document)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _decode_slowly(document, code, timeframe, layout)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedAnswer(f"The chart of {code} is not JSON: {error}") from error
    _check_code(page.stk_cd, code)
    table = _clean_table(page.rows, layout) if page.rows else None
    if table is None:
        return _decode_slowly(document, code, timeframe, layout)
    raw_rows = _NewestFirst(document, code, layout, table.shape[1])
    return _chart(_symbol_of(code), timeframe, layout, table, raw_rows, sent=table.shape[1])


class _NewestFirst(Sequence[Mapping[str, Any]]):
    """The rows of a clean page as they came, oldest first; read a second time when somebody asks for one.

    Only a refused candle needs its row: every other page is spared the objects.
    """

    def __init__(self, document: bytes, code: str, layout: _Layout, count: int) -> None:
        self._document = document
        self._code = code
        self._layout = layout
        self._count = count
        self._rows: list[Any] = []

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if not self._rows:
            self._rows = _listed_rows(self._document, self._code, self._layout)[::-1]
        return self._rows[place]


def _symbol_of(code: str) -> str:
    return code.partition("_")[0]


def _check_code(echoed: object, code: str) -> None:
    if echoed is None or echoed == "":
        return
    given = str(echoed) if isinstance(echoed, str) else ""
    is_other_exchange = "_" in code and "_" in given and given != code
    if _symbol_of(given) != _symbol_of(code) or is_other_exchange:
        raise MalformedAnswer(f"Asked for the chart of {code}, Kiwoom gave that of {quoted(echoed)}.")


def _clean_table(rows: Sequence[_MinuteRow | _DayRow], layout: _Layout) -> Ints | None:
    """Return a row of numbers a field (times in seconds), oldest first; None where it needs a closer look."""
    parsed = _parsed(rows)
    if parsed is None:
        return None
    table = np.abs(parsed)
    table[0], is_time = _instants(parsed[0], layout.has_clock)
    is_ascending = (table[0, 1:] > table[0, :-1]).all()
    if not (is_time.all() and is_ascending and _fits(table, layout) and _has_true_zeros(table, rows)):
        return None
    if len(table) == len(layout.fields):
        table[-1] *= layout.value_won
    return table


def _parsed(rows: Sequence[_MinuteRow | _DayRow]) -> Ints | None:
    """Return the numbers of a page, a row a field, in the opposite order; None where one is not plain."""
    cells = map(msgspec.structs.astuple, rows)
    width = len(rows[0].__struct_fields__)
    if msgspec.structs.astuple(rows[0])[-1] is None:
        cells, width = map(itemgetter(slice(-1)), cells), width - 1
    try:
        # Commas, not blanks: then an empty field ends the parsing, and two are never taken for one.
        numbers = _numbers(",".join(chain.from_iterable(cells)))
    except (TypeError, ValueError, DeprecationWarning):
        return None
    if len(numbers) != len(rows) * width:
        return None
    return np.ascontiguousarray(numbers.reshape(-1, width)[::-1].T)


def _numbers(text: str) -> Ints:
    """Return the numbers between the commas; numpy before 2.5 only warns of what is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        return np.fromstring(text, dtype=np.int64, sep=",")


def _fits(table: Ints, layout: _Layout) -> bool:
    """Whether all numbers fit into their columns; the lowest of all has no positive twin and does not."""
    if table[1:].min() < 0 or table[1:5].max() > _LARGEST_PRICE or table[5].max() > _LARGEST_NUMBER:
        return False
    return len(table) < len(layout.fields) or bool(table[-1].max() <= _LARGEST_NUMBER // layout.value_won)


def _has_true_zeros(table: Ints, rows: Sequence[_MinuteRow | _DayRow]) -> bool:
    """Whether each 0 of a table was written as one: numpy takes a lone sign for it, too.

    A day without trades has a volume of 0, and one of a small stock less than a million won of value.
    """
    fields = rows[0].__struct_fields__
    zeros = zip(*np.nonzero(table == 0), strict=True)
    return all("0" in getattr(rows[-1 - place], fields[field]) for field, place in zeros)


def _instants(times: Ints, has_clock: bool) -> tuple[Ints, Flags]:
    """Return seconds since 1970 UTC of KST times written as numbers, and which of them are times at all.

    Whole divisions by a constant are many times faster than remainders in numpy, hence the subtractions.
    """
    days = times // 1_000_000 if has_clock else times
    day_numbers, is_time = _day_numbers(days)
    local = day_numbers * _DAY_S
    if has_clock:
        clock = times - days * 1_000_000
        hours, to_minutes = clock // 10_000, clock // 100
        minutes, seconds = to_minutes - hours * 100, clock - to_minutes * 100
        is_time &= (hours < 24) & (minutes < 60) & (seconds < 60)
        local += hours * 3600 + minutes * 60 + seconds
    instants: Ints = local - _KST_OFFSET_S
    for i in np.flatnonzero(is_time & (day_numbers < _LAST_DST_DAY)):
        instants[i] = _old_instant(int(local[i]))
    return instants, is_time


def _day_numbers(days: Ints) -> tuple[Ints, Flags]:
    """Return days since 1970 of YYYYMMDD numbers, and which of them are days at all."""
    years, to_months = days // 10_000, days // 100
    months = to_months - years * 100
    is_month: Flags = (years >= _FIRST_YEAR) & (years <= _LAST_YEAR) & (months >= 1) & (months <= 12)
    month_numbers = np.where(is_month, years * 12 + months - (1970 * 12 + 1), 0)
    firsts = month_numbers.astype("datetime64[M]").astype("datetime64[D]").view(np.int64)
    numbers: Ints = firsts + (days - to_months * 100) - 1
    is_day: Flags = numbers.view("datetime64[D]").astype("datetime64[M]").view(np.int64) == month_numbers
    return numbers, is_month & is_day


def _old_instant(local_s: int) -> int:
    """Return the instant of a local time before KST became UTC+9 for good (summer time of 1987 and 1988)."""
    naive = datetime.fromtimestamp(local_s, UTC).replace(tzinfo=ZoneInfo("Asia/Seoul"))
    return int(naive.timestamp())


def _chart(
    symbol: str,
    timeframe: Timeframe,
    layout: _Layout,
    table: Ints,
    raw_rows: Sequence[Mapping[str, Any]],
    *,
    rejected: Sequence[RejectedRow] = (),
    repeated: int = 0,
    sent: int,
    rows: int | None = None,
) -> DecodedChart:
    last = table[6] if len(table) == len(layout.fields) else None
    candles = Candles(
        symbol=symbol,
        timeframe=timeframe,
        ts=table[0],
        open=table[1],
        high=table[2],
        low=table[3],
        close=table[4],
        volume=table[5],
        value=None if layout.has_clock else last,
        final=np.zeros(table.shape[1], dtype=np.bool_),
    )
    return DecodedChart(
        candles=candles,
        running_volume=last if layout.has_clock else None,
        raw_rows=raw_rows,
        rejected=tuple(rejected),
        repeated=repeated,
        rows=sent if rows is None else rows,
        sent=sent,
    )


def _decode_slowly(document: bytes, code: str, timeframe: Timeframe, layout: _Layout) -> DecodedChart:
    """Decode row by row: what cannot be a candle is rejected by name, the rest kept."""
    rows = _listed_rows(document, code, layout)
    if all(_is_blank(row) for row in rows):
        table = np.empty((len(layout.fields), 0), dtype=np.int64)
        return _chart(_symbol_of(code), timeframe, layout, table, (), sent=len(rows), rows=0)
    with_last = sum(_has(row, layout.fields[-1]) for row in rows)
    reader = _RowReader(_symbol_of(code), layout, has_last=2 * with_last >= len(rows))
    for row in rows:
        reader.read(row)
    return _chart(
        _symbol_of(code),
        timeframe,
        layout,
        reader.table(),
        reader.raw_rows(),
        rejected=reader.rejected,
        repeated=reader.repeated,
        sent=len(rows),
    )


def _listed_rows(document: bytes, code: str, layout: _Layout) -> list[Any]:
    try:
        page = msgspec.json.decode(_readable(document))
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedAnswer(f"The chart of {code} is not JSON: {error}") from error
    if not isinstance(page, dict):
        raise MalformedAnswer(f"The chart of {code} is not a JSON object.")
    _check_code(page.get("stk_cd"), code)
    for key in layout.lists:
        if isinstance(rows := page.get(key), list):
            check_rows(len(rows), f"The chart of {code}")
            return rows
    raise MalformedAnswer(f"The chart of {code} has no list {layout.lists[0]}.")


def _readable(document: bytes) -> bytes:
    """Replace bytes that are no text: they cost their row, not the page."""
    return document.decode(errors="replace").encode()


def _has(row: object, field: str) -> bool:
    return isinstance(row, dict) and row.get(field) not in (None, "")


def _is_blank(row: object) -> bool:
    """Whether a row is the one of empty texts that stands for no data (kiwoom.md#blank-row)."""
    return isinstance(row, dict) and not any(value is not None and value != "" for value in row.values())


class _BadField(Exception):
    """Why a row cannot be a candle."""


def _unit_and_largest(field: str, layout: _Layout) -> tuple[int, int]:
    """Return in how many shares or won a field counts, and the largest number it may hold."""
    unit = layout.value_won if field == layout.fields[-1] else 1
    return unit, _LARGEST_PRICE if field in layout.fields[1:5] else _LARGEST_NUMBER // unit


class _RowReader:
    """Reads rows one by one, keeping the candles and the rejected apart."""

    def __init__(self, symbol: str, layout: _Layout, *, has_last: bool) -> None:
        self._symbol = symbol
        self._layout = layout
        self._numbers = layout.fields[1:] if has_last else layout.fields[1:-1]
        self._units = {field: _unit_and_largest(field, layout) for field in self._numbers}
        self._midnights: dict[int, int | None] = {}
        self._by_instant: dict[int, tuple[list[int], Any]] = {}
        self.rejected: list[RejectedRow] = []
        self.repeated = 0

    def read(self, row: Any) -> None:
        """Take the next row of the page."""
        if not isinstance(row, dict):
            self._reject("row_not_an_object", {"row": row}, None)
        elif _is_blank(row):
            self._reject("blank_row", row, None)
        else:
            self._read_fields(row)

    def _read_fields(self, row: Mapping[str, Any]) -> None:
        instant: int | None = None
        try:
            instant = self._instant(row)
            self._keep(instant, self._values(row), row)
        except _BadField as bad:
            self._reject(str(bad), row, instant)

    def _values(self, row: Mapping[str, Any]) -> list[int]:
        """Return the numbers of a row. One without shares may leave out its open, high and low."""
        _, opens, highs, lows, _, volume, *_ = self._layout.fields
        if volume in self._numbers and self._is_nothing(row, volume):
            row = {
                **row,
                volume: "0",
                **{field: "0" for field in (opens, highs, lows) if not _has(row, field)},
            }
        return [self._number(row, field) for field in self._numbers]

    def _is_nothing(self, row: Mapping[str, Any], field: str) -> bool:
        value = row.get(field)
        return isinstance(value, str) and "0" in value and not value.strip().lstrip("+-").strip("0")

    def table(self) -> Ints:
        """Return a row of numbers a field, oldest candle first."""
        candles = [[instant, *numbers] for instant, (numbers, _) in sorted(self._by_instant.items())]
        return np.array(candles, dtype=np.int64).reshape(len(candles), len(self._numbers) + 1).T.copy()

    def raw_rows(self) -> list[Any]:
        """Return the row of each candle as it came, oldest first."""
        return [row for _, (_, row) in sorted(self._by_instant.items(), key=itemgetter(0))]

    def _keep(self, instant: int, numbers: list[int], row: Any) -> None:
        known = self._by_instant.get(instant)
        self._by_instant[instant] = numbers, row
        if known is None:
            return
        if known[0] == numbers:
            self.repeated += 1
        else:
            self._reject("conflicting_duplicate", known[1], instant)

    def _reject(self, reason: str, row: Mapping[str, Any], instant: int | None) -> None:
        at = None if instant is None else datetime.fromtimestamp(instant, UTC)
        self.rejected.append(RejectedRow(symbol=self._symbol, reason=reason, payload=row, ts=at))

    def _instant(self, row: Mapping[str, Any]) -> int:
        field = self._layout.fields[0]
        digits = _text(row, field).lstrip("+")
        if not (digits.isascii() and digits.isdecimal() and len(digits) < _TIME_DIGITS):
            raise _BadField(f"{field}_not_a_time")
        instant = self._instant_of(int(digits))
        if instant is None:
            raise _BadField(f"{field}_not_a_time")
        return instant

    def _instant_of(self, time: int) -> int | None:
        """Return an instant: the day through the columns' rule, once each, since that is slow for one."""
        day, clock = divmod(time, 1_000_000) if self._layout.has_clock else (time, 0)
        if day not in self._midnights:
            instants, is_time = _instants(np.array([day], dtype=np.int64), has_clock=False)
            self._midnights[day] = int(instants[0]) if is_time[0] else None
        midnight = self._midnights[day]
        hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
        if midnight is None or hour > 23 or minute > 59 or second > 59:
            return None
        return midnight + hour * 3600 + minute * 60 + second

    def _number(self, row: Mapping[str, Any], field: str) -> int:
        digits = _text(row, field).lstrip("+-")
        if not (digits.isascii() and digits.isdecimal()):
            raise _BadField(f"{field}_not_a_number")
        unit, largest = self._units[field]
        number = int(digits) if len(digits) <= _NUMBER_DIGITS else largest + 1
        if number > largest:
            raise _BadField(f"{field}_too_large")
        return number * unit


def _text(row: Mapping[str, Any], field: str) -> str:
    """Return a field as text without blanks around it; the broker may one day send plain numbers."""
    value = row.get(field)
    if type(value) is str and value:
        return value.strip()
    if value is None or value == "":
        raise _BadField(f"{field}_missing")
    if type(value) is not int:
        raise _BadField(f"{field}_not_a_number")
    return str(value)
