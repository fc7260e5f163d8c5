"""The channels that the settings name, and the notifier over them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta

from chartinsightd.adapters.alerts.apprise import AppriseChannel
from chartinsightd.adapters.alerts.diary import AlertDiaryFile
from chartinsightd.adapters.alerts.record import ToldFile
from chartinsightd.adapters.alerts.slack import SlackChannel
from chartinsightd.clock import SystemClock
from chartinsightd.domain.alert_policy import AlertRules
from chartinsightd.ports.guards import AlertChannel, AlertDiary
from chartinsightd.process.logs import REDACTOR
from chartinsightd.service.monitoring.message import Place
from chartinsightd.service.monitoring.notifier import Notifier, NotifierRules
from chartinsightd.settings.alerts import AlertSettings
from chartinsightd.settings.model import Settings, state_file

_FILE = "alerts.json"
_DIARY = "alert-history.json"


def new_notifier(settings: Settings) -> Notifier:
    """Return the notifier that the settings ask for.

    It goes by the machine's clock whatever the daemon's is: people are told in their own hours.

    Raises:
        ConfigurationError: see `channels_of`.
    """
    alerts = settings.alerts
    tell = AlertRules(
        level=alerts.level, quiet=timedelta(seconds=alerts.quiet_s), remind=timedelta(hours=alerts.remind_h)
    )
    return Notifier(
        channels=[*channels_of(alerts)],
        record=ToldFile(state_file(settings, _FILE)),
        clock=SystemClock(),
        rules=NotifierRules(tell=tell, per_hour=alerts.per_hour),
        place=Place(host=socket.gethostname(), mode=settings.mode),
        clean=REDACTOR.clean,
    )


def new_alert_diary(settings: Settings) -> AlertDiary:
    """Return where alerts are kept over restarts."""
    return AlertDiaryFile(state_file(settings, _DIARY), REDACTOR.clean)


def channels_of(alerts: AlertSettings) -> Iterator[AlertChannel]:
    """Yield the channels that are set up.

    Raises:
        ConfigurationError: apprise is not installed, or does not understand a URL.
    """
    if webhook := alerts.slack_webhook.get_secret_value():
        yield SlackChannel(webhook)
    if alerts.smtp_host:
        from chartinsightd.adapters.alerts.mail import MailChannel, MailServer

        server = MailServer(
            host=alerts.smtp_host,
            port=alerts.smtp_port,
            starttls=alerts.smtp_starttls,
            user=alerts.smtp_user,
            password=alerts.smtp_password.get_secret_value(),
        )
        yield MailChannel(server, alerts.mail_from, alerts.mail_to)
    for number, url in enumerate(alerts.apprise_urls, start=1):
        yield AppriseChannel(number, url.get_secret_value())
