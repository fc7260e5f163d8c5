"""The past as it was recorded: a day's verdicts, and one moment."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from chartinsightd.cli.formatting import NONE, clock_time, duration, moment
from chartinsightd.cli.tables import Column, Marked
from chartinsightd.cli.views.lists import listed
from chartinsightd.cli.views.status import render_status, verdict_line
from chartinsightd.control.protocol.replay import MomentAnswer, Timeline, TimelineStretch
from chartinsightd.domain.moment import UNKNOWN

_MARKS = {
    "well": ("●", "green"),
    "working": ("▶", "cyan"),
    "attention": ("▲", "yellow"),
    "trouble": ("✕", "bold red"),
    UNKNOWN: ("?", "dim"),
}


def render_timeline(timeline: Timeline) -> RenderableType:
    """Return the verdicts of a time, each with since when and how long it held."""
    columns = (
        Column(title="from (KST)"),
        Column(title="to"),
        Column(title="for", right=True),
        Column(title="verdict"),
        Column(title="causes", cut=True),
    )
    rows = [_row(one) for one in timeline.items]
    table = listed(columns, rows, len(rows), "stretches")
    if not timeline.lost:
        return table
    lost = f"{timeline.lost:,} moments could not be written since the daemon's start."
    return Group(table, Text(lost, style="yellow"))


def _row(one: TimelineStretch) -> tuple[str | Marked, ...]:
    mark, style = _MARKS.get(one.state, ("?", ""))
    seconds = (one.to_at - one.from_at).total_seconds()
    return (
        moment(one.from_at),
        clock_time(one.to_at),
        duration(seconds),
        Marked(text=f"{mark} {one.state}", style=style),
        ", ".join(one.causes) or NONE,
    )


def moment_line(answer: MomentAnswer) -> Text:
    """Return one moment in a line: when, and the verdict of then."""
    line = Text(f"{moment(answer.at)}  ")
    if answer.recorded is None:
        return line.append("? unknown: nothing was recorded", style="dim")
    status = answer.recorded.status
    return line.append_text(verdict_line(status.verdict, status.clock))


def render_moment(answer: MomentAnswer) -> RenderableType:
    """Return the overview of a past moment, headed as past; say so where it is not recorded."""
    if answer.recorded is None:
        return moment_line(answer)
    when = f"◀◀ AS IT WAS at {moment(answer.recorded_at)} KST, not now"
    return Group(Text(when, style="bold magenta reverse"), "", render_status(answer.recorded.status))


def not_recorded(answer: MomentAnswer) -> str:
    """Say that a moment is not known, and which ones near it are."""
    known = []
    if answer.known_until is not None:
        known.append(f"Known until {moment(answer.known_until)}")
    if answer.known_from is not None:
        known.append(f"{'known' if known else 'Known'} from {moment(answer.known_from)}")
    said = " and ".join(known) + "." if known else "Nothing is recorded yet."
    return f"Nothing was recorded at {moment(answer.at)} KST: how things were then is unknown. {said}"
