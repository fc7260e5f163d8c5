"""Both providers against a local server that plays every behaviour known of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chartinsightd.adapters.ai.gemini import Gemini
from chartinsightd.adapters.ai.openai import OpenAICompatible
from chartinsightd.ports.notes import Completer, CompletionRequest, ProviderFailed

KEY = "canary-key-4f1d"
CLAIMS = {
    "claims": [{"symbol": "005930", "facts": ["f1"], "direction": "none", "text": "종가는 {f1}입니다."}]
}
ASK = CompletionRequest(text="질문", max_tokens=256, temperature=0.2, timeout_s=5.0)
Reply = Callable[[web.Request], Any]


def gemini_answer(text: str | None, finish: str = "STOP") -> dict[str, Any]:
    """Return what Gemini wraps a text in."""
    parts = [] if text is None else [{"text": "thinking", "thought": True}, {"text": text}]
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": finish}],
        "usageMetadata": {"promptTokenCount": 812, "totalTokenCount": 900},
    }


def openai_answer(text: str | None, finish: str = "stop") -> dict[str, Any]:
    """Return what chat completions wrap a text in."""
    message = {"role": "assistant", "content": text}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": {"total_tokens": 900}}


@asynccontextmanager
async def asking(provider: str, reply: Reply) -> AsyncIterator[tuple[Completer, list[web.Request]]]:
    """Return a completer over a server that answers with `reply`, and the requests that came."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        seen.append(request)
        given = reply(request)
        return given if isinstance(given, web.StreamResponse) else web.json_response(given)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        made: Completer = (
            Gemini(key=KEY, model="m-1", base_url=url)
            if provider == "gemini"
            else OpenAICompatible(key=KEY, model="m-1", base_url=f"{url}/v1")
        )
        yield made, seen


@pytest.mark.parametrize(
    ("provider", "wrap", "path", "header"),
    [
        ("gemini", gemini_answer, "/v1beta/models/m-1:generateContent", "x-goog-api-key"),
        ("openai", openai_answer, "/v1/chat/completions", "Authorization"),
    ],
)
async def test_a_whole_answer_is_parsed(
    provider: str, wrap: Callable[[str], Any], path: str, header: str
) -> None:
    """One request with the key in a header and not in address or body; the JSON of the model comes back."""
    async with asking(provider, lambda _: wrap(json.dumps(CLAIMS))) as (completer, seen):
        answer = await completer.complete(ASK)
    assert answer.parsed == CLAIMS
    assert 900 in answer.usage.values()
    [request] = seen
    assert request.path == path
    assert KEY in request.headers[header]
    assert KEY not in str(request.rel_url)
    assert KEY not in json.dumps(completer.body(ASK))
    assert (await request.json()) == completer.body(ASK)


@pytest.mark.parametrize(
    ("provider", "given", "reason"),
    [
        ("gemini", gemini_answer(json.dumps(CLAIMS), "MAX_TOKENS"), "cut"),
        ("gemini", gemini_answer(json.dumps(CLAIMS), "SAFETY"), "blocked"),
        ("gemini", gemini_answer(json.dumps(CLAIMS), "RECITATION"), "blocked"),
        ("gemini", {"candidates": []}, "empty"),
        ("gemini", {"promptFeedback": {"blockReason": "SAFETY"}}, "empty"),
        ("gemini", gemini_answer(None), "empty"),
        ("gemini", gemini_answer('{"claims": ['), "unreadable"),
        ("gemini", [], "empty"),
        ("openai", openai_answer(json.dumps(CLAIMS), "length"), "cut"),
        ("openai", openai_answer(json.dumps(CLAIMS), "content_filter"), "blocked"),
        ("openai", {"choices": []}, "empty"),
        ("openai", openai_answer(None), "empty"),
        ("openai", openai_answer("Sure! Here is"), "unreadable"),
        ("openai", "no object", "empty"),
    ],
)
async def test_what_is_not_whole_is_a_failure(provider: str, given: Any, reason: str) -> None:
    """An answer that was cut, withheld, empty or no JSON is never taken for one."""
    async with asking(provider, lambda _: given) as (completer, _):
        with pytest.raises(ProviderFailed) as failure:
            await completer.complete(ASK)
    assert failure.value.reason == reason


@pytest.mark.parametrize("provider", ["gemini", "openai"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "bad_request"),
        (401, "refused"),
        (403, "refused"),
        (404, "no_model"),
        (429, "busy"),
        (500, "away"),
        (503, "away"),
        (302, "away"),
    ],
)
async def test_each_refusal_has_its_reason_and_remedy(provider: str, status: int, reason: str) -> None:
    """A refusal tells what to do, and quotes nothing of the provider, which may echo the key."""

    def refuse(_: web.Request) -> web.Response:
        body = {"error": {"message": f"API key not valid: {KEY}", "details": [{"retryDelay": "17s"}]}}
        return web.json_response(body, status=status, headers={"Location": "http://elsewhere.invalid/"})

    async with asking(provider, refuse) as (completer, seen):
        with pytest.raises(ProviderFailed) as failure:
            await completer.complete(ASK)
    assert (failure.value.reason, len(seen)) == (reason, 1)
    assert failure.value.remedy
    assert KEY not in f"{failure.value} {failure.value.__cause__} {failure.value.remedy}"
    assert failure.value.retry_after_s == (17.0 if status in {429, 503} else None)


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_a_body_without_end_and_a_cut_connection_are_failures(provider: str) -> None:
    """A megabyte is the most that is read; a connection that breaks is one failure."""
    async with asking(provider, lambda _: web.Response(body=b"[" * 1_500_000)) as (completer, _):
        with pytest.raises(ProviderFailed) as failure:
            await completer.complete(ASK)
        assert failure.value.reason == "unreadable"

    def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with asking(provider, cut) as (completer, _):
        with pytest.raises(ProviderFailed) as failure:
            await completer.complete(ASK)
        assert failure.value.reason == "away"
