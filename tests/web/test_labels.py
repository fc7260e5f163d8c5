"""Labels through the listener: kept for ever, corrected by new ones, shown wherever their stretch is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.kst import midnight
from chartinsightd.facts.krx import KST
from tests.domain.made_up_charts import split
from tests.support.postgres import connected
from tests.web.chart_world import DAYS, NOW, SPLIT, ChartWorld, chart_world
from tests.web.conftest import Browser

FIRST, LAST, SEEN = DAYS[-30], DAYS[-20], DAYS[-10]


@pytest.fixture
async def world(store: Store, database: str, tmp_path: Path) -> AsyncIterator[ChartWorld]:
    """Three stocks."""
    async with chart_world(store, database, tmp_path) as world:
        yield world


@pytest.fixture
def door(world: ChartWorld) -> Any:
    """The door to them, in place of the made-up one."""
    return world.door


def said(day: date) -> str:
    """Return the start of a day's candle."""
    return midnight(day).astimezone(KST).isoformat()


def label(**changed: Any) -> dict[str, Any]:
    """Return a label as the page sends it."""
    return {
        "symbol": "005930",
        "timeframe": "1d",
        "from_ts": said(FIRST),
        "to_ts": said(LAST),
        "kind": "double_bottom",
        "points": [{"ts": said(FIRST), "price": 50_000}],
        "seen_until": said(SEEN),
        **changed,
    }


async def add(browser: Browser, **changed: Any) -> tuple[int, Any]:
    """Send a label; return status and answer."""
    status, _, body = await browser.ask("POST", "/v1/labels", json=label(**changed))
    return status, body


async def listed(browser: Browser, query: str = "") -> Any:
    """Return the list."""
    status, _, body = await browser.ask("GET", f"/v1/labels{query}")
    assert status == 200, body
    return body


def ids_of(labels: list[dict[str, Any]]) -> set[int]:
    """Return which labels these are."""
    return {one["id"] for one in labels}


async def test_a_label_is_kept_with_what_was_in_sight(browser: Browser) -> None:
    """The answer, the list and the chart say the same; candles seen after the stretch make it hindsight."""
    status, one = await add(browser)
    chart = (await browser.ask("GET", "/v1/radar/005930"))[2]

    assert status == 200
    assert (one["hindsight"], one["author"], one["versions"], one["verdict"]) == (True, "me", 1, "own")
    assert one["seen_until_kst"] == said(SEEN)
    assert (await listed(browser))["items"] == [one]
    [drawn] = chart["labels"]
    assert drawn["id"] == one["id"]
    assert drawn["points"][0]["y"] == 50_000
    assert (await add(browser, seen_until=said(LAST)))[1]["hindsight"] is False


async def test_a_correction_is_a_new_row_and_nothing_is_lost(browser: Browser, database: str) -> None:
    """The newest version is listed, older and withdrawn ones with `history`; the database refuses changes."""
    _, first = await add(browser)
    _, second = await add(browser, replaces=first["id"], note="a closer look")
    _, gone = await add(browser, replaces=second["id"], verdict="withdrawn")

    history = (await listed(browser, "?history=true"))["items"]
    assert [one["id"] for one in history] == [gone["id"], second["id"], first["id"]]
    assert [one["replaced_by"] for one in history] == [None, gone["id"], second["id"]]
    assert [one["versions"] for one in history] == [3, 2, 1]
    assert (await listed(browser))["items"] == []
    for order in ("update labels set note = ''", "delete from labels", "truncate labels"):
        async with connected(database) as connection:
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await connection.execute(order)


async def test_of_two_sessions_that_correct_one_label_one_is_told(browser: Browser) -> None:
    """The second is 409 and keeps what it drew; sending the very same label again answers the first one."""
    _, first = await add(browser)
    answers = await asyncio.gather(*(add(browser, replaces=first["id"], note=f"n{i}") for i in range(4)))
    same = [await add(browser, note="same") for _ in range(2)]

    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert same[0] == same[1]
    assert (await add(browser, replaces=999_999))[0] == 409
    assert (await add(browser, replaces=first["id"], symbol="000660"))[0] == 409


WRONG: list[dict[str, Any]] = [
    {"to_ts": said(DAYS[-31])},
    {"seen_until": said(FIRST)},
    {"verdict": "agree"},
    {"verdict": "withdrawn"},
    {"verdict": "buy"},
    {"kind": ""},
    {"kind": "x" * 41},
    {"note": "x" * 2_001},
    {"note": "\0"},
    {"points": [{"ts": said(FIRST), "price": 0}]},
    {"points": [{"ts": said(FIRST), "price": 1}] * 21},
    {"from_ts": 1_700_000_000},
    {"author": "somebody else"},
]


