"""A small listener that answers by the contract of the read API, with a made-up market behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

import chartinsightd
from chartinsightd.analysis.analyser import Learned
from chartinsightd.domain.watch_groups import (
    WatchGroup,
    WatchGroups,
    watched,
    with_group,
    with_moved_stock,
    with_renamed_group,
    with_stocks,
    without_group,
    without_stocks,
)
from tests.page.market import NEWEST, STOCKS, Market, kst, market_of

STATIC = Path(chartinsightd.__file__).parent / "web" / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
TOKEN = "one-time"
NOW = int(NEWEST.timestamp()) + 53_528
"""14:52:08 of the newest day."""
KINDS = (
    "double_bottom",
    "double_top",
    "retest_bottom",
    "retest_top",
    "head_shoulders",
    "inverse_head_shoulders",
)
QUOTE = (
    "symbol",
    "price",
    "base",
    "open",
    "high",
    "low",
    "volume",
    "value",
    "traded_at",
    "read_at",
    "source",
    "live",
)
"""Columns of /v1/quotes."""
Answer = Mapping[str, Any]


class Listener:
    """Serves the page and its reads; a test breaks, ends and pushes as it likes."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        """First words of paths that answer 503."""
        self.session_over = False
        self.labels: list[dict[str, Any]] = []
        self.groups: WatchGroups = (WatchGroup("", tuple(STOCKS)),)
        self.quotes: list[dict[str, Any]] = []
        """The latest prices, each with its `symbol`."""
        self.asked: list[str] = []
        self.counted_until: list[str | None] = []
        """Moments up to which statistics were asked for."""
        self.count = 460
        self.venues = ["KRX"]
        """Where candles of every stock are collected."""
        self.hostile_name: str | None = None
        self._readers: list[asyncio.Queue[bytes]] = []
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    # ---- its life

    async def start(self) -> None:
        """Listen on the loopback interface, on the port of before if there was one."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/radar/", self._index)
        app.router.add_get("/radar/{path:.+}", self._file)
        app.router.add_get("/v1/events", self._events)
        app.router.add_route("*", "/v1/{path:.+}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away, as a killed daemon does."""
        self.hang_up()
        if self._runner is not None:
            await self._runner.cleanup()

    def hang_up(self) -> None:
        """End every event stream."""
        for reader in self._readers:
            reader.put_nowait(b"")
        self._readers.clear()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/radar/"

    def push(self, kind: str, data: Answer) -> None:
        """Send an event to every page that listens."""
        event = {"id": "1", "type": kind, "at": NOW, "at_kst": kst(NOW), "data": data}
        text = f"id: 1\nevent: {kind}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
        for reader in self._readers:
            reader.put_nowait(text.encode())

    # ---- what it answers

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path.startswith("/v1/"):
            word = request.path.split("/")[2]
            if word in self.failing:
                detail = "The database does not answer."
                return _problem(503, detail, "The daemon tries again every 5 s.")
            if self.session_over:
                return _problem(401, "There is no session.", "chartinsightctl radar")
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY
        return response

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return self._served("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._served(request.match_info["path"])

    @staticmethod
    def _served(path: str) -> web.Response:
        file = STATIC / path
        if not file.is_file():
            return web.Response(status=404)
        return web.Response(
            body=file.read_bytes(), content_type=_TYPES.get(file.suffix, "text/plain"), charset="utf-8"
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        reader: asyncio.Queue[bytes] = asyncio.Queue()
        self._readers.append(reader)
        await response.write(b"retry: 2000\n\n: alive\n\n")
        while chunk := await reader.get():
            await response.write(chunk)
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        word, _, rest = request.match_info["path"].partition("/")
        if request.method == "POST":
            return web.json_response(self._written(f"{word}/{rest}".rstrip("/"), await request.json()))
        found = getattr(self, f"_get_{word}", None)
        if found is None:
            return _problem(404, f"There is no {request.path}.", "")
        return web.json_response(found(rest, request.query))

    def _written(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "session":
            return self._get_session("", {})
        if path == "labels":
            return self._label(body)
        if path == "screener":
            return _screened(body.get("session"))
        if path == "screens":
            return {"name": body["name"], "version": 1, "expression": body["expression"], "removed": False}
        if path.startswith("watchlist/"):
            return self._watch(path.removeprefix("watchlist/"), body)
        return _note("000660")

    @property
    def watched(self) -> tuple[str, ...]:
        """The stocks of all groups."""
        return watched(self.groups)

    def _watch(self, what: str, body: Mapping[str, Any]) -> Answer:
        """Change the watchlist by the daemon's own rules."""
        group: Any = body.get("group")
        if what == "add":
            self.groups = with_stocks(self.groups, body["symbols"], group)
        elif what == "remove":
            self.groups = without_stocks(self.groups, body["symbols"], group)
        elif what == "move":
            to_group = body.get("to_group", group)
            self.groups = with_moved_stock(self.groups, body["symbol"], group, to_group, body["place"])
        elif body.get("remove"):
            self.groups = without_group(self.groups, body["name"])
        else:
            made = with_group(self.groups, body["name"], body.get("place"))
            new_name = body.get("new_name")
            self.groups = made if new_name is None else with_renamed_group(made, body["name"], new_name)
        return self._get_watchlist("", {})

    def _get_watchlist(self, _rest: str, _query: Mapping[str, str]) -> Answer:
        named = [
            {"name": group.name, "stocks": [{"symbol": one, "name": STOCKS[one]} for one in group.symbols]}
            for group in self.groups
        ]
        return {"groups": named}

    def _label(self, body: dict[str, Any]) -> Answer:
        instants = {name: _instant(body[name]) for name in ("from_ts", "to_ts", "seen_until")}
        label = {
            **body,
            **instants,
            "id": len(self.labels) + 1,
            "name": STOCKS[body["symbol"]],
            "created_at": NOW,
            "created_at_kst": kst(NOW),
            "hindsight": instants["seen_until"] > instants["to_ts"],
            "versions": 1 if body["replaces"] is None else 2,
            "points": [],
        }
        self.labels.append(label)
        return label

    def _current_labels(self) -> list[dict[str, Any]]:
        replaced = {label["replaces"] for label in self.labels}
        return [
            one
            for one in reversed(self.labels)
            if one["id"] not in replaced and one["verdict"] != "withdrawn"
        ]

    def _get_session(self, _rest: str, _query: Mapping[str, str]) -> Answer:
        return {
            "name": "session",
            "version": "0",
            "mode": "simulation",
            "now": NOW,
            "now_kst": kst(NOW),
            "is_open": True,
            "timeframes": ["5m", "30m", "1h", "1d", "1w"],
            "health": {"ok": True, "conditions": []},
            "analysis": {"behind": False, "due": 0, "series": 8},
            "ai": {"available": True},
        }

    def _stock(self, symbol: str, recent: int) -> dict[str, Any]:
        market = market_of(symbol, "1d")
        newest = market.candles[-recent:] if recent else []
        point = market.learned.points[-1]
        return {
            "symbol": symbol,
            "name": self.hostile_name or STOCKS[symbol],
            "market": "KOSPI",
            "last_price": market.candles[-1].close,
            "tracked": True,
            "delisted_on": None,
            "successor": None,
            "successor_name": "",
            "recent": _columns(newest, "ts open high low close volume final") if recent else None,
            "trend": market.learned.trends[-1].trend.value,
            "last_event": {
                "what": "point",
                "kind": point.kind.value,
                "state": None,
                "grade": point.grade.value,
                "price": point.price,
                "confirmed_at": point.confirmed_at,
            },
        }

    def _get_quotes(self, _rest: str, query: Any) -> Answer:
        found = [one for one in self.quotes if one["symbol"] in query.getall("symbol")]
        columns = {name: [one[name] for one in found] for name in QUOTE}
        return {"at": NOW, "cursor": "1", "is_whole": True, **columns}

    def _get_stocks(self, _rest: str, query: Any) -> Answer:
        recent = int(query.get("recent", 0))
        wanted = query.getall("symbol", None) if hasattr(query, "getall") else None
        words = query.get("q", "")
        found = [
            s
            for s in STOCKS
            if s in (wanted or STOCKS) and (words in STOCKS[s] or words in s or words == "ㅅㅅㅈㅈ")
        ]
        items = [self._stock(symbol, recent) for symbol in found]
        return {"items": items, "total": len(items), "cursor": None}

    def _get_candles(self, rest: str, query: Mapping[str, str]) -> Answer:
        candles = market_of(rest, query.get("timeframe", "1d")).candles
        return {"candles": _columns(candles, "ts open high low close volume final"), "cursor": None}

    def radar(self, symbol: str, query: Mapping[str, str]) -> Answer:
        """Return a page of a series, as /v1/radar does."""
        timeframe, venue = query.get("timeframe", "1d"), query.get("venue", "KRX")
        market = market_of(symbol if venue == "KRX" else f"{symbol} {venue}", timeframe, self.count)
        if venue != "KRX":  # nothing is analysed there
            market = replace(market, learned=Learned())
        end = int(query.get("cursor", len(market.candles)))
        start = max(0, end - int(query.get("limit", 500)))
        answer = self._radar(symbol, timeframe, market, start, end)
        return {**answer, "venue": venue, "venues": self.venues}

    _get_radar = radar

    def _radar(self, symbol: str, timeframe: str, market: Market, start: int, end: int) -> Answer:
        part = market.candles[start:end]
        low, high = part[0].ts, part[-1].ts
        newest = end == len(market.candles)
        points = [p for p in market.learned.points if low <= p.ts <= high]
        trends = [t for t in market.learned.trends if low <= t.from_ts <= high]
        missing = [ts for ts in market.missing if low <= ts <= high]
        return {
            "symbol": symbol,
            "name": STOCKS[symbol],
            "timeframe": timeframe,
            "adjusted": True,
            "data_id": "7f3a91c07f3a91c07f3a",
            "code_id": "2be4d05a2be4d05a2be4",
            "stock": self._stock(symbol, 0),
            "candles": _columns(part, "ts closes_at open high low close volume final"),
            "cursor": str(start) if start else None,
            "starts_here": start == 0,
            "points": {
                "ts": [p.ts for p in points],
                "kind": [p.kind.value for p in points],
                "grade": [p.grade.value for p in points],
                "price": [p.price for p in points],
                "y": [p.value for p in points],
                "confirmed_at": [p.confirmed_at for p in points],
                "cause": [p.cause.value for p in points],
            },
            "trends": {
                "from_ts": [t.from_ts for t in trends],
                "trend": [t.trend.value for t in trends],
                "confirmed_at": [t.confirmed_at for t in trends],
            },
            "patterns": _patterns(market, low, high),
            "labels": [one for one in self._current_labels() if one["symbol"] == symbol],
            "hidden_labels": 0,
            "proof": {
                "sessions": len(part),
                "proved": len(part) - 4,
                "unproved": [kst(c.ts)[:10] for c in part[-3:]] if newest else [],
                "revised": {"ts": [part[-30].ts, part[-80].ts], "times": [1, 2]}
                if newest
                else {"ts": [], "times": []},
                "missing": {
                    "ts": missing,
                    "reason": ["not_fetched_yet"] * len(missing),
                    "words": [""] * len(missing),
                },
            },
            "analysis": {"status": "done", "needs": 0, "analysed_to": part[-1].ts},
        }

    def _get_statistics(self, _rest: str, query: Mapping[str, str]) -> Answer:
        self.counted_until.append(query.get("until"))
        if "strategy_name" in query:
            rise = {"value": 0.502, "base": 0.491}
            return {"out_of_sample": [{"horizon": 5, "n": 412, "too_few": False, "rise": rise}]}
        return {"timeframe": query["timeframe"], "items": _statistics()}

    def _get_strategies(self, _rest: str, _query: Mapping[str, str]) -> Answer:
        names = {
            "macd_golden_cross": "MACD 골든크로스",
            "volume_surge": "거래량 급증",
            "trend_up": "상승 추세",
        }
        return {"items": [{"id": key, "version": 1, "title": title} for key, title in names.items()]}

    def _get_screens(self, _rest: str, _query: Mapping[str, str]) -> Answer:
        expression = {
            "all": [
                {"strategy": "macd_golden_cross", "within": 3},
                {"strategy": "volume_surge", "params": {"times": 2}},
            ],
            "not": [{"fact": "market", "is": "KONEX"}],
        }
        return {
            "items": [
                {
                    "name": "골든크로스 + 거래량",
                    "version": 1,
                    "expression": expression,
                    "new": 3,
                }
            ]
        }

    def _get_labels(self, _rest: str, query: Mapping[str, str]) -> Answer:
        agreement = [
            {"kind": "double_bottom", "n": 42, "agreed": 31, "rate": 31 / 42},
            {"kind": "double_top", "n": 12, "agreed": 5, "rate": None},
        ]
        items = self._current_labels()
        if query.get("history"):
            items = list(reversed(self.labels))
        return {"items": items, "total": len(items), "agreement": agreement, "cursor": None}

    def _get_notes(self, _rest: str, query: Mapping[str, str]) -> Answer:
        items = [_note(query.get("symbol", "000660"))]
        return {"items": items, "provider": "openai", "used_today": 14, "requests_per_day": 200}


def _problem(status: int, detail: str, remedy: str) -> web.Response:
    kind = "urn:chartinsight:database-away" if status == 503 else "about:blank"
    body = {"type": kind, "title": detail, "status": status, "detail": detail, "remedy": remedy}
    return web.json_response(body, status=status, content_type="application/problem+json")


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _columns(candles: list[Any], names: str) -> dict[str, list[Any]]:
    rows = [asdict(candle) for candle in candles]
    return {name: [row[name] for row in rows] for name in names.split()}


def _patterns(market: Market, low: int, high: int) -> list[dict[str, Any]]:
    patterns: dict[str, dict[str, Any]] = {}
    for event in market.learned.patterns:
        if not low <= event.points[0].ts <= high:
            continue
        found = patterns.setdefault(
            event.key, {"pattern_id": event.key, "kind": event.kind.value, "events": []}
        )
        found["events"].append(
            {
                "state": event.state.value,
                "at": event.ts,
                "confirmed_at": event.confirmed_at,
                "points": [
                    {"role": p.role, "ts": p.ts, "price": p.price, "y": p.price} for p in event.points
                ],
                "levels": {name: {"price": level, "y": level} for name, level in event.levels.items()},
                "evidence": {},
            }
        )
    return list(patterns.values())


def _statistics() -> list[dict[str, Any]]:
    figures = {
        "double_bottom": (120, 0.375, 0.491, 0.294, 0.464, "below"),
        "double_top": (143, 0.455, 0.491, 0.375, 0.536, "same"),
        "retest_bottom": (18, None, None, None, None, None),
        "retest_top": (22, None, None, None, None, None),
        "head_shoulders": (59, 0.441, 0.491, 0.322, 0.567, "same"),
        "inverse_head_shoulders": (48, 0.641, 0.491, 0.5, 0.75, "above"),
    }
    return [
        {
            "kind": kind,
            "horizon": horizon,
            "sample": sample,
            "split": "2022-01-01",
            "n": figures[kind][0],
            "rate": figures[kind][1],
            "base": figures[kind][2],
            "low": figures[kind][3],
            "high": figures[kind][4],
            "verdict": figures[kind][5],
            "too_few": figures[kind][0] < 30,
        }
        for kind in KINDS
        for horizon in (1, 5, 20)
        for sample in ("in", "out")
    ]


def _screened(session: str | None) -> Answer:
    days = [kst(c.ts)[:10] for c in market_of("000660", "1d").candles if c.final]
    session = session or days[-1]
    start = int(datetime.fromisoformat(f"{session}T00:00:00+09:00").timestamp())
    matches = [
        {
            "symbol": symbol,
            "name": STOCKS[symbol],
            "score": 0.95 - 0.06 * i,
            "since": start - 86_400 * (i % 3),
            "is_new": i % 3 == 0,
            "evidence": {
                "volume_surge": {"volume": {"value": 2.4, "unit": "times", "ts": start}},
                "macd_golden_cross": {"macd": {"value": 0.2, "unit": "%", "ts": start - 86_400}},
            },
        }
        for i, symbol in enumerate(STOCKS)
    ]
    exceptions = [
        {
            "symbol": f"9000{i:02}",
            "name": f"예외{i}",
            "reason": ("too_short", "stale", "failed")[i % 3],
            "detail": "",
        }
        for i in range(25)
    ]
    counts = {"universe": 1312, "evaluated": 1287, "too_short": 9, "stale": 8, "failed": 8}
    return {"session": session, "counts": counts, "matches": matches, "exceptions": exceptions}


def _note(symbol: str) -> Answer:
    facts = [
        _fact("f1", symbol, "종가", "175,500원", "candles 1d 2024-12-13"),
        _fact("f2", symbol, "20봉 수익률", "−1.52 %", "candles 1d 2024-11-15"),
    ]
    text = "최근 20봉 수익률은 −1.52 %로 내렸고, 마지막 종가는 175,500원입니다."
    return {
        "id": 1,
        "source": "openai",
        "reason": "",
        "symbols": [symbol],
        "claims": [{"symbol": symbol, "text": text, "facts": ["f1", "f2"]}],
        "facts": facts,
        "claims_kept": 1,
        "claims_struck": {"number": 1},
        "created_at": NOW - 3600,
    }


def _fact(key: str, symbol: str, what: str, text: str, row: str) -> Answer:
    return {"id": key, "symbol": symbol, "what": what, "text": text, "as_of": "2024-12-13", "rows": [row]}


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Run one for the time of a test."""
    listener = Listener()
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()
