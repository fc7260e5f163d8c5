"""Alerts to Slack, by an incoming webhook."""

from __future__ import annotations

import aiohttp

from chartinsightd.domain.errors import AlertUndelivered
from chartinsightd.ports.guards import Notice

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_NEW_WEBHOOK = "Make a new incoming webhook in Slack and set CHARTINSIGHT_ALERTS__SLACK_WEBHOOK to it."
_REMEDIES = {
    403: f"Slack forbids it: the app may be restricted or the channel closed. {_NEW_WEBHOOK}",
    404: f"The webhook or its channel is gone. {_NEW_WEBHOOK}",
    410: f"The channel was archived. {_NEW_WEBHOOK}",
    429: "Slack takes about one message a second; it is tried again later.",
}
"""Source: Slack API, "Incoming webhooks", handling errors."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackChannel:
    """Implements `ports.AlertChannel`.

    Args:
        webhook: the address; it is a secret, because anyone who has it can post there.
    """

    name = "slack"

    def __init__(self, webhook: str) -> None:
        self._webhook = webhook

    async def send(self, notice: Notice) -> None:
        """Deliver one message; a connection for each, as there are few."""
        body = {"text": f"*{notice.subject.translate(_ESCAPES)}*\n{notice.text.translate(_ESCAPES)}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(self._webhook, json=body, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Not raised `from` it, and its words left out: they may hold the address.
            raise AlertUndelivered(
                f"Slack was not reached ({type(error).__name__}).",
                remedy="Check the network, and that the webhook is complete.",
            ) from None
        if status != 200:
            raise AlertUndelivered(f"Slack answered {status}.", remedy=_REMEDIES.get(status, ""))
