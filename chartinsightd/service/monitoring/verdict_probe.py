"""Puts the one verdict together from what the services know, with each beat of the monitor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from chartinsightd.clock import Clock, real_s
from chartinsightd.domain.alert_record import HAPPENINGS, Alert
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.refresh import next_refresh
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.verdict import (
    Bilingual,
    Cause,
    Coming,
    HeldVerdict,
    Progress,
    Situation,
    Tier,
    Verdict,
    VerdictState,
    verdict_of,
)
from chartinsightd.facts.krx import KST
from chartinsightd.ports.archive import DatabaseFacts
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.monitoring.database_probe import DatabaseProbe
from chartinsightd.service.monitoring.freshness import FreshnessProbe, Lateness
from chartinsightd.service.state.alert_kinds import KINDS_BY_NAME
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import Feed, Subscription
from chartinsightd.service.state.jobs import Job, Jobs

_PATIENCE_REAL_S = 5.0
"""A better verdict is shown when it has held so long."""
_LATE_AFTER = timedelta(minutes=3)
_LATE_AFTER_REAL_S = 15.0
"""A series is called late when its read has been due so long, by the daemon's clock and really."""
_GAP_KEPT = timedelta(hours=1)
"""A gap that lasts so long was not filled by reading again."""
_MOST_LATE = 0.5
"""With a larger share of the series late, candles are being missed."""
_LOADS = frozenset({"catch_up", "backfill", "initial"})
"""Kinds of jobs that fill what is missing."""
_ROUND = "universe"
"""The kind of job that reads the stocks beside the targets; meanwhile these are due, not late."""


