"""Lists of stocks and today's figures of many of them (kiwoom.md#stocks)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec
import structlog

from chartinsightd.adapters.kiwoom.bounds import check_list
from chartinsightd.adapters.kiwoom.client import KiwoomClient
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.foreign_text import cleaned, quoted, shortened
from chartinsightd.domain.issue_kind import IssueKind
from chartinsightd.domain.quote import Quote, QuoteSource
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ListedStock, Priority, StockListing

log = structlog.get_logger(__name__)

_PATH = "/api/dostk/stkinfo"
_MARKETS = {"0": "KOSPI", "10": "KOSDAQ"}
"""`mrkt_tp` of the request, and `marketCode` of its shares; the list of market 0 mixes kinds."""
_KINDS = dict.fromkeys(_MARKETS, IssueKind.SHARE) | {
    "8": IssueKind.ETF,
    "60": IssueKind.ETN,
    "70": IssueKind.ETN,
    "90": IssueKind.ETN,
    "6": IssueKind.REIT,
    "2": IssueKind.FUND,
    "4": IssueKind.FUND,
    "9": IssueKind.FUND,
}
"""By `marketCode`; the numbers are those of `mrkt_tp`."""
_IN_ORDER = "정상"
"""`auditInfo` of a stock with nothing to say of it."""
_SYMBOL = re.compile(r"[0-9A-Z]{6}")
_LARGEST_NUMBER = 2**63 - 1
"""What the store's columns hold."""
_LONGEST_TEXT = 80
"""Characters kept of a name or a state."""
_MOST_UNREADABLE = 0.1
"""Of the rows; more are no list."""
_BATCH = 100
"""101 codes in one request are refused with 1634, for good."""
_MILLION = 1_000_000

_T = TypeVar("_T", bound=msgspec.Struct)


class _Coded(msgspec.Struct, gc=False):
    code: str = ""


class _ListRow(msgspec.Struct, gc=False):
    code: str = ""
    name: str = ""
    list_count: str | None = msgspec.field(name="listCount", default=None)
    reg_day: str | None = msgspec.field(name="regDay", default=None)
    last_price: str | None = msgspec.field(name="lastPrice", default=None)
    audit_info: str | None = msgspec.field(name="auditInfo", default=None)
    state: str | None = None
    market_code: str | None = msgspec.field(name="marketCode", default=None)
    order_warning: str | None = msgspec.field(name="orderWarning", default=None)
    nxt_enable: str | None = msgspec.field(name="nxtEnable", default=None)


