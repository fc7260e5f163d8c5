"""Charts through the listener, over a real store: complete, cut along both times, cheap to ask again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.grid import candle_ends
from chartinsightd.facts.krx import KST
from tests.domain.made_up_charts import split
from tests.web.chart_world import CALENDAR, DAYS, NOW, ChartWorld, chart, chart_world
from tests.web.conftest import Browser

FULL = f"/v1/radar/005930?limit={len(DAYS)}"


@pytest.fixture
async def world(store: Store, database: str, tmp_path: Path) -> AsyncIterator[ChartWorld]:
    """Three stocks."""
    async with chart_world(store, database, tmp_path) as world:
        yield world


@pytest.fixture
def door(world: ChartWorld) -> Any:
    """The door to them, in place of the made-up one."""
    return world.door


async def got(browser: Browser, path: str, **headers: str) -> Any:
    """Return the body of an answer that is well."""
    status, _, body = await browser.ask("GET", path, headers=headers)
    assert status == 200, body
    return body


def korean(seconds: int) -> str:
    """Return a moment as it stands beside its seconds."""
    return datetime.fromtimestamp(seconds, KST).isoformat()


async def test_a_chart_is_all_in_one_answer(browser: Browser, world: ChartWorld) -> None:
    """Candles, points, trends and patterns are those of the store, each time in both forms."""
    body, found = await got(browser, FULL), await world.found()
    candles, points = body["candles"], body["points"]

    assert {len(column) for column in candles.values()} == {len(DAYS)}
    assert [datetime.fromisoformat(text).date() for text in candles["ts_kst"]] == DAYS
    assert (
        candles["closes_at"]
        == candle_ends(CALENDAR, chart("005930", 2).timeframe, np.array(candles["ts"])).tolist()
    )
    assert points["ts"] == [point.ts for point in found.points]
    assert points["confirmed_at_kst"] == [korean(point.confirmed_at) for point in found.points]
    assert all(lag is not None and lag >= 0 for lag in points["lag"])
    assert body["trends"]["from_ts"] == [trend.from_ts for trend in found.trends]
    assert sum(len(pattern["events"]) for pattern in body["patterns"]) == len(found.patterns) > 0
    assert body["analysis"]["status"] == "done"
    assert body["stock"]["name"] == body["name"] == "삼성전자"
    assert body["starts_here"] is True
    assert body["cursor"] is None


async def test_prices_of_marks_lie_on_the_candles(browser: Browser) -> None:
    """`price` is as traded and `y` in the measure of the candles, before and after a split alike."""
    adjusted, traded = await got(browser, FULL), await got(browser, FULL + "&adjusted=false")

    for body in (adjusted, traded):
        high = dict(zip(body["candles"]["ts"], body["candles"]["high"], strict=True))
        low = dict(zip(body["candles"]["ts"], body["candles"]["low"], strict=True))
        points = body["points"]
        for ts, kind, y in zip(points["ts"], points["kind"], points["y"], strict=True):
            assert y == pytest.approx((high if kind == "peak" else low)[ts], rel=1e-12)
    assert traded["points"]["price"] == traded["points"]["y"] == adjusted["points"]["price"]
    assert adjusted["candles"]["factor"][0] == pytest.approx(0.2)
    assert traded["candles"]["close"] == chart("005930", 2).close.tolist()
    kinds = adjusted["legs"]["kind"]
    assert all(a != b for a, b in pairwise(kinds))


async def test_until_leaves_out_what_could_not_be_known(browser: Browser) -> None:
    """Cutting on the server gives exactly what the slider of the page makes of the whole answer."""
    whole = await got(browser, FULL)
    states = [event for pattern in whole["patterns"] for event in pattern["events"]]
    for place in (60, 200, 431, len(DAYS) - 1):
        moment = whole["candles"]["closes_at"][place]

        cut = await got(browser, f"{FULL}&until={quote(korean(moment))}")

        assert cut["candles"]["ts"] == whole["candles"]["ts"][: place + 1]
        points = zip(whole["points"]["ts"], whole["points"]["confirmed_at"], strict=True)
        assert cut["points"]["ts"] == [ts for ts, at in points if at <= moment]
        assert sorted(event["at"] for pattern in cut["patterns"] for event in pattern["events"]) == sorted(
            event["at"] for event in states if event["confirmed_at"] <= moment
        )


async def test_as_of_answers_as_it_was_answered(browser: Browser, world: ChartWorld) -> None:
    """A revision later changes nothing of what `as_of` gives, byte for byte; the future is refused."""
    world.clock.advance(60)
    then = world.clock.now().astimezone(KST).isoformat()
    path = f"{FULL}&as_of={quote(then)}"
    before = await browser.ask("GET", path)

    world.clock.advance(60)
    candles = chart("005930", 2)
    candles.close[-1] += 1
    await world.save(candles.where(slice(-1, None)))
    await world.analyse()
    after = await browser.ask("GET", path)

    assert after[2]["candles"] == before[2]["candles"]
    assert after[2]["points"] == before[2]["points"]
    assert after[2]["data_id"] == before[2]["data_id"]
    future = quote((world.clock.now() + timedelta(seconds=1)).isoformat())
    assert (await browser.ask("GET", f"{FULL}&as_of={future}"))[0] == 422


async def test_what_has_not_changed_is_not_sent_again(
    browser: Browser, world: ChartWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same ETag means the same bytes; 304 comes without reading a candle; a new candle ends it."""
    paths = ("/v1/radar/005930", "/v1/candles/005930?limit=7")
    first = [await browser.ask("GET", path) for path in paths]
    same = [await browser.ask("GET", path) for path in paths]
    assert [(one[1]["ETag"], one[2]) for one in same] == [(one[1]["ETag"], one[2]) for one in first]

    reads: list[object] = []
    original = world.stores.reader.read

    async def counting(*arguments: Any, **options: Any) -> Any:
        reads.append(arguments)
        return await original(*arguments, **options)

    monkeypatch.setattr(world.stores.reader, "read", counting)
    tags = [one[1]["ETag"] for one in first]
    again = [
        await browser.ask("GET", path, headers={"If-None-Match": tag})
        for path, tag in zip(paths, tags, strict=True)
    ]
    assert [(status, headers["ETag"]) for status, headers, _ in again] == [(304, tag) for tag in tags]
    assert reads == []

    candles = chart("005930", 2)
    candles.close[-1] += 1
    await world.save(candles.where(slice(-1, None)))
    for path, tag in zip(paths, tags, strict=True):
        status, changed, _ = await browser.ask("GET", path, headers={"If-None-Match": tag})
        assert (status, changed["ETag"] != tag) == (200, True)


