"""The command `chartinsightctl`."""

from __future__ import annotations

import gc
import io
import os
import sys

from chartinsightd.cli.group import chartinsightctl


def main() -> None:
    """Run the command and leave with its exit status."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # else it looks through all that is installed
    gc.freeze()
    gc.disable()  # what is imported lives to the end: looking for garbage in it is a tenth of the start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # Hangul on a terminal that has none
    chartinsightctl(prog_name="chartinsightctl")


if __name__ == "__main__":
    main()
