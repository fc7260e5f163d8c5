"""Every text of the dashboard: one table, in which each key has its English and its Korean."""

from __future__ import annotations

from collections.abc import Mapping

from chartinsight_tui.words import (
    alarms,
    data,
    dialogs,
    frame,
    hints,
    home,
    keys,
    replay,
    screener,
    stocks,
    watch,
    work,
)
from chartinsight_tui.words.alerts_ko import KOREAN_ALERTS

_TABLE: Mapping[str, tuple[str, str]] = {
    **frame.WORDS,
    **alarms.WORDS,
    **home.WORDS,
    **hints.WORDS,
    **data.WORDS,
    **work.WORDS,
    **stocks.WORDS,
    **watch.WORDS,
    **screener.WORDS,
    **dialogs.WORDS,
    **keys.WORDS,
    **replay.WORDS,
}
ENGLISH: Mapping[str, str] = {key: english for key, (english, _) in _TABLE.items()}
KOREAN: Mapping[str, str] = {key: korean for key, (_, korean) in _TABLE.items()} | KOREAN_ALERTS