async def test_a_chart_with_a_forming_candle_promises_nothing(browser: Browser, world: ChartWorld) -> None:
    """`final=false` with a forming candle has no ETag; by default only final ones come, with one."""
    forming = chart("0126Z0", 3, DAYS[-40:])
    forming.final[-1] = False
    await world.save(forming)

    status, headers, body = await browser.ask("GET", "/v1/radar/0126Z0?final=false")
    final = await browser.ask("GET", "/v1/radar/0126Z0")

    assert (status, body["candles"]["final"][-1]) == (200, False)
    assert "ETag" not in headers
    assert "ETag" in final[1]
    assert all(final[2]["candles"]["final"])


async def test_pages_of_older_candles_join_without_a_hole(browser: Browser) -> None:
    """Following the cursor gives every candle and every point once, to the first candle that is kept."""
    whole, cursor = await got(browser, FULL), ""
    pages: list[Any] = []
    while cursor is not None:
        page = await got(browser, f"/v1/radar/005930?limit=100{cursor and '&cursor=' + cursor}")
        pages.insert(0, page)
        cursor = page["cursor"]

    assert [*chain.from_iterable(page["candles"]["ts"] for page in pages)] == whole["candles"]["ts"]
    assert sorted(chain.from_iterable(page["points"]["ts"] for page in pages)) == sorted(
        whole["points"]["ts"]
    )
    assert [page["starts_here"] for page in pages] == [True, *[False] * (len(pages) - 1)]
    assert [page["structure"] is None for page in pages] == [*[True] * (len(pages) - 1), False]
    assert (await browser.ask("GET", f"/v1/radar/000660?cursor={pages[1]['cursor']}"))[0] == 422


