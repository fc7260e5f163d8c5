"""Requests and tokens, against a real local server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chartinsightd.adapters.kiwoom.gate import Gate
from chartinsightd.adapters.kiwoom.transport import Answer, KiwoomAccess, Transport
from chartinsightd.clock import CheckedClock, SimulatedClock, SystemClock
from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    SourceError,
    SourceUnavailable,
    TokenRejected,
)
from chartinsightd.ports.broker import Priority

from .fake_broker import APP_KEY, OK, REJECTED, SECRET_KEY, START, PlainSecret, Reply, Session, session
from .samples import sample

REFUSED = (
    "허용된 요청 개수를 초과하였습니다[1700:허용된 API 요청 개수를 초과하였습니다. 유량=3, API ID=ka10081]"
)
THROTTLED = Reply({"return_code": 5, "return_msg": REFUSED}, status=429)
HOUR = timedelta(hours=1)


async def post(ours: Session, api_id: str = "ka10081", cont_key: str | None = None) -> Answer:
    return await ours.client.post(
        api_id, "/api/dostk/chart", {"stk_cd": "005930"}, priority=Priority.LIVE, cont_key=cont_key
    )


async def test_a_request_is_what_the_broker_expects() -> None:
    """Headers, token, agent and body as kiwoom.md#requests lists them; no authorization to get a token."""
    async with session() as ours:
        ours.broker.will("ka10081", Reply(headers={"Cont-YN": "Y", "NEXT-KEY": "k2", "Resp-Cnt": "600"}))
        answer = await post(ours, cont_key="k1")

    (login,) = ours.broker.seen("au10001")
    (request,) = ours.broker.seen("ka10081")
    assert login.body == {"grant_type": "client_credentials", "appkey": APP_KEY, "secretkey": SECRET_KEY}
    assert "authorization" not in login.headers
    assert request.headers["authorization"] == "Bearer token-of-the-day-1"
    assert request.headers["content-type"] == "application/json;charset=UTF-8"
    assert (request.headers["cont-yn"], request.headers["next-key"]) == ("Y", "k1")
    assert request.headers["user-agent"] == "curl/8.5.0"
    assert (request.path, request.body) == ("/api/dostk/chart", {"stk_cd": "005930"})
    assert (answer.cont_key, answer.row_count) == ("k2", 600)
    assert START <= answer.asked_at <= START + HOUR


async def test_many_requests_share_one_token() -> None:
    """However many ask at once, one token is issued."""
    async with session() as ours, asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(post(ours, f"ka{number}"))

    assert ours.broker.issued == 1


@pytest.mark.parametrize("is_rotating", [True, False])
async def test_a_rejected_token_is_replaced_once_for_all(is_rotating: bool) -> None:
    """8005 for many requests at once: one new token, each request repeated once; in both views of 11-1."""
    async with session() as ours:
        ours.broker.is_rotating = is_rotating
        await ours.issuer.token()
        apis = [f"ka{number}" for number in range(8)]
        for api_id in apis:
            ours.broker.will(api_id, Reply(REJECTED), Reply())
        async with asyncio.TaskGroup() as group:
            for api_id in apis:
                group.create_task(post(ours, api_id))
        state = ours.issuer.state()

    assert (ours.broker.issued, state.issued, state.rejected) == (2, 2, 1)
    assert all(len(ours.broker.seen(api_id)) == 2 for api_id in apis)


async def test_a_token_rejected_again_is_given_up() -> None:
    """One new token, one repetition, then the caller is told; no token in the words."""
    async with session() as ours:
        ours.broker.will(
            "ka10081",
            Reply({"return_code": 3, "return_msg": "[8005:Token(token-of-the-day-2)이 유효하지 않습니다]"}),
        )
        with pytest.raises(TokenRejected) as caught:
            await post(ours)

    assert (ours.broker.issued, len(ours.broker.seen("ka10081"))) == (2, 2)
    assert "token-of-the-day" not in str(caught.value)


async def test_another_process_took_the_token() -> None:
    """View 2: the token dies because somebody else issued one; the next request costs one more issue."""
    async with session() as ours:
        await post(ours)
        ours.broker.rejected_tokens.add("token-of-the-day-1")
        await post(ours)

    assert ours.broker.issued == 2


async def test_a_token_is_renewed_ten_minutes_early() -> None:
    """A token of 24 h is used until ten minutes before its end."""
    async with session(speed=20.0) as ours:
        token = await ours.issuer.token()

    assert token.expires_at - token.renew_at == timedelta(seconds=600)
    assert abs(token.expires_at - token.issued_at - 24 * HOUR) < timedelta(minutes=1)


