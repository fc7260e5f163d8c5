"""Chart rows and continuation keys as the broker writes them (kiwoom.md#chart-rows). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from chartinsightd.simulator.model import Ints, MinuteRows, Period, PeriodRows, Trade
from chartinsightd.simulator.wire_errors import OK_MESSAGE
from chartinsightd.simulator.wire_prices import change, signature, signed

Tail = Literal["new", "old"]

LIST_KEYS = {
    "ka10079": "stk_tic_chart_qry",
    "ka10080": "stk_min_pole_chart_qry",
    "ka10081": "stk_dt_pole_chart_qry",
    "ka10082": "stk_stk_pole_chart_qry",
    "ka10083": "stk_mth_pole_chart_qry",
    "ka10094": "stk_yr_pole_chart_qry",
}
PERIODS = {
    "ka10081": Period.DAY,
    "ka10082": Period.WEEK,
    "ka10083": Period.MONTH,
    "ka10094": Period.YEAR,
}

_TICK_FIELDS = (
    "cur_prc", "trde_qty", "cntr_tm", "open_pric", "high_pric", "low_pric", "pred_pre", "pred_pre_sig",
)  # fmt: skip
_MINUTE_FIELDS = ("cur_prc", "trde_qty", "cntr_tm", "open_pric", "high_pric", "low_pric")
_MINUTE_TAIL = ("acc_trde_qty", "pred_pre", "pred_pre_sig")
_PERIOD_FIELDS = ("cur_prc", "trde_qty", "trde_prica", "dt", "open_pric", "high_pric", "low_pric")
_PERIOD_TAIL = ("pred_pre", "pred_pre_sig", "trde_tern_rt")
_OLD_TAIL = (
    "upd_stkpc_tp", "upd_rt", "bic_inds_tp", "sm_inds_tp", "stk_infr", "upd_stkpc_event", "pred_close_pric",
)  # fmt: skip

_MILLION = 1_000_000
_FIRST_TURNOVER_DAY = 2010_01_01
"""Turnover is "0.00" on old rows (kiwoom.md#numbers); where "old" begins is not known."""


def row_fields(api_id: str, tail: Tail) -> tuple[str, ...]:
    """Return the names of a row's fields, in the broker's order."""
    if api_id == "ka10079":
        return _TICK_FIELDS
    if tail == "old":
        return (_MINUTE_FIELDS if api_id == "ka10080" else _PERIOD_FIELDS) + _OLD_TAIL
    if api_id == "ka10080":
        return _MINUTE_FIELDS + _MINUTE_TAIL
    return _PERIOD_FIELDS if api_id == "ka10094" else _PERIOD_FIELDS + _PERIOD_TAIL


def blank_row(api_id: str, tail: Tail) -> bytes:
    """Return the row that says "no data" (kiwoom.md#blank-row)."""
    return msgspec.json.encode(dict.fromkeys(row_fields(api_id, tail), ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRows:
    """Rows of one chart in JSON, newest first, sliced without looking into them."""

    labels: tuple[int, ...]
    """What names each row, newest first, falling: minute of the day, YYYYMMDD, or place in the day."""
    text: bytes
    """The rows, each followed by a comma."""
    offsets: tuple[int, ...]
    """Where each row begins in the text, and the text's length."""

    def __len__(self) -> int:
        return len(self.labels)

    def slice(self, first: int, last: int) -> bytes:
        """Return rows first to last (not included), joined by commas."""
        return self.text[self.offsets[first] : max(self.offsets[first], self.offsets[last] - 1)]

    @property
    def size(self) -> int:
        """Bytes it takes in memory, roughly."""
        return len(self.text) + 48 * len(self.offsets)


def encoded(labels: Iterable[int], rows: Sequence[str]) -> EncodedRows:
    """Join rows (newest first) into one text."""
    texts = [row.encode() + b"," for row in rows]
    offsets = np.cumsum([0] + [len(text) for text in texts]).tolist()
    return EncodedRows(labels=tuple(labels), text=b"".join(texts), offsets=tuple(offsets))


def _tail_text(fields: tuple[str, ...]) -> str:
    return "".join(f',"{name}":""' for name in fields)


def minute_rows(rows: MinuteRows, tail: Tail) -> EncodedRows:
    """Encode the minute rows of a day: prices signed against the day before, running volume, change."""
    day, previous = rows.day.strftime("%Y%m%d"), rows.previous_close
    old = _tail_text(_OLD_TAIL) if tail == "old" else None
    columns = (rows.label, rows.close, rows.volume, rows.open, rows.high, rows.low, rows.running)
    texts, labels = [], []
    for label, close, volume, open_, high, low, running in zip(*map(_newest_first, columns), strict=True):
        end = old if old is not None else _minute_tail(running, close, previous)
        texts.append(
            f'{{"cur_prc":"{signed(close, previous)}","trde_qty":"{volume}",'
            f'"cntr_tm":"{day}{label // 60:02}{label % 60:02}00","open_pric":"{signed(open_, previous)}",'
            f'"high_pric":"{signed(high, previous)}","low_pric":"{signed(low, previous)}"{end}}}'
        )
        labels.append(label)
    return encoded(labels, texts)


def _newest_first(column: Ints) -> list[int]:
    values: list[int] = column[::-1].tolist()
    return values


def _minute_tail(running: int, close: int, previous: int) -> str:
    return (
        f',"acc_trde_qty":"{running}","pred_pre":"{change(close, previous)}",'
        f'"pred_pre_sig":"{signature(close, previous)}"'
    )


def period_rows(
    rows: PeriodRows, raw_close: Ints, period: Period, listed_shares: int, tail: Tail
) -> EncodedRows:
    """Encode day, week, month or year rows.

    Args:
        rows: as served, adjusted or not.
        raw_close: closes as traded, a value a row: the change is never adjusted
            (kiwoom.md#adjusted-prices).
        period: days give their value in million won, the others in won.
        listed_shares: for the turnover.
        tail: which fields end a row.
    """
    unit = _MILLION if period is Period.DAY else 1
    columns = (rows.day, rows.close, rows.volume, rows.value // unit, rows.open, rows.high, rows.low)
    texts = [
        f'{{"cur_prc":"{close}","trde_qty":"{volume}","trde_prica":"{value}","dt":"{day}",'
        f'"open_pric":"{open_}","high_pric":"{high}","low_pric":"{low}"'
        for day, close, volume, value, open_, high, low in zip(*map(_newest_first, columns), strict=True)
    ]
    ends = _period_tails(rows, raw_close, period, listed_shares, tail)
    return encoded(_newest_first(rows.day), [text + end + "}" for text, end in zip(texts, ends, strict=True)])


def _period_tails(
    rows: PeriodRows, raw_close: Ints, period: Period, listed_shares: int, tail: Tail
) -> list[str]:
    if tail == "old":
        return [_tail_text(_OLD_TAIL)] * len(rows.day)
    if period is Period.YEAR:
        return [""] * len(rows.day)
    columns = map(_newest_first, (rows.day, raw_close, rows.previous_close, rows.volume))
    return [
        f',"pred_pre":"{change(close, previous)}",'
        f'"pred_pre_sig":"{signature(close, previous, limits=period is Period.DAY)}",'
        f'"trde_tern_rt":"{_turnover(day, volume, listed_shares)}"'
        for day, close, previous, volume in zip(*columns, strict=True)
    ]


def _turnover(day: int, volume: int, listed_shares: int) -> str:
    if day < _FIRST_TURNOVER_DAY or listed_shares <= 0:
        return "0.00"
    percent = f"{volume / listed_shares * 100:.2f}"
    return percent if percent == "0.00" else f"+{percent}"


def tick_rows(trades: Sequence[Trade], scope: int, previous_close: int) -> EncodedRows:
    """Fold the trades of a day into rows of `scope` trades; no sign anywhere, as captured."""
    groups = [trades[i : i + scope] for i in range(0, len(trades), scope)]
    texts = [_tick_row(group, previous_close) for group in reversed(groups)]
    return encoded(range(len(groups), 0, -1), texts)


def _tick_row(group: Sequence[Trade], previous: int) -> str:
    prices = [trade.price for trade in group]
    close, volume = prices[-1], sum(abs(trade.volume) for trade in group)
    return (
        f'{{"cur_prc":"{close}","trde_qty":"{volume}","cntr_tm":"{group[-1].at:%Y%m%d%H%M%S}",'
        f'"open_pric":"{prices[0]}","high_pric":"{max(prices)}","low_pric":"{min(prices)}",'
        f'"pred_pre":"{abs(close - previous)}","pred_pre_sig":"{signature(close, previous)}"}}'
    )


_KEY_END = "00010000"


def minute_key(code: str, day: int, label: int) -> str:
    """Return the continuation key that names a minute row (kiwoom.md#continuation)."""
    return f"A{code}{day:08}{label // 60:02}{label % 60:02}00{_KEY_END}"


def period_key(code: str, day: int) -> str:
    """Return the key that names a day row; week, month and year rows were not captured, assumed alike."""
    return f"A{code}{day:08}{_KEY_END}"


def tick_key(code: str, day: int, place: int) -> str:
    """Return the tick key: the day and how many rows of it are left."""
    return f"A{code}{day:08}{place:010}"


def key_digits(key: str, code: str, length: int) -> str | None:
    """Return the digits of a key after its code; None for a key that is damaged or of another code."""
    digits = key.removeprefix(f"A{code}")
    is_ours = digits != key and len(digits) == length and digits.isascii() and digits.isdigit()
    return digits if is_ours else None


def chart_body(api_id: str, code: str, rows: bytes) -> bytes:
    """Return the whole answer around the rows: data first, then the return code (kiwoom.md#envelope)."""
    ticks = '"last_tic_cnt":"",' if api_id == "ka10079" else ""
    head = f'{{"stk_cd":{msgspec.json.encode(code).decode()},{ticks}"{LIST_KEYS[api_id]}":['
    tail = f'],"return_code":0,"return_msg":"{OK_MESSAGE}"}}'
    return b"".join((head.encode(), rows, tail.encode()))


def row_key(code: str, row: Mapping[str, str]) -> str:
    """Return the key that names an encoded row; empty where the row does not tell (ticks, blank rows)."""
    if row.get("dt"):
        return period_key(code, int(row["dt"]))
    stamp = row.get("cntr_tm", "")
    return f"A{code}{stamp}{_KEY_END}" if "acc_trde_qty" in row or "upd_rt" in row else ""
