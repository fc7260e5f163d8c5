"""Verbs on the whole store: backup, restore. The daemon's own program does the work."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the whole store, the checkpoint and the settings without secrets into a new FILE.

    The daemon may run meanwhile. Run it as the daemon's user, with its settings: `chartinsightd backup`.
    """
    _become("backup", file)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Make the store of a backup FILE again, where there is none yet, and compare every candle.

    The daemon must not run. Run it as the daemon's user, with its settings: `chartinsightd restore`.
    """
    _become("restore", file)


def _become(verb: str, file: Path) -> None:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "chartinsightd", verb, str(file)])
