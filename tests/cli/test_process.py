"""The command as a process: exit statuses, pipes and terminals, colours, widths, Ctrl-C."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.cells import cell_len

from tests.cli.conftest import COMMAND, ROOT
from tests.cli.live_daemon import LiveDaemon

HEAVY = {"aiohttp", "pydantic", "rich", "pandas", "numpy", "asyncio"}


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], end: int) -> None:
        self.process = process
        self.text = ""
        self._end = end

    def read_until(self, pattern: str) -> str:
        """Read until the output has a pattern; return all of it so far."""
        while not re.search(pattern, self.text):
            assert self._read(), f"ended without {pattern!r}:\n{self.text}"
        return self.text

    def read_all(self) -> tuple[int, str]:
        """Read to the end; return the exit status and all output."""
        while self._read():
            pass
        return self.process.wait(30), self.text

    def _read(self) -> bool:
        try:
            got = os.read(self._end, 65_536)
        except OSError:
            return False
        self.text += got.decode("utf-8", "replace")
        return bool(got)


@contextmanager
def terminal(environment: dict[str, str], *arguments: str, width: int = 80) -> Iterator[Terminal]:
    """Run the command on a terminal, standard input, output and error."""
    end, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={"TERM": "xterm-256color", **environment},
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
    )
    os.close(its_end)
    try:
        yield Terminal(process, end)
    finally:
        process.kill()
        process.wait(30)
        os.close(end)


Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    "verb", ["status", "pause", "logs", "export 005930 -t 1d", "job 7 --wait", "status --watch"]
)
def test_a_daemon_that_is_away_is_one_line_and_status_3(process: Process, verb: str) -> None:
    """One line says that it is away and what to do."""
    result = process(*verb.split(), PATH="/nowhere")

    assert (result.returncode, result.stdout) == (3, "")
    [line] = result.stderr.splitlines()
    assert "no such socket. Start chartinsightd" in line


@pytest.mark.usefixtures("daemon")
def test_a_pipe_gets_whole_values_without_colours(process: Process) -> None:
    """Nothing is cut and nothing coloured where no terminal is."""
    result = process("coverage", "005930")

    assert (result.returncode, result.stderr) == (0, "")
    assert "trading is suspended" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_terminal_gets_lines_that_fit(environment: dict[str, str], width: int) -> None:
    """No line is wider than the terminal, at any width, for any table."""
    for verb in ("status", "gaps"):
        with terminal(environment, verb, width=width) as shown:
            status, text = shown.read_all()
        plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text)

        assert status == 0
        assert max(cell_len(line) for line in plain.splitlines()) <= width
        assert "\x1b[" in text


@pytest.mark.usefixtures("daemon")
def test_no_color_is_respected(environment: dict[str, str]) -> None:
    """With `NO_COLOR` a terminal gets plain text."""
    with terminal({**environment, "NO_COLOR": "1"}, "gaps") as shown:
        status, text = shown.read_all()

    assert status == 0
    assert "삼성전자" in text
    assert "\x1b" not in text


def test_ctrl_c_leaves_the_job_running(environment: dict[str, str], daemon: LiveDaemon) -> None:
    """Waiting shows a bar with rows and pages; Ctrl-C ends it, not the job, and says how to end that."""
    with terminal(environment, "job", "7", "--wait", width=120) as shown:
        shown.read_until(r"backfill 7.*rows.*pages at")
        os.killpg(shown.process.pid, signal.SIGINT)
        status, text = shown.read_all()

    assert status == 130
    assert "Job 7 continues" in text
    assert "chartinsightctl cancel 7" in text
    assert "Traceback" not in text
    assert daemon.do(lambda: daemon.backend._jobs[7]).state == "running"


def test_the_bar_moves_to_the_end(environment: dict[str, str], daemon: LiveDaemon) -> None:
    """A job that is followed to its end on a terminal ends with what came of it."""
    daemon.keep_working(0.05)
    with terminal(environment, "backfill", "005930", "-t", "1d,1w", "--wait", width=120) as shown:
        status, text = shown.read_all()

    assert status == 0
    assert "100 %" in text
    assert "Job 8 done" in text


def test_a_watch_goes_on_until_ctrl_c(environment: dict[str, str], daemon: LiveDaemon) -> None:
    """A watch fills the screen again and again, outlives the daemon, and recovers by itself."""
    with terminal(environment, "jobs", "--watch", "--interval", "0.1") as shown:
        shown.read_until("running")
        daemon.stop()
        shown.read_until("the last known")
        shown.text = ""
        daemon.start()
        shown.read_until("backfill")
        os.killpg(shown.process.pid, signal.SIGINT)
        status, text = shown.read_all()

    assert status == 130
    assert "Traceback" not in text


@pytest.mark.usefixtures("daemon")
def test_a_watch_in_a_pipe_is_a_line_each_time(environment: dict[str, str]) -> None:
    """With `--json` every look is one line: a program can follow."""
    command = [*COMMAND, "status", "--json", "--watch", "--interval", "0.1"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

    assert process.returncode == 130
    assert looks[0]["daemon"]["pid"] == 4_242
    assert looks[0] == looks[2]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["backfill", "--help"], ["symbols", "list", "--help"]], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """Help is quick because it loads neither the client nor what draws tables."""
    program = (
        "import sys\nfrom chartinsightd.cli.group import chartinsightctl\n"
        "try: chartinsightctl(sys.argv[1:])\n"
        "except SystemExit: print(' '.join(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "Usage:" in result.stdout
    assert HEAVY & set(result.stderr.split()) == set()
