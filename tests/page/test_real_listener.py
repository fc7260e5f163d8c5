"""The page over the daemon's own listener and a real store: the two agree on every field."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chartinsightd.adapters.postgres.store import Store
from chartinsightd.control.protocol.events import CandleChange, EventType
from chartinsightd.control.protocol.rows import CandleRow
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.labels import LabelFilter
from tests.page.conftest import CHROMIUM
from tests.web.chart_world import DAYS, ChartWorld, chart_world

NEXT = midnight(DAYS[-1] + timedelta(days=3))
"""The session after the newest candle of the store: its candle forms."""


@pytest.fixture
async def world(store: Store, database: str, tmp_path: Path) -> AsyncIterator[ChartWorld]:
    """Three stocks, one of them split."""
    async with chart_world(store, database, tmp_path) as world:
        yield world


async def test_a_chart_is_opened_by_token_and_a_label_is_kept(world: ChartWorld) -> None:
    """The one-time address opens the chart; a label drawn there is a row; a live candle moves the price."""
    driver = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the page is tested where it is")
    complaints: list[str] = []
    async with world.door.open() as listening, driver.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="ko-KR")
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        token = world.door.sessions.issue("me")
        await page.goto(f"{listening.origin}/radar/#token={token}&symbol=005930")
        async with asyncio.timeout(60):
            while not await page.evaluate("document.querySelector('.canvas')?.chart?.drawn.length"):
                await page.evaluate("new Promise(requestAnimationFrame)")
        assert await page.inner_text("h1") == "삼성전자"
        assert await page.locator(".pat").count() > 0
        await page.locator(".canvas").focus()
        for stroke in ("b", "Shift+ArrowLeft", "Enter", "ArrowRight", "ArrowRight", "Enter"):
            await page.keyboard.press(stroke)
        await page.click(".drawform [type=submit]")
        await page.wait_for_selector(".labrow")
        row = CandleRow(ts=NEXT, open=25_000, high=26_000, low=25_000, close=25_900, volume=9, final=False)
        change = CandleChange(symbol="005930", timeframe=Timeframe.D1, candle=row)
        world.door.backend.hub.publish(EventType.CANDLE, change, "005930/1d")
        await page.wait_for_selector(".price b:text-is('25,900')")
        await page.mouse.move(5, 5)  # a pointer that rests on a candle keeps it in the legend
        await page.keyboard.press("Escape")  # from the candle walked to back to the newest
        await page.wait_for_selector(".legend .chip:text-is('진행봉')", timeout=5_000)
        await browser.close()
    found = await world.stores.labels.find(LabelFilter(), 10)
    assert [known.label.series.symbol for known in found.rows] == ["005930"]
    assert [line for line in complaints if "404" not in line] == []
