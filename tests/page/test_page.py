"""The page in a real browser: what it shows, what it hides, and what it says when something fails."""

from __future__ import annotations

import asyncio
import random
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from chartinsightd.domain.watch_groups import WatchGroup
from tests.page.conftest import Open
from tests.page.listener import NOW, QUOTE, TOKEN, Listener
from tests.page.market import kst, market_of

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHART = "#chart/000660/1d"
VENUES = ["KRX", "NXT", "UNIFIED"]
CLIPPED = """() => [...document.querySelectorAll('body *')].filter((element) => {
    const style = getComputedStyle(element);
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!text || !element.offsetParent || element.closest('.visually-hidden, .skip')) return false;
    const clips = ['hidden', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis';
    const box = element.getBoundingClientRect();
    const scrolls = element.closest('.tablebox, .tools, .savedlist, .foot, .cards');
    const cut = clips && element.scrollWidth > element.clientWidth + 1;
    return cut || (!scrolls && box.right > innerWidth + 1);
}).map((element) => `${element.className} ${element.textContent}`)"""


CUT_TABLES = """() => [...document.querySelectorAll('.tablebox')]
    .filter((box) => box.offsetParent && box.scrollWidth > box.clientWidth + 1).length"""


async def until(page: Page, condition: str) -> None:
    """Wait until an expression holds on the page; what playwright has for this is refused by the policy."""
    async with asyncio.timeout(60):
        while not await page.evaluate(condition):
            await page.evaluate("new Promise(requestAnimationFrame)")


async def ready(page: Page) -> None:
    """Wait until the chart has drawn a frame."""
    await until(page, "document.querySelector('.canvas')?.chart?.drawn.length > 0")


async def text_of(page: Page, selector: str) -> str:
    """Return the text of the first element of a kind."""
    return await page.inner_text(selector)


async def test_the_token_is_used_once_and_leaves_the_address(open_page: Open, listener: Listener) -> None:
    """The one-time token is sent, and stands in the address no more."""
    page = await open_page(f"#token={TOKEN}&symbol=005930")
    await ready(page)
    assert page.url.endswith("/radar/#chart/005930/1d")
    assert "/v1/session" in listener.asked
    assert await text_of(page, "h1") == "삼성전자"


@pytest.mark.parametrize(
    ("width", "language", "theme"),
    [(360, "ko", "dark"), (768, "en", "light"), (1280, "en", "dark"), (2560, "ko", "light")],
)
async def test_every_view_fits(
    open_page: Open, listener: Listener, width: int, language: str, theme: str
) -> None:
    """No view scrolls sideways or clips a text, of a stock of three venues neither, and the chart library's
    attribution is always in sight."""
    listener.venues = VENUES
    page = await open_page(CHART, width=width, language=language, theme=theme)
    await ready(page)
    attribution = page.locator('footer a[href="https://www.tradingview.com/"]')
    await attribution.scroll_into_view_if_needed()
    assert await attribution.is_visible()
    for view in ("chart", "screener", "watch", "labels", "notes"):
        await page.goto(page.url.split("#")[0] + f"#{view}/000660/1d")
        await until(page, f"document.querySelector('main').className === 'v-{view}'")
        await page.wait_for_timeout(60)  # the frame after the answer
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert await page.evaluate(CLIPPED) == [], view
        assert await page.evaluate(CUT_TABLES) == 0, view


async def test_the_chart_has_the_room(open_page: Open) -> None:
    """At 1280 × 800 the chart has at least half of the window, of a past moment too."""
    page = await open_page(CHART)
    await ready(page)
    now = await page.locator(".canvas").bounding_box()
    assert now is not None
    assert now["width"] * now["height"] >= 0.5 * 1280 * 800
    await page.keyboard.press(",")
    await until(page, "document.querySelector('.stage').classList.contains('past')")
    then = await page.locator(".canvas").bounding_box()
    assert then is not None
    assert then["width"] >= now["width"] - 8  # the frame of a past view


