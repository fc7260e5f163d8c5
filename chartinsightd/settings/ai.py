"""The section `ai`."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from chartinsightd.domain.setting_values import http_address, is_loopback, one_line
from chartinsightd.settings.section import Section, UsablePath


class AiSettings(Section):
    """The language model that writes notes; without one, notes come from the template."""

    provider: Literal["", "gemini", "openai"] = ""
    """`openai` is any server that speaks OpenAI's chat completions."""
    base_url: Annotated[str, AfterValidator(http_address)] = ""
    """Overrides the provider's own address; an `openai` server of one's own, such as http://127.0.0.1:11434."""
    model: Annotated[str, AfterValidator(one_line)] = ""
    """Empty: the provider's usual one."""
    requests_per_day: Annotated[int, Field(ge=0, le=100_000)] = 100
    """HTTP requests in a Korean day, whatever comes of them."""
    prompts: UsablePath | None = None
    """A folder of prompts beside the shipped ones."""
    api_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _key_stays_secret(self) -> Self:
        address = urlsplit(self.base_url)
        is_open = address.scheme == "http" and not is_loopback(self.base_url)
        if is_open and self.api_key.get_secret_value():
            raise ValueError("base_url sends the key in the clear: use https, or a server on this machine")
        return self
