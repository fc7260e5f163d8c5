"""Charts page by page, and lists, against a real local server."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chartinsightd.domain.errors import MalformedAnswer, RequestRefused, SourceError, SourceUnavailable
from chartinsightd.domain.issue_kind import IssueKind
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority

from .fake_broker import OK, Reply, Session, session
from .samples import sample
from .test_wire import LISTS, START, day_row, minute_row

LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)


def page(numbers: range, key: str | None = None, *, count: int | None = None) -> Reply:
    """Return a page of minute rows, `numbers` steps before the newest; with a key if there is more."""
    rows = [minute_row(number) for number in numbers]
    body = OK | {"stk_cd": "005930", LISTS[Timeframe.M5]: rows}
    headers = {"cont-yn": "Y" if key is not None else "N", "next-key": key or ""}
    return Reply(body, headers=headers | {"resp-cnt": str(len(rows) if count is None else count)})


def blank(*, more: bool) -> Reply:
    row = dict.fromkeys(minute_row(), "")
    body = OK | {"stk_cd": "005930", LISTS[Timeframe.M5]: [row]}
    return Reply(body, headers={"cont-yn": "Y" if more else "N", "next-key": "k-1" if more else ""})


def request(
    *,
    timeframe: Timeframe = Timeframe.M5,
    until: datetime = LONG_AGO,
    base_day: date | None = None,
    adjusted: bool = False,
) -> ChartRequest:
    return ChartRequest(
        symbol="005930", timeframe=timeframe, until=until, base_day=base_day, adjusted=adjusted
    )


async def read_into(found: list[ChartPage], ours: Session, wanted: ChartRequest) -> None:
    async for one in ours.charts.pages(wanted, Priority.BACKFILL):
        found.append(one)  # noqa: PERF401 - what came before a failure counts


async def read(ours: Session, wanted: ChartRequest) -> list[ChartPage]:
    found: list[ChartPage] = []
    await read_into(found, ours, wanted)
    return found


async def read_until_failure(
    ours: Session, wanted: ChartRequest, expected: type[SourceError]
) -> list[ChartPage]:
    found: list[ChartPage] = []
    with pytest.raises(expected):
        await read_into(found, ours, wanted)
    return found


async def test_pages_follow_the_key_to_the_last_one() -> None:
    """The same body, the key of the answer before, until the broker says that there is no more."""
    async with session() as ours:
        ours.broker.will("ka10080", page(range(3), "k1"), page(range(3, 6), "k2"), page(range(6, 8)))
        found = await read(ours, request())
        seen = ours.broker.seen("ka10080")

    assert [len(one.candles) for one in found] == [3, 3, 2]
    assert [one.is_last for one in found] == [False, False, True]
    assert [one.headers.get("next-key") for one in seen] == [None, "k1", "k2"]
    assert all(one.body == {"stk_cd": "005930", "tic_scope": "5", "upd_stkpc_tp": "0"} for one in seen)


async def test_reading_stops_at_the_bound() -> None:
    """Not one request more than needed."""
    async with session() as ours:
        ours.broker.will("ka10080", page(range(3), "k1"), page(range(3, 6), "k2"), page(range(6, 9), "k3"))
        found = await read(ours, request(until=(START - timedelta(minutes=25)).astimezone(UTC)))

    assert [len(one.candles) for one in found] == [3, 3]
    assert not found[-1].is_last
    assert len(ours.broker.seen("ka10080")) == 2


async def test_no_data_is_one_page_without_rows() -> None:
    """The blank row proves nothing: it is given as it is, also where the broker announces more."""
    for more in (False, True):
        async with session() as ours:
            ours.broker.will("ka10080", blank(more=more))
            (found,) = await read(ours, request())

        assert (found.rows, len(found.candles), found.is_last) == (0, 0, False)


async def test_pages_may_overlap() -> None:
    """Rows that were given already are left out."""
    async with session() as ours:
        ours.broker.will("ka10080", page(range(4), "k1"), page(range(2, 7)))
        found = await read(ours, request())

    assert [len(one.candles) for one in found] == [4, 3]
    assert found[1].running_volume is not None
    assert len(found[1].running_volume) == 3


@pytest.mark.parametrize(
    "bad",
    [
        blank(more=False),
        blank(more=True),
        page(range(3), "k9"),
        page(range(3, 6), "k1"),
        page(range(3, 6), ""),
        page(range(3, 6), "k2", count=900),
        Reply(b'{"return_code": 0, "stk_min', headers={"cont-yn": "N"}),
        Reply(b"<html>notice</html>"),
        Reply(deed="reset"),
    ],
    ids=["blank", "endless", "replayed", "same-key", "no-key", "partial", "truncated", "html", "reset"],
)
async def test_a_page_that_cannot_be_believed_is_asked_for_again(bad: Reply) -> None:
    """A blank, replayed, partial or broken page is never taken for the end; the next try continues."""
    async with session() as ours:
        ours.broker.will(
            "ka10080", page(range(3), "k1"), bad, bad, page(range(3, 6), "k2"), page(range(6, 7))
        )
        found = await read(ours, request())

    assert [len(one.candles) for one in found] == [3, 3, 1]
    assert found[-1].is_last


@pytest.mark.parametrize(
    ("bad", "expected", "pages"),
    [
        (blank(more=False), MalformedAnswer, 1),
        (blank(more=True), MalformedAnswer, 1),
        (page(range(3), "k9"), MalformedAnswer, 1),
        (page(range(3, 6), "k1"), MalformedAnswer, 2),
        (page(range(3, 6), ""), MalformedAnswer, 2),
        (page(range(3, 6), "k2", count=900), MalformedAnswer, 1),
        (Reply(b"<html>notice</html>"), SourceUnavailable, 1),
    ],
    ids=["blank", "endless", "replayed", "same-key", "no-key", "partial", "html"],
)
async def test_what_stays_unbelievable_is_raised(bad: Reply, expected: type[SourceError], pages: int) -> None:
    """After four tries the caller is told; the rows of a page with a wrong key are given before that."""
    async with session() as ours:
        ours.broker.will("ka10080", page(range(3), "k1"), bad)
        found = await read_until_failure(ours, request(), expected)

    assert len(found) == pages
    assert len(ours.broker.seen("ka10080")) == 5


async def test_a_wrong_key_behind_the_bound_does_not_matter() -> None:
    """Nobody would have used it."""
    async with session() as ours:
        ours.broker.will("ka10080", page(range(3), "k1"), page(range(3, 6), "k1"))
        found = await read(ours, request(until=(START - timedelta(minutes=20)).astimezone(UTC)))

    assert len(found) == 2


async def test_a_refused_request_is_raised_at_once() -> None:
    """What waiting does not cure is not repeated."""
    async with session() as ours:
        ours.broker.will("ka10080", Reply({"return_code": 2, "return_msg": "[1511:파라미터=stk_cd]"}))
        await read_until_failure(ours, request(), RequestRefused)

    assert len(ours.broker.seen("ka10080")) == 1


async def test_rejected_rows_travel_with_their_page() -> None:
    """One bad row costs that row; the count of rows is the broker's."""
    async with session() as ours:
        rows = [minute_row(0), minute_row(1, cur_prc="?"), minute_row(2)]
        ours.broker.will("ka10080", Reply(OK | {"stk_cd": "005930", LISTS[Timeframe.M5]: rows}))
        (found,) = await read(ours, request())

    assert (len(found.candles), len(found.rejected), found.rows) == (2, 1, 3)


