"""The command `chartinsightd`: the daemon, and what sets up and checks its machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chartinsightd import __version__
from chartinsightd.install import install
from chartinsightd.process.early_signals import leave_on_sigterm
from chartinsightd.process.left_out import leave_out, read_closed_days
from chartinsightd.process.log_stream import open_standard_streams


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings file (TOML).")
@click.version_option(__version__, prog_name="chartinsightd")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Keep a complete store of Korean stock candles in PostgreSQL.

    Runs until SIGTERM. Settings come from a TOML file and from CHARTINSIGHT_<SECTION>__<KEY> variables;
    SIGHUP reads them again.
    """
    open_standard_streams()
    context.obj = config
    if context.invoked_subcommand is None:
        leave_on_sigterm()
        leave_out("rich", "greenlet")
        read_closed_days()
        from chartinsightd.app.daemon import run_daemon

        sys.exit(run_daemon(config))


@main.command()
@click.option("--fix", is_flag=True, help="First set the modes of the embedded database's own folders.")
@click.option(
    "--learn", is_flag=True, help="Then measure for some minutes what is known of no key but yours."
)
@click.option("--schema", is_flag=True, help="Only print the JSON Schema of the configuration, for editors.")
@click.pass_obj
def check(config: Path | None, *, fix: bool, learn: bool, schema: bool) -> None:
    """Test settings, calendar, database and broker, and say what to fix.

    --learn asks Kiwoom, within the limits, what docs/kiwoom.md calls unknown, and writes the answers where
    the daemon reads them at its next start. Run it once with a new key while the market is open, with the
    daemon stopped; it takes up to ten minutes.
    """
    if schema:
        from chartinsightd.settings.schema import config_schema

        click.echo(config_schema())
        return
    from chartinsightd.app.check import run_check

    sys.exit(run_check(config, fix=fix, learns=learn))


@main.command()
@click.option("--environment", metavar="simulation|mock|live", help="Whose servers are asked.")
@click.option("--simulator", metavar="URL", help="Address of the simulator; with --environment simulation.")
@click.option(
    "--symbols", metavar="CODES", help="Stocks in all timeframes, with commas. [default: the thirty]"
)
@click.option("--universe", metavar="large|all|none", help="Stocks beside them, in days and weeks.")
@click.option("--horizon", metavar="LENGTH", help="How far back: max, 1y, or 5m=6m,1d=max.")
@click.option("--app-key-file", type=click.Path(path_type=Path), help="File with Kiwoom's app key.")
@click.option("--secret-key-file", type=click.Path(path_type=Path), help="File with its secret key.")
@click.option(
    "--keys-in",
    type=click.Choice(["credentials", "environment"]),
    default="credentials",
    show_default=True,
    help="What keeps the keys: a file each as for systemd, or one file of variables.",
)
@click.option("--yes", is_flag=True, help="Replace what is there without asking.")
@click.option("--no-check", is_flag=True, help="Do not run `chartinsightd check` afterwards.")
@click.pass_obj
def init(
    config: Path | None,
    /,
    *,
    app_key_file: Path | None,
    secret_key_file: Path | None,
    keys_in: str,
    yes: bool,
    no_check: bool,
    **texts: str | None,
) -> None:
    """Write settings and keys, asking for what no option says, and check them.

    The settings go into the file of --config, else into ~/.config/chartinsight/config.toml (root:
    /etc/chartinsight/config.toml); an existing file keeps its comments and all that was not asked. Keys never
    go into it. Without a terminal nothing is asked, and nothing is replaced without --yes.
    """
    from chartinsightd.init.command import run_init
    from chartinsightd.init.keys import Place
    from chartinsightd.init.questions import Given

    given = Given(**texts, key_files=(app_key_file, secret_key_file))
    sys.exit(run_init(config, given, Place(keys_in), is_agreed=yes, is_checked=not no_check))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(config: Path | None, file: Path) -> None:
    """Write the whole store, the checkpoint and the settings without secrets into a new FILE.

    The daemon may run meanwhile; the backup is of one moment.
    """
    from chartinsightd.app.backup import run_backup

    sys.exit(run_backup(config, file))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def restore(config: Path | None, file: Path) -> None:
    """Make the store of a backup FILE again, where there is none yet, and compare every candle."""
    from chartinsightd.app.backup import run_restore

    sys.exit(run_restore(config, file))


@main.command()
@click.pass_obj
def upgrade(config: Path | None) -> None:
    """Carry the embedded database over to the newest PostgreSQL that is installed; the old one is kept."""
    from chartinsightd.app.backup import run_upgrade

    sys.exit(run_upgrade(config))


main.add_command(install)


if __name__ == "__main__":
    main()
