"""Alerts and their channels for a person."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import moment, number
from chartinsightd.cli.tables import Column, FittedTable
from chartinsightd.control.protocol.status import (
    Alert,
    AlertHistory,
    AlertList,
    AlertSilence,
    ChannelState,
)
from chartinsightd.domain.foreign_text import printable

_GOOD, _BAD, _SOSO = "green", "bold red", "yellow"


def render_alerts(alerts: AlertList) -> RenderableType:
    """Return the alerts, then how each channel does."""
    lines = [alert_line(alert) for alert in alerts.items] or [Text("No alerts.")]
    lines += [_silence_line(one) for one in alerts.silences]
    if not alerts.channels:
        return Group(*lines, "", Text("They are sent nowhere: no channel is set up.", style=_SOSO))
    return Group(*lines, "", render_channels(alerts.channels))


def render_history(history: AlertHistory) -> RenderableType:
    """Return past and active alerts as a table, and how many there are."""
    columns = (
        Column(title="Began"),
        Column(title="Ended"),
        Column(title="Level", rank=3),
        Column(title="Alert"),
        Column(title="Known to", rank=2),
        Column(title="Message", cut=True, rank=1),
    )
    rows = [
        (
            moment(alert.at),
            moment(alert.ended_at) if alert.ended_at else "lasts",
            alert.level,
            alert.event,
            alert.acknowledged_by,
            alert.message,
        )
        for alert in history.items
    ]
    if not rows:
        return Text("No alerts in the last thirty days.")
    return FittedTable(columns, rows)


def render_channels(channels: Iterable[ChannelState]) -> RenderableType:
    """Return a line for each channel, and below it what to fix."""
    return Group(*(line for one in channels for line in _channel_lines(one)))


def alert_line(alert: Alert) -> Text:
    """Return one alert in one line."""
    over = f" (over since {moment(alert.ended_at)})" if alert.ended_at else ""
    if alert.acknowledged_at and not alert.ended_at:
        over = f" (known to {alert.acknowledged_by} since {moment(alert.acknowledged_at)})"
    style = "dim" if alert.ended_at else (_BAD if alert.level == "error" else _SOSO)
    words = f"{moment(alert.at)}  {alert.level}  {alert.event}: {alert.message} {alert.remedy}".rstrip()
    return Text(printable(words + over), style=style)


def _silence_line(one: AlertSilence) -> Text:
    return Text(printable(f"{one.event} is not sent until {moment(one.until)} ({one.by})."), style=_SOSO)


def _channel_lines(one: ChannelState) -> list[Text]:
    waiting = f", {number(one.waiting)} waiting" if one.waiting else ""
    words = f"{one.channel}: {'ok' if one.ok else one.detail}{waiting}"
    lines = [Text(printable(words), style=_GOOD if one.ok else _BAD)]
    return [*lines, Text(printable(f"  -> {one.remedy}"))] if one.remedy else lines
