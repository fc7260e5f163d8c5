"""The section `kiwoom`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from chartinsightd.domain.setting_values import header_text, http_address
from chartinsightd.settings.section import Section

_HOSTS = {"real": "api.kiwoom.com", "paper": "mockapi.kiwoom.com"}
_WEBSOCKET_PORT, _WEBSOCKET_PATH = 10000, "/api/dostk/websocket"
"""kiwoom.md#hosts."""


FIRST_ACCOUNT = "main"
"""What the account of `kiwoom.app_key` is called where there are several."""
_MOST_ACCOUNTS = 15


class AccountSettings(Section):
    """A further account of the user's: its own key, its own limits (kiwoom.md#rate-limit)."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
    """What people, files and credentials call it."""
    app_key: SecretStr = SecretStr("")
    secret_key: SecretStr = SecretStr("")


class KiwoomSettings(Section):
    """The broker."""

    environment: Literal["real", "paper"] = "real"
    """`paper` is 모의투자: other hosts, other keys, a fifth of the pace (kiwoom.md#paper-host)."""
    base_url: Annotated[str, AfterValidator(http_address)] = ""
    """Overrides the REST host of the environment."""
    websocket_url: str = ""
    """Overrides the WebSocket host of the environment: the whole URL, path included."""
    app_key: SecretStr = SecretStr("")
    secret_key: SecretStr = SecretStr("")
    accounts: Annotated[tuple[AccountSettings, ...], Field(max_length=_MOST_ACCOUNTS)] = ()
    """Further accounts beside that of `app_key`: the symbols are divided among all."""
    requests_per_second: Annotated[int, Field(ge=1, le=20)] | None = None
    """Ceiling for each api-id; by environment 5 (real) or 1 (paper) (kiwoom.md#rate-limit)."""
    gate: Literal["proved", "measured"] = "proved"
    """`proved` never exceeds the limit; `measured` trusts the usual network delay."""
    user_agent: Annotated[str, AfterValidator(header_text)] = "curl/8.5.0"
    """Kiwoom's firewall refuses the ones of Python libraries (kiwoom.md#firewall)."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """Longest wait for one answer, in real seconds; the first page of a symbol can take many."""
    dates: Literal["auto", "believed", "ignored"] = "auto"
    """Whether the `Date` of answers holds back a clock of ours that runs ahead. `auto`: yes, but not in
    simulation, where it may be real time while the clock is virtual, unless the simulator's is followed."""

    @property
    def rest_url(self) -> str:
        """The REST host in force."""
        return self.base_url.rstrip("/") or f"https://{_HOSTS[self.environment]}"

    @property
    def socket_url(self) -> str:
        """The WebSocket in force; empty where another REST host is set alone: the two belong together."""
        if self.websocket_url or self.base_url:
            return self.websocket_url
        return f"wss://{_HOSTS[self.environment]}:{_WEBSOCKET_PORT}{_WEBSOCKET_PATH}"

    @model_validator(mode="after")
    def _accounts_differ(self) -> Self:
        names = [FIRST_ACCOUNT, *(account.name for account in self.accounts)]
        if len(set(names)) < len(names):
            raise ValueError(f"accounts: each needs a name of its own, and {FIRST_ACCOUNT} is taken")
        keys = [self.app_key, *(account.app_key for account in self.accounts)]
        given = [key.get_secret_value() for key in keys if key.get_secret_value()]
        if len(set(given)) < len(given):
            raise ValueError("accounts: two of them have the same app key, whose limits would count twice")
        return self

    @property
    def pace(self) -> int:
        """Requests a second and api-id."""
        return self.requests_per_second or {"real": 5, "paper": 1}[self.environment]