@pytest.mark.parametrize(
    ("timeframe", "api_id", "scope"),
    [
        (Timeframe.M5, "ka10080", "5"),
        (Timeframe.M30, "ka10080", "30"),
        (Timeframe.H1, "ka10080", "60"),
        (Timeframe.D1, "ka10081", None),
        (Timeframe.W1, "ka10082", None),
    ],
)
async def test_each_timeframe_asks_its_chart(timeframe: Timeframe, api_id: str, scope: str | None) -> None:
    """Minutes by scope, with a day if one is wanted; days and weeks always with one, today in Korea."""
    async with session() as ours:
        await read_until_failure(ours, request(timeframe=timeframe), MalformedAnswer)
        base_day = date(2024, 3, 4)
        await read_until_failure(
            ours, request(timeframe=timeframe, base_day=base_day, adjusted=True), MalformedAnswer
        )
        first, *_, last = ours.broker.seen(api_id)

    today = {} if scope else {"base_dt": "20261120"}
    named = {"tic_scope": scope} if scope else {}
    assert first.path == "/api/dostk/chart"
    assert first.body == {"stk_cd": "005930", "upd_stkpc_tp": "0"} | named | today
    assert last.body == {"stk_cd": "005930", "upd_stkpc_tp": "1", "base_dt": "20240304"} | named