async def test_the_same_rows_come_in_every_form(browser: Browser) -> None:
    """NDJSON and CSV hold the candles of the JSON answer one a line; another form is 406."""
    path = "/v1/candles/005930?limit=3"
    columns = (await got(browser, path))["candles"]
    lines = (await got(browser, path, Accept="application/x-ndjson")).decode().splitlines()
    table = list(csv.DictReader(io.StringIO((await got(browser, path, Accept="text/csv")).decode())))

    assert [json.loads(line)["close"] for line in lines] == columns["close"]
    assert [row["ts_kst"] for row in table] == columns["ts_kst"]
    assert (await browser.ask("GET", path, headers={"Accept": "image/png"}))[0] == 406


FOUND_BY = {
    "005930": ["005930", "삼성전자", "전자", "ㅅㅅㅈㅈ", "삼ㅅㅈ"],
    "000660": ["sk하", "ㅎㅇㄴㅅ", "SK하이닉스"],
    "0126Z0": ["0126z", "에피스", "ㅎㄷㅅ"],
}


async def test_stocks_are_found_as_people_type_them(browser: Browser) -> None:
    """By code, name, part of a name, first consonants, and these mixed."""
    for symbol, words in FOUND_BY.items():
        for one in words:
            body = await got(browser, f"/v1/stocks?q={quote(one)}")
            assert body["items"][0]["symbol"] == symbol, one


async def test_a_watchlist_is_one_question(browser: Browser, world: ChartWorld) -> None:
    """With `recent` each stock has its newest candles, trend and latest event."""
    body = await got(browser, "/v1/stocks?symbol=005930&symbol=0126Z0&recent=60")
    by_symbol = {item["symbol"]: item for item in body["items"]}
    found = await world.found()

    samsung = by_symbol["005930"]
    assert len(samsung["recent"]["close"]) == 60
    assert samsung["trend"] == found.trends[-1].trend
    assert samsung["last_event"]["confirmed_at"] == max(
        one.confirmed_at for part in (found.points, found.trends, found.patterns) for one in part
    )
    assert by_symbol["0126Z0"]["recent"]["close"] == []
    assert by_symbol["0126Z0"]["last_event"] is None


async def test_a_stock_that_is_unknown_is_404_with_a_remedy(browser: Browser) -> None:
    """The problem says where the list is."""
    for path in ("/v1/radar/999999", "/v1/candles/999999", "/v1/stocks/999999"):
        status, _, problem = await browser.ask("GET", path)
        assert (status, bool(problem["remedy"])) == (404, True)
    assert NOW.tzinfo is UTC


async def test_a_chart_of_a_venue_is_of_its_candles_alone(
    browser: Browser, world: ChartWorld, database: str
) -> None:
    """KRX is answered where no venue is named; NXT has its own prices, in the measure of KRX's corporate
    actions (a new one changes its tag and data id), and nothing that was found or said on KRX."""
    await world.keep_nxt(database)
    krx, named = await got(browser, FULL), await got(browser, FULL + "&venue=krx")
    nxt = await got(browser, FULL + "&venue=nxt")
    assert krx == named
    assert (krx["venue"], nxt["venue"], krx["venues"], nxt["venues"]) == ("KRX", "NXT", *2 * [["KRX", "NXT"]])
    assert nxt["candles"]["factor"] == krx["candles"]["factor"]
    halves = [close / 2 for close in krx["candles"]["close"]]
    assert nxt["candles"]["close"] == pytest.approx(halves, abs=0.5)
    assert nxt["data_id"] != krx["data_id"]
    assert krx["points"]["ts"]
    assert (nxt["points"]["ts"], nxt["patterns"], nxt["labels"]) == ([], [], [])
    columns = await got(browser, "/v1/candles/005930?limit=5&venue=NXT")
    assert columns["candles"]["close"] == nxt["candles"]["close"][-5:]
    status, _, body = await browser.ask("GET", FULL + "&venue=unified")
    assert (status, body["detail"]) == (404, "UNIFIED is not collected.")

    _, before, _ = await browser.ask("GET", FULL + "&venue=nxt")
    await world.store.actions.put_actions("005930", [split(date(2026, 6, 1), Fraction(1, 2))], NOW)
    _, after, later = await browser.ask("GET", FULL + "&venue=nxt")
    assert before["ETag"] != after["ETag"]
    assert nxt["data_id"] != later["data_id"]
