"""The alarms that people set, over quotes, candles and screens."""

from __future__ import annotations

from chartinsightd.app.shared import Shared
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.monitoring.notifier import Notifier
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.watching.alarms import Alarms, ScreenRuns, Tell
from chartinsightd.service.watching.day_readings import DayReadings
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard


def new_alarms(
    shared: Shared, *, board: QuoteBoard, latest: LatestPrices, screens: ScreenRuns, tell: Tell
) -> Alarms:
    """Build the alarms; nothing runs yet."""
    store = shared.resources.store
    readings = DayReadings(
        live=lambda: board.live,
        latest=latest,
        store=store.seals,
        actions=store.actions,
        current_rules=shared.current_rules,
        clock=shared.clock,
    )
    return Alarms(
        store=store.alarms,
        readings=readings,
        screens=screens,
        names=shared.resources.archive.names,
        tell=tell,
        current_rules=shared.current_rules,
        clock=shared.clock,
    )


def told_by(monitor: Monitor, notifier: Notifier) -> Tell:
    """Return what shows a fired alarm and sends it."""

    def tell(condition: Condition) -> None:
        monitor.alerts.happen(AlertKind.ALARM_FIRED, condition)
        notifier.announce(AlertKind.ALARM_FIRED, condition)

    return tell