async def test_day_pages_come_as_days() -> None:
    """Day rows carry value in won and no running volume."""
    async with session() as ours:
        rows = [day_row("20251118"), day_row("20251117")]
        ours.broker.will("ka10081", Reply(OK | {"stk_cd": "005930", LISTS[Timeframe.D1]: rows}))
        (found,) = await read(ours, request(timeframe=Timeframe.D1))

    assert found.candles.value is not None
    assert (len(found.candles), found.running_volume) == (2, None)


def listed(code: str, market: str, **changes: str) -> dict[str, str]:
    row = {"code": code, "name": "이름", "listCount": "0000000000768000", "lastPrice": "00005370"}
    row |= {"regDay": "19900320", "state": "증거금100%", "marketCode": market, "orderWarning": "3"}
    return row | {"nxtEnable": "Y"} | changes


async def test_the_recorded_list_is_read() -> None:
    """Numbers without their zeros, the listing day, the market by its code."""
    recorded = sample("ka10099")
    async with session() as ours:
        ours.broker.will("ka10099", Reply(recorded.body), Reply(OK | {"list": [listed("0126Z0", "10")]}))
        stocks = await ours.lists.listed_stocks(Priority.CATCH_UP)

    first, second, third = stocks.stocks
    assert (first.symbol, first.name, first.market) == ("000040", "KR모터스", "KOSPI")
    assert (first.listed_shares, first.last_price) == (86375184, 267)
    assert (second.listed_on, second.order_warning) == (date(1990, 3, 20), "3")
    assert (third.symbol, third.market, third.nxt_enabled) == ("0126Z0", "KOSDAQ", True)
    assert [one.body for one in ours.broker.seen("ka10099")] == [{"mrkt_tp": "0"}, {"mrkt_tp": "10"}]


async def test_every_issue_of_the_list_is_listed() -> None:
    """The list of market 0 mixes kinds: each has its own; a row of the other market belongs there."""
    async with session() as ours:
        rows = [listed("005930", "0"), listed("069500", "8"), listed("088980", "2"), listed("035900", "10")]
        others = [listed("035900", "10")]
        ours.broker.will("ka10099", Reply(OK | {"list": rows}), Reply(OK | {"list": others}))
        found = await ours.lists.listed_stocks(Priority.CATCH_UP)

    assert [(stock.symbol, stock.kind, stock.market) for stock in found.stocks] == [
        ("005930", IssueKind.SHARE, "KOSPI"),
        ("069500", IssueKind.ETF, "KOSPI"),
        ("088980", IssueKind.FUND, "KOSPI"),
        ("035900", IssueKind.SHARE, "KOSDAQ"),
    ]


async def test_how_a_stock_stands_is_read_from_both_fields() -> None:
    """A suspension that only `auditInfo` tells is not lost; no word comes twice, and 정상 says nothing."""
    fields = [
        ("정상", "증거금20%|담보대출"),
        ("거래정지", "증거금100%|거래정지"),
        ("관리종목", "증거금100%"),
        ("정상", ""),
    ]
    async with session() as ours:
        rows = [
            listed(f"00000{number}", "0", auditInfo=audit, state=state)
            for number, (audit, state) in enumerate(fields)
        ]
        others = [listed("035900", "10")]
        ours.broker.will("ka10099", Reply(OK | {"list": rows}), Reply(OK | {"list": others}))
        found = await ours.lists.listed_stocks(Priority.CATCH_UP)

    states = [stock.state for stock in found.stocks[:4]]
    assert states == ["증거금20%|담보대출", "증거금100%|거래정지", "증거금100%|관리종목", ""]


@pytest.mark.parametrize(
    "bad",
    [
        listed("000020", "0", listCount="1,234,567"),
        listed("000020", "0", listCount="9" * 18, lastPrice="9" * 18),
        listed("000020", "0") | {"listCount": 7},
        listed("000020", "0") | {"name": ["x"]},
    ],
)
async def test_a_row_of_the_list_that_cannot_be_read_costs_that_row(bad: dict[str, Any]) -> None:
    """Its symbol is known to be listed all the same; all others are read."""
    async with session() as ours:
        good = [listed(f"{number:05}0", "0") for number in range(10, 30)]
        others = [listed("035900", "10")]
        ours.broker.will("ka10099", Reply(OK | {"list": [*good, bad]}), Reply(OK | {"list": others}))
        found = await ours.lists.listed_stocks(Priority.CATCH_UP)

    assert (len(found.stocks), found.unreadable) == (21, frozenset({"000020"}))
    assert "000020" in found.symbols


