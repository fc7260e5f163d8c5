"""The words of an alert as it leaves the machine: in Korean and English, with the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chartinsightd.domain.alert_policy import Level, Notification, Phase
from chartinsightd.facts.krx import KST
from chartinsightd.ports.guards import Notice
from chartinsightd.service.state.alert_kinds import KINDS_BY_NAME

_LINES = 30
"""Alerts that one message writes out; older ones are counted."""

_PHASES = {
    Phase.BEGUN: ("발생", "began"),
    Phase.LASTS: ("지속", "still lasts"),
    Phase.ENDED: ("해소", "is over"),
    Phase.HAPPENED: ("", ""),
}
_MARKS = {"error": "🔴", "warning": "🟠", "over": "🟢"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the daemon runs: on every notice, since one person may have several."""

    host: str
    mode: str

    def __str__(self) -> str:
        return f"{self.host} · {self.mode}"


def notice_of(told: Sequence[Notification], place: Place, lost: int = 0) -> Notice:
    """Return the message that tells one thing, or many in one.

    Args:
        told: at least one, oldest first.
        place: where the daemon runs.
        lost: how many older ones there was no room for.
    """
    level = "error" if any(_level(one) == "error" for one in told) else _level(told[-1])
    if len(told) == 1 and not lost:
        [one] = told
        subject = f"{_MARKS[level]} ChartInsight {place}: {_title(one)}"
        return Notice(subject=subject, text=_body(one, place), level=level, at=one.at)
    subject = f"{_MARKS[level]} ChartInsight {place}: 알림 {len(told) + lost}건 / {len(told) + lost} alerts"
    lines = [f"{one.at.astimezone(KST):%m-%d %H:%M:%S} {_title(one)}: {_words(one)}" for one in told]
    left_out = lost + max(0, len(lines) - _LINES)
    if left_out:
        lines = [f"… 이전 {left_out}건 생략 / {left_out} older ones left out", *lines[-_LINES:]]
    return Notice(subject=subject, text="\n".join([*lines, _foot(place)]), level=level, at=told[-1].at)


def trial_notice(place: Place, at: datetime) -> Notice:
    """Return the message of `chartinsightctl alerts test`."""
    text = (
        "시험 메시지입니다. 이 메시지가 보이면 알림이 정상적으로 전달됩니다.\n"
        "This is a test. If you can read it, alerts reach you."
    )
    subject = f"{_MARKS['over']} ChartInsight {place}: 알림 시험 / test of the alerts"
    return Notice(subject=subject, text=f"{text}\n{_foot(place)}", level="over", at=at)


def _level(one: Notification) -> Literal["warning", "error", "over"]:
    level: Level = one.condition.level
    return "over" if one.phase is Phase.ENDED else level


def _title(one: Notification) -> str:
    korean, english = _titles(one.event)
    phase_korean, phase_english = _PHASES[one.phase]
    if not phase_korean:
        return f"{korean} / {english}"
    return f"{korean} {phase_korean} / {english}: {phase_english}"


def _titles(event: str) -> tuple[str, str]:
    """Return the titles of a condition; one that an earlier version remembered goes by its name."""
    kind = KINDS_BY_NAME.get(event)
    return (event, event) if kind is None else (kind.korean, kind.english)


def _words(one: Notification) -> str:
    return one.condition.message


def _body(one: Notification, place: Place) -> str:
    lines = [one.condition.message]
    if one.condition.remedy:
        lines.append(f"조치 / remedy: {one.condition.remedy}")
    if one.phase in (Phase.LASTS, Phase.ENDED):
        minutes = max(0.0, (one.at - one.told.since).total_seconds()) / 60
        lines.append(f"지속 시간 / lasted: {minutes:.0f} min")
    when = f"{one.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST"
    return "\n".join([*lines, f"시각 / time: {when} · {one.event}", _foot(place)])


def _foot(place: Place) -> str:
    return f"{place.host}, mode {place.mode}"
