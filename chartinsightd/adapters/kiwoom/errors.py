"""From the broker's refusals to errors that say what to do next (kiwoom.md#refusal-codes)."""

from __future__ import annotations

import html
import re

from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    SourceError,
    SourceUnavailable,
    TokenRejected,
)
from chartinsightd.domain.foreign_text import cleaned, shortened

_LOOKED_AT = 65_536
"""Characters at the beginning of an answer in which its words are sought."""

_THROTTLED = frozenset({1700, 1701, 1702})
_UNAVAILABLE = frozenset({1999, 8006, 8009})
_TOKEN = frozenset({8003, 8005, 8031, 8103})
_REFUSED = frozenset(
    {1501, 1504, 1505, *range(1511, 1518), 1634, 1687, 1901, 1902, 1903, 8011, 8012, 8015, 8016, 8104, 8200}
)
"""1634 (too many symbols in one request) has the words of 1700 and never passes (kiwoom.md#batch-too-big)."""
_OWN_LIMIT = 1700
"""The only refusal whose 유량 is the limit of the api-id; the others name a total."""

_CLASS_TEMPORARY = 7
_CLASS_TOO_MANY = 5
_FIRST_INNER_CODE = 1000

_KEYS_REMEDY = (
    "Check CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY (or the systemd credentials"
    " kiwoom_app_key and kiwoom_secret_key) against the Kiwoom REST API portal; if they are right there,"
    " issue a new key pair (App Key / Secret Key 재발급)."
)
_ADDRESS_REMEDY = (
    "Register this machine's public IP address for the key in the Kiwoom REST API portal"
    " (지정단말기 IP 등록), then start again."
)
_BLOCKED: dict[int, str] = {
    8001: _KEYS_REMEDY,
    8002: _KEYS_REMEDY,
    8020: _KEYS_REMEDY,
    8030: (
        'The key belongs to the other environment: a key for 모의투자 needs kiwoom.environment = "paper",'
        ' one for 실전투자 needs "real".'
    ),
    8010: (
        "The token was issued to another IP address than the one now seen. Give this machine one fixed"
        " public address, register it for the key in the portal (지정단말기 IP 등록), and restart."
    ),
    8040: _ADDRESS_REMEDY,
    8050: _ADDRESS_REMEDY,
}
_REMEDIES: dict[int, str] = {
    8031: "If it lasts: the key and kiwoom.environment (real = 실전투자, paper = 모의투자) do not match.",
    8103: f"If it lasts, the address may be the cause. {_ADDRESS_REMEDY}",
    8104: 'This request is not offered on the paper host (모의투자): use kiwoom.environment = "real".',
    8200: "This request is not offered to corporate customers (법인 고객): use a personal key.",
}
FIREWALL = "firewall"
"""The code of a block that is not of the broker's API but of the firewall before it."""
_FIREWALL_REMEDY = (
    "The broker's firewall judges by the User-Agent: set kiwoom.user_agent to a curl-like one,"
    ' such as "curl/8.5.0".'
)

_FORBIDDEN_REMEDY = (
    "If it lasts: a proxy, gateway or firewall on the way refuses the request, or the key lacks the right."
)

_BUSINESS = re.compile(r"\[\d+\]\((RC\d+)")
_INNER = re.compile(r"CODE=(\d{3,5})|\[(\d{3,5})[:\]]")
_NAMED_LIMIT = re.compile(r"(?<!총)유량=\s*(\d{1,9})")
_TAG = re.compile(r"<(/?)([A-Za-z]*)[^<>]*>")
"""None of the patterns here looks past the next `<`, so that each reads a text once whatever it holds."""
_UNSEEN = frozenset({"style", "script", "head"})
_OUTAGE = re.compile(r"중단\s{0,9}(?:일시|사유)[^\n]*")


def inner_code(return_code: int, message: str) -> int | None:
    """Return the specific code of a refusal: in brackets, behind `CODE=`, or the envelope's own; or None.

    Source: kiwoom.md#inner-codes.
    """
    if _BUSINESS.search(message):
        return None
    if found := _INNER.search(message):
        return int(found.group(1) or found.group(2))
    return return_code if return_code >= _FIRST_INNER_CODE else None