PAST = """async (places) => {
    const found = [];
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const slider = document.querySelector('input[type=range]');
    for (const place of places) {
        slider.value = place;
        slider.dispatchEvent(new Event('input'));
        await frame();
        const { scene, drawn } = document.querySelector('.canvas').chart;
        const row = scene.rows.slice(0, scene.known.last + 1).filter((one) => !one.gap).at(-1);
        const texts = ['.headbox', '.legend', '.side'].map((part) => document.querySelector(part).innerText);
        const shown = scene.rows[scene.known.last].ts;
        found.push({ ts: row.ts, shown, text: texts.join(' '), drawn: drawn.map((mark) => mark.confirmedAt),
            past: document.querySelector('.stage').classList.contains('past') });
    }
    return found;
}"""
DAY = re.compile(r"(?<![\d-])(?:(?:20)?(\d\d)-)?(\d\d)-(\d\d)(?![\d-])")
STRETCH = re.compile(r"(\d\d)-(\d\d-\d\d) – (\d\d-\d\d)(?!-)")


def days_told(text: str, year: int) -> list[date]:
    """Return the days of a text; those without a year lie in the year in view, or of the stretch they end."""
    whole = STRETCH.sub(r"\1-\2 – \1-\3", text)
    return [date(2000 + int(y or year % 100), int(m), int(d)) for y, m, d in DAY.findall(whole)]


async def test_nothing_of_later_shows(open_page: Open, listener: Listener) -> None:
    """At fifty past candles no mark, figure, event or day on the page is one of later, statistics neither."""
    page = await open_page(CHART)
    await ready(page)
    closes = {candle.ts: candle.closes_at for candle in market_of("000660", "1d").candles}
    found = await page.evaluate(PAST, random.Random(1).sample(range(60, 440), 50))
    for state in found:
        assert state["past"]
        assert all(confirmed <= closes[state["ts"]] for confirmed in state["drawn"])
        day = date.fromisoformat(kst(state["shown"])[:10])
        told = days_told(state["text"], day.year)
        assert len(told) > 5
        assert max(told) <= day, state["text"]
    await page.wait_for_selector(".side .stats")
    assert listener.counted_until[-1] == kst(closes[found[-1]["ts"]])
    later = await page.evaluate(
        "document.querySelector('.canvas').chart.candles.data().filter((bar) => 'open' in bar).length"
    )
    assert later < 441
    await page.keyboard.press("Escape")
    assert not await page.evaluate("document.querySelector('.stage').classList.contains('past')")


async def test_the_slider_shows_the_same_by_steps_as_at_once(open_page: Open) -> None:
    """Stepping back and on leaves in every series what a fresh reading of that candle puts there."""
    page = await open_page(CHART)
    await ready(page)
    for stroke in (",", ",", ",", "."):
        await page.keyboard.press(stroke)
    told = await page.evaluate(
        """() => {
            const { chart } = document.querySelector('.canvas');
            const all = () => [chart.candles, chart.volume, ...chart.averages, chart.strength]
                .map((series) => JSON.stringify(series.data().filter((one) => Object.keys(one).length > 1)));
            const stepped = all();
            chart.given = null;
            chart.load();
            return [stepped, all()];
        }"""
    )
    assert told[0] == told[1]


async def test_the_page_tells_when_the_daemon_is_away(open_page: Open, listener: Listener) -> None:
    """A killed daemon is told with the time of its last word; the page stays; back again is told too."""
    page = await open_page(CHART)
    await ready(page)
    await listener.stop()
    await page.wait_for_selector("#banner:not([hidden])", timeout=15_000)
    banner = await text_of(page, "#banner")
    assert "수집기와 연결이 끊겼습니다" in banner
    assert "14:52:" in banner
    assert await page.evaluate("document.querySelector('.canvas').chart.scene.rows.length") > 400
    await listener.start()
    await page.click("#banner button")
    await page.wait_for_selector("#banner", state="hidden")
    await page.wait_for_selector("#toast:not([hidden])")


