"""A recorded moment as the screens read it. Pure; what was not recorded is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from chartinsight_tui.store import Failure, Link, LinkState, Part, Store
from chartinsightd.control.protocol.coverage import CoverageRow
from chartinsightd.control.protocol.jobs import Job
from chartinsightd.control.protocol.replay import MomentAnswer, Recorded, TimelineStretch
from chartinsightd.control.protocol.status import AlertList


def store_of(
    answer: MomentAnswer, jobs: Sequence[Job] | None, names: Mapping[str, str], unknown: str
) -> Store:
    """Return what the screens show of a moment.

    Args:
        answer: the moment, known or not.
        jobs: that had begun by then, as they are known now; None: they cannot be had.
        names: of stocks.
        unknown: said where nothing is known.
    """
    store = Store()
    store.know_names(names)
    if answer.recorded is None:
        store.link = Link(state=LinkState.OFFLINE)
        store.failures = {part: Failure(reason=unknown) for part in Part}
        return store
    recorded = answer.recorded
    store.link = Link(state=LinkState.ONLINE, since=answer.at, heard_at=answer.at)
    store.put_status(recorded.status, 0.0)
    store.put_coverage(_rows(recorded, names), answer.at)
    store.put_alerts(
        AlertList(items=recorded.status.alerts, channels=recorded.channels, silences=recorded.silences)
    )
    if jobs is None:
        store.failures[Part.JOBS] = Failure(reason=unknown)
    else:
        store.put_jobs(_jobs(recorded, jobs, answer.at))
    return store


def _rows(recorded: Recorded, names: Mapping[str, str]) -> Iterable[CoverageRow]:
    """Yield what was missing of each series: the rest of a row was not recorded, and is not shown."""
    for symbol, frames in recorded.missing.items():
        for timeframe, count in frames.items():
            yield CoverageRow.model_construct(
                symbol=symbol,
                name=names.get(symbol, ""),
                timeframe=timeframe,
                complete_ratio=0.0,
                expected=0,
                covered=0,
                missing=count or 0,
                read_at=None if count is None else recorded.status.clock.now,
            )


def _jobs(recorded: Recorded, jobs: Sequence[Job], at: datetime) -> Iterable[Job]:
    """Return the jobs that had ended by then, and those that ran, as they were recorded."""
    return [*(job for job in jobs if job.finished_at is not None and job.finished_at <= at), *recorded.jobs]


def events_of(stretches: Sequence[TimelineStretch]) -> list[datetime]:
    """Return when the verdict or its causes became others, oldest first."""
    return [later.from_at for _, later in pairwise(stretches)]


def stretch_at(stretches: Sequence[TimelineStretch], at: datetime) -> TimelineStretch | None:
    """Return the stretch that holds a moment."""
    return next((one for one in stretches if one.from_at <= at < one.to_at), None)
