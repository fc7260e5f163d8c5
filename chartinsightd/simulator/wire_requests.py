"""What a request must say: paths, headers and body fields of every api-id (kiwoom.md#requests)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from chartinsightd.simulator import wire_errors as errors

CHART_URI = "/api/dostk/chart"
STOCK_URI = "/api/dostk/stkinfo"
MINUTE_SCOPES = frozenset({"1", "3", "5", "10", "15", "30", "45", "60"})
TICK_SCOPES = frozenset({"1", "3", "5", "10", "30"})
_CODE_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSpec:
    """Where an api-id lives and what its body must hold, in the order in which it is checked."""

    uri: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


_DATED = ApiSpec(uri=CHART_URI, required=("stk_cd", "base_dt", "upd_stkpc_tp"))
APIS: Mapping[str, ApiSpec] = {
    "ka10079": ApiSpec(uri=CHART_URI, required=("stk_cd", "tic_scope", "upd_stkpc_tp")),
    "ka10080": ApiSpec(
        uri=CHART_URI, required=("stk_cd", "tic_scope", "upd_stkpc_tp"), optional=("base_dt",)
    ),
    "ka10081": _DATED,
    "ka10082": _DATED,
    "ka10083": _DATED,
    "ka10094": _DATED,
    "ka10001": ApiSpec(uri=STOCK_URI, required=("stk_cd",)),
    "ka10095": ApiSpec(uri=STOCK_URI, required=("stk_cd",)),
    "ka10099": ApiSpec(uri=STOCK_URI, required=("mrkt_tp",)),
    "ka10100": ApiSpec(uri=STOCK_URI, required=("stk_cd",)),
    "ka10101": ApiSpec(uri=STOCK_URI, required=("mrkt_tp",)),
}


def is_blocked_by_firewall(user_agent: str) -> bool:
    """Return whether the front firewall refuses this User-Agent (kiwoom.md#firewall)."""
    return "aiohttp" in user_agent or user_agent.startswith("Python-urllib")


def check_api_id(api_id: str | None, uri: str) -> str:
    """Return the api-id of a request.

    Raises:
        Refused: 1501, 1504 or 1505.
    """
    if not api_id:
        raise errors.no_api_id()
    if api_id not in APIS:
        raise errors.unknown_api_id(api_id)
    if APIS[api_id].uri != uri:
        raise errors.wrong_uri(api_id, uri)
    return api_id


def bearer_token(authorization: str | None) -> str:
    """Return the token of an authorization header.

    Raises:
        Refused: 1513, 1514, 1515 or 1516.
    """
    if authorization is None:
        raise errors.no_authorization()
    words = authorization.split()
    if not words:
        raise errors.bad_authorization()
    if words[0].lower() != "bearer":
        raise errors.bad_authorization() if len(words) == 1 else errors.bad_grant()
    if len(words) == 1:
        raise errors.empty_token()
    if len(words) > 2:
        raise errors.bad_authorization()
    return words[1]


def json_object(raw: bytes) -> dict[str, Any]:
    """Return the body as an object; how the broker refuses other text is unknown, 1517 here.

    Raises:
        Refused: 1517.
    """
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise errors.wrong_format("body", "JSON 형식 오류") from None
    if not isinstance(body, dict):
        raise errors.wrong_type("body")
    return body


def checked_fields(api_id: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields an api-id knows, as texts; what it does not know is ignored, as the broker does.

    Raises:
        Refused: 1511 for a required field that is missing or empty, 1517 for one that is not a text.
    """
    spec = APIS[api_id]
    fields = {}
    for name in spec.required + spec.optional:
        value = body.get(name)
        if value is None or value == "":
            if name in spec.required:
                raise errors.missing_field(name)
        elif not isinstance(value, str):
            raise errors.wrong_type(name)
        else:
            fields[name] = value
    return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartAsk:
    """A chart request that passed all checks."""

    api_id: str
    code: str
    """With its suffix."""
    scope: int
    """Minutes or ticks in a row; 0 for the period charts."""
    base_day: date | None
    is_adjusted: bool
    key: str | None
    """The next-key of the page wanted; None for the first page."""


def chart_ask(api_id: str, body: Mapping[str, Any], cont_yn: str, next_key: str) -> ChartAsk:
    """Return what a chart request asks for.

    Raises:
        Refused: 1511, 1517 or the refusal of a prefixed code.
    """
    fields = checked_fields(api_id, body)
    code = fields["stk_cd"]
    if ":" in code:
        raise errors.prefixed_code(code)
    if len(code) > _CODE_LENGTH:
        raise errors.wrong_format("stk_cd", "길이 초과")
    return ChartAsk(
        api_id=api_id,
        code=code,
        scope=_scope(api_id, fields.get("tic_scope")),
        base_day=_day(fields.get("base_dt")),
        is_adjusted=fields["upd_stkpc_tp"] == "1",
        key=next_key if cont_yn == "Y" and next_key else None,
    )


def _scope(api_id: str, text: str | None) -> int:
    if text is None:
        return 0
    if text not in (TICK_SCOPES if api_id == "ka10079" else MINUTE_SCOPES):
        raise errors.wrong_format("tic_scope", "허용되지 않은 값")
    return int(text)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    if len(text) != len("YYYYMMDD"):
        raise errors.wrong_format("base_dt", "날짜 형식 오류")
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise errors.wrong_format("base_dt", "날짜 형식 오류") from None
