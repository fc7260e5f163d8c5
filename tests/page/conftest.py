"""A real Chromium, driven over its own protocol, with the listener of the tests behind the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.page.listener import Listener, listening

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
Open = Callable[..., Awaitable["Page"]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window; the test is skipped where it, or what drives it, is not installed."""
    driver = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the page is tested where it is")
    async with driver.async_playwright() as playwright:
        # A sandbox needs rights that a container's root lacks; only pages of this machine are opened.
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def listener() -> AsyncIterator[Listener]:
    """The listener behind the page."""
    async with listening() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, listener: Listener) -> AsyncIterator[Open]:
    """Open the page at an address; afterwards its console must be empty and nothing asked for elsewhere."""
    complaints: list[str] = []
    contexts = []

    async def open_at(where: str, *, width: int = 1280, height: int = 800, **settings: Any) -> Page:
        context = await browser.new_context(viewport={"width": width, "height": height}, locale="ko-KR")
        contexts.append(context)
        kept = json.dumps({"theme": "dark", "language": "ko", **settings})
        await context.add_init_script(f"localStorage['chartinsight.radar'] ||= '{kept}'")
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((f"http://127.0.0.1:{listener.port}/", "blob:"))
                else complaints.append(f"outside: {request.url}")
            ),
        )
        await page.goto(listener.address + where)
        return page

    yield open_at
    for context in contexts:
        await context.close()
    # Chromium itself writes a line for each answer that is no success; those the tests ask for on purpose.
    assert [line for line in complaints if "Failed to load resource" not in line] == []
