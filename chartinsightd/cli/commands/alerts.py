"""The verb `alerts`: list, test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import CommandFailed, ExitStatus, end
from chartinsightd.cli.parameters import View, check_option, json_option, view_options
from chartinsightd.cli.present import present, print_data, print_json

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import AlertList

_NO_CHANNEL = "Alerts are sent nowhere: no channel is set up."
_NO_CHANNEL_REMEDY = (
    "Set CHARTINSIGHT_ALERTS__SLACK_WEBHOOK, or alerts.smtp_host with mail_from and mail_to, and restart."
)


@click.group()
def alerts() -> None:
    """Show what a person should know, and test how it reaches people."""


@alerts.command(name="list")
@check_option("an alert lasts")
@view_options
@pass_connection
def list_(connection: Connection, check: bool, view: View) -> None:
    """Show the alerts that last, the last ones that ended, and the channels."""
    from chartinsightd.cli.views.alerts import render_alerts
    from chartinsightd.control.operations import ALERTS

    answer: AlertList = present(connection, lambda client: client.ask(ALERTS), render_alerts, view)
    lasts = any(alert.ended_at is None for alert in answer.items)
    end(ExitStatus.FAILED if check and lasts else ExitStatus.OK)


@alerts.command()
@json_option
@pass_connection
def test(connection: Connection, as_json: bool) -> None:
    """Send a message through each channel, and say which took it.

    Ends with status 1 when one did not, with 2 when there is no channel.
    """
    from chartinsightd.cli.views.alerts import render_channels
    from chartinsightd.control.operations import TEST_ALERTS

    trial = connection.ask(lambda client: client.ask(TEST_ALERTS))
    if as_json:
        print_json(trial)
    elif trial.items:
        print_data(render_channels(trial.items))
    if not trial.items:
        raise CommandFailed(ExitStatus.USAGE, _NO_CHANNEL, _NO_CHANNEL_REMEDY)
    end(ExitStatus.OK if all(one.ok for one in trial.items) else ExitStatus.FAILED)
