"""What a frame of the page costs in a real Chromium, with more candles and marks than a chart ever holds.

    python -m benchmarks.frames [--candles 20000] [--points 5000] [--frames 240]

The page's own files run over made-up answers, with no daemon and no network. What a frame costs is CPU time
of the page's thread: scripts, layout and drawing in software, whatever else the machine does meanwhile; the
bound is on that. The scripts alone stand beside it, on the wall, where a busy machine counts too.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.table import Table

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page, Route

STATIC = Path(str(files("chartinsightd.web"))) / "static"
ORIGIN = "http://radar.test"
NOW = 1_734_000_000
DAY_S = 86_400
FRAME_MS = 16.0
FIRST_PICTURE_MS = 400.0
SLIDER_STEP_MS = 50.0
WEIGHT_BYTES = 300_000
IN_SIGHT = (300, 2_000)
TOGETHER = 8
"""Frames between two looks at the thread's clock: looking costs more than a frame."""
TYPES = {".html": "text/html", ".css": "text/css", ".svg": "image/svg+xml"}
WATCH = """
window.EventSource = class extends EventTarget { close() {} };
window.spent = 0;
const next = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (work) => next((at) => {
    const began = performance.now();
    work(at);
    window.spent += performance.now() - began;
});
window.drawn = new Promise((done) => {
    const look = () => {
        if (document.querySelector('.canvas')?.chart?.drawn.length) done(performance.now());
        else next(look);
    };
    next(look);
});
"""
"""No stream, the scripts of each frame timed, and the moment of the first picture noted."""
PAN = """async ([sight, frames]) => {
    const scale = document.querySelector('.canvas').chart.chart.timeScale();
    const spent = [];
    let { to } = scale.getVisibleLogicalRange();
    for (let i = 0; i < frames; i += 1) {
        window.spent = 0;
        const began = performance.now();
        to -= sight / 60;
        scale.setVisibleLogicalRange({ from: to - sight, to });
        const asked = performance.now() - began;
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        spent.push(asked + window.spent);
    }
    return spent;
}"""
FIRST = """async () => {
    const asked = performance.getEntriesByType('resource').find((one) => one.name.includes('/v1/radar/'));
    return (await window.drawn) - asked.responseEnd;
}"""
SLIDE = """async (steps) => {
    const slider = document.querySelector('input[type=range]');
    const spent = [];
    for (let i = 0; i < steps; i += 1) {
        window.spent = 0;
        const began = performance.now();
        slider.value = Number(slider.max) - 40 - i;
        slider.dispatchEvent(new Event('input'));
        const asked = performance.now() - began;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        spent.push(asked + window.spent);
    }
    return spent;
}"""


