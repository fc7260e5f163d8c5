"""The failed tries of a gap or a seal."""

from __future__ import annotations

from datetime import UTC, datetime

from chartinsight_tui.explanation import tried
from chartinsight_tui.text import Words
from chartinsight_tui.theme import DARK, Palette
from chartinsightd.control.protocol.jobs import TryList, TryRow

PALETTE = Palette(colours=DARK)
ROW = TryRow(
    at=datetime(2026, 11, 18, 6, 15, 18, tzinfo=UTC),
    about="005930/5m",
    reason="The state folder /s cannot be looked at: gone.",
    job_id=72,
    kind="poll",
)


def test_each_try_says_when_in_which_job_and_why() -> None:
    """In Korean time and in the reader's language, with the command that gives the same."""
    english = tried(TryList(items=(ROW,), total=3), "005930", "5m", Words("en"), PALETTE).plain
    korean = tried(TryList(items=(ROW,), total=1), "005930", "5m", Words("ko"), PALETTE).plain
    assert "11-18 15:15:18  #72 poll  005930/5m  The state folder /s cannot be looked at: gone." in english
    assert "2 older ones" in english
    assert english.endswith("chartinsightctl tries 005930 -t 5m")
    assert "#72 정기 수집  005930/5m  상태 폴더 /s을(를) 볼 수 없습니다: gone." in korean


def test_a_series_without_failed_tries_says_so() -> None:
    """An empty window would look like one that is loading."""
    shown = tried(TryList(), "005930", "5m", Words("en"), PALETTE).plain
    assert shown.startswith("No try of this series failed")
