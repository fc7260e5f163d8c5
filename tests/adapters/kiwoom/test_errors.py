"""Refusals: the class says what the caller does next, the words say what a person does."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.adapters.kiwoom.errors import error_in_envelope, error_in_text, inner_code
from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    SourceError,
    SourceUnavailable,
    TokenRejected,
)

from .samples import sample

SAMPLES = {
    "429_1700_real": RateLimited,
    "429_1700_mock": RateLimited,
    "429_1700_token": RateLimited,
    "1634_batch_too_big": RequestRefused,
    "8005_token_invalid": TokenRejected,
    "8001_bad_keys": AccessBlocked,
    "8030_real_key_on_mock": AccessBlocked,
    "8050_ip_not_registered": AccessBlocked,
    "1511_missing_base_dt": RequestRefused,
    "1517_type_mismatch": RequestRefused,
    "1504_wrong_uri": RequestRefused,
    "1513_no_auth_header": RequestRefused,
    "1903_unknown_symbol": RequestRefused,
    "8104_mock_unsupported": RequestRefused,
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "kiwoom.md"
REACTIONS: dict[str, type[SourceError]] = {
    "slows down, asks again": RateLimited,
    "issues one, asks once more": TokenRejected,
    "stops every request, says what to do": AccessBlocked,
    "asks again later": SourceUnavailable,
    "does not repeat it": RequestRefused,
}
CODES: dict[type[SourceError], list[int]] = {
    RateLimited: [1700, 1701, 1702],
    TokenRejected: [8003, 8005, 8031, 8103],
    AccessBlocked: [8001, 8002, 8010, 8020, 8030, 8040, 8050],
    SourceUnavailable: [1999, 8006, 8009],
    RequestRefused: [
        *[1501, 1504, 1505, 1511, 1512, 1513, 1514, 1515, 1516, 1517, 1634, 1687, 1901, 1902, 1903],
        *[8011, 8012, 8015, 8016, 8104, 8200],
    ],
}


@pytest.mark.parametrize(("name", "expected"), SAMPLES.items())
def test_recorded_refusals_have_their_class(name: str, expected: type[SourceError]) -> None:
    """Every refusal that was recorded at the broker is understood."""
    answer = sample(f"errors/{name}")
    document = answer.document

    error = error_in_envelope("ka10081", answer.status, document["return_code"], document["return_msg"])

    assert type(error) is expected


def test_the_table_of_the_document_is_what_the_client_does() -> None:
    """docs/kiwoom.md says of each refusal code what the client makes of it (kiwoom.md#refusal-codes)."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("### Refusal codes\n")[2].partition("\n### ")[0]
    documented: dict[type[SourceError], list[int]] = {}
    for codes, _, reaction in re.findall(r"^\| (\d[^|]*) \| ([^|]*) \| ([^|]*) \|$", section, re.MULTILINE):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", codes):
            documented.setdefault(REACTIONS[reaction], []).extend(range(int(first), int(last or first) + 1))
    assert {kind: sorted(codes) for kind, codes in documented.items()} == {
        kind: sorted(codes) for kind, codes in CODES.items()
    }


@pytest.mark.parametrize(
    ("expected", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes]
)
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_the_bracket_code_decides_whatever_the_status(
    expected: type[SourceError], code: int, status: int
) -> None:
    """The same code means the same under every HTTP status and outer code (kiwoom.md#envelope)."""
    for return_code in (1, 2, 3, 5, 7):
        for message in (f"아무 말[{code}:이유]", f"아무 말[{code}]", f"끝 [CODE={code}, MESSAGE=x]"):
            assert type(error_in_envelope("ka10080", status, return_code, message)) is expected


@pytest.mark.parametrize("code", [8001, 8002, 8010, 8020, 8030, 8040, 8050, 8104, 8200])
def test_what_only_the_user_can_mend_says_how(code: int) -> None:
    """A refusal that waiting does not cure carries a remedy."""
    error = error_in_envelope("au10001", 200, 3, f"인증에 실패했습니다[{code}:이유]")

    assert error is not None
    assert len(error.remedy) > 30


def test_an_unregistered_address_is_named_in_the_portals_words() -> None:
    """8050 tells which page of the portal mends it, and is told apart from a wrong key by its code."""
    error = error_in_envelope("au10001", 200, 3, "인증에 실패했습니다[8050:지정단말기 인증에 실패했습니다]")

    assert isinstance(error, AccessBlocked)
    assert error.code == "8050"
    assert "지정단말기" in str(error)
    assert "IP" in str(error)


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("초과[1700:허용된 API 요청 개수를 초과하였습니다. 유량=5, API ID=ka10081]", 5),
        ("초과[1700:초과하였습니다. 유량=au10001, API ID={1}]", None),
        ("초과[1700:초과하였습니다. API ID=ka10081]", None),
        ("초과[1701:허용된 전체 요청 개수를 초과하였습니다. 총유량=20]", None),
        ("초과[1702:허용된 그룹 요청 개수를 초과하였습니다. 총유량=9, API_ID=ka10081]", None),
    ],
)
def test_the_limit_the_broker_names_is_read(message: str, limit: int | None) -> None:
    """유량 is the limit of the api-id; a total is not."""
    error = error_in_envelope("ka10081", 429, 5, message)

    assert isinstance(error, RateLimited)
    assert error.limit == limit


