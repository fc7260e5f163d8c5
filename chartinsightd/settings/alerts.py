"""The section `alerts`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from chartinsightd.domain.setting_values import one_line
from chartinsightd.settings.section import Section


def _lines_or_list(value: object) -> object:
    """A credential is a file: one a line."""
    return value.split() if isinstance(value, str) else value


class AlertSettings(Section):
    """Where alerts go. Times are real ones, also in simulation."""

    slack_webhook: SecretStr = SecretStr("")
    """An incoming webhook; empty: nothing is sent to Slack."""
    smtp_host: str = ""
    """The server that takes mail; empty: no mail is sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    """465: encrypted from the first byte."""
    smtp_starttls: bool = True
    """Whether the connection must become encrypted; false only for a server on this machine."""
    smtp_user: str = ""
    """Empty: without logging in."""
    smtp_password: SecretStr = SecretStr("")
    mail_from: Annotated[str, AfterValidator(one_line)] = ""
    mail_to: tuple[Annotated[str, AfterValidator(one_line)], ...] = ()
    apprise_urls: Annotated[tuple[SecretStr, ...], BeforeValidator(_lines_or_list)] = ()
    """Anything else, by the library apprise; needs the extra `chartinsight[apprise]`."""
    level: Literal["warning", "error"] = "warning"
    """The least level that is sent."""
    per_hour: Annotated[int, Field(ge=1, le=1000)] = 20
    """Most messages for each channel; further alerts are combined into a later one."""
    quiet_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    """A condition that returns sooner is announced only if it still lasts after this time."""
    remind_h: Annotated[float, Field(ge=0, le=8760)] = 24.0
    """Time after which a lasting condition is announced again; 0: never."""

    @model_validator(mode="after")
    def _mail_needs_addresses(self) -> Self:
        if self.smtp_host and not (self.mail_from and self.mail_to):
            raise ValueError("smtp_host needs mail_from and mail_to")
        return self