class VerdictProbe:
    """Knows the verdict in force.

    Args:
        alerts: what is wrong.
        freshness: how late each series is.
        database: the gaps and seals that are stored.
        retries: when a broker that does not answer is asked again.
        pause_switch: a daemon that is paused is never well.
        scheduler: the series that are collected.
        jobs: loads under way.
        current_rules: when what is collected is read next.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        alerts: ActiveAlerts,
        freshness: FreshnessProbe,
        database: DatabaseProbe,
        retries: RetryTracker,
        pause_switch: PauseSwitch,
        scheduler: Scheduler,
        jobs: Jobs,
        current_rules: CurrentRules,
        clock: Clock,
    ) -> None:
        self._alerts = alerts
        self._freshness = freshness
        self._database = database
        self._retries = retries
        self._pause_switch = pause_switch
        self._scheduler = scheduler
        self._jobs = jobs
        self._current_rules = current_rules
        self._clock = clock
        self._paused_since: datetime | None = None
        self._counted: tuple[Sequence[Series], list[Tier], set[Timeframe]] = ((), [], set())
        """The series that were counted last, and what was counted: they change rarely."""
        self._changes: Feed[[Verdict]] = Feed()
        self._held = HeldVerdict(verdict=verdict_of(self._situation()))

    @property
    def verdict(self) -> Verdict:
        """The verdict in force."""
        return self._held.verdict

    def on_change(self, listener: Callable[[Verdict], None]) -> Subscription:
        """Call a listener with each verdict whose state or words differ from those before."""
        return self._changes.subscribe(listener)

    def look(self) -> None:
        """Judge what is known now; called with each beat, no I/O."""
        before = self.verdict
        self._held = self._held.follow(verdict_of(self._situation()), real_s(), _PATIENCE_REAL_S)
        if (self.verdict.state, self.verdict.words) != (before.state, before.words):
            self._changes.publish(self.verdict)

    def _situation(self) -> Situation:
        now, facts, lateness = self._clock.now(), self._database.facts, self._freshness.latest
        self._note_pause(now)
        running = self._jobs.running()
        loads = [job for job in running if job.kind in _LOADS]
        rounds = [job for job in running if job.kind == _ROUND]
        late = self._late(lateness, now, is_round=bool(rounds))
        series = self._scheduler.series
        if series is not self._counted[0]:
            self._counted = series, _tiers(series), {one.timeframe for one in series}
        _, tiers, timeframes = self._counted
        return Situation(
            causes=tuple(self._causes(now, facts, late=late, is_loading=bool(loads))),
            tiers=tiers,
            late=late,
            late_unknown=lateness is None,
            gaps=facts.gaps if facts is not None and self._database.is_reachable else None,
            sealed=facts.sealed if facts is not None else None,
            progress=_progress([*loads, *rounds]),
            coming=self._coming(now, timeframes),
        )

    def _note_pause(self, now: datetime) -> None:
        if not self._pause_switch.is_shut:
            self._paused_since = None
        elif self._paused_since is None:
            self._paused_since = now

    def _causes(
        self, now: datetime, facts: DatabaseFacts | None, *, late: int, is_loading: bool
    ) -> Iterator[Cause]:
        if self._paused_since is not None:
            yield _paused(self._paused_since, self._pause_switch.until, now)
        for alert in self._alerts.shown():
            is_ours = alert.kind not in HAPPENINGS and not alert.kind.startswith("paused.")
            if alert.ended_at is None and is_ours:
                yield _of_alert(alert, now)
        if facts is not None and facts.kept_since is not None and now - facts.kept_since >= _GAP_KEPT:
            yield _kept_gaps(facts)
        if late and not is_loading:
            yield _late(late, len(self._scheduler.series))

    def _late(self, lateness: Lateness | None, now: datetime, *, is_round: bool) -> int:
        """Count the series whose read has been due for a while; the others are about to be read."""
        if lateness is None:
            return 0
        patience = max(_LATE_AFTER, timedelta(seconds=self._clock.real(_LATE_AFTER_REAL_S)))

        def is_due_lately(since: datetime | None) -> bool:
            return since is not None and now - since < patience

        targets = () if is_due_lately(lateness.targets_due_since) else lateness.freshness
        universe = () if is_round or is_due_lately(lateness.due_since) else lateness.universe
        return sum(one.late for one in (*targets, *universe))

    def _coming(self, now: datetime, timeframes: set[Timeframe]) -> Coming | None:
        if self._pause_switch.is_shut:
            end = self._pause_switch.until
            return None if end is None else Coming(at=end, timeframe=None, is_resumption=True)
        if not timeframes:
            return None
        if (until := self._retries.held_until) is not None:
            return Coming(at=until, timeframe=None)
        rules = self._current_rules.rules
        reads = [
            (next_refresh(now, timeframe, rules.calendar, rules.refresh), timeframe)
            for timeframe in Timeframe
            if timeframe in timeframes
        ]
        at, timeframe = min(reads, key=lambda read: read[0])
        return Coming(at=at, timeframe=timeframe)


def _tiers(series: Sequence[Series]) -> list[Tier]:
    """Return how many symbols are collected in how many timeframes, the most timeframes first."""
    timeframes_of = Counter(one.symbol for one in series)
    symbols_of = Counter(timeframes_of.values())
    return [Tier(symbols=symbols_of[count], timeframes=count) for count in sorted(symbols_of, reverse=True)]


def _progress(loads: Sequence[Job]) -> Progress | None:
    if not loads:
        return None
    return Progress(done=sum(job.pages for job in loads), expected=sum(job.pages_expected for job in loads))


def _paused(since: datetime, until: datetime | None, now: datetime) -> Cause:
    minutes = int((now - since).total_seconds() // 60)
    en = f"paused for {minutes}m" if minutes else "paused"
    ko = f"수집 일시정지 {minutes}분째" if minutes else "수집 일시정지"
    if until is not None:
        end = f"{until.astimezone(KST):{'%H:%M' if day_of(until) == day_of(now) else '%m-%d %H:%M'}}"
        en, ko = f"{en}, until {end} KST", f"{ko}, {end}까지"
    return Cause(kind="paused", state=VerdictState.ATTENTION, since=since, words=Bilingual(en=en, ko=ko))


def _of_alert(alert: Alert, now: datetime) -> Cause:
    minutes = int((now - alert.at).total_seconds() // 60)
    for_en, for_ko = (f" for {minutes}m", f" {minutes}분째") if minutes else ("", "")
    state = VerdictState.TROUBLE if alert.level == "error" else VerdictState.ATTENTION
    kind = KINDS_BY_NAME[alert.kind]
    words = Bilingual(en=f"{kind.english}{for_en}", ko=f"{kind.korean}{for_ko}")
    return Cause(kind=alert.kind, state=state, since=alert.at, words=words)


def _kept_gaps(facts: DatabaseFacts) -> Cause:
    count = f"{facts.kept_gaps:,}"
    words = Bilingual(
        en=f"{count} gaps that reading again did not fill", ko=f"다시 읽어도 채워지지 않는 누락 {count}"
    )
    return Cause(kind="gaps", state=VerdictState.ATTENTION, since=facts.kept_since, words=words)


def _late(late: int, series: int) -> Cause:
    state = VerdictState.TROUBLE if late > series * _MOST_LATE else VerdictState.ATTENTION
    words = Bilingual(en=f"{late:,} of {series:,} series late", ko=f"시계열 {series:,}개 중 {late:,}개 지연")
    return Cause(kind="late", state=state, since=None, words=words)
