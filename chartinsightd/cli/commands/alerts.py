"""The verb `alerts`: list, history, ack, silence, test."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import CommandFailed, ExitStatus, end, say
from chartinsightd.cli.parameters import (
    DurationType,
    View,
    check_option,
    json_option,
    limit_option,
    view_options,
)
from chartinsightd.cli.present import present, print_data, print_json
from chartinsightd.domain.alert_record import HAPPENINGS
from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import AlertList

_NO_CHANNEL = "Alerts are sent nowhere: no channel is set up."
_NO_CHANNEL_REMEDY = (
    "Set CHARTINSIGHT_ALERTS__SLACK_WEBHOOK, or alerts.smtp_host with mail_from and mail_to, and restart."
)


@click.group(invoke_without_command=True)
@click.pass_context
def alerts(context: click.Context) -> None:
    """Show what a person should know, and test how it reaches people; without a word: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@alerts.command(name="list")
@check_option("an alert lasts")
@view_options
@pass_connection
def list_(connection: Connection, check: bool, view: View) -> None:
    """Show the alerts that last, the last ones that ended, and the channels."""
    from chartinsightd.cli.views.alerts import render_alerts
    from chartinsightd.control.operations import ALERTS

    answer: AlertList = present(connection, lambda client: client.ask(ALERTS), render_alerts, view)
    lasts = any(alert.ended_at is None and alert.event not in HAPPENINGS for alert in answer.items)
    end(ExitStatus.FAILED if check and lasts else ExitStatus.OK)


@alerts.command()
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only these, such as database.away.")
@limit_option(200)
@view_options
@pass_connection
def history(connection: Connection, kinds: tuple[str, ...], limit: int, view: View) -> None:
    """Show the alerts of the last thirty days, also of before a restart, the newest first."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.alerts import render_history
    from chartinsightd.control.operations import ALERT_HISTORY
    from chartinsightd.control.protocol.status import AlertHistoryQuery

    query = made(AlertHistoryQuery, event=kinds, limit=limit)
    present(connection, lambda client: client.ask(ALERT_HISTORY, query), render_history, view)


@alerts.command()
@click.argument("kind", metavar="[KIND]", required=False, default="")
@json_option
@pass_connection
def ack(connection: Connection, kind: str, as_json: bool) -> None:
    """Note that you know of an active alert, such as database.away; without KIND of every one.

    Who and when are kept and shown. The verdict stays as it is: the condition still holds.
    """
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.operations import ACKNOWLEDGE
    from chartinsightd.control.protocol.status import AcknowledgeRequest

    request = made(AcknowledgeRequest, event=kind)
    outcome = connection.ask(lambda client: client.ask(ACKNOWLEDGE, request))
    if as_json:
        print_json(outcome)
    else:
        say("Acknowledged." if outcome.changed else "Nothing to acknowledge.")


@alerts.command()
@click.argument("kind", metavar="KIND")
@click.option(
    "--for",
    "length",
    type=DurationType(longest=timedelta(days=30)),
    metavar="DURATION",
    help="Send none for 45s, 10m, 1h30m or 2d by the daemon's clock; at most 30d. Default: 1h.",
)
@click.option("--off", is_flag=True, help="End the silence now.")
@json_option
@pass_connection
def silence(connection: Connection, kind: str, length: timedelta | None, off: bool, as_json: bool) -> None:
    """Send no alerts of a KIND for a time; they are shown all the same, and told afterwards if they last."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.operations import SILENCE
    from chartinsightd.control.protocol.status import SilenceRequest

    if off and length is not None:
        raise click.UsageError("--off and --for exclude each other.")
    span = timedelta() if off else length or timedelta(hours=1)
    request = made(SilenceRequest, event=kind, for_s=span.total_seconds())
    outcome = connection.ask(lambda client: client.ask(SILENCE, request))
    if as_json:
        print_json(outcome)
    elif outcome.until is None:
        say(f"{kind} is sent again.")
    else:
        say(f"{kind} is not sent until {outcome.until.astimezone(KST):%Y-%m-%d %H:%M:%S} KST.")


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
