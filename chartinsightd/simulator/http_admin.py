"""The admin door: clock, statistics, log, faults, truth. JSON, beside the broker's paths, never limited."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.faults import InvalidRule, rule
from chartinsightd.simulator.journal import Entry
from chartinsightd.simulator.limits import Arrivals
from chartinsightd.simulator.pages import served_code
from chartinsightd.simulator.simulation import Simulation
from chartinsightd.simulator.truth import PERIODS, SCOPES, truth
from chartinsightd.simulator.websocket import Sessions
from chartinsightd.simulator.wire_realtime import SYSTEM_MESSAGES

_LOG_ROWS = 10_000
_LONGEST_WAIT_S = 60.0
"""Longest time an answer waits for a change, in real seconds."""


class BadAdminRequest(Exception):
    """A request to the admin door that says nothing it knows."""


@web.middleware
async def answer_bad_requests(request: web.Request, handler: Any) -> web.StreamResponse:
    """Turn what a handler refuses into a 400 with words."""
    try:
        response: web.StreamResponse = await handler(request)
    except (BadAdminRequest, InvalidRule) as error:
        return _json({"error": str(error)}, 400)
    return response


class Admin:
    """Answers /admin/…"""

    def __init__(self, simulation: Simulation, sessions: Sessions) -> None:
        self._sim = simulation
        self._sessions = sessions
        self._clock_set = asyncio.Event()
        """Set, and replaced by a new event, when the clock is changed: waiting requests hold the old one."""

    def routes(self) -> list[web.RouteDef]:
        """Return the paths and what answers them."""
        return [
            web.get("/admin/clock", self.clock),
            web.post("/admin/clock", self.set_clock),
            web.get("/admin/profile", self.profile),
            web.get("/admin/stats", self.stats),
            web.get("/admin/requests", self.requests),
            web.get("/admin/faults", self.faults),
            web.post("/admin/faults", self.switch_faults),
            web.delete("/admin/faults", self.end_faults),
            web.get("/admin/truth", self.truth),
            web.post("/admin/correct", self.correct),
            web.get("/admin/issues", self.issues),
            web.get("/admin/actions", self.actions),
            web.post("/admin/ip-allowlist", self.allow_addresses),
            web.post("/admin/keys", self.block_keys),
            web.get("/admin/tokens", self.tokens),
            web.post("/admin/tokens/invalidate", self.invalidate_tokens),
            web.post("/admin/websocket/close", self.close_sockets),
        ]

    async def clock(self, request: web.Request) -> web.Response:
        """Return the virtual clock; `start`, `speed` and `anchor` are what a daemon needs to follow it.

        While the anchor is the `known` one, the answer waits up to `wait_s` real seconds for a change.
        """
        known, wait_s = _query_number(request, "known"), _query_number(request, "wait_s") or 0.0
        if known == self._sim.clock.anchor:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._clock_set.wait(), min(wait_s, _LONGEST_WAIT_S))
        return self._clock()

    def _clock(self) -> web.Response:
        clock = self._sim.clock
        now = clock.now()
        return _json(
            {
                "now": now.isoformat(),
                "epoch": now.timestamp(),
                "start": clock.start.astimezone(KST).isoformat(),
                "speed": clock.speed,
                "anchor": clock.anchor,
            }
        )

    async def set_clock(self, request: web.Request) -> web.Response:
        """Change it, in this order: `set` (or `start`) a moment, `step_s` virtual seconds, `speed`."""
        body, clock = await _body(request, "set", "start", "step_s", "speed"), self._sim.clock
        when = _moment(body.get("set", body.get("start")))
        step_s, speed = _number(body, "step_s"), _number(body, "speed")
        if speed is not None and speed < 0:
            raise BadAdminRequest("speed is not negative")
        if when is not None:
            clock.set(when)
        if step_s is not None:
            clock.step(timedelta(seconds=step_s))
        if speed is not None:
            clock.set_speed(speed)
        self._clock_set.set()
        self._clock_set = asyncio.Event()
        return self._clock()

    async def profile(self, _request: web.Request) -> web.Response:
        """Return every switch."""
        return _json(dataclasses.asdict(self._sim.profile))

    async def stats(self, _request: web.Request) -> web.Response:
        """Return counts by api-id and in all, and the CPU that this process used, in seconds."""
        arrivals = self._sim.monitor.arrivals
        return _json(
            {
                "now": self._sim.now().isoformat(),
                "requests": sum(one.requests for one in arrivals.values()),
                "refusals": sum(one.refusals for one in arrivals.values()),
                "violations": sum(one.violations for one in arrivals.values()),
                "websocket_sessions": self._sessions.count,
                "cpu_s": time.process_time(),
                "api_ids": {api_id: _arrivals(one) for api_id, one in sorted(arrivals.items())},
            }
        )

    async def requests(self, request: web.Request) -> web.Response:
        """Return the log after a number, oldest first."""
        after = int(_query_number(request, "after") or 0)
        limit = int(_query_number(request, "limit") or _LOG_ROWS)
        return _json({"requests": [_entry(entry) for entry in self._sim.journal.after(after, limit)]})

    async def faults(self, _request: web.Request) -> web.Response:
        """Return what is switched on and how often each struck."""
        at = self._sim.clock.monotonic()
        active = [
            {**dataclasses.asdict(one.rule), "struck": one.struck, "is_over": one.is_over(at)}
            for one in self._sim.mix.active
        ]
        return _json({"mix": active})

    async def switch_faults(self, request: web.Request) -> web.Response:
        """Replace the mix."""
        body = await _body(request, "seed", "mix")
        rules = body.get("mix")
        if not isinstance(rules, list) or not all(isinstance(fields, dict) for fields in rules):
            raise BadAdminRequest("mix is a list of faults")
        seed = _number(body, "seed") or 0
        self._sim.mix.switch_on([rule(fields) for fields in rules], int(seed), self._sim.clock.monotonic())
        return await self.faults(request)

    async def end_faults(self, request: web.Request) -> web.Response:
        """Switch everything off."""
        self._sim.mix.switch_on([], 0, 0)
        return await self.faults(request)

    async def truth(self, request: web.Request) -> web.Response:
        """Return what the candles of a series are, as served now."""
        symbol, timeframe = request.query.get("symbol", ""), request.query.get("timeframe", "")
        if timeframe not in SCOPES | PERIODS:
            raise BadAdminRequest(f"timeframe is one of {', '.join(SCOPES | PERIODS)}")
        sim, now = self._sim, self._sim.now()
        code = served_code(symbol, sim.market, sim.profile)
        bounds = _moment(request.query.get("from")), _moment(request.query.get("to"))
        adjusted = request.query.get("adjusted") == "1"
        rows = truth(sim.market, code, timeframe, *bounds, now, adjusted=adjusted) if code is not None else []
        return _json({"now": now.isoformat(), "symbol": symbol, "timeframe": timeframe, "rows": rows})

    async def correct(self, request: web.Request) -> web.Response:
        """Change the volume of a past minute or, without label, of a past day by a factor."""
        body = await _body(request, "symbol", "day", "label", "factor")
        label, factor = _number(body, "label"), _number(body, "factor")
        done = self._sim.correct(
            str(body.get("symbol", "")),
            _day(body.get("day")),
            None if label is None else int(label),
            1.1 if factor is None else factor,
        )
        return _json({"corrected": done})

    async def issues(self, _request: web.Request) -> web.Response:
        """Return the issues listed now."""
        return _json(
            {"issues": [dataclasses.asdict(one) for one in self._sim.market.issues(self._sim.now())]}
        )

    async def actions(self, request: web.Request) -> web.Response:
        """Return the corporate actions of a symbol, past and to come: first day, price and volume factor."""
        return _json({"actions": list(self._sim.market.actions(request.query.get("symbol", "")))})

    async def tokens(self, _request: web.Request) -> web.Response:
        """Return the text of every token that was issued."""
        return _json({"tokens": self._sim.tokens.issued})

    async def allow_addresses(self, request: web.Request) -> web.Response:
        """Set the allow-list; null allows all. Others get 8050 for a token."""
        allowed = _texts((await _body(request, "allow")).get("allow"), "allow")
        self._sim.tokens.allowed_addresses = allowed
        return _json({"allow": sorted(allowed) if allowed is not None else None})

    async def block_keys(self, request: web.Request) -> web.Response:
        """Set the keys that get 8050 for a token."""
        blocked = _texts((await _body(request, "blocked")).get("blocked"), "blocked") or frozenset()
        self._sim.tokens.blocked_keys = blocked
        return _json({"blocked": sorted(blocked)})

    async def invalidate_tokens(self, _request: web.Request) -> web.Response:
        """End all tokens: their holders get 8005."""
        return _json({"invalidated": self._sim.tokens.invalidate()})

    async def close_sockets(self, request: web.Request) -> web.Response:
        """Drop every WebSocket session: without a word, or with a SYSTEM code."""
        code = (await _body(request, "code")).get("code") if request.can_read_body else None
        if code is not None and code not in SYSTEM_MESSAGES:
            raise BadAdminRequest(f"code is one of {', '.join(SYSTEM_MESSAGES)}")
        await self._sessions.close_all(code)
        return _json({})


def _arrivals(one: Arrivals) -> dict[str, Any]:
    return {
        "limit": one.limit,
        "requests": one.requests,
        "refusals": one.refusals,
        "violations": one.violations,
        "max_in_a_second": one.max_in_a_second,
        "utilisation": one.utilisation,
        "busy_s": one.busy_s,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {**dataclasses.asdict(entry), "virtual_at": entry.virtual_at.isoformat()}


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


async def _body(request: web.Request, *known: str) -> Mapping[str, Any]:
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.DecodeError as error:
        raise BadAdminRequest(f"not JSON: {error}") from None
    if not isinstance(body, dict) or not body.keys() <= set(known):
        raise BadAdminRequest(f"an object with {', '.join(known)}")
    return body


def _number(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadAdminRequest(f"{name} is a number")
    return value


def _query_number(request: web.Request, name: str) -> float | None:
    text = request.query.get(name)
    try:
        return float(text) if text is not None else None
    except ValueError:
        raise BadAdminRequest(f"{name} is a number") from None


def _moment(value: Any) -> datetime | None:
    """Read an ISO time (KST where it names no zone) or seconds since 1970."""
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(float(value), KST)
    except (TypeError, ValueError):
        pass  # then it is ISO text
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadAdminRequest(f"not a time: {value!r}") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=KST)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise BadAdminRequest(f"not a day: {value!r}") from None


def _texts(value: Any, name: str) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadAdminRequest(f"{name} is a list of texts, or null")
    return frozenset(value)
