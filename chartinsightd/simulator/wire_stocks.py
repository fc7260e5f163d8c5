"""Stock lists and figures as the broker writes them (kiwoom.md#stocks). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from chartinsightd.simulator.model import Issue, PeriodRows, Snapshot
from chartinsightd.simulator.wire_errors import OK_MESSAGE
from chartinsightd.simulator.wire_prices import change, percent, signature, signed, tick_size

Row = dict[str, str]

_MARKET_NAMES = {"0": "거래소", "10": "코스닥", "8": "ETF", "50": "코넥스", "60": "ETN", "6": "리츠"}
_OWN_LISTS = frozenset({"10", "50", "30"})
"""Markets that the list of mrkt_tp 0 leaves out; everything else traded on KOSPI is mixed into it."""
_PAR_WON = 100
_HUNDRED_MILLION = 100_000_000
_MILLION = 1_000_000


def is_in_list(issue: Issue, market_type: str) -> bool:
    """Return whether ka10099 gives an issue for a mrkt_tp."""
    if market_type == "0":
        return issue.market_code not in _OWN_LISTS
    return issue.market_code == market_type


def last_close(snapshot: Snapshot | None, now: datetime) -> int:
    """Return the close before today in won; on a day without a session that of the last one."""
    if snapshot is None:
        return 0
    last = snapshot.last_trade_at
    return snapshot.price if last is not None and last.date() < now.date() else snapshot.previous_close


def issue_row(issue: Issue, previous_close: int) -> Row:
    """Return the fields of ka10100, in order."""
    return {
        "code": issue.code,
        "name": issue.name,
        "listCount": f"{issue.listed_shares:016}",
        "auditInfo": issue.audit_info,
        "regDay": issue.listed_on.strftime("%Y%m%d"),
        "lastPrice": f"{previous_close:08}",
        "state": issue.state,
        "marketCode": issue.market_code,
        "marketName": _MARKET_NAMES.get(issue.market_code, ""),
        "upName": issue.industry,
        "upSizeName": issue.size_class,
        "companyClassName": issue.company_class,
        "orderWarning": issue.order_warning,
        "nxtEnable": "Y" if issue.nxt_enabled else "N",
    }


BLANK_ISSUE: Row = dict.fromkeys(
    (
        "code", "name", "listCount", "auditInfo", "regDay", "lastPrice", "state", "marketCode", "marketName",
        "upName", "upSizeName", "companyClassName", "orderWarning", "nxtEnable",
    ),
    "",
)  # fmt: skip


def list_body(rows: Sequence[Row]) -> bytes:
    """Return ka10099: message first, then code, then the list; its rows have a `kind` that ka10100 lacks."""
    return msgspec.json.encode(
        {"return_msg": OK_MESSAGE, "return_code": 0, "list": [row | {"kind": "A"} for row in rows]}
    )


def sectors_body(rows: Sequence[Row]) -> bytes:
    """Return ka10101: message, list, code."""
    return msgspec.json.encode({"return_msg": OK_MESSAGE, "list": rows, "return_code": 0})


def flat_body(row: Row) -> bytes:
    """Return an answer whose fields stand at top level (ka10100, ka10001)."""
    return msgspec.json.encode({**row, "return_code": 0, "return_msg": OK_MESSAGE})


def batch_body(rows: Sequence[Row]) -> bytes:
    """Return ka10095."""
    return msgspec.json.encode({"atn_stk_infr": rows, "return_code": 0, "return_msg": OK_MESSAGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """An issue and its figures of the day."""

    code: str
    """As asked for, suffix included: the broker echoes it."""
    issue: Issue
    snapshot: Snapshot

    @property
    def market_cap(self) -> int:
        """In 100 million won."""
        return self.issue.listed_shares * self.snapshot.price // _HUNDRED_MILLION

    @property
    def capital(self) -> int:
        """Nominal capital in 100 million won."""
        return self.issue.listed_shares * _PAR_WON // _HUNDRED_MILLION

    def signed(self, price: int) -> str:
        """Return a price of the day with its sign; "0" before the first trade."""
        return signed(price, self.snapshot.previous_close) if price else "0"

    def change_percent(self) -> str:
        """Return the change since the previous close in percent."""
        previous = self.snapshot.previous_close
        return percent((self.snapshot.price - previous) / previous * 100) if previous > 0 else "0.00"


_BATCH_FIELDS = (
    "stk_cd", "stk_nm", "cur_prc", "base_pric", "pred_pre", "pred_pre_sig", "flu_rt", "trde_qty",
    "trde_prica", "cntr_qty", "cntr_str", "pred_trde_qty_pre", "sel_bid", "buy_bid", "sel_1th_bid",
    "sel_2th_bid", "sel_3th_bid", "sel_4th_bid", "sel_5th_bid", "buy_1th_bid", "buy_2th_bid",
    "buy_3th_bid", "buy_4th_bid", "buy_5th_bid", "upl_pric", "lst_pric", "open_pric", "high_pric",
    "low_pric", "close_pric", "cntr_tm", "exp_cntr_pric", "exp_cntr_qty", "cap", "fav", "mac", "stkcnt",
    "bid_tm", "dt", "pri_sel_req", "pri_buy_req", "pri_sel_cnt", "pri_buy_cnt", "tot_sel_req",
    "tot_buy_req", "tot_sel_cnt", "tot_buy_cnt", "prty", "gear", "pl_qutr", "cap_support", "elwexec_pric",
    "cnvt_rt", "elwexpr_dt", "cntr_engg", "cntr_pred_pre", "theory_pric", "innr_vltl", "delta", "gam",
    "theta", "vega", "law",
)  # fmt: skip

BLANK_BATCH_ROW: Row = dict.fromkeys(_BATCH_FIELDS, "")

_BATCH_CONSTANTS = {
    "exp_cntr_pric": "0", "exp_cntr_qty": "0", "fav": str(_PAR_WON), "tot_sel_cnt": "0", "prty": "0.00",
    "gear": "0.00", "pl_qutr": "0.00", "cap_support": "0.00", "elwexec_pric": "0", "cnvt_rt": "0.0000",
    "elwexpr_dt": "00000000",
}  # fmt: skip


def batch_row(figures: Figures, now: datetime) -> Row:
    """Return a row of ka10095, all 63 fields; what the market does not know stays blank."""
    snapshot, issue = figures.snapshot, figures.issue
    last = snapshot.last_trade_at
    known = {
        "stk_cd": figures.code,
        "stk_nm": issue.name,
        **_price_fields(figures),
        "trde_qty": str(snapshot.volume),
        "trde_prica": str(snapshot.value // _MILLION),
        "close_pric": figures.signed(snapshot.price),
        "cntr_tm": last.strftime("%H%M%S") if last is not None else "",
        "cap": str(figures.capital),
        "mac": str(figures.market_cap),
        "stkcnt": str(issue.listed_shares // 1000),
        "dt": (last or now).strftime("%Y%m%d"),
        **_bids(figures),
    }
    return BLANK_BATCH_ROW | _BATCH_CONSTANTS | known


def _price_fields(figures: Figures) -> Row:
    snapshot = figures.snapshot
    return {
        "cur_prc": figures.signed(snapshot.price),
        "base_pric": str(snapshot.previous_close),
        "pred_pre": change(snapshot.price, snapshot.previous_close),
        "flu_rt": figures.change_percent(),
        "upl_pric": figures.signed(snapshot.upper_limit),
        "lst_pric": figures.signed(snapshot.lower_limit),
        "open_pric": figures.signed(snapshot.open),
        "high_pric": figures.signed(snapshot.high),
        "low_pric": figures.signed(snapshot.low),
    } | {"pred_pre_sig": signature(snapshot.price, snapshot.previous_close)}


def _bids(figures: Figures) -> Row:
    """Return an order book around the price: the market keeps none, the next ticks stand for it."""
    price = figures.snapshot.price
    tick = tick_size(price)
    book = {"sel_bid": figures.signed(price), "buy_bid": figures.signed(price - tick)}
    for level in range(5):
        book[f"sel_{level + 1}th_bid"] = figures.signed(price + level * tick)
        book[f"buy_{level + 1}th_bid"] = figures.signed(price - (level + 1) * tick)
    return book


_INFO_FIELDS = (
    "stk_cd", "stk_nm", "setl_mm", "fav", "cap", "flo_stk", "crd_rt", "oyr_hgst", "oyr_lwst", "mac",
    "mac_wght", "for_exh_rt", "repl_pric", "per", "eps", "roe", "pbr", "ev", "bps", "sale_amt", "bus_pro",
    "cup_nga", "250hgst", "250lwst", "open_pric", "high_pric", "low_pric", "upl_pric", "lst_pric",
    "base_pric", "exp_cntr_pric", "exp_cntr_qty", "250hgst_pric_dt", "250hgst_pric_pre_rt",
    "250lwst_pric_dt", "250lwst_pric_pre_rt", "cur_prc", "pre_sig", "pred_pre", "flu_rt", "trde_qty",
    "trde_pre", "fav_unit", "dstr_stk", "dstr_rt",
)  # fmt: skip


def blank_info(code: str) -> Row:
    """Return ka10001 for an unknown code: blank name and prices."""
    return dict.fromkeys(_INFO_FIELDS, "") | {"stk_cd": code}


def info_row(figures: Figures, days: PeriodRows) -> Row:
    """Return ka10001; the vendor's ratios (per, roe, …) stay blank.

    Args:
        figures: the day's figures.
        days: the last 250 daily rows, oldest first.
    """
    prices = _price_fields(figures)
    prices["pre_sig"] = prices.pop("pred_pre_sig")
    return (
        blank_info(figures.code)
        | {
            "stk_nm": figures.issue.name,
            "setl_mm": "12",
            "fav": str(_PAR_WON),
            "fav_unit": "원",
            "cap": str(figures.capital),
            "flo_stk": str(figures.issue.listed_shares // 1000),
            "mac": str(figures.market_cap),
            "trde_qty": str(figures.snapshot.volume),
        }
        | _extremes(figures, days)
        | prices
    )


def _extremes(figures: Figures, days: PeriodRows) -> Row:
    if not len(days.day):
        return {}
    top, bottom = int(days.high.argmax()), int(days.low.argmin())
    high, low = int(days.high[top]), int(days.low[bottom])
    return {
        "250hgst": figures.signed(high),
        "250lwst": figures.signed(low),
        "250hgst_pric_dt": str(days.day[top]),
        "250hgst_pric_pre_rt": percent((figures.snapshot.price - high) / high * 100),
        "250lwst_pric_dt": str(days.day[bottom]),
        "250lwst_pric_pre_rt": percent((figures.snapshot.price - low) / low * 100),
    }
