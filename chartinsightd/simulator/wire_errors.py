"""Refusals in the broker's own words (kiwoom.md#envelope)."""

from __future__ import annotations

import msgspec

OK_MESSAGE = "정상적으로 처리되었습니다"

_OUTER = {
    1: "잘못된 요청입니다",
    2: "입력 값 오류입니다",
    3: "인증에 실패했습니다",
    5: "허용된 요청 개수를 초과하였습니다",
    7: "서비스를 처리하는 중에 오류가 발생했습니다",
}
"""Words before the bracket, by return_code (kiwoom.md#envelope)."""

FIREWALL_HTML = "<html><head><title>Request Blocked</title></head><body>Request Blocked</body></html>"
MAINTENANCE_HTML = (
    "<!DOCTYPE html><html><body><p>시스템 작업 안내</p><p>중단 일시 : 11/21(토) 02:00 ~ 06:00</p>"
    "<p>중단 사유 : 시스템 점검</p></body></html>"
)


class Refused(Exception):
    """The broker says no; the answer to send."""

    def __init__(
        self, return_code: int, inner: str, *, status: int = 200, message_first: bool = False
    ) -> None:
        super().__init__(inner)
        self.status = status
        self.return_code = return_code
        self.return_msg = f"{_OUTER[return_code]}[{inner}]"
        self._message_first = message_first

    def body(self) -> bytes:
        """Return the JSON text of the answer."""
        fields: dict[str, str | int] = {"return_code": self.return_code, "return_msg": self.return_msg}
        if self._message_first:
            fields = dict(reversed(fields.items()))
        return msgspec.json.encode(fields)


def no_api_id() -> Refused:
    """1501; its return_code is unknown (kiwoom.md#envelope), taken as that of 1504."""
    return Refused(1, "1501:API ID가 Null이거나 값이 없습니다")


def wrong_uri(api_id: str, uri: str) -> Refused:
    """1504."""
    return Refused(1, f"1504:해당 URI에서는 지원하는 API ID가 아닙니다. API ID={api_id}, URI={uri}")


def unknown_api_id(api_id: str) -> Refused:
    """1505; its return_code is unknown (kiwoom.md#envelope), taken as that of 1504."""
    return Refused(1, f"1505:해당 API ID는 존재하지 않습니다. API ID={api_id}")


def missing_field(name: str) -> Refused:
    """1511."""
    return Refused(2, f"1511:필수 입력 값에 값이 존재하지 않습니다. 필수입력 파라미터={name}")


def wrong_type(name: str) -> Refused:
    """1517 for a JSON value that is not a text."""
    return wrong_format(name, "타입 불일치")


def wrong_format(name: str, reason: str) -> Refused:
    """1517."""
    return Refused(2, f"1517:입력 값 형식이 올바르지 않습니다. 파라미터={name} 실패사유= {reason}")


def no_authorization() -> Refused:
    """1513."""
    return Refused(3, "1513:Http Header에 authorization 필드가 설정되어 있어야 합니다")


def bad_authorization() -> Refused:
    """1514: not two words."""
    return Refused(3, "1514:입력으로 들어온 Http Header의 authorization 필드 형식이 맞지 않습니다")


def bad_grant() -> Refused:
    """1515: the first word is not Bearer."""
    return Refused(3, "1515:Http Header의 authorization 필드 내 Grant Type이 미리 정의된 형식이 아닙니다")


def empty_token() -> Refused:
    """1516."""
    return Refused(3, "1516:Http Header의 authorization 필드 내 Token이 정의되어 있지 않습니다")


def too_fast(limit: int, api_id: str) -> Refused:
    """1700, the only refusal whose HTTP status is not 200."""
    inner = f"1700:허용된 API 요청 개수를 초과하였습니다. 유량={limit}, API ID={api_id}"
    return Refused(5, inner, status=429)


def all_too_fast(limit: int) -> Refused:
    """1701, never captured; taken to be like 1700."""
    return Refused(5, f"1701:허용된 전체 요청 개수를 초과하였습니다. 총유량={limit}", status=429)