async def test_a_short_lived_token_is_renewed_at_half_of_its_life() -> None:
    """Ten minutes early would be before its beginning."""
    async with session() as ours:
        ours.broker.life = timedelta(seconds=200)
        first = await ours.issuer.token()
        assert first.renew_at - first.issued_at < timedelta(seconds=110)
        await ours.clock.sleep(110)
        assert await ours.issuer.token() is not first

    assert ours.broker.issued == 2


async def test_a_token_that_ended_before_it_was_issued_is_not_asked_for_at_every_request() -> None:
    """A wrong clock must not make a token request of every request."""
    async with session(speed=20.0) as ours:
        ours.broker.life = timedelta(hours=-5)
        await post(ours)
        await post(ours, "ka10082")

    assert ours.broker.issued == 1


@pytest.mark.parametrize(
    "body",
    [
        OK,
        OK | {"token": "t", "expires_dt": "tomorrow"},
        OK | {"token": "", "expires_dt": "20261121000000"},
        OK | {"token": "to\nken", "expires_dt": "20261121000000"},
        OK | {"token": 7, "expires_dt": "20261121000000"},
    ],
)
async def test_a_token_answer_without_a_usable_token_is_malformed(body: dict[str, object]) -> None:
    """And what it holds does not get into the words."""
    async with session() as ours:
        ours.broker.will("au10001", Reply(body))
        with pytest.raises(MalformedAnswer, match="au10001") as caught:
            await post(ours)

    assert "ken" not in str(caught.value).replace("token", "")


async def test_no_secret_shows_in_what_is_printed() -> None:
    """Neither the token nor its state show its text."""
    async with session() as ours:
        token = await ours.issuer.token()

    assert "token-of-the-day-1" not in repr(token)
    assert "token-of-the-day-1" not in repr(ours.issuer.state())


async def test_a_refusal_for_pace_is_waited_out() -> None:
    """A 429 while paging does not spoil the key: the same request goes again, at the named limit."""
    async with session() as ours:
        ours.broker.will("ka10081", THROTTLED, THROTTLED, Reply())
        await post(ours, cont_key="k7")
        (lane,) = [lane for lane in ours.gate.state() if lane.api_id == "ka10081"]

    assert [request.headers["next-key"] for request in ours.broker.seen("ka10081")] == ["k7"] * 3
    assert (lane.limit, lane.throttled) == (2, 2)


def http_date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC), usegmt=True)


@pytest.mark.parametrize("ahead", [timedelta(seconds=90), timedelta(hours=9)])
async def test_a_request_left_no_later_than_the_date_of_its_answer(ahead: timedelta) -> None:
    """A page that says when it was made was asked for before that, whatever our clock shows."""
    heard: list[datetime] = []
    async with session(speed=1.0, on_date=lambda _sent_s, date: heard.append(date)) as ours:
        date = (ours.clock.now() - ahead).replace(microsecond=0)
        ours.broker.date = http_date(date)
        answer = await post(ours)

    assert heard[-1] == date
    assert date - timedelta(seconds=5) < answer.asked_at <= date


@pytest.mark.parametrize(
    "date",
    [
        "",
        "never",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 99 Nov 2026 03:00:00 GMT",
        "Fri, 20 Nov 2026 03:00:00 +99999999",
        pytest.param("9" * 5000, id="endless"),
        http_date(START + timedelta(hours=5)),
    ],
)
async def test_a_date_that_cannot_be_believed_changes_nothing(date: str) -> None:
    """Garbage, another age, and a clock of ours that is behind: our own clock tells when it was asked."""
    clock = CheckedClock(SimulatedClock(START, 1.0))
    async with session(speed=1.0, on_date=clock.heard) as ours:
        ours.broker.date = date
        before = ours.clock.now()
        for _ in range(4):
            answer = await post(ours)

    assert answer.asked_at >= before
    assert clock.ahead == timedelta()


async def test_an_answer_dated_days_before_is_not_used_until_three_agree() -> None:
    """One such answer was kept somewhere on the way; three of one mind mean that our clock is days ahead."""
    clock = CheckedClock(SimulatedClock(START, 1.0))
    async with session(speed=1.0, on_date=clock.heard) as ours:
        ours.broker.date = http_date(clock.now() - timedelta(minutes=1))
        await post(ours)
        ours.broker.date = http_date(clock.own.now() - timedelta(days=4))
        for _ in range(3):
            with pytest.raises(SourceUnavailable, match="days before"):
                await post(ours)

    assert timedelta(days=3, hours=23) < clock.ahead < timedelta(days=4, hours=1)