async def test_an_ended_session_says_what_to_type(open_page: Open, listener: Listener) -> None:
    """A session that ended is told with the command that opens a new one."""
    page = await open_page(CHART)
    await ready(page)
    listener.session_over = True
    listener.hang_up()
    await page.wait_for_selector("#banner code", timeout=15_000)
    assert await text_of(page, "#banner code") == "chartinsightctl radar 000660"


async def test_a_star_is_one_of_the_daemons_watchlist(open_page: Open, listener: Listener) -> None:
    """The star of the chart and the list on the page are the daemon's; another surface's change shows too."""
    page = await open_page(CHART)
    await ready(page)
    await until(page, "document.querySelector('.star')?.getAttribute('aria-pressed') === 'true'")
    await page.locator(".star").click()
    await until(page, "document.querySelector('.star').getAttribute('aria-pressed') === 'false'")
    assert "000660" not in listener.watched

    await page.evaluate("location.hash = '#watch'")
    await page.wait_for_selector("tr[data-key='005930']")
    assert await page.locator("tr[data-key='000660']").count() == 0
    listener.groups = (WatchGroup("", ("000660",)),)
    listener.push("watchlist", {"by": "me"})
    await page.wait_for_selector("tr[data-key='000660']", timeout=15_000)
    assert await page.locator("tr[data-key='005930']").count() == 0

    before, newest = market_of("000660", "1d").candles[-2:]
    price = before.close * 2
    candle = {"ts": newest.ts, "close": price, "volume": 1, "final": False}
    listener.push("candle", {"symbol": "000660", "timeframe": "1d", "candle": candle})
    await until(page, f"document.querySelector('td b').textContent === '{price:,}'")
    assert "+100.00" in await text_of(page, "tr[data-key='000660']")


async def test_groups_are_made_ordered_and_removed_by_keyboard(open_page: Open, listener: Listener) -> None:
    """Groups are made, filled, ordered and removed on the page without the mouse, on a phone's width too."""
    listener.groups = (WatchGroup("", ("000660", "005930")), WatchGroup("반도체", ("035720",)))
    page = await open_page("#watch", width=360)
    await page.wait_for_selector("tr[data-key='035720']")

    async def press(*keys: str) -> None:
        for key in keys:
            await page.keyboard.press(key)

    async def until_groups(**wanted: tuple[str, ...]) -> None:
        async with asyncio.timeout(15):
            while {group.name or "first": group.symbols for group in listener.groups} != wanted:
                await page.evaluate("new Promise(requestAnimationFrame)")

    await page.locator("[data-key='group-all']").focus()
    await press("ArrowRight")
    await until(page, "document.querySelectorAll('tr[data-key]').length === 2")
    await page.locator("tr[data-key='000660']").focus()
    await press("Shift+ArrowDown")
    await until_groups(first=("005930", "000660"), 반도체=("035720",))
    await until(page, "document.activeElement.dataset.key === '000660'")  # the row keeps the focus
    await press("w")
    await until_groups(first=("005930",), 반도체=("035720",))
    await until(page, "document.querySelectorAll('tr[data-key]').length === 1")

    await page.locator("[data-key='edit']").focus()
    await press("Enter")
    await page.locator("[data-key='edit-new']").focus()
    await press("Enter")
    await page.keyboard.type("배당")
    await press("Enter")
    await until_groups(first=("005930",), 반도체=("035720",), 배당=())
    await until(page, "document.activeElement.dataset.key === 'group:배당'")
    await press("Shift+ArrowLeft")
    await until_groups(first=("005930",), 배당=(), 반도체=("035720",))
    await page.locator("[data-key='group:배당']").focus()
    await press("ArrowRight")
    await page.wait_for_selector("tr[data-key='035720'] select")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(CLIPPED) == []
    assert await page.evaluate(CUT_TABLES) == 0
    await page.locator("tr[data-key='035720'] select").select_option("배당")
    await until_groups(first=("005930",), 배당=("035720",), 반도체=())
    await page.locator("[data-key='edit-remove']").focus()
    await press("Enter", "Enter")
    await until_groups(first=("005930",), 배당=("035720",))
    await page.wait_for_selector("[data-key='group-all'][aria-checked='true']")