async def test_a_label_that_does_not_hold_together_is_refused(browser: Browser) -> None:
    """422 says which field, and nothing is kept."""
    for changed in WRONG:
        status, problem = await add(browser, **changed)
        assert (status, bool(problem["errors"])) == (422, True), changed

    assert (await listed(browser))["items"] == []


async def test_a_label_shows_in_other_timeframes_and_survives_recompute_and_split(
    browser: Browser, world: ChartWorld
) -> None:
    """It hangs on time and on prices as traded, not on rows of the analysis or on today's measure."""
    early, earlier = DAYS[100], DAYS[90]
    _, one = await add(
        browser,
        from_ts=said(earlier),
        to_ts=said(early),
        points=[{"ts": said(earlier), "price": 50_000}],
    )
    _, intraday = await add(
        browser,
        timeframe="5m",
        from_ts=f"{LAST}T10:00:00+09:00",
        to_ts=f"{LAST}T11:00:00+09:00",
        points=[],
    )
    path = f"/v1/radar/005930?limit={len(DAYS)}"
    before = (await browser.ask("GET", path))[2]["labels"]
    later = split(date(2026, 10, 1), Fraction(1, 2))
    await world.store.actions.put_actions("005930", [SPLIT, later], NOW)
    await world.analyse()
    after = (await browser.ask("GET", path))[2]["labels"]

    assert (
        {label["id"] for label in before} == {label["id"] for label in after} == {one["id"], intraday["id"]}
    )
    [was], [now] = ([label for label in part if label["id"] == one["id"]] for part in (before, after))
    assert (was["points"][0]["price"], was["points"][0]["y"]) == (50_000, pytest.approx(10_000))
    assert (now["points"][0]["price"], now["points"][0]["y"]) == (50_000, pytest.approx(5_000))


async def test_what_was_drawn_later_is_hidden_and_counted_in_the_past(browser: Browser) -> None:
    """With `until` a label whose author had seen later candles would tell of them."""
    await add(browser)
    close = f"{SEEN}T20:00:00+09:00"
    before = f"{DAYS[-11]}T20:00:00+09:00"

    at, earlier = [
        (await browser.ask("GET", f"/v1/radar/005930?until={quote(moment)}"))[2] for moment in (close, before)
    ]

    assert (len(at["labels"]), at["hidden_labels"]) == (1, 0)
    assert (len(earlier["labels"]), earlier["hidden_labels"]) == (0, 1)


async def test_agreement_is_a_number_from_thirty_on(browser: Browser) -> None:
    """Agreed and disagreed are counted by kind over current labels; below thirty there is no share."""
    for number in range(30):
        verdict = "agree" if number < 24 else "disagree"
        status, _ = await add(browser, verdict=verdict, pattern_id=f"p{number}")
        assert status == 200
        if number == 28:
            [few] = (await listed(browser))["agreement"]
    [enough] = (await listed(browser))["agreement"]

    assert few == {"kind": "double_bottom", "n": 29, "agreed": 24, "rate": None}
    assert enough == {"kind": "double_bottom", "n": 30, "agreed": 24, "rate": 0.8}


async def test_labels_are_filtered_paged_and_exported(browser: Browser) -> None:
    """By kind, stock, verdict and words; pages join; NDJSON has one label a line."""
    for number in range(5):
        await add(browser, kind=f"나의 모양 {number}", note="돌파 실패" if number == 3 else "")

    found = (await listed(browser, f"?q={quote('돌파')}"))["items"]
    page = await listed(browser, "?limit=2")
    rest = await listed(browser, f"?limit=10&cursor={page['cursor']}")
    _, _, lines = await browser.ask("GET", "/v1/labels", headers={"Accept": "application/x-ndjson"})

    assert [one["kind"] for one in found] == ["나의 모양 3"]
    assert page["total"] == 5
    assert len({one["id"] for one in page["items"] + rest["items"]}) == 5
    assert len(lines.decode().splitlines()) == 5
    assert (await listed(browser, f"?q={quote('하이닉스')}"))["items"] == []
    assert datetime.fromisoformat(found[0]["created_at_kst"]).utcoffset() is not None