def chart(candles: int, points: int) -> dict[str, Any]:
    """Return an answer of /v1/radar with a walk of days and a mark at every few of them."""
    draw = np.random.default_rng(1)
    close = np.round(50_000 * np.exp(np.cumsum(draw.normal(0, 0.004, candles)))).astype(int)
    opened = np.roll(close, 1)
    opened[0] = close[0]
    high, low = np.maximum(opened, close) + 150, np.minimum(opened, close) - 150
    ts = NOW - DAY_S * np.arange(candles, 0, -1)
    at = np.arange(points) * candles // points
    kinds = ["peak" if i % 2 else "valley" for i in range(points)]
    prices = [int(high[i]) if kind == "peak" else int(low[i]) for i, kind in zip(at, kinds, strict=True)]
    known = (ts[np.minimum(at + 2, candles - 1)] + DAY_S // 2).tolist()
    turns = ts[:: candles // 200].tolist()
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": high}
    return {
        "symbol": "000660",
        "name": "SK하이닉스",
        "timeframe": "1d",
        "venue": "KRX",
        "venues": ["KRX"],
        "data_id": "0" * 20,
        "code_id": "0" * 20,
        "stock": {"symbol": "000660", "name": "SK하이닉스", "market": "KOSPI"},
        "candles": {name: column.tolist() for name, column in columns.items()}
        | {"ts": ts.tolist(), "closes_at": (ts + DAY_S // 2).tolist(), "final": [True] * candles},
        "cursor": None,
        "starts_here": True,
        "points": {
            "ts": ts[at].tolist(),
            "kind": kinds,
            "grade": ["secondary" if i % 3 else "primary" for i in range(points)],
            "price": prices,
            "y": prices,
            "confirmed_at": known,
            "cause": ["reversal"] * points,
        },
        "trends": {
            "from_ts": turns,
            "trend": [("up", "sideways", "down")[i % 3] for i in range(len(turns))],
            "confirmed_at": [moment + DAY_S // 2 for moment in turns],
        },
        "patterns": [],
        "labels": [],
        "proof": {
            "sessions": candles,
            "proved": candles,
            "unproved": [],
            "revised": {"ts": [], "times": []},
            "missing": {"ts": [], "reason": [], "words": []},
        },
        "analysis": {"status": "done", "needs": 0, "analysed_to": int(ts[-1])},
    }


def answers(candles: int, points: int) -> dict[str, Any]:
    """Return what the page is answered, by the first word of the path."""
    return {
        "radar": chart(candles, points),
        "session": {
            "now": NOW,
            "is_open": False,
            "health": {"conditions": []},
            "analysis": {"behind": False},
        },
        "notes": {"items": []},
        "statistics": {"items": []},
        "stocks": {"items": []},
        "watchlist": {"groups": []},
        "quotes": {"items": []},
    }


async def open_page(page: Page, known: dict[str, Any]) -> None:
    """Open the chart over these answers; return when its first frame is drawn."""

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).split("?")[0]
        if path.startswith("/v1/"):
            found = known.get(path.split("/")[2])
            status = 404 if found is None else 200
            await route.fulfill(status=status, body=json.dumps(found), content_type="application/json")
            return
        file = STATIC / (path.removeprefix("/radar/") or "index.html")
        await route.fulfill(body=file.read_bytes(), content_type=TYPES.get(file.suffix, "text/javascript"))

    await page.add_init_script(WATCH)
    await page.route("**/*", answer)
    await page.goto(f"{ORIGIN}/radar/#chart/000660/1d")
    await page.evaluate("window.drawn")


async def thread_ms(session: CDPSession) -> float:
    """Return how long the page's thread has worked, in ms of CPU."""
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration")) * 1000


async def pan(page: Page, session: CDPSession, table: Table, frames: int) -> None:
    """Pan with few and with many candles in sight."""
    for sight in IN_SIGHT:
        scripts, whole = [], []
        for _ in range(frames // TOGETHER):
            before = await thread_ms(session)
            scripts += await page.evaluate(PAN, [sight, TOGETHER])
            whole.append((await thread_ms(session) - before) / TOGETHER)
        what = f"panning, {sight} candles in sight"
        table.note(f"{what}: scripts of a frame on the wall, median", f"{np.median(scripts):.2f} ms")
        table.note(f"{what}: scripts of a frame on the wall, p95", f"{np.quantile(scripts, 0.95):.2f} ms")
        table.note(f"{what}: CPU of a frame, median", f"{np.median(whole):.2f} ms")
        table.at_most(f"{what}: CPU of a frame, p95", float(np.quantile(whole, 0.95)), FRAME_MS, " ms")


async def slide(page: Page, table: Table) -> None:
    """Move the as-of slider candle by candle."""
    spent = await page.evaluate(SLIDE, 30)
    table.at_most("a step of the as-of slider, p95", float(np.quantile(spent, 0.95)), SLIDER_STEP_MS, " ms")


async def measure(candles: int, points: int, frames: int) -> Table:
    """Run the page and return what was found."""
    from playwright.async_api import async_playwright

    table = Table(f"Page: {candles:,} candles, {points:,} points, 1280 × 800")
    weight = sum(len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.rglob("*") if path.is_file())
    plain = sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file())
    table.at_most("all files as transferred", weight, WEIGHT_BYTES, " B")
    table.note("all files unpacked", f"{plain:,} B")
    async with async_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for count, marks in ((500, 120), (candles, points)):
            page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="ko-KR")
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable", {"timeDomain": "threadTicks"})
            await open_page(page, answers(count, marks))
            took = await page.evaluate(FIRST)
            what = f"first picture after an answer of {count:,} candles"
            if count < candles:
                table.at_most(what, took, FIRST_PICTURE_MS, " ms")
                await slide(page, table)
            else:
                table.note(what, f"{took:.0f} ms")
                await pan(page, session, table, frames)
            await page.close()
        await browser.close()
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--candles", type=int, default=20_000)
    parser.add_argument("--points", type=int, default=5_000)
    parser.add_argument("--frames", type=int, default=240)
    given = parser.parse_args()
    asyncio.run(measure(given.candles, given.points, given.frames)).show()


if __name__ == "__main__":
    main()