async def test_a_price_of_a_round_is_shown_as_provisional(open_page: Open, listener: Listener) -> None:
    """A price that no candle holds yet is a candle marked as provisional, with its time; not in the past."""
    newest = market_of("000660", "1d").candles[-1]
    price, volume = newest.high + 1_100, newest.volume + 1
    now = NOW - 40
    figures = (price, newest.open, newest.open, price, newest.low, volume, None, now, now, "sweep", False)
    listener.quotes = [dict(zip(QUOTE, ("000660", *figures), strict=True))]
    page = await open_page(CHART)
    await page.wait_for_selector(".legend .chip.quoted")
    head = await text_of(page, ".head .price")
    assert f"{price:,}" in head
    assert "14:51:28 시세" in head
    assert await page.locator(".price .old").count() == 1  # older than half a minute
    assert "잠정" in await text_of(page, ".legend")
    assert await page.evaluate("document.querySelector('.canvas').chart.nowLine.options().price") == price
    await page.keyboard.press(",")
    await until(page, "document.querySelector('.stage').classList.contains('past')")
    past = await text_of(page, ".stage")
    assert f"{price:,}" not in past
    assert "잠정" not in past


@pytest.mark.parametrize(
    ("route", "where", "place"),
    [
        ("radar", CHART, ".plot"),
        ("notes", CHART, ".side"),
        ("screener", "#screener", ".page"),
        ("strategies", "#screener", ".page"),
        ("candles", "#screener", ".pagehead"),
        ("stocks", "#watch", ".page"),
        ("labels", "#labels", ".page"),
        ("notes", "#notes", ".builder"),
    ],
)
async def test_a_part_that_fails_says_so_in_its_place(
    open_page: Open, listener: Listener, route: str, where: str, place: str
) -> None:
    """A route that fails gives a box with what to do there, and nothing made up; again works."""
    listener.failing = {route}
    page = await open_page(where)
    box = await page.wait_for_selector(f"{place} .error")
    assert box is not None
    assert "데이터베이스가 응답하지 않습니다" in await box.inner_text()
    assert await page.locator(".error").count() == 1
    listener.failing = set()
    await page.locator(".error button").click()
    await page.wait_for_selector(".error", state="detached")


async def test_a_label_is_drawn_by_keyboard_alone_and_stays(open_page: Open, listener: Listener) -> None:
    """Drawing and saving a label needs no mouse and no Latin keyboard; it stays after a reload."""
    page = await open_page(CHART)
    await ready(page)
    await page.locator(".canvas").focus()
    await page.keyboard.press("b")
    for stroke in ["Shift+ArrowLeft"] * 3 + ["Enter"] + ["ArrowRight"] * 8 + ["Enter"]:
        await page.keyboard.press(stroke)
    await page.wait_for_selector(".drawform")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Tab")
    await page.keyboard.type("넥라인을 볼 것")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".labrow")
    label = listener.labels[0]
    assert (label["kind"], label["note"], label["hindsight"]) == ("double_top", "넥라인을 볼 것", True)
    await page.reload()
    await ready(page)
    assert "사후 라벨" in await text_of(page, ".labrow")


async def test_a_label_is_drawn_with_the_mouse(open_page: Open, listener: Listener) -> None:
    """Dragging over candles opens the form; a word of one's own is kept as it was typed."""
    page = await open_page(CHART)
    await ready(page)
    await page.click(".pen")
    await page.mouse.move(500, 300)
    await page.mouse.down()
    await page.mouse.move(620, 320, steps=4)
    await page.mouse.up()
    await page.click(".chips button:last-child")
    await page.fill(".own", "<b>깃발</b>")
    await page.click(".drawform [type=submit]")
    await page.wait_for_selector(".labrow")
    assert "<b>깃발</b>" in await text_of(page, ".labrow")
    assert listener.labels[0]["from_ts"] < listener.labels[0]["to_ts"]