def is_success(status: int, return_code: int) -> bool:
    """Whether an answer's HTTP status and the `return_code` of its envelope say that all went well.

    A redirect, or a status that HTTP does not know, comes from something before the broker.
    """
    return return_code == 0 and 200 <= status < 300


def error_in_envelope(api_id: str, status: int, return_code: int, message: str) -> SourceError | None:
    """Return what an answer's envelope means, None where it is a success.

    The bracket code decides; the outer code and the HTTP status count only where there is none.

    Args:
        api_id: which request it answers, for the message.
        status: the HTTP status.
        return_code: the envelope's `return_code`.
        message: the envelope's `return_msg`, free of secrets.
    """
    if is_success(status, return_code):
        return None
    code = inner_code(return_code, message)
    message = message[:_LOOKED_AT]
    reason = shortened(cleaned(message)) or f"return_code {return_code}, HTTP {status}"
    words = f"Kiwoom refused {api_id}: {reason}"
    return _by_code(code, words, message) or _by_class(status, return_code, words, message)


def _by_code(code: int | None, words: str, message: str) -> SourceError | None:
    if code is None:
        return None
    if code in _THROTTLED:
        return RateLimited(words, limit=_named_limit(message) if code == _OWN_LIMIT else None)
    if code in _TOKEN:
        return TokenRejected(words, remedy=_REMEDIES.get(code, ""))
    if code in _BLOCKED:
        return AccessBlocked(words, remedy=_BLOCKED[code], code=str(code))
    if code in _UNAVAILABLE:
        return SourceUnavailable(words)
    return RequestRefused(words, remedy=_REMEDIES.get(code, "")) if code in _REFUSED else None


def _by_class(status: int, return_code: int, words: str, message: str) -> SourceError:
    if _BUSINESS.search(message):
        return RequestRefused(words)
    if status == 429 or return_code == _CLASS_TOO_MANY:
        return RateLimited(words, limit=_named_limit(message))
    if status == 401:
        return TokenRejected(words)
    if status >= 500 or return_code in {0, _CLASS_TEMPORARY}:
        return SourceUnavailable(words)
    return RequestRefused(words)


def _named_limit(message: str) -> int | None:
    found = _NAMED_LIMIT.search(message)
    return max(1, int(found.group(1))) if found else None


def error_in_text(api_id: str, status: int, text: str) -> SourceError:
    """Return what an answer without a usable envelope means: its status counts first.

    Args:
        api_id: which request it answers, for the message.
        status: the HTTP status.
        text: the body, free of secrets; only its beginning is looked at.
    """
    text = text[:_LOOKED_AT]
    if "request blocked" in text.lower():
        words = f"Kiwoom's firewall blocked {api_id} (HTTP {status})."
        return AccessBlocked(words, remedy=_FIREWALL_REMEDY, code=FIREWALL)
    if status == 429:
        return RateLimited(f"Kiwoom refused {api_id} for its pace (HTTP 429).")
    if status == 401:
        return TokenRejected(f"Kiwoom refused the token of {api_id} (HTTP 401).")
    if status == 403:
        return RequestRefused(f"{api_id} is forbidden (HTTP 403): {_notice(text)}", remedy=_FORBIDDEN_REMEDY)
    if status < 400 and text.lstrip().startswith(("{", "[")):
        return MalformedAnswer(f"Kiwoom's answer to {api_id} is not complete JSON with a return_code.")
    return SourceUnavailable(f"Kiwoom answered {api_id} with a notice (HTTP {status}): {_notice(text)}")


def _notice(text: str) -> str:
    """Return what a person wants to know from an HTML page: when and why it is away, else its words."""
    lines = html.unescape(_seen(text))
    outage = [" ".join(line.split()) for line in _OUTAGE.findall(lines)]
    return shortened(cleaned(", ".join(outage) or " ".join(lines.split()) or "empty"))


def _seen(page: str) -> str:
    """Return what a browser would show of a page, each tag a line end."""
    shown: list[str] = []
    at, inside = 0, ""
    for tag in _TAG.finditer(page):
        if not inside:
            shown.append(page[at : tag.start()])
        name, is_end = tag[2].lower(), bool(tag[1])
        if inside == name and is_end:
            inside = ""
        elif not inside and not is_end and name in _UNSEEN:
            inside = name
        at = tag.end()
    return "\n".join(shown if inside else [*shown, page[at:]])
