"""Servers that speak OpenAI's chat completions: Ollama, llama.cpp, vLLM, OpenAI.

Source: platform.openai.com, "Create chat completion" and "Structured model outputs".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chartinsightd.adapters.ai.http import counts_of, json_of, post_json
from chartinsightd.adapters.ai.schema import CLAIMS, strict
from chartinsightd.ports.notes import Completion, CompletionRequest, ProviderFailed

DEFAULT_URL = "https://api.openai.com"
DEFAULT_MODEL = "gpt-4o-mini"


class OpenAICompatible:
    """Implements `ports.notes.Completer`.

    Args:
        key: may be empty for a server of one's own.
        model: its name with the provider.
        base_url: the server, without `/v1`.
    """

    provider = "openai"

    def __init__(self, *, key: str, model: str = "", base_url: str = "") -> None:
        self._key = key
        self.model = model or DEFAULT_MODEL
        self._base_url = (base_url or DEFAULT_URL).rstrip("/").removesuffix("/v1")

    def body(self, request: CompletionRequest) -> Mapping[str, Any]:
        """Return the JSON of a request."""
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": request.text}],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "claims", "strict": True, "schema": strict(CLAIMS)},
            },
        }

    async def complete(self, request: CompletionRequest) -> Completion:
        """Ask once."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        url = f"{self._base_url}/v1/chat/completions"
        answer = await post_json(url, self.body(request), headers, request.timeout_s, self.provider)
        return Completion(
            parsed=json_of(_content(answer), self.provider),
            model=self.model,
            usage=counts_of(answer.get("usage")),
        )


def _content(answer: Any) -> object:
    """Return the text of the first choice; a model that was stopped in its middle has none."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ProviderFailed("empty", "openai gave no answer.")
    finish = choices[0].get("finish_reason")
    if finish == "length":
        raise ProviderFailed(
            "cut", "openai ended the answer in its middle.", remedy="Ask about fewer stocks."
        )
    if finish != "stop":
        raise ProviderFailed("blocked", f"openai withheld the answer ({str(finish)[:40]}).")
    message = choices[0].get("message")
    return message.get("content") if isinstance(message, dict) else None
