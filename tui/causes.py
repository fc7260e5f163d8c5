"""Where the cause of a verdict is to be seen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chartinsight_tui.messages import ShowScreen

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Status

_PAGES = {
    "gaps": "gaps",
    "fetch.failing": "gaps",
    "seals": "seals",
    "seals.broken": "seals",
    "rows.refused": "quarantine",
    "load": "plan",
}
"""Causes that a view of the data shows whole."""


def place_of_cause(status: Status) -> ShowScreen:
    """Return what shows the first cause: a view of the data, the late series, or the alert itself."""
    causes = status.verdict.causes
    kind = causes[0].kind if causes else ""
    if page := _PAGES.get(kind):
        return ShowScreen("coverage", page=page)
    if kind == "late":
        late = (symbol for one in status.freshness for symbol in one.late_symbols)
        return ShowScreen("coverage", symbol=next(late, ""), page="coverage")
    return ShowScreen("alerts", event="paused.long" if kind == "paused" else kind)
