"""Where text goes: standard output or error, with colours only where they are wanted."""

from __future__ import annotations

import os
from typing import Literal

from rich.console import Console

_PIPE_WIDTH = 500
"""Who reads a pipe has as many columns as they like; `COLUMNS` says otherwise."""


def data_console() -> Console:
    """Return the console for data: standard output."""
    return _console(to_stderr=False)


def words_console() -> Console:
    """Return the console for words and progress: standard error."""
    return _console(to_stderr=True)


def _console(*, to_stderr: bool) -> Console:
    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    console = Console(
        stderr=to_stderr,
        color_system=colours,
        force_terminal=_forced(),
        highlight=False,
        markup=False,
        emoji=False,
    )
    if not console.file.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        console.width = _PIPE_WIDTH
    return console


def _forced() -> bool | None:
    """Return whether colours are wanted in a pipe too; None: as the library finds.

    Source: https://bixense.com/clicolors.
    """
    return True if os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"} else None
