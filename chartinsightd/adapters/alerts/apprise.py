"""Alerts to anything that the library apprise knows: Telegram, KakaoTalk relays, ntfy, a hundred more."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from chartinsightd.domain.errors import AlertUndelivered, ConfigurationError
from chartinsightd.ports.guards import Notice


class AppriseChannel:
    """Implements `ports.AlertChannel` for one apprise URL.

    Args:
        number: which of the configured URLs it is, from 1: they are secrets and cannot be named.
        url: as apprise documents them.

    Raises:
        ConfigurationError: apprise is not installed, or does not understand the URL.
    """

    def __init__(self, number: int, url: str) -> None:
        self.name = f"apprise {number} ({urlsplit(url).scheme})"
        self._service = _service(number, url)

    async def send(self, notice: Notice) -> None:
        """Deliver one message, in a thread: apprise waits in its own way."""
        try:
            taken = await asyncio.to_thread(self._service.notify, body=notice.text, title=notice.subject)
        except Exception as error:  # noqa: BLE001 - a plugin of others must not end the daemon
            # Its words are left out: they may hold the URL.
            raise AlertUndelivered(f"{self.name} failed ({type(error).__name__}).") from None
        if not taken:
            raise AlertUndelivered(
                f"{self.name} did not take the message.",
                remedy="Test the URL with apprise's own command: apprise -vv -b test URL.",
            )


def _service(number: int, url: str) -> Any:
    if find_spec("apprise") is None:
        raise ConfigurationError(
            "alerts.apprise_urls needs the package apprise, which is not installed.",
            remedy="Install the extra: pip install 'chartinsight[apprise]'. Or take the setting out.",
        )
    import apprise  # imported when used: a tenth of a second and sixteen megabytes

    service = apprise.Apprise()
    if not service.add(url):
        raise ConfigurationError(
            f"alerts.apprise_urls: apprise does not understand URL number {number}.",
            remedy="Test it with apprise's own command: apprise -vv -b test URL.",
        )
    return service
