"""The broker's HTTP door: checks in the broker's order, faults, exact headers (kiwoom.md#transport)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
from aiohttp import hdrs, web

from chartinsightd.simulator import wire_charts, wire_requests
from chartinsightd.simulator import wire_errors as errors
from chartinsightd.simulator.faults import PAGE_FAULTS, STALE_BY_MINUTES, Active, Fault, Spoiling, spoiled
from chartinsightd.simulator.journal import Entry
from chartinsightd.simulator.limits import TOKEN_API
from chartinsightd.simulator.pages import Page
from chartinsightd.simulator.simulation import Simulation
from chartinsightd.simulator.stocks import cut_short
from chartinsightd.simulator.wire_requests import ChartAsk

REVOKE_API = "au10002"
_JSON = "application/json;charset=UTF-8"
_EXPOSED = "api-id,cont-yn,next-key,resp-cnt,user-data"
"""Without blanks: one public client pages only when it reads exactly this (kiwoom.md#simulator-defaults)."""


_REFUSALS: Mapping[Fault, Callable[[int, str], errors.Refused]] = {
    Fault.TOTAL_LIMIT: lambda limit, _: errors.all_too_fast(limit),
    Fault.GROUP_LIMIT: errors.group_too_fast,
    Fault.TOKEN_INVALID: lambda *_: errors.token_invalid(),
    Fault.OTHER_ADDRESS: lambda *_: errors.other_address(),
    Fault.TOKEN_OF_OTHER_HOST: lambda *_: errors.token_of_other_environment(),
    Fault.TOKEN_OR_ADDRESS: lambda *_: errors.token_or_address("단말기 인증 실패"),
    Fault.NOT_ON_PAPER: lambda *_: errors.not_on_paper(),
}
"""Faults that are a refusal in words of the broker; made of the limit of an api-id and the api-id."""


@dataclass(slots=True, kw_only=True)
class _Call:
    """One request on its way."""

    api_id: str
    lane: str
    """What its limit is counted under: the api-id of an account."""
    at: float
    """When it arrived, on the limits' clock."""
    entry: Entry
    struck: Active | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What goes out."""

    body: bytes
    status: int = 200
    content_type: str = _JSON
    headers: Mapping[str, str] | None = None
    rows: int | None = None
    return_code: int | None = None


class Broker:
    """Answers the broker's HTTP paths."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation

    async def api(self, request: web.Request) -> web.StreamResponse:
        """POST /api/dostk/…"""
        owner = self._sim.tokens.app_key_of(request.headers.get(hdrs.AUTHORIZATION, ""))
        call = self._arrived(request, request.headers.get("api-id", ""), owner)
        try:
            if self._is_blocked(request):
                return await self._send(request, call, _blocked())
            self._pass_header_checks(request, call)
            return await self._answer(request, call)
        except errors.Refused as refused:
            return await self._send(request, call, _refusal(refused))

    async def token(self, request: web.Request) -> web.StreamResponse:
        """POST /oauth2/token and /oauth2/revoke; their api-id is that of the path."""
        api_id = TOKEN_API if request.path.endswith("token") else REVOKE_API
        call = self._arrived(request, api_id, await _app_key(request))
        try:
            if self._is_blocked(request):
                return await self._send(request, call, _blocked())
            self._pass_flow(call)
            return await self._answer(request, call)
        except errors.Refused as refused:
            return await self._send(request, call, _refusal(refused))

    # Checks. All of them up to the flow limit happen before the first await, in the order of arrival.

    def _arrived(self, request: web.Request, api_id: str, app_key: str) -> _Call:
        sim, at = self._sim, self._sim.clock.monotonic()
        lane = sim.tokens.lane(app_key, api_id)
        sim.monitor.arrived(lane, api_id, at)
        is_continued = request.headers.get("cont-yn") == "Y"
        entry = sim.journal.add(sim.now(), at, sim.clock.real_now(), api_id, cont=is_continued)
        return _Call(api_id=api_id, lane=lane, at=at, entry=entry)

    def _is_blocked(self, request: web.Request) -> bool:
        agent = request.headers.get(hdrs.USER_AGENT, "")
        return self._sim.profile.firewall and wire_requests.is_blocked_by_firewall(agent)

    def _pass_header_checks(self, request: web.Request, call: _Call) -> None:
        wire_requests.check_api_id(call.api_id, request.path)
        token = wire_requests.bearer_token(request.headers.get(hdrs.AUTHORIZATION))
        self._sim.tokens.owner(token, self._sim.now())
        self._pass_flow(call)

    def _pass_flow(self, call: _Call) -> None:
        if self._sim.limits.admits(call.lane, call.api_id, call.at):
            return
        self._sim.monitor.refused(call.lane)
        raise self._too_fast(call)

    def _too_fast(self, call: _Call) -> errors.Refused:
        if call.api_id == TOKEN_API:
            return errors.token_too_fast()
        return errors.too_fast(self._sim.profile.requests_per_second, call.api_id)

    # Answers.

    async def _answer(self, request: web.Request, call: _Call) -> web.StreamResponse:
        call.struck = self._sim.mix.strike(call.api_id, call.at)
        if call.struck is not None:
            call.entry.fault = call.struck.rule.fault
            early = await self._early_fault(request, call, call.struck)
            if early is not None:
                return early
        answer = await self._right_answer(request, call, wire_requests.json_object(await request.read()))
        if call.struck is not None:
            return await self._late_fault(request, call, call.struck.rule.fault, answer)
        return await self._send(request, call, answer)

    async def _early_fault(
        self, request: web.Request, call: _Call, struck: Active
    ) -> web.StreamResponse | None:
        match struck.rule.fault:
            case Fault.RATE_LIMIT:
                raise self._too_fast(call)
            case fault if fault in _REFUSALS:
                raise _REFUSALS[fault](self._sim.profile.requests_per_second, call.api_id)
            case Fault.SERVER_ERROR:
                return await self._send(request, call, _html("Internal Server Error", 500))
            case Fault.HTML_NOTICE:
                return await self._send(request, call, _html(errors.MAINTENANCE_HTML, 200))
            case Fault.FIREWALL:
                return await self._send(request, call, _blocked())
            case Fault.HANG:
                await asyncio.sleep(struck.rule.seconds)
                return _torn(request)
            case Fault.SLOW:
                await asyncio.sleep(struck.rule.seconds)
        return None

    async def _late_fault(
        self, request: web.Request, call: _Call, fault: Fault, answer: _Answer
    ) -> web.StreamResponse:
        half = answer.body[: len(answer.body) // 2]
        if fault is Fault.TRUNCATED:
            return await self._send(request, call, replace(answer, body=half))
        if fault is not Fault.RESET:
            return await self._send(request, call, answer)
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: answer.content_type})
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(half)
        return _torn(request)

    async def _right_answer(self, request: web.Request, call: _Call, body: Mapping[str, Any]) -> _Answer:
        if call.api_id == TOKEN_API:
            return self._issued(request, call, body)
        if call.api_id == REVOKE_API:
            return self._revoked(body)
        if call.api_id in wire_charts.LIST_KEYS:
            return self._chart(request, call, body)
        fields = wire_requests.checked_fields(call.api_id, body)
        call.entry.symbol = fields.get("stk_cd", "")
        listing = await self._sim.stocks.answer(call.api_id, fields, self._sim.now())
        if call.struck is not None and call.struck.rule.fault is Fault.LIST_CUT_SHORT:
            listing = cut_short(listing)
        headers = _data_headers(call.api_id, listing.rows, "")
        return _Answer(body=listing.body, headers=headers, rows=listing.rows, return_code=0)

    def _chart(self, request: web.Request, call: _Call, body: Mapping[str, Any]) -> _Answer:
        headers = request.headers
        ask = wire_requests.chart_ask(
            call.api_id, body, headers.get("cont-yn", ""), headers.get("next-key", "")
        )
        call.entry.symbol, call.entry.scope = ask.code, ask.scope
        call.entry.adjusted = ask.is_adjusted
        page = self._page(ask, call.struck)
        told = _data_headers(ask.api_id, page.count, page.next_key)
        if call.struck is not None and call.struck.rule.fault is Fault.LOST_HEADER:
            del told["cont-yn"], told["next-key"]
        return _Answer(
            body=wire_charts.chart_body(ask.api_id, ask.code, page.rows),
            headers=told,
            rows=page.count,
            return_code=0,
        )

    def _page(self, ask: ChartAsk, struck: Active | None) -> Page:
        sim, now = self._sim, self._sim.now()
        if struck is None or struck.rule.fault not in PAGE_FAULTS:
            return sim.pages.page(ask, now)
        if struck.rule.fault is Fault.LATE_CORRECTION:
            self._correct_something(ask, struck)
        if struck.rule.fault is Fault.STALE_PAGE:
            now -= timedelta(minutes=struck.random.choice(STALE_BY_MINUTES))
        page = sim.pages.page(ask, now)
        how = Spoiling(
            code=ask.code,
            blank_row=wire_charts.blank_row(ask.api_id, sim.profile.row_tail),
            key_of=lambda row: wire_charts.row_key(ask.code, row),
            random=struck.random,
        )
        return spoiled(struck.rule.fault, page, how)

    def _correct_something(self, ask: ChartAsk, struck: Active) -> None:
        """Change the volume of one row of one of the five sessions before today."""
        sim, now = self._sim, self._sim.now()
        days = [day for day in sim.market.minute_days(ask.code, now)[:6] if day < now.date()]
        if not days:
            return
        day = struck.random.choice(days)
        if ask.scope == 0:
            sim.correct(ask.code, day, None, 1.1)
            return
        rows = sim.market.minutes(ask.code, day, 1, now)
        if rows is not None and len(rows.label):
            sim.correct(ask.code, day, int(struck.random.choice(rows.label.tolist())), 1.5)

    # Tokens.

    def _issued(self, request: web.Request, call: _Call, body: Mapping[str, Any]) -> _Answer:
        grant, app_key, secret_key = _texts(body, "grant_type", "appkey", "secretkey")
        if grant is None:
            raise errors.no_grant_type()
        if grant != "client_credentials":
            raise errors.wrong_grant_type()
        if app_key is None or secret_key is None:
            raise errors.no_keys()
        rotate = call.struck is not None and call.struck.rule.fault is Fault.TOKEN_ROTATION
        now = self._sim.now()
        token = self._sim.tokens.issue(app_key, secret_key, request.remote or "", now, rotate=rotate)
        fields = {
            "expires_dt": token.expires_at.strftime("%Y%m%d%H%M%S"),
            "token_type": self._sim.profile.token_type,
            "token": token.text,
        }
        return _ok(fields)

    def _revoked(self, body: Mapping[str, Any]) -> _Answer:
        app_key, secret_key, token = _texts(body, "appkey", "secretkey", "token")
        if app_key is None or secret_key is None:
            raise errors.no_keys()
        if not token:
            raise errors.nothing_to_revoke()
        self._sim.tokens.revoke(app_key, secret_key, token)
        return _ok({})

    async def _send(self, request: web.Request, call: _Call, answer: _Answer) -> web.StreamResponse:
        # An unread body would cost the connection; the answer may have been decided without it.
        await request.read()
        call.entry.status, call.entry.rows = answer.status, answer.rows
        call.entry.return_code = answer.return_code
        headers = {hdrs.CONTENT_TYPE: answer.content_type, **(answer.headers or {})}
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        if self._sim.profile.chunked and request.version >= (1, 1):
            response.enable_chunked_encoding()
        if self._sim.profile.gzip:
            response.enable_compression()
        return response


