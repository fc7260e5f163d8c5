"""The alarms that people set as rows, and the text of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chartinsight_tui.alarm_words import figure_words, rule_words, standing_words
from chartinsight_tui.formatting import NOTHING, stamp
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.pane import Line, heading, wrapped
from chartinsight_tui.widgets.row_table import Cells, Column

if TYPE_CHECKING:
    from chartinsightd.control.protocol.alarms import AlarmRow


def alarm_columns(words: Words) -> list[Column]:
    """Return stock, alarm, figure, how it stands, and when it fired."""
    return [
        Column(title="", width=1),
        Column(title=words["column.name"], width=16),
        Column(title=words["column.alarm"], width=18),
        Column(title=words["column.now"], width=12, align="right"),
        Column(title=words["column.stands"], width=18, flex=1),
        Column(title=words["column.fired"], width=11, drop=1),
    ]


def alarm_cells(alarm: AlarmRow, words: Words, palette: Palette) -> Cells:
    """Return an alarm's row."""
    mark, style = "·", palette.text
    if alarm.is_met is None:
        mark, style = "?", palette.dim
    elif alarm.is_met:
        mark, style = "●", palette.accent
    return [
        (mark, style),
        (alarm.name or alarm.symbol or words["alarm.any"], palette.text),
        (rule_words(alarm, words), palette.text),
        (figure_words(alarm), palette.text),
        (standing_words(alarm, words), style),
        (stamp(alarm.fired_at)[:-3] if alarm.fired_at else NOTHING, palette.dim),
    ]


def alarm_lines(alarm: AlarmRow, width: int, words: Words, palette: Palette) -> Sequence[Line]:
    """Return all that is known of an alarm."""
    title = f"{alarm.name or alarm.symbol or words['alarm.any']} {rule_words(alarm, words)}"
    known = f"{figure_words(alarm)} · {standing_words(alarm, words)}"
    if alarm.known_at is not None:
        known += f" · {stamp(alarm.known_at)}"
    lines: list[Line] = [heading(title, width, palette, f"#{alarm.id}"), [(f" {known}", palette.text)]]
    if alarm.fired_at is not None:
        fired = words.put("alarm.fired", at=stamp(alarm.fired_at), words=alarm.fired_words)
        lines += wrapped(f" {fired}", max(10, width - 2), palette.accent)
    by = words.put("alarm.by", name=alarm.created_by, at=stamp(alarm.created_at)[:-3])
    return [*lines, [(f" {by}", palette.dim)], [(f" {words['alarm.once']}", palette.dim)]]
