"""Alerts that last, and the latest of those that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import clock_time
from chartinsight_tui.state_line import alert_title
from chartinsight_tui.widgets.pane import Line, heading

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Alert, Status


def alert_lines(context: Context, status: Status, width: int, most: int) -> list[Line]:
    """Return open alerts, then past ones; at most `most` below the heading."""
    lines: list[Line] = [
        heading(context.words["home.alerts"], width, context.palette, context.words["home.all_alerts"])
    ]
    lasting = [alert for alert in status.alerts if alert.ended_at is None]
    over = [alert for alert in status.alerts if alert.ended_at is not None]
    if not context.store.is_online:
        at = context.words.put("line.unknown_since", at=clock_time(status.clock.now))
        lines.append([(f" ? {at}", context.palette.dim)])
    elif not lasting:
        lines.append([(f" ✓ {context.words['home.no_alerts']}", context.palette.good)])
    return [*lines, *(_alert(context, alert) for alert in [*lasting, *over])][: most + 1]


def _alert(context: Context, alert: Alert) -> Line:
    over = alert.ended_at is not None
    palette = context.palette
    mark = "✓" if over else "✕" if alert.level == "error" else "▲"
    style = palette.dim if over else palette.bad if alert.level == "error" else palette.warn
    return [
        (f" {mark} {clock_time(alert.at)[:5]} ", style),
        (alert_title(alert, context.words), palette.dim if over else palette.text),
    ]