class _ListAnswer(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")


class _SnapshotRow(msgspec.Struct, gc=False):
    stk_cd: str | None = None
    cur_prc: str | None = None
    base_pric: str | None = None
    open_pric: str | None = None
    high_pric: str | None = None
    low_pric: str | None = None
    trde_qty: str | None = None
    trde_prica: str | None = None
    dt: str | None = None
    cntr_tm: str | None = None


class _SnapshotAnswer(msgspec.Struct):
    atn_stk_infr: list[_SnapshotRow]


class KiwoomLists:
    """The broker's lists, as `ports.StockListSource`, `ports.QuoteSource` and `ports.watching.SweepSource`.

    Args:
        client: who makes the requests.
    """

    def __init__(self, client: KiwoomClient) -> None:
        self._client = client

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return every listed issue of both markets (ka10099). A row that cannot be read costs that row.

        Raises:
            MalformedAnswer: a market has no share, or one row in ten cannot be read: a stock that is missing
                from the list is taken to be delisted.
            SourceError: see `domain.errors`.
        """
        reader = _ListReader()
        for code in _MARKETS:
            reader.read(code, await self._rows(code, priority))
        return reader.listing()

    async def quotes(self, symbols: Sequence[str], priority: Priority) -> list[Quote]:
        """Return today's figures of symbols (ka10095), 100 a request; see `ports.watching.SweepSource`.

        Raises:
            MalformedAnswer: an answer has rows of symbols that were not asked for.
            SourceError: see `domain.errors`.
        """
        found: list[Quote] = []
        for start in range(0, len(symbols), _BATCH):
            asked_at, rows = await self._batch(symbols[start : start + _BATCH], priority)
            quotes = (_quote_or_none(row, asked_at) for row in rows)
            found += [quote for quote in quotes if quote is not None]
        return found

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return today's base prices (ka10095), 100 symbols a request; see `ports.QuoteSource`.

        A row that cannot be read costs that row only.

        Raises:
            MalformedAnswer: an answer has rows of symbols that were not asked for.
            SourceError: see `domain.errors`.
        """
        found: dict[str, int] = {}
        for start in range(0, len(symbols), _BATCH):
            _, rows = await self._batch(symbols[start : start + _BATCH], priority)
            found |= _base_prices(rows)
        return found

    async def _batch(self, symbols: Sequence[str], priority: Priority) -> tuple[datetime, list[_SnapshotRow]]:
        """Return when up to 100 symbols were asked for, and the rows of those that the broker knows."""
        answer = await self._client.post("ka10095", _PATH, {"stk_cd": "|".join(symbols)}, priority=priority)
        told = _decoded("ka10095", answer.document, _SnapshotAnswer).atn_stk_infr
        rows = [row for row in told if row.stk_cd]
        for row in rows:
            if row.stk_cd not in symbols:
                raise MalformedAnswer(f"ka10095 gave a row of {quoted(row.stk_cd)}, which was not asked for.")
        return answer.asked_at, rows

    async def _rows(self, market_code: str, priority: Priority) -> list[msgspec.Raw]:
        rows: list[msgspec.Raw] = []
        cont_key: str | None = None
        keys: set[str] = set()
        while True:
            answer = await self._client.post(
                "ka10099", _PATH, {"mrkt_tp": market_code}, priority=priority, cont_key=cont_key
            )
            check_list(answer.document, "Kiwoom's answer to ka10099")
            rows += _decoded("ka10099", answer.document, _ListAnswer).rows
            if (cont_key := answer.cont_key) is None:
                break
            if not cont_key or cont_key in keys:
                raise MalformedAnswer("ka10099 announces more rows, and gives no usable key.")
            keys.add(cont_key)
        return rows


class _ListReader:
    """Reads the rows of both markets one by one, keeping apart what cannot be read."""

    def __init__(self) -> None:
        self._stocks: dict[str, ListedStock] = {}
        self._unreadable: set[str] = set()
        self._failures = 0

    def read(self, market_code: str, rows: Sequence[msgspec.Raw]) -> None:
        """Take the rows of a market.

        Raises:
            MalformedAnswer: it has no share at all.
        """
        stocks = [stock for row in rows if (stock := self._stock(market_code, row)) is not None]
        if not any(stock.kind is IssueKind.SHARE for stock in stocks):
            raise MalformedAnswer(f"ka10099 gave no share of {_MARKETS[market_code]} at all.")
        self._stocks |= {stock.symbol: stock for stock in stocks}

    def listing(self) -> StockListing:
        """Return what was read.

        Raises:
            MalformedAnswer: too much of it could not be.
        """
        if self._failures > _MOST_UNREADABLE * (len(self._stocks) + self._failures):
            raise MalformedAnswer(f"{self._failures} rows of ka10099 cannot be read.")
        unreadable = frozenset(self._unreadable) - self._stocks.keys()
        return StockListing(stocks=list(self._stocks.values()), unreadable=unreadable)

    def _stock(self, market_code: str, raw: msgspec.Raw) -> ListedStock | None:
        symbol = ""
        try:
            symbol = msgspec.json.decode(raw, type=_Coded).code
            row = msgspec.json.decode(raw, type=_ListRow)
            other_market = row.market_code in _MARKETS and row.market_code != market_code
            return None if other_market else _listed_stock(row, market_code)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, MalformedAnswer) as error:
            self._failures += 1
            self._unreadable |= {symbol} if _SYMBOL.fullmatch(symbol) else set()
            log.warning("stocks.row_unreadable", symbol=quoted(symbol), error=shortened(str(error)))
            return None