async def test_dates_are_heard_only_where_they_are_believed() -> None:
    """A simulator's date may be real time, while our clock is virtual."""
    async with session(speed=1.0) as ours:
        ours.broker.date = http_date(START - timedelta(minutes=5))
        answer = await post(ours)

    assert answer.asked_at >= START


async def test_endless_refusals_for_pace_end() -> None:
    """The caller is told after a number of tries."""
    async with session() as ours:
        ours.broker.will("ka10081", THROTTLED)
        with pytest.raises(RateLimited):
            await post(ours)

    assert len(ours.broker.seen("ka10081")) == 8


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(deed="reset"), SourceUnavailable),
        (Reply(deed="cut", body=OK | {"filling": "x" * 5000}), SourceUnavailable),
        (Reply(deed="hang"), SourceUnavailable),
        (Reply(b"<html>Bad Gateway</html>", status=502, content_type="text/html"), SourceUnavailable),
        (Reply(b"", status=302, headers={"Location": "/elsewhere"}), SourceUnavailable),
        (Reply(b'{"return_code": 0, "stk'), MalformedAnswer),
        (Reply(b"[1]"), MalformedAnswer),
        (Reply({"return_msg": "?"}), MalformedAnswer),
        (Reply({"return_code": "x"}), MalformedAnswer),
        (Reply({"return_code": 0.5}), MalformedAnswer),
        (Reply({"return_code": "٠"}), MalformedAnswer),
        (Reply(OK, status=302, headers={"Location": "/elsewhere"}), SourceUnavailable),
        (Reply(b'{"a":' * 10_000), MalformedAnswer),
        (Reply(OK | {"filling": "x" * 70_000}), MalformedAnswer),
        (Reply({"return_code": "3", "return_msg": "[8050:지정단말기 인증에 실패했습니다]"}), AccessBlocked),
        (Reply({"return_code": 5, "return_msg": "초과하였습니다[1634]"}), RequestRefused),
        (Reply({"return_code": 5, "return_msg": "초과하였습니다[1634]"}, status=429), RequestRefused),
    ],
)
async def test_every_failure_has_its_class(reply: Reply, expected: type[SourceError]) -> None:
    """Whatever the network and the broker do, the caller gets a failure it expects."""
    async with session(total_timeout_s=0.3, largest_body=60_000) as ours:
        await ours.issuer.token()
        ours.broker.will("ka10081", reply)
        with pytest.raises(expected):
            await post(ours)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip"])
async def test_an_answer_that_cannot_be_unpacked_is_told_with_its_remedy(coding: str) -> None:
    """A proxy that packs by its own taste, or spoils what was packed, is named in our words."""
    async with session() as ours:
        await ours.issuer.token()
        ours.broker.will("ka10081", Reply(b"no such packing", headers={"Content-Encoding": coding}))
        with pytest.raises(MalformedAnswer, match="packed in a way that was not offered") as caught:
            await post(ours)
    assert "proxy or relay" in caught.value.remedy


async def test_requests_that_were_cut_off_keep_their_places() -> None:
    """Whoever cut them off need not be the broker: it may stand still, and count them with the next ones."""
    async with session(speed=50.0, total_timeout_s=1.0) as ours:
        ours.broker.will("ka10081", *[Reply(deed="reset")] * 5, Reply())
        cut = await asyncio.gather(*(post(ours) for _ in range(5)), return_exceptions=True)
        begun_s = ours.clock.monotonic()
        await post(ours)
        waited_s = ours.clock.monotonic() - begun_s

    assert [type(one) for one in cut] == [SourceUnavailable] * 5
    assert waited_s > 25, "a real second, of which the requests before may have taken a half"


async def test_nobody_listening_is_unavailable() -> None:
    """A broker that cannot be reached is a failure we expect."""
    async with session(base_url="http://127.0.0.1:9") as ours:
        with pytest.raises(SourceUnavailable, match="au10001"):
            await post(ours)


async def test_a_closed_session_is_unavailable() -> None:
    """Used after its end, the transport says so."""
    async with session() as ours:
        await ours.transport.__aexit__(None, None, None)
        with pytest.raises(SourceUnavailable):
            await post(ours)