async def test_a_pattern_is_judged_and_the_judgement_taken_back(open_page: Open, listener: Listener) -> None:
    """Agreeing is stored as a label of the pattern; the same key again withdraws it."""
    page = await open_page(CHART)
    await ready(page)
    await page.keyboard.press("Shift+BracketLeft")
    for verdict in ("agree", "withdrawn"):
        await page.keyboard.press("y")
        await page.wait_for_selector("#toast:not([hidden])")
        await page.wait_for_timeout(100)
        assert listener.labels[-1]["verdict"] == verdict
    assert listener.labels[-1]["replaces"] == listener.labels[0]["id"]


async def test_a_live_candle_moves_the_price_and_nothing_else(open_page: Open, listener: Listener) -> None:
    """A candle of the stream changes price and legend; the picture stays where it was."""
    page = await open_page(CHART)
    await ready(page)
    newest = market_of("000660", "1d").candles[-1]
    before = await page.evaluate("document.querySelector('.canvas').chart.range()")
    candle = {
        "ts": newest.ts,
        "open": newest.open,
        "high": newest.high,
        "low": newest.low,
        "close": newest.low,
        "volume": 1,
    }
    await until(page, "performance.getEntriesByType('resource').length > 0")
    listener.push("candle", {"symbol": "000660", "timeframe": "1d", "candle": {**candle, "final": False}})
    await until(page, f"document.querySelector('.price b').textContent === '{newest.low:,}'")
    assert await page.evaluate("document.querySelector('.canvas').chart.range()") == before
    assert await text_of(page, ".legend .chip") == "진행봉"


async def test_older_candles_come_without_end(open_page: Open, listener: Listener) -> None:
    """Going left reads older pages until the first candle, and the picture does not jump."""
    listener.count = 2_600
    page = await open_page(CHART)
    await ready(page)
    for held in (1_500, 2_500, 2_601):
        await page.keyboard.press("0")
        await until(page, f"document.querySelector('.canvas').chart.scene.rows.length >= {held}")
    assert await page.evaluate("document.querySelector('.canvas').chart.scene.startsHere")
    starts = await page.evaluate("document.querySelector('.canvas').chart.scene.rows.map((row) => row.ts)")
    assert starts == sorted(set(starts))
    assert len(starts) == 2_601


async def test_the_table_is_the_equal_of_the_chart(open_page: Open) -> None:
    """The table tells candles, gaps, points, pattern states and the candle of each confirmation."""
    page = await open_page(CHART)
    await ready(page)
    await page.keyboard.press("t")
    while await page.locator(".tablebox .btn").count():
        await page.locator(".tablebox .btn").click()
    market = market_of("000660", "1d")
    assert await page.locator(".tablebox tbody tr").count() == len(market.candles) + 1
    text = await text_of(page, ".tablebox table")
    for word in (
        "누락 · 아직 받지 않음",
        "진행봉",
        "미검증",
        "정정 2회",
        "주요 고점",
        "작은 저점",
        "완성",
        "무효",
    ):
        assert word in text, word
    grades = {
        (p.ts, p.kind): p.grade for p in sorted(market.learned.points, key=lambda p: p.grade, reverse=True)
    }
    rows = await page.locator(".tablebox .c-known div").count()
    assert rows >= len(grades)


