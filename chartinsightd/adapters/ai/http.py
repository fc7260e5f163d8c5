"""One request to a provider: bounded, without redirects, its failures told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from chartinsightd.ports.notes import ProviderFailed

_MOST_BYTES = 1_000_000
_OUT_OF_MIND_S = 86_400.0
"""A longer wait than a day is not believed."""
_FAILURES: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", "refuses the request", "Check ai.model; a free plan may not serve this region."),
    401: ("refused", "does not take the key", "Check the credential ai_api_key."),
    402: ("refused", "wants to be paid", "Check the plan of the key with the provider."),
    403: ("refused", "does not let this key in", "Check the credential ai_api_key and what it may do."),
    404: ("no_model", "does not know the model", "Set ai.model to one that the provider serves."),
    429: ("busy", "has had enough requests for now", "Wait, or lower ai.requests_per_day."),
}
"""By HTTP status: a word for machines, what the provider does, and the remedy."""


async def post_json(
    url: str, body: Mapping[str, Any], headers: Mapping[str, str], timeout_s: float, provider: str
) -> Any:
    """Send JSON and return the JSON that comes back.

    Raises:
        ProviderFailed: anything else came back, or nothing.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
        ):
            raw = await _read(answer, provider)
            status, wait = answer.status, answer.headers.get("Retry-After", "")
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        # Not raised `from` it: words of the library may hold an address with a secret in it.
        raise ProviderFailed(
            "away",
            f"{provider} was not reached ({type(error).__name__}).",
            remedy="Check the network and ai.base_url.",
        ) from None
    parsed = _parsed(raw)
    if status == 200:
        if parsed is None:
            raise ProviderFailed("unreadable", f"{provider} answered something that is not JSON.")
        return parsed
    raise _failure(status, parsed, wait, provider)


async def _read(answer: aiohttp.ClientResponse, provider: str) -> bytes:
    raw = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        raw += chunk
        if len(raw) > _MOST_BYTES:
            raise ProviderFailed("unreadable", f"{provider} answered more than {_MOST_BYTES:,} bytes.")
    return bytes(raw)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _failure(status: int, parsed: Any, wait: str, provider: str) -> ProviderFailed:
    reason, does, remedy = _FAILURES.get(status, ("away", f"answered {status}", "Try again later."))
    after_s = _retry_delay(parsed, wait) if status in {429, 503} else None
    return ProviderFailed(reason, f"{provider} {does} ({status}).", remedy=remedy, retry_after_s=after_s)


def _retry_delay(parsed: Any, wait: str) -> float | None:
    """Return how long to wait: of the header, or of Google's `RetryInfo` (`"retryDelay": "17s"`)."""
    found = [wait, *(_delays(parsed))]
    for text in found:
        try:
            seconds = float(text.removesuffix("s"))
        except ValueError:
            continue
        if 0 <= seconds <= _OUT_OF_MIND_S:
            return seconds
    return None


def _delays(parsed: Any) -> list[str]:
    error = parsed.get("error") if isinstance(parsed, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    if not isinstance(details, list):
        return []
    return [str(one["retryDelay"]) for one in details if isinstance(one, dict) and "retryDelay" in one]


def json_of(text: object, provider: str) -> Any:
    """Return the JSON that a model wrote.

    Raises:
        ProviderFailed: the text is empty or no JSON.
    """
    if not isinstance(text, str) or not text.strip():
        raise ProviderFailed("empty", f"{provider} gave an empty answer.")
    parsed = _parsed(text.encode())
    if parsed is None:
        raise ProviderFailed("unreadable", f"The model of {provider} wrote something that is not JSON.")
    return parsed


def counts_of(usage: Any) -> dict[str, int]:
    """Return the counts of tokens among what a provider says of usage."""
    if not isinstance(usage, dict):
        return {}
    return {str(name)[:60]: count for name, count in usage.items() if isinstance(count, int)}