@pytest.mark.parametrize("name", ["8001_bad_keys", "8030_real_key_on_mock", "8050_ip_not_registered"])
async def test_a_blocked_login_tells_its_remedy(name: str) -> None:
    """A wrong key, a key of the other environment, an unregistered address: each its own way out."""
    answer = sample(f"errors/{name}")
    async with session() as ours:
        ours.broker.will("au10001", Reply(answer.body, status=answer.status))
        with pytest.raises(AccessBlocked) as caught:
            await post(ours)

    assert caught.value.remedy
    assert SECRET_KEY not in str(caught.value)


async def test_keys_the_broker_echoes_are_struck_out() -> None:
    """No message shows a key, whatever the broker writes."""
    async with session() as ours:
        ours.broker.will("au10001", Reply({"return_code": 3, "return_msg": f"[8001:{APP_KEY} {SECRET_KEY}]"}))
        with pytest.raises(AccessBlocked) as caught:
            await post(ours)

    assert APP_KEY not in str(caught.value)
    assert SECRET_KEY not in str(caught.value)


@pytest.mark.parametrize(
    "body", [{"error": "invalid_token"}, {"return_code": None}, b"no", b"\xc0\xce\xc1\xf5"]
)
async def test_a_401_means_the_token_whatever_the_body_is(body: object) -> None:
    """A gateway's own words for a dead token lead to a new one, as the broker's do."""
    async with session() as ours:
        ours.broker.will("ka10081", Reply(body, status=401), Reply())
        await post(ours)

    assert ours.broker.issued == 2


async def test_refusals_in_the_older_korean_encoding_are_read() -> None:
    """An envelope in EUC-KR has its code and its words."""
    words = {"return_code": 3, "return_msg": "인증에 실패했습니다[8050:지정단말기 인증에 실패했습니다]"}
    async with session() as ours:
        ours.broker.will("ka10081", Reply(json.dumps(words, ensure_ascii=False).encode("cp949")))
        with pytest.raises(AccessBlocked, match="지정단말기"):
            await post(ours)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("UTF-8", "utf-8-sig"), ("EUC-KR", "cp949"), ('"ks_c_5601-1987"', "euc-kr"), ("utf-16", "utf-16")],
)
async def test_an_answer_in_another_encoding_is_read(charset: str, codec: str) -> None:
    """A gateway may put a mark before UTF-8, or name another encoding: the document is the same."""
    document = {"return_code": 0, "stk_nm": "삼성전자"}
    body = json.dumps(document, ensure_ascii=False).encode(codec)
    async with session() as ours:
        ours.broker.will("ka10081", Reply(body, content_type=f"application/json; charset={charset}"))
        answer = await post(ours)

    assert json.loads(answer.document) == document


@pytest.mark.parametrize(
    ("charset", "name"),
    [("EUC-KR", "삼성전자".encode()), *((name, b"\xff") for name in ("UTF-8", "idna", "zip"))],
)
async def test_an_answer_that_cannot_be_converted_stays_as_it_is(charset: str, name: bytes) -> None:
    """UTF-8 is UTF-8 whatever is declared, and a damaged byte is not spread over its row."""
    body = b'{"return_code": 0, "stk_nm": "' + name + b'"}'
    async with session() as ours:
        ours.broker.will("ka10081", Reply(body, content_type=f"application/json; charset={charset}"))
        answer = await post(ours)

    assert answer.document == body


async def test_an_answer_to_another_request_is_refused() -> None:
    """The api-id that the broker echoes is compared with the one asked for."""
    async with session() as ours:
        ours.broker.will(
            "ka10081", Reply(headers={"api-id": "ka10082"}), Reply(headers={"api-id": "ka10081"})
        )
        with pytest.raises(MalformedAnswer, match="ka10082"):
            await post(ours)
        await post(ours)


async def _chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request with what it asked, and a moment later once more with something else."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
            asked = json.loads(await reader.readexactly(length))["q"]
            for words in (asked, "surplus"):
                body = json.dumps({"return_code": 0, "return_msg": words}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
                await asyncio.sleep(0.02)
    writer.close()


async def test_what_arrives_unasked_ends_the_connection() -> None:
    """No surplus of a kept connection is taken for the answer to the next request."""
    server = await asyncio.start_server(_chatter, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    clock = SystemClock()
    access = KiwoomAccess(base_url=url, app_key=PlainSecret(APP_KEY), secret_key=PlainSecret(SECRET_KEY))
    async with server, Gate(clock, 20, "measured") as gate, Transport(access, gate, clock) as transport:
        for asked in ("first", "second", "third"):
            answer = await transport.exchange("ka10081", "/x", {"q": asked}, priority=Priority.LIVE)
            assert json.loads(answer.document)["return_msg"] == asked
            await asyncio.sleep(0.1)
