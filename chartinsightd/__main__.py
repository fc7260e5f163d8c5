"""The command `chartinsightd`: the daemon, and `chartinsightd check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chartinsightd import __version__
from chartinsightd.install import install
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
        from chartinsightd.app.daemon import run_daemon

        sys.exit(run_daemon(config))


@main.command()
@click.option("--fix", is_flag=True, help="First set the modes of the embedded database's own folders.")
@click.pass_obj
def check(config: Path | None, *, fix: bool) -> None:
    """Test settings, calendar, database and broker, and say what to fix."""
    from chartinsightd.app.check import run_check

    sys.exit(run_check(config, fix=fix))


main.add_command(install)


if __name__ == "__main__":
    main()
