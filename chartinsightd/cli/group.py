"""The top of the command: options of all verbs, and the table of verbs, imported when used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from chartinsightd import __version__
from chartinsightd.cli.connection import Connection
from chartinsightd.cli.endings import ExitStatus
from chartinsightd.cli.examples import with_examples
from chartinsightd.cli.fields import fields_apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Where a verb is found, and its line in the help."""

    module: str
    """Module below `chartinsightd.cli.commands`; the verb is the function of that name there."""
    words: str


VERBS: Mapping[str, Verb] = {
    "status": Verb(module="reading", words="What the daemon does now."),
    "replay": Verb(module="replay", words="How a day of the last month went, as it was recorded."),
    "coverage": Verb(module="reading", words="How complete each series is."),
    "gaps": Verb(module="reading", words="What is missing, and why."),
    "seals": Verb(module="reading", words="What the mornings after proved."),
    "candles": Verb(module="reading", words="Candles of one series."),
    "catchup": Verb(module="catchup", words="What waits for its turn at the broker, in which order."),
    "adjustments": Verb(module="reading", words="Splits and the like, and what they were read off."),
    "explain": Verb(module="history", words="All that is known of one candle."),
    "revisions": Verb(module="history", words="Changes of candles after they were final."),
    "quarantine": Verb(module="history", words="Rows of the broker that could not be candles."),
    "watch": Verb(module="watching", words="Latest prices of the watchlist, as they move."),
    "watchlist": Verb(module="watching", words="Groups of stocks you watch: list, add, remove, move."),
    "points": Verb(module="analysis", words="Peaks, valleys and trend changes of one series."),
    "patterns": Verb(module="analysis", words="Patterns and how they stand."),
    "strategies": Verb(module="screens", words="The strategies that a screen may name; write one."),
    "screen": Verb(module="screens", words="Where a strategy or an expression holds, over all stocks."),
    "screens": Verb(module="screens", words="Stored screens: list, runs, save, remove."),
    "statistics": Verb(module="statistics", words="What followed a strategy or a pattern."),
    "labels": Verb(module="labels", words="What people said of charts, and how often they agree."),
    "radar": Verb(module="radar", words="An address that opens the page with charts; who is in."),
    "analyse": Verb(module="analysis", words="Analyse what is due now."),
    "note": Verb(module="notes", words="What the store says of stocks, in sentences."),
    "jobs": Verb(module="jobs", words="Work that runs and has run."),
    "job": Verb(module="jobs", words="One job; with --wait, until it is over."),
    "backfill": Verb(module="jobs", words="Fetch what is missing."),
    "verify": Verb(module="jobs", words="Read series again and compare them with the store."),
    "retry": Verb(module="jobs", words="Do jobs again, or try now what failed in them."),
    "tries": Verb(module="jobs", words="What was tried and failed, when and why."),
    "cancel": Verb(module="jobs", words="End jobs."),
    "pause": Verb(module="daemon", words="Ask nothing more of the broker."),
    "resume": Verb(module="daemon", words="Go on, and catch up."),
    "reload": Verb(module="daemon", words="Read the configuration again."),
    "wait": Verb(module="waiting", words="Until the daemon is sealed, fresh or idle."),
    "config": Verb(module="config", words="Settings in force, and where they come from."),
    "symbols": Verb(module="symbols", words="What is listed and what is tracked."),
    "alerts": Verb(module="alerts", words="What a person should know, and how it reaches people."),
    "alarms": Verb(module="alarms", words="What you want to be told of stocks: list, add, remove."),
    "dsn": Verb(module="database", words="Where other programs read the database."),
    "psql": Verb(module="database", words="Open psql on the database, to read."),
    "backup": Verb(module="backup", words="Write the whole store into a file."),
    "restore": Verb(module="backup", words="Make the store of a backup again."),
    "export": Verb(module="export", words="Write candles to a CSV or Parquet file."),
    "logs": Verb(module="logs", words="What the daemon logged; -f follows it."),
    "completion": Verb(module="completion", words="The script that makes a shell complete this command."),
}


class LazyGroup(click.Group):
    """A group that knows its verbs by name: help costs the import of none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the fields that follow `--json` apart from it."""
        return super().parse_args(ctx, fields_apart(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the help."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        del ctx
        if (verb := VERBS.get(cmd_name)) is None:
            return None
        command = getattr(import_module(f"chartinsightd.cli.commands.{verb.module}"), cmd_name)
        assert isinstance(command, click.Command)
        return with_examples(cmd_name, command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; for one that does not exist, name those that it may have been meant for."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = get_close_matches(args[0], VERBS, n=2)
            meant = f" Did you mean {' or '.join(near)}?" if near else " `chartinsightctl --help` lists them."
            ctx.fail(f"There is no verb {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of verbs."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.words) for name, verb in VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; Ctrl-C ends it as a shell expects."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(ExitStatus.INTERRUPTED) from None


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 ok, 1 the work failed or found a problem, 2 usage or configuration, "
    "3 daemon not reachable, 4 timed out waiting, 130 interrupted.",
)
@click.option(
    "--socket",
    envvar="CHARTINSIGHT_CONTROL__SOCKET",
    type=click.Path(path_type=Path),
    help="The daemon's control socket. Default: where it is without a setting.",
)
@click.version_option(__version__, prog_name="chartinsightctl")
@click.pass_context
def chartinsightctl(context: click.Context, socket: Path | None) -> None:
    """Look after chartinsightd, which keeps candles of Korean stocks.

    SYMBOL is a stock code (005930) or a name (삼성전자). DAY is 2026-09-14, today, yesterday, or so long ago:
    -30d, -4w, -6m, -1y. Times are Korean. Data goes to standard output, words to standard error.
    """
    context.obj = Connection(socket=socket)
