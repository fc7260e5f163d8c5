"""Refusals in the broker's words, in the broker's order (kiwoom.md#simulator-defaults)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chartinsightd.simulator.settings import (
    DEFAULT_APP_KEY,
    DEFAULT_SECRET_KEY,
    OTHER_ENVIRONMENT_APP_KEY,
    Profile,
    profile,
)
from tests.simulator.server_client import UNLIMITED, running

GOOD = {"stk_cd": "005930", "tic_scope": "5", "upd_stkpc_tp": "0"}
KEYS = {"grant_type": "client_credentials", "appkey": DEFAULT_APP_KEY, "secretkey": DEFAULT_SECRET_KEY}


@pytest.mark.parametrize("agent", ["Python/3.11 aiohttp/3.14.5", "Python-urllib/3.11"])
@pytest.mark.parametrize("path", ["/oauth2/token", "/api/dostk/chart"])
async def test_the_firewall_looks_at_the_user_agent_alone(agent: str, path: str) -> None:
    """Default agents of aiohttp and urllib get 400 and HTML on every path."""
    async with running(is_logged_in=False) as broker:
        blocked = await broker.post(path, KEYS, {"User-Agent": agent})

    assert (blocked.status, blocked.headers["Content-Type"]) == (400, "text/html")
    assert "Request Blocked" in blocked.text


async def test_other_agents_pass_the_firewall() -> None:
    """The default agent of the websockets library begins with Python/ and passes."""
    async with running(is_logged_in=False) as broker:
        answer = await broker.post("/oauth2/token", KEYS, {"User-Agent": "Python/3.11 websockets/15.0"})

    assert answer.json["return_code"] == 0


async def test_a_token_answer() -> None:
    """The token lives 24 virtual hours and ends at a time in KST; the header api-id is not needed."""
    async with running(is_logged_in=False) as broker:
        answer = await broker.login()

    assert list(answer.json) == ["expires_dt", "token_type", "token", "return_code", "return_msg"]
    assert (answer.json["expires_dt"], answer.json["token_type"]) == ("20261121120030", "bearer")


@pytest.mark.parametrize(
    ("changes", "return_code", "inner"),
    [
        ({"appkey": ""}, 3, "[8001:App Key와 Secret Key 검증에 실패했습니다]"),
        ({"secretkey": "other"}, 3, "[8001:App Key와 Secret Key 정보가 일치하지 않습니다]"),
        ({"appkey": None}, 3, "[8020:입력파라미터로 appkey 또는 secretkey가 들어오지 않았습니다.]"),
        ({"grant_type": None}, 3, "[8011:"),
        ({"grant_type": "password"}, 3, "[8012:"),
        ({"appkey": 5}, 2, "[1517:입력 값 형식이 올바르지 않습니다. 파라미터=appkey 실패사유= 타입 불일치]"),
        ({"appkey": OTHER_ENVIRONMENT_APP_KEY}, 2, "[8030:투자구분(실전/모의)이 달라서"),
    ],
)
async def test_wrong_keys(changes: dict[str, Any], return_code: int, inner: str) -> None:
    """Each mistake in a token request has its code, with HTTP 200."""
    body = {name: value for name, value in (KEYS | changes).items() if value is not None}
    async with running(is_logged_in=False) as broker:
        answer = await broker.post("/oauth2/token", body)

    assert (answer.status, answer.json["return_code"]) == (200, return_code)
    assert inner in answer.json["return_msg"]


async def test_an_address_or_key_that_is_not_registered() -> None:
    """Both get 8050 instead of a token, until the block is lifted."""
    async with running(is_logged_in=False) as broker:
        await broker.admin("POST", "ip-allowlist", {"allow": ["192.0.2.1"]})
        stranger = await broker.login()
        await broker.admin("POST", "ip-allowlist", {"allow": None})
        await broker.admin("POST", "keys", {"blocked": [DEFAULT_APP_KEY]})
        blocked = await broker.login()
        await broker.admin("POST", "keys", {"blocked": []})
        allowed = await broker.login()

    assert stranger.json == blocked.json
    assert stranger.json["return_msg"] == "인증에 실패했습니다[8050:지정단말기 인증에 실패했습니다]"
    assert allowed.json["return_code"] == 0


@pytest.mark.parametrize(("policy", "is_same"), [("same", True), ("rotate", False)])
async def test_a_second_issue(policy: Any, is_same: bool) -> None:
    """By default the living token comes again; by switch a new one that kills the old one with 8005."""
    async with running(replace(UNLIMITED, token_policy=policy)) as broker:
        old = broker.token
        await broker.login()
        new, broker.token = broker.token, old
        answer = await broker.minutes()

    assert (new == old) is is_same
    assert (answer.json["return_code"] == 0) is is_same


async def test_tokens_end() -> None:
    """Expired, revoked and invalidated tokens get 8005: HTTP 200, return_code 3."""
    answers = []
    async with running() as broker:
        await broker.admin("POST", "tokens/invalidate")
        answers.append(await broker.minutes())
        await broker.login()
        revoked = await broker.post(
            "/oauth2/revoke", {k: v for k, v in KEYS.items() if k != "grant_type"} | {"token": broker.token}
        )
        answers.append(await broker.minutes())
        await broker.login()
        await broker.step(timedelta(hours=24))
        answers.append(await broker.minutes())

    assert revoked.json == {"return_code": 0, "return_msg": "정상적으로 처리되었습니다"}
    expected = {"return_code": 3, "return_msg": "인증에 실패했습니다[8005:Token이 유효하지 않습니다]"}
    assert [(answer.status, answer.json) for answer in answers] == [(200, expected)] * 3


@pytest.mark.parametrize(
    ("headers", "uri", "return_code", "inner"),
    [
        ({"api-id": None}, "chart", 1, "[1501:"),
        ({"api-id": "ka99999"}, "chart", 1, "[1505:해당 API ID는 존재하지 않습니다. API ID=ka99999]"),
        (
            {"api-id": "ka10081"},
            "stkinfo",
            1,
            "[1504:해당 URI에서는 지원하는 API ID가 아닙니다. API ID=ka10081, URI=/api/dostk/stkinfo]",
        ),
        ({"authorization": None}, "chart", 3, "[1513:Http Header에 authorization 필드가 설정되어 있어야"),
        ({"authorization": "Bearer"}, "chart", 3, "[1516:"),
        ({"authorization": "Basic abc"}, "chart", 3, "[1515:"),
        ({"authorization": "abc"}, "chart", 3, "[1514:"),
        ({"authorization": "Bearer wrong"}, "chart", 3, "[8005:"),
    ],
)
async def test_wrong_headers(headers: dict[str, str | None], uri: str, return_code: int, inner: str) -> None:
    """Each mistake in the headers has its code, with HTTP 200."""
    async with running() as broker:
        given = {"api-id": "ka10080", "authorization": f"Bearer {broker.token}"} | headers
        kept = {name: value for name, value in given.items() if value is not None}
        answer = await broker.post(f"/api/dostk/{uri}", GOOD, kept)

    assert (answer.status, answer.json["return_code"]) == (200, return_code)
    assert inner in answer.json["return_msg"]


@pytest.mark.parametrize(
    ("api_id", "changes", "message"),
    [
        ("ka10081", {}, "[1511:필수 입력 값에 값이 존재하지 않습니다. 필수입력 파라미터=base_dt]"),
        ("ka10081", {"base_dt": ""}, "파라미터=base_dt]"),
        (
            "ka10080",
            {"tic_scope": 60},
            "[1517:입력 값 형식이 올바르지 않습니다. 파라미터=tic_scope 실패사유= 타입 불일치]",
        ),
        ("ka10080", {"stk_cd": 5930}, "파라미터=stk_cd 실패사유= 타입 불일치]"),
        ("ka10080", {"tic_scope": "7"}, "[1517:"),
        ("ka10080", {"base_dt": "2026-11-20"}, "[1517:"),
        ("ka10080", {"base_dt": "20261320"}, "[1517:"),
    ],
)
async def test_wrong_bodies(api_id: str, changes: dict[str, Any], message: str) -> None:
    """Missing or empty required fields get 1511, others than texts 1517; both are return_code 2."""
    async with running() as broker:
        answer = await broker.call(api_id, **(GOOD | changes))

    assert (answer.status, answer.json["return_code"]) == (200, 2)
    assert answer.json["return_msg"].startswith("입력 값 오류입니다[")
    assert message in answer.json["return_msg"]


async def test_a_prefixed_code_is_refused() -> None:
    """`KRX:005930` is refused with return_code 5 (kiwoom.md#chart-requests)."""
    async with running() as broker:
        answer = await broker.minutes(stk_cd="KRX:005930")

    assert answer.json["return_code"] == 5


async def test_the_sixth_request_at_once_is_refused() -> None:
    """Real host: five of one api-id pass, the sixth gets the captured 429; other api-ids go on."""
    async with running(Profile()) as broker:
        answers = [await broker.minutes() for _ in range(6)]
        other = await broker.days()
        stats = await broker.admin("GET", "stats")

    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[-1].json == {
        "return_code": 5,
        "return_msg": "허용된 요청 개수를 초과하였습니다"
        "[1700:허용된 API 요청 개수를 초과하였습니다. 유량=5, API ID=ka10080]",
    }
    assert "Retry-After" not in answers[-1].headers
    assert other.status == 200
    assert (stats["violations"], stats["refusals"]) == (1, 1)
    assert stats["api_ids"]["ka10080"]["max_in_a_second"] == 6


async def test_the_paper_host_lets_two_through() -> None:
    """Paper host: a burst of two, then 429 with 유량=1."""
    async with running(profile("paper")) as broker:
        answers = [await broker.days() for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert "유량=1, API ID=ka10081]" in answers[-1].json["return_msg"]


async def test_a_second_token_at_once_is_refused_in_odd_words() -> None:
    """au10001 is limited separately, and its refusal has an unfilled placeholder."""
    async with running(Profile()) as broker:
        again = await broker.login()

    assert again.status == 429
    assert "유량=au10001, API ID={1}]" in again.json["return_msg"]


async def test_a_refused_request_is_still_counted() -> None:
    """The monitor counts arrivals, not what was let through: a storm shows as violations."""
    async with running(Profile()) as broker:
        answers = await asyncio.gather(*[broker.minutes() for _ in range(30)])
        one = (await broker.admin("GET", "stats"))["api_ids"]["ka10080"]

    assert sum(answer.status == 429 for answer in answers) == one["refusals"] == 25
    assert one["violations"] == 25


async def test_the_token_comes_before_the_limit() -> None:
    """Requests with a bad token are not counted by the enforced limit (kiwoom.md#simulator-defaults)."""
    async with running(Profile()) as broker:
        good, broker.token = broker.token, "bad"
        for _ in range(6):
            assert "[8005:" in (await broker.minutes()).json["return_msg"]
        broker.token = good
        assert (await broker.minutes()).status == 200
