"""Alerts by e-mail."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import aiosmtplib

from chartinsightd.domain.errors import AlertUndelivered
from chartinsightd.ports.guards import Notice

_TIMEOUT_S = 10.0
_PORT_OF_TLS = 465
"""There the connection is encrypted from its first byte (RFC 8314)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Who takes our mail."""

    host: str
    port: int
    starttls: bool
    """Whether the connection must become encrypted before anything is said; port 465 always is."""
    user: str = ""
    """Empty: without logging in."""
    password: str = field(default="", repr=False)


class MailChannel:
    """Implements `ports.AlertChannel`.

    Args:
        server: who takes it.
        sender: the address it comes from.
        recipients: at least one address.
    """

    name = "mail"

    def __init__(self, server: MailServer, sender: str, recipients: Sequence[str]) -> None:
        self._server = server
        self._sender = sender
        self._recipients = tuple(recipients)

    async def send(self, notice: Notice) -> None:
        """Deliver one message; a connection for each, as there are few."""
        server = self._server
        tls = server.port == _PORT_OF_TLS
        try:
            await aiosmtplib.send(
                self._letter(notice),
                hostname=server.host,
                port=server.port,
                username=server.user or None,
                password=server.password or None,
                use_tls=tls,
                start_tls=False if tls else server.starttls,
                local_hostname=socket.gethostname(),
                timeout=_TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise AlertUndelivered(_words(server, error), remedy=_remedy(error)) from None

    def _letter(self, notice: Notice) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = ", ".join(self._recipients)
        letter["Subject"] = notice.subject
        letter["Date"] = format_datetime(notice.at)
        letter["Message-ID"] = make_msgid(domain=socket.gethostname())
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(notice.text)
        return letter


def _words(server: MailServer, error: Exception) -> str:
    """Say what the server said, which never holds what we sent it."""
    said = f": {error.code} {error.message}" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    return f"The mail server {server.host}:{server.port} took no mail ({type(error).__name__}{said})."


def _remedy(error: Exception) -> str:
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return "Check alerts.smtp_user and the password; many providers want an application password."
        case aiosmtplib.SMTPRecipientsRefused() | aiosmtplib.SMTPSenderRefused():
            return "Check alerts.mail_from and alerts.mail_to."
        case _:
            return "Check alerts.smtp_host, alerts.smtp_port and alerts.smtp_starttls."
