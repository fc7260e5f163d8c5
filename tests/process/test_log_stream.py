"""The log never waits for its reader, and never ends the work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chartinsightd.process.log_stream import LogStream

LINES = """
import sys, time
from chartinsightd.process.log_stream import LogStream, open_standard_streams
open_standard_streams()
log = LogStream(sys.stderr)
begun = time.monotonic()
for number in range(20_000):
    log.msg("x" * 200)
print(round(time.monotonic() - begun), log.dropped > 0)
"""


def test_a_reader_that_stops_costs_lines_and_is_told_how_many() -> None:
    """Nothing waits for a full pipe; when it is read again, the number of lost lines comes too."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as stream, os.fdopen(read_end, "rb", 0) as reader:
        log = LogStream(stream)
        begun = time.monotonic()
        for _ in range(5_000):
            log.msg("x" * 100)
        took_s, lost = time.monotonic() - begun, log.dropped
        os.set_blocking(read_end, False)
        found = b""
        for _ in range(200):
            found += reader.read(1 << 20) or b""
            log.msg("again")

    assert took_s < 5
    assert lost > 0
    assert f'"lines": {lost}'.encode() in found
    assert found.count(b"x" * 100 + b"\n") == 5_000 - lost


@pytest.mark.parametrize("standard_error", ["2>/dev/full", "2>&-", "2>&1 | head -c 10 >/dev/null; true"])
def test_a_log_that_cannot_be_written_ends_nothing(standard_error: str, tmp_path: Path) -> None:
    """A full disk, no standard error at all, a pipe whose reader died: the work goes on."""
    out = tmp_path / "out"
    program = tmp_path / "lines.py"
    program.write_text(
        LINES.replace("print(", f"print(file=open({str(out)!r}, 'w'), *(").replace("> 0)", "> 0))")
    )
    command = f"{sys.executable} {program} {standard_error}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    subprocess.run(["sh", "-c", command], env=environment, check=True, timeout=60)

    assert int(out.read_text().split()[0]) < 10
