"""The table of a verification: a row a series, a column a day that differs."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from rich.cells import cell_len

from chartinsight_tui.context import Context
from chartinsight_tui.screens.verified_days import verified_lines
from chartinsight_tui.store import Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import DARK, Palette
from chartinsightd.control.protocol.jobs import JobProgress, VerifiedDay
from chartinsightd.domain.language import Language
from chartinsightd.domain.timeframe import Timeframe


def day(symbol: str, on: date | None, outcome: str, **counts: int) -> VerifiedDay:
    """Return a finding of a 5-minute series."""
    return VerifiedDay(symbol=symbol, timeframe=Timeframe.M5, day=on, outcome=outcome, **counts)


FOUND = JobProgress(
    results=(
        day("005930", date(2026, 11, 17), "corrected", equal=76, differing=1),
        day("005930", date(2026, 11, 16), "kept", equal=77, extra=2),
        day("035720", date(2026, 11, 16), "withdrawn", missing=78),
        day("005930", None, "same", equal=8_923),
        day("000660", None, "same", equal=9_000),
    )
)


def table(progress: JobProgress, language: Language, width: int) -> list[str]:
    """Return the lines as text."""
    store = Store()
    store.know_names({"005930": "삼성전자", "035720": "카카오", "000660": "SK하이닉스"})
    context = Context(
        store=store, words=Words(language), colours=Palette(colours=DARK), read_only=False,
        now=lambda: datetime(2026, 11, 18).astimezone(),
    )  # fmt: skip
    return ["".join(text for text, _ in line).rstrip() for line in verified_lines(progress, context, width)]


def test_each_series_shows_what_was_done_on_each_day_that_differed() -> None:
    """The newest day stands first, the series with most such days on top, and the marks are explained."""
    head, columns, *rows, legend = table(FOUND, "en", 80)
    assert head.startswith(" By series and day ─")
    assert columns.split() == ["equal", "11-17", "11-16"]
    assert [row.split() for row in rows] == [
        ["삼성전자", "5m", "9,076", "◆1", "△2"],
        ["카카오", "5m", "0", "·", "?78"],
        ["SK하이닉스", "5m", "9,000", "·", "·"],
    ]
    assert legend.strip() == "△ kept, though no longer served · ◆ corrected · ? withdrawn and read again"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_its_place(language: Language, width: int) -> None:
    """Days without room are counted in the heading; where nothing differs one sentence says so."""
    wide = JobProgress(
        results=tuple(day("005930", date(2026, 10, 1 + one), "corrected", differing=1) for one in range(30)),
        results_left_out=4,
    )
    lines = table(wide, language, width)
    assert max(map(cell_len, lines)) <= width
    assert ("더 오래된" if language == "ko" else "older days") in lines[0]
    same = table(JobProgress(results=FOUND.results[-1:]), language, width)[-1]
    assert same.strip().startswith("✓")
    assert table(JobProgress(), language, width) == []