async def test_the_chart_of_a_venue_is_chosen_by_key_and_stands_in_the_address(
    open_page: Open, listener: Listener
) -> None:
    """`v` shows the candles of NXT as of the same moment, with nothing that was found on KRX, and the table
    says whose they are; the address opens it again, and going back shows KRX. A stock of KRX alone has
    nothing to choose."""
    page = await open_page(CHART)
    await ready(page)
    assert not await page.locator(".venues").count()
    listener.venues = VENUES
    await page.reload()
    await ready(page)
    for _ in range(3):
        await page.keyboard.press(",")
    asked_for = "document.querySelector('.asof b').innerText"
    then, closes = await page.evaluate(asked_for), [c.close for c in market_of("000660 NXT", "1d").candles]
    await page.keyboard.press("v")
    rows = "document.querySelector('.canvas').chart?.scene.rows"
    shown = f"{rows}.filter((row) => !row.gap).map((row) => row.close)"
    await until(page, f"({shown})?.join() === '{','.join(map(str, closes))}'")
    assert page.url.endswith("#chart/000660/1d?venue=nxt")
    assert await page.evaluate(asked_for) == then
    assert "NXT" in await page.title()
    assert "KRX 봉으로만" in await text_of(page, ".side")
    assert not await page.evaluate("document.querySelector('.canvas').chart.scene.known.points.length")
    await page.keyboard.press("t")
    assert "SK하이닉스 NXT" in await text_of(page, ".tablebox caption")
    await page.reload()
    await until(page, f"({shown})?.join() === '{','.join(map(str, closes))}'")
    await page.go_back()
    await until(page, "document.querySelector('.venues [aria-checked=true]')?.innerText === 'KRX'")


async def test_a_screen_is_whole_and_each_exception_has_a_name(open_page: Open) -> None:
    """Evaluated and excepted add up on the page, exceptions open by name, and new matches stand first."""
    page = await open_page("#screener")
    await page.wait_for_selector(".match canvas")
    assert "대상 1,312 = 평가 1,287 + 제외 25" in await text_of(page, ".strip")
    await page.locator(".strip .link").first.click()
    assert await page.locator(".exceptions li").count() == 9
    new = await page.locator(".match").evaluate_all(
        "cards => cards.map((card) => card.classList.contains('isnew'))"
    )
    assert new == sorted(new, reverse=True)
    await page.locator(".match").first.click()
    await page.wait_for_selector(".stage")


async def test_a_figure_of_a_note_lights_its_row(open_page: Open) -> None:
    """Pressing a figure marks the row it comes from; struck claims are counted."""
    page = await open_page("#notes/000660/1d")
    await page.locator(".factref").first.click()
    assert "−1.52 %" in await text_of(page, "tr.hot")
    assert "1개 삭제" in await text_of(page, ".kept")


async def test_the_palette_changes_the_candles(open_page: Open) -> None:
    """A palette chosen in the display dialog colours the candles at once and stays after a reload."""
    page = await open_page(CHART)
    await ready(page)
    await page.click("button[aria-label='화면 설정']")
    await page.locator(".radio").nth(1).click()
    await page.keyboard.press("Escape")
    look = "document.querySelector('.canvas').chart.candles.options().borderUpColor"
    assert await page.evaluate(look) == "#f2b33d"
    await page.reload()
    await ready(page)
    assert await page.evaluate(look) == "#f2b33d"


async def test_a_hostile_name_is_text(open_page: Open, listener: Listener) -> None:
    """A stock's name that looks like markup is shown letter for letter."""
    listener.hostile_name = "<img src=x onerror=alert(1)>"
    page = await open_page(CHART)
    await ready(page)
    assert await text_of(page, "h1") == listener.hostile_name
    await page.keyboard.press("/")
    await page.wait_for_selector(".results b")
    assert await page.locator("img").count() == 0


async def test_every_control_has_a_name_and_a_visible_focus(open_page: Open) -> None:
    """Tab reaches the page's parts in order; each stop has a name and a ring of two pixels."""
    page = await open_page(CHART)
    await ready(page)
    order: list[Any] = []
    for _ in range(34):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(
            """() => {
                const e = document.activeElement;
                const part = e.closest('header, .head, .plot, .asof, .side, footer, a.skip');
                return {
                    name: e.getAttribute('aria-label') || e.textContent.trim(),
                    ring: getComputedStyle(e.closest('.trackbox') ?? e).outlineWidth,
                    place: part?.className || e.tagName,
                };
            }"""
        )
        assert stop["name"], stop
        assert stop["ring"] == "2px", stop
        if not order or order[-1] != stop["place"]:
            order.append(stop["place"])
    assert order[:5] == ["skip", "bar", "head", "plot", "asof"]