def _decoded(api_id: str, document: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(document, type=kind)
    except UnicodeDecodeError as error:
        raise MalformedAnswer(f"Kiwoom's answer to {api_id} holds bytes that are no UTF-8.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedAnswer(f"Kiwoom's answer to {api_id} is not what it should be: {error}") from error


def _listed_stock(row: _ListRow, market_code: str) -> ListedStock:
    if not _SYMBOL.fullmatch(row.code):
        raise MalformedAnswer(f"{quoted(row.code)} is no stock code.")
    stock = ListedStock(
        symbol=row.code,
        name=_short(row.name),
        market=_MARKETS[market_code],
        listed_shares=_number(row.code, "listCount", row.list_count) or 0,
        last_price=_number(row.code, "lastPrice", row.last_price) or 0,
        state=_short(_state(row)),
        order_warning=_short(row.order_warning or ""),
        nxt_enabled=row.nxt_enable == "Y",
        listed_on=_day(row.reg_day),
        kind=_KINDS.get(row.market_code or "", IssueKind.OTHER),
    )
    if stock.market_cap > _LARGEST_NUMBER:
        raise MalformedAnswer(f"The numbers of {row.code} are larger than any stock's.")
    return stock


def _state(row: _ListRow) -> str:
    """Return the words of both fields that say how a stock stands, each once (kiwoom.md#stock-states)."""
    audit = row.audit_info or ""
    words = [*(row.state or "").split("|"), *([audit] if audit != _IN_ORDER else [])]
    return "|".join(dict.fromkeys(word for word in words if word))


def _short(text: str) -> str:
    """Return a name or a state as it may be kept and shown anywhere."""
    return shortened(cleaned(text).strip(), _LONGEST_TEXT)


def _quote_or_none(row: _SnapshotRow, read_at: datetime) -> Quote | None:
    """Return a quote; None where the broker gives no price, or what it gives cannot be read."""
    try:
        return _quote(row, read_at)
    except MalformedAnswer as error:
        log.warning("quotes.row_unreadable", symbol=quoted(row.stk_cd), error=str(error))
        return None


def _quote(row: _SnapshotRow, read_at: datetime) -> Quote | None:
    symbol = row.stk_cd or ""

    def number(field: str) -> int | None:
        return _number(symbol, field, getattr(row, field))

    price, millions = number("cur_prc"), number("trde_prica")
    if not price:
        return None
    return Quote(
        symbol=symbol,
        price=price,
        base=number("base_pric") or None,
        open=number("open_pric") or None,
        high=number("high_pric") or None,
        low=number("low_pric") or None,
        volume=number("trde_qty") or 0,
        value=None if millions is None else millions * _MILLION,
        traded_at=_instant(row.dt, row.cntr_tm),
        read_at=read_at,
        source=QuoteSource.SWEEP,
    )


def _base_prices(rows: Sequence[_SnapshotRow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        symbol = row.stk_cd or ""
        try:
            price = _number(symbol, "base_pric", row.base_pric)
        except MalformedAnswer as error:
            log.warning("quotes.row_unreadable", symbol=symbol, error=str(error))
            continue
        if price:
            found[symbol] = price
    return found


def _number(symbol: str, field: str, text: str | None) -> int | None:
    """Return a number without its signs and leading zeros; None where there is none."""
    digits = (text or "").strip().lstrip("+-")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        raise MalformedAnswer(f"{field} of {symbol} is not a number: {quoted(text)}")
    return int(digits)


def _day(text: str | None) -> date | None:
    try:
        return datetime.strptime(text or "", "%Y%m%d").replace(tzinfo=KST).date()
    except ValueError:
        return None


def _instant(day: str | None, time: str | None) -> datetime | None:
    """Return the instant of a KST day and time, None where one of them is missing or is none."""
    try:
        return datetime.strptime(f"{day}{time}", "%Y%m%d%H%M%S").replace(tzinfo=KST).astimezone(UTC)
    except ValueError:
        return None
