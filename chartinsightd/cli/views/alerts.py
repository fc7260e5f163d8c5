"""Alerts and their channels for a person."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import moment, number
from chartinsightd.control.protocol.status import Alert, AlertList, ChannelState
from chartinsightd.domain.foreign_text import printable

_GOOD, _BAD, _SOSO = "green", "bold red", "yellow"


def render_alerts(alerts: AlertList) -> RenderableType:
    """Return the alerts, then how each channel does."""
    lines = [alert_line(alert) for alert in alerts.items] or [Text("No alerts.")]
    if not alerts.channels:
        return Group(*lines, "", Text("They are sent nowhere: no channel is set up.", style=_SOSO))
    return Group(*lines, "", render_channels(alerts.channels))


def render_channels(channels: Iterable[ChannelState]) -> RenderableType:
    """Return a line for each channel, and below it what to fix."""
    return Group(*(line for one in channels for line in _channel_lines(one)))


def alert_line(alert: Alert) -> Text:
    """Return one alert in one line."""
    over = f" (over since {moment(alert.ended_at)})" if alert.ended_at else ""
    style = "dim" if alert.ended_at else (_BAD if alert.level == "error" else _SOSO)
    words = f"{moment(alert.at)}  {alert.level}  {alert.event}: {alert.message} {alert.remedy}".rstrip()
    return Text(printable(words) + over, style=style)


def _channel_lines(one: ChannelState) -> list[Text]:
    waiting = f", {number(one.waiting)} waiting" if one.waiting else ""
    words = f"{one.channel}: {'ok' if one.ok else one.detail}{waiting}"
    lines = [Text(printable(words), style=_GOOD if one.ok else _BAD)]
    return [*lines, Text(printable(f"  -> {one.remedy}"))] if one.remedy else lines
