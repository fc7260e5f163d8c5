"""The verb `logs`."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import JobType, SinceType, SymbolType, json_option

LEVELS = ("debug", "info", "warning", "error", "critical")


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    "limit",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="How many of the newest lines to start with.",
)
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="At least this level.")
@click.option("--part", "parts", multiple=True, help="Only this part: the word before the dot of an event.")
@click.option("--symbol", "symbols", multiple=True, type=SymbolType(), help="Only lines about this stock.")
@click.option("--job", "job_id", type=JobType(), help="Only lines about this job.")
@click.option(
    "--grep", "text", metavar="TEXT", default="", help="Only lines with this in them; case is ignored."
)
@click.option(
    "--since",
    type=SinceType(),
    metavar="WHEN",
    help="Only lines from then on: 10m, 2h or a moment such as 2026-11-20T15:00, Korean time.",
)
@json_option
@pass_connection
def logs(
    connection: Connection,
    follow: bool,
    limit: int,
    level: str,
    parts: tuple[str, ...],
    symbols: tuple[str, ...],
    job_id: int | None,
    text: str,
    since: datetime | timedelta | None,
    as_json: bool,
) -> None:
    """Show what the daemon logged; from the systemd journal when the daemon is away."""
    from chartinsightd.cli.following import LogFollower, LogPrinter
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.protocol.rows import LogQuery

    last_s = since.total_seconds() if isinstance(since, timedelta) else None
    moment = since if isinstance(since, datetime) else None
    query = made(
        LogQuery, level=level, part=parts, job=job_id, limit=limit, text=text, since=moment, last_s=last_s
    )
    follower = LogFollower(query=query, symbols=symbols, show=LogPrinter(as_json=as_json))
    connection.ask(follower.follow if follow else follower.show_recent)
