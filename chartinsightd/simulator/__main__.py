"""The command `chartinsight-simulator`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chartinsightd import __version__
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY

DEFAULT_START = "2026-11-20T08:50:00+09:00"
"""The morning of a Friday session, ten minutes before the opening."""


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chartinsight-simulator")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8500, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--start", default=DEFAULT_START, help="Virtual time at the anchor (ISO; KST without a zone).")
@click.option("--speed", default=1.0, type=click.FloatRange(min=0), help="Virtual seconds in a real one.")
@click.option("--anchor", help="Real time at which virtual time is --start (ISO with a zone). [default: now]")
@click.option("--environment", default="real", type=click.Choice(["real", "paper"]), help="Which host to be.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of real candles to serve instead of generated ones.",
)
@click.option("--symbols", default=30, type=click.IntRange(min=1), help="How many issues to generate.")
@click.option("--seed", default=7, type=int, help="Another seed, another market.")
@click.option(
    "--corrections",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps corrections over a restart. [default: they are forgotten]",
)
@click.option("--app-key", default=DEFAULT_APP_KEY, help="The app key that is registered.")
@click.option("--secret-key", default=DEFAULT_SECRET_KEY, help="Its secret key.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="APP_KEY:SECRET_KEY",
    help="Another account, with limits of its own; may be given again.",
)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Set a switch; see --options.")
@click.option(
    "--options",
    "lists_options",
    is_flag=True,
    is_eager=True,
    help="List every switch with its value and leave.",
)
def main(**chosen: Any) -> None:
    """Serve a simulated Kiwoom REST and WebSocket API.

    When it is ready it prints one JSON line with url, websocket_url and pid. SIGTERM and SIGINT stop it.
    """
    from chartinsightd.simulator.serving import Chosen, run

    run(Chosen(**chosen))


if __name__ == "__main__":
    main()
