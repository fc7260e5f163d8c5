"""State that one service writes and many read, and the broker behind the pause switch."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.app.opening import Resources
from chartinsightd.clock import CheckedClock
from chartinsightd.service.collecting.pausing import PausableCharts, PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.state.set_aside import SetAside
from chartinsightd.service.watching.group_keeper import GroupKeeper
from chartinsightd.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What every capability is built over."""

    settings: Settings
    resources: Resources
    current_rules: CurrentRules
    collected: CollectedStocks
    commits: CommitFeed
    jobs: Jobs
    job_groups: JobGroups
    pause_switch: PauseSwitch
    retries: RetryTracker
    set_aside: SetAside
    expectations: Expectations
    charts: PausableCharts
    watch_groups: GroupKeeper

    @property
    def clock(self) -> CheckedClock:
        """What time it is."""
        return self.resources.clock


def share(settings: Settings, resources: Resources, current_rules: CurrentRules) -> Shared:
    """Build the state; nothing runs."""
    clock, collected, pause_switch = resources.clock, CollectedStocks(), PauseSwitch()
    collected.on_change(lambda: current_rules.replace_universe(collected.universe))
    jobs, set_aside = Jobs(resources.store.jobs, clock), SetAside(clock)
    resources.store.presence.on_change(jobs.doubt)
    return Shared(
        settings=settings,
        resources=resources,
        current_rules=current_rules,
        collected=collected,
        commits=CommitFeed(),
        jobs=jobs,
        job_groups=JobGroups(jobs),
        pause_switch=pause_switch,
        retries=RetryTracker(clock, resources.circuits, set_aside),
        set_aside=set_aside,
        expectations=Expectations(clock, current_rules),
        charts=PausableCharts(resources.broker.charts, pause_switch),
        watch_groups=GroupKeeper(resources.store.watch_groups, collected, clock),
    )