@pytest.mark.parametrize(
    ("status", "return_code", "message", "expected"),
    [
        (429, 5, "허용된 요청 개수를 초과하였습니다", RateLimited),
        (200, 5, "허용된 요청 개수를 초과하였습니다", RateLimited),
        (200, 7, "서비스를 처리하는 중에 오류가 발생했습니다", SourceUnavailable),
        (500, 0, "정상적으로 처리되었습니다", SourceUnavailable),
        (302, 0, "정상적으로 처리되었습니다", SourceUnavailable),
        (0, 0, "", SourceUnavailable),
        (999, 0, "", SourceUnavailable),
        (503, 1, "", SourceUnavailable),
        (401, 1, "", TokenRejected),
        (200, 8005, "", TokenRejected),
        (200, 20, "[2000](RC9000:모의투자에서는 해당업무가 제공되지 않습니다.)", RequestRefused),
        (500, 20, "[2000](RC4058:모의투자 조회 내역이 없습니다)", RequestRefused),
        (200, 7, "서비스를 처리하는 중에 오류가 발생했습니다[1777:처음 보는 코드]", SourceUnavailable),
        (500, 1, "[1777:처음 보는 코드]", SourceUnavailable),
        (200, 1, "[1777:처음 보는 코드]", RequestRefused),
        (200, 3, "인증에 실패했습니다", RequestRefused),
        (200, 99, "알 수 없는 일", RequestRefused),
    ],
)
def test_without_a_known_code_the_outer_code_and_status_decide(
    status: int, return_code: int, message: str, expected: type[SourceError]
) -> None:
    """Only where there is no bracket code."""
    assert type(error_in_envelope("ka10081", status, return_code, message)) is expected


def test_success_is_no_error() -> None:
    """return_code 0 with a good status."""
    assert error_in_envelope("ka10081", 200, 0, "정상적으로 처리되었습니다") is None


def test_the_firewall_is_recognised_and_its_remedy_named() -> None:
    """HTTP 400 with "Request Blocked" is about the User-Agent (kiwoom.md#firewall)."""
    answer = sample("errors/400_waf_blocked")

    error = error_in_text("ka10081", answer.status, answer.body.decode())

    assert isinstance(error, AccessBlocked)
    assert "kiwoom.user_agent" in error.remedy


def test_a_maintenance_notice_is_told() -> None:
    """An HTML notice with HTTP 200 means unavailable, and its times and reason reach the reader."""
    answer = sample("errors/200_maintenance_html")

    error = error_in_text("au10001", answer.status, answer.body.decode())

    assert isinstance(error, SourceUnavailable)
    assert "중단 일시 : 11/21(토) 02:00 ~ 06:00, 중단 사유 : 시스템 점검" in str(error)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (200, '{"return_code":0,"stk', MalformedAnswer),
        (200, "", SourceUnavailable),
        (502, "<html>Bad Gateway</html>", SourceUnavailable),
        (400, "<html>something else</html>", SourceUnavailable),
        (429, "<html>slow down</html>", RateLimited),
        (401, "", TokenRejected),
        (401, '{"error":"invalid_token"}', TokenRejected),
        (429, '{"error":"slow down"}', RateLimited),
        (503, '{"error":"away"}', SourceUnavailable),
        (403, '{"error":"forbidden"}', RequestRefused),
        (403, "<html>forbidden</html>", RequestRefused),
    ],
)
def test_what_is_not_json_has_a_class(status: int, text: str, expected: type[SourceError]) -> None:
    """The status comes first, whoever made the body; then cut JSON is malformed, other text a notice."""
    assert type(error_in_text("ka10080", status, text)) is expected


@given(message=st.text(max_size=400), status=st.integers(200, 599), return_code=st.integers(-10, 900000))
def test_any_words_at_all_have_a_class(message: str, status: int, return_code: int) -> None:
    """No message of the broker raises anything but gives a class of ours."""
    inner_code(return_code, message)
    error = error_in_envelope("ka10080", status, return_code, message)
    assert error is None or isinstance(error, SourceError)
    assert isinstance(error_in_text("ka10080", status, message), SourceError)


@pytest.mark.parametrize(
    "piece", ["<script ", "<", "<style>", "</", "<head", "중단 ", "유량=", "[1", "CODE=", "&#"]
)
def test_a_notice_of_any_length_is_read_at_once(piece: str) -> None:
    """The patterns that look for a notice's words read each character once: a long answer stalls nothing."""
    text = "<html>" + piece * (4_000_000 // len(piece))
    begun = time.process_time()

    error_in_text("ka10080", 503, text)
    error_in_envelope("ka10080", 503, 7, text)

    assert time.process_time() - begun < 1.0


def test_what_a_browser_would_not_show_is_no_notice() -> None:
    """Styles and scripts are left out, also where they hold marks of their own or never end."""
    page = "<head><title>x</title></head><STYLE>p{}</STYLE><p>점검 <script>if (a<b) {}</script>중<style>left"

    assert str(error_in_text("ka10080", 503, page)).endswith("(HTTP 503): 점검 중")
