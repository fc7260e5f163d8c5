"""What a job is about and what came of it, in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chartinsight_tui.formatting import number
from chartinsight_tui.text import Words
from chartinsight_tui.told import told

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Job

_WITHOUT_CANDLES = {"adjust", "analysis"}
"""Kinds of jobs that bring no candles; their counts would tell nothing."""
_MOST_NAMES = 2
_MOST_TIMEFRAMES = 3


def kind_of(job: Job, words: Words) -> str:
    """Return the kind of a job in the user's language."""
    return words.get(f"job.kind.{job.kind}", job.kind)


def subject(job: Job, words: Words, name_of: Callable[[str], str]) -> str:
    """Return which stocks, timeframes and days a job is about."""
    symbols = texts(job.params.get("symbols"))
    if len(symbols) > _MOST_NAMES:
        stocks = words.put("job.stocks", count=number(len(symbols)))
    else:
        stocks = ", ".join(name_of(symbol) or symbol for symbol in symbols)
    timeframes = texts(job.params.get("timeframes"))
    frames = "·".join(words.get(f"timeframe.{name}", name) for name in timeframes)
    if len(timeframes) > _MOST_TIMEFRAMES:
        frames = words.put("job.timeframes", count=len(timeframes))
    days = [str(job.params[name]) for name in ("from_day", "to_day") if job.params.get(name)]
    return " ".join(part for part in (stocks, frames, " – ".join(dict.fromkeys(days))) if part)


def job_line(job: Job, words: Words, name_of: Callable[[str], str]) -> str:
    """Return a sentence: what it was about, then its outcome or its error."""
    about = f"{kind_of(job, words)} {subject(job, words, name_of)}".strip()
    if job.error:
        return f"{about}: {told(job.error, words)}"
    progress = job.progress
    if job.kind in _WITHOUT_CANDLES and not progress.rows:
        return f"{about}: {words[f'job.state.{job.state}']}"
    if job.kind == "verify":
        counts = words.put("job.verified", equal=number(progress.equal), differing=number(progress.unequal))
    else:
        counts = words.put(
            "job.counted", inserted=number(progress.inserted), changed=number(progress.changed)
        )
    return f"{about}: {counts}"


def texts(value: object) -> tuple[str, ...]:
    """Return a list of a job's parameters as texts; empty for anything else."""
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
