"""Gemini over REST (`v1beta generateContent`).

Source: ai.google.dev, "Generate content" and "Structured output".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from chartinsightd.adapters.ai.http import counts_of, json_of, post_json
from chartinsightd.adapters.ai.schema import CLAIMS
from chartinsightd.ports.notes import Completion, CompletionRequest, ProviderFailed

DEFAULT_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-2.5-flash"


class Gemini:
    """Implements `ports.notes.Completer`.

    Args:
        key: sent in a header, never in the address.
        model: its name with the provider.
        base_url: another server with the same interface.
    """

    provider = "gemini"

    def __init__(self, *, key: str, model: str = "", base_url: str = "") -> None:
        self._key = key
        self.model = model or DEFAULT_MODEL
        self._base_url = (base_url or DEFAULT_URL).rstrip("/")

    def body(self, request: CompletionRequest) -> Mapping[str, Any]:
        """Return the JSON of a request."""
        return {
            "contents": [{"role": "user", "parts": [{"text": request.text}]}],
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseSchema": CLAIMS,
                "maxOutputTokens": request.max_tokens,
                "temperature": request.temperature,
                "thinkingConfig": {"thinkingBudget": 0},  # else thinking eats the output's tokens
            },
        }

    async def complete(self, request: CompletionRequest) -> Completion:
        """Ask once."""
        answer = await post_json(
            f"{self._base_url}/v1beta/models/{quote(self.model, safe='')}:generateContent",
            self.body(request),
            {"x-goog-api-key": self._key},
            request.timeout_s,
            self.provider,
        )
        candidate = _candidate(answer)
        return Completion(
            parsed=json_of(_text(candidate), self.provider),
            model=self.model,
            usage=counts_of(answer.get("usageMetadata")),
        )


def _candidate(answer: Any) -> Mapping[str, Any]:
    """Return the first candidate; a model that was stopped in its middle has none."""
    candidates = answer.get("candidates") if isinstance(answer, dict) else None
    if not isinstance(candidates, list) or not candidates or not isinstance(candidates[0], dict):
        raise ProviderFailed("empty", "gemini gave no answer.")
    candidate: Mapping[str, Any] = candidates[0]
    finish = candidate.get("finishReason")
    if finish == "MAX_TOKENS":
        raise ProviderFailed(
            "cut", "gemini ended the answer in its middle.", remedy="Ask about fewer stocks."
        )
    if finish != "STOP":
        raise ProviderFailed("blocked", f"gemini withheld the answer ({str(finish)[:40]}).")
    return candidate


def _text(candidate: Mapping[str, Any]) -> object:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return None
    texts = [one.get("text") for one in parts if isinstance(one, dict) and not one.get("thought")]
    return "".join(text for text in texts if isinstance(text, str))