@pytest.mark.parametrize(
    "rows",
    [[], [listed("", "0")], [listed("005930", "0", listCount="many")], [listed("069500", "8")], [7]],
    ids=["empty", "no-code", "no-number", "no-share", "no-row"],
)
async def test_a_list_that_may_lack_stocks_is_refused(rows: list[Any]) -> None:
    """A stock missing from the list is taken to be delisted, so a doubtful list is none."""
    async with session() as ours:
        ours.broker.will(
            "ka10099", Reply(OK | {"list": rows}), Reply(OK | {"list": [listed("035900", "10")]})
        )
        with pytest.raises(MalformedAnswer):
            await ours.lists.listed_stocks(Priority.CATCH_UP)


async def test_quotes_are_asked_for_by_the_hundred() -> None:
    """101 codes are two requests; a code the broker does not know is left out."""
    recorded = sample("ka10095_unknown_code")
    async with session() as ours:
        ours.broker.will("ka10095", Reply(recorded.body), Reply(OK | {"atn_stk_infr": []}))
        symbols = [f"{number:06}" for number in range(100)]
        (quote,) = await ours.lists.quotes(["005930", *symbols], Priority.QUOTES)

    counts = [len(one.body["stk_cd"].split("|")) for one in ours.broker.seen("ka10095")]
    assert counts == [100, 1]
    assert (quote.symbol, quote.price, quote.low) == ("005930", 273500, 272000)
    assert (quote.volume, quote.value) == (1392658, 382_605_000_000)
    assert quote.traded_at == datetime(2026, 7, 22, 0, 2, 31, tzinfo=UTC)


async def test_quotes_cost_a_bad_row_that_row() -> None:
    """A stock without a price, as before the opening, or whose row cannot be read, is left out."""
    rows = [
        {"stk_cd": "005930", "cur_prc": "-71400", "base_pric": "72000", "trde_qty": ""},
        {"stk_cd": "000660", "cur_prc": "many"},
        {"stk_cd": "035720", "cur_prc": ""},
    ]
    async with session() as ours:
        ours.broker.will("ka10095", Reply(OK | {"atn_stk_infr": rows}))
        (quote,) = await ours.lists.quotes(["005930", "000660", "035720"], Priority.QUOTES)

    assert (quote.price, quote.base, quote.volume, quote.value) == (71400, 72000, 0, None)


async def test_base_prices_cost_a_bad_row_that_row() -> None:
    """A code the broker does not know, or whose price cannot be read, is left out; the rest is kept."""
    rows = [
        {"stk_cd": "005930", "base_pric": "71400"},
        {"stk_cd": "", "base_pric": ""},
        {"stk_cd": "000660", "base_pric": "many"},
        {"stk_cd": "035720", "base_pric": "0"},
    ]
    async with session() as ours:
        ours.broker.will("ka10095", Reply(OK | {"atn_stk_infr": rows}))
        found = await ours.lists.base_prices(["005930", "999999", "000660", "035720"], Priority.CATCH_UP)

    assert found == {"005930": 71400}


async def test_base_prices_of_others_are_refused() -> None:
    """An answer about stocks that were not asked for is refused."""
    async with session() as ours:
        ours.broker.will("ka10095", Reply(OK | {"atn_stk_infr": [{"stk_cd": "000660", "base_pric": "1"}]}))
        with pytest.raises(MalformedAnswer):
            await ours.lists.base_prices(["005930"], Priority.CATCH_UP)


async def test_recorded_pages_pass_the_whole_way() -> None:
    """A recorded answer through server, gate, client and decoder."""
    recorded = sample("ka10081")
    document = json.loads(recorded.body)
    async with session() as ours:
        ours.broker.will("ka10081", Reply(recorded.body))
        (found,) = await read(ours, request(timeframe=Timeframe.D1))

    assert len(found.candles) == len(document[LISTS[Timeframe.D1]])