def _data_headers(api_id: str, rows: int | None, next_key: str) -> dict[str, str]:
    headers = {"api-id": api_id, "cont-yn": "Y" if next_key else "N", "next-key": next_key}
    if rows is not None:
        headers["resp-cnt"] = str(rows)
    return headers | {"user-data": "", hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED}


def _texts(body: Mapping[str, Any], *names: str) -> list[str | None]:
    for name in names:
        if not isinstance(body.get(name), str | None):
            raise errors.wrong_type(name)
    return [body.get(name) for name in names]


def _ok(fields: Mapping[str, str]) -> _Answer:
    body = msgspec.json.encode({**fields, "return_code": 0, "return_msg": errors.OK_MESSAGE})
    return _Answer(body=body, return_code=0)


def _refusal(refused: errors.Refused) -> _Answer:
    return _Answer(body=refused.body(), status=refused.status, return_code=refused.return_code)


def _html(text: str, status: int) -> _Answer:
    return _Answer(body=text.encode(), status=status, content_type="text/html;charset=UTF-8")


def _blocked() -> _Answer:
    return _Answer(body=errors.FIREWALL_HTML.encode(), status=400, content_type="text/html")


def _torn(request: web.Request) -> web.StreamResponse:
    """Cut the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _app_key(request: web.Request) -> str:
    """Return the app key in the body of a request for a token; empty where there is none to read."""
    try:
        return str(json.loads(await request.read())["appkey"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