def group_too_fast(limit: int, api_id: str) -> Refused:
    """1702, never captured; taken to be like 1700."""
    inner = f"1702:허용된 그룹 요청 개수를 초과하였습니다. 총유량={limit}, API_ID={api_id}"
    return Refused(5, inner, status=429)


def token_too_fast() -> Refused:
    """1700 of au10001, whose placeholder the broker leaves unfilled."""
    return Refused(5, "1700:허용된 API 요청 개수를 초과하였습니다. 유량=au10001, API ID={1}", status=429)


def batch_too_big(status: int) -> Refused:
    """1634: the words of a rate limit, and permanent."""
    return Refused(5, "1634", status=status)


def prefixed_code(code: str) -> Refused:
    """An exchange as prefix (`KRX:005930`): 5 was seen, its words were not (kiwoom.md#chart-requests)."""
    return Refused(5, f"1901:시장 코드값이 존재하지 않습니다. 종목코드={code}")


def unknown_stock(code: str) -> Refused:
    """1902."""
    return Refused(7, f"1902:종목 정보가 없습니다. 입력한 종목코드 값을 확인바랍니다. 종목코드={code}")


def bad_keys() -> Refused:
    """8001 for an empty or unknown key."""
    return Refused(3, "8001:App Key와 Secret Key 검증에 실패했습니다", message_first=True)


def mismatched_keys() -> Refused:
    """8001 for a known key with another secret."""
    return Refused(3, "8001:App Key와 Secret Key 정보가 일치하지 않습니다", message_first=True)


def no_keys() -> Refused:
    """8020."""
    return Refused(3, "8020:입력파라미터로 appkey 또는 secretkey가 들어오지 않았습니다.")


def no_grant_type() -> Refused:
    """8011."""
    inner = "8011:Access Token을 발급하는데 실패했습니다. 입력값에 grant_type이 들어오지 않았습니다"
    return Refused(3, inner)


def wrong_grant_type() -> Refused:
    """8012."""
    return Refused(3, "8012:Access Token을 발급하는데 실패했습니다. grant_type의 값이 맞지 않습니다")


def token_invalid() -> Refused:
    """8005."""
    return Refused(3, "8005:Token이 유효하지 않습니다")


def revoke_failed(reason: str) -> Refused:
    """8015."""
    return Refused(3, f"8015:Access Token을 폐기하는데 실패했습니다. 실패사유={reason}")


def nothing_to_revoke() -> Refused:
    """8016."""
    return Refused(3, "8016:Access Token을 폐기하는데 실패했습니다. 입력값에 Token이 들어오지 않았습니다")


def other_environment() -> Refused:
    """8030."""
    return Refused(2, "8030:투자구분(실전/모의)이 달라서 Appkey를 사용할수가 없습니다")


def other_address() -> Refused:
    """8010; its return_code is unknown (kiwoom.md#envelope), taken as that of 8050."""
    return Refused(3, "8010:Token을 발급받은 IP와 서비스를 요청한 IP가 동일하지 않습니다")


def token_of_other_environment() -> Refused:
    """8031; its return_code is unknown (kiwoom.md#envelope), taken as that of 8030."""
    return Refused(2, "8031:투자구분(실전/모의)이 달라서 Token를 사용할수가 없습니다")


def token_or_address(reason: str) -> Refused:
    """8103; its return_code is unknown (kiwoom.md#envelope), taken as that of 8005."""
    return Refused(3, f"8103:토큰 인증 또는 단말기인증에 실패했습니다. 실패사유={reason}")


def not_on_paper() -> Refused:
    """8104; its return_code is unknown (kiwoom.md#envelope), taken as that of a wrong request."""
    return Refused(1, "8104:모의투자에서 지원하지 않는 API 입니다.")


def address_not_registered() -> Refused:
    """8050."""
    return Refused(3, "8050:지정단말기 인증에 실패했습니다")
