"""Each command of the pages for users works; English and Korean pages have the same shape."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout, suppress
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from chartinsightd.cli.group import chartinsightctl
from chartinsightd.control.metrics import prometheus_text, status_metrics
from chartinsightd.simulator.faults import Fault
from tests.cli.live_daemon import LiveDaemon
from tests.simulator.in_thread import simulator_in_thread
from tests.support.command_lines import command_lines, understood
from tests.support.fake_backend import FakeBackend, Scene

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("api", "dashboard", "metrics", "notebook", "simulator")
SIMULATOR = "127.0.0.1:8500"


def blocks(page: str, language: str = "sh") -> list[str]:
    """Return the fenced blocks of a page in one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """Return the lines of a page's shell blocks."""
    lines = "".join(blocks(f"{page}.md")).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line and not line.startswith("#")]


COMMANDS = list(dict.fromkeys(line for page in PAGES for line in commands(page)))


FORMS = (".md", ".ko" + ".md")
"""Of a page in English and in Korean."""


class World:
    """A made-up daemon and a simulator, for all lines of all pages.

    Args:
        daemon: running.
        simulator: its host and port.
        folder: for what a line writes.
    """

    def __init__(self, daemon: LiveDaemon, simulator: str, folder: Path) -> None:
        self.daemon = daemon
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "SOCKET": str(daemon.socket),
            "TEXTFILES": str(folder),
        }
        self._simulator = simulator

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell, against this simulator instead of the usual one."""
        line = line.replace(SIMULATOR, self._simulator)
        return subprocess.run(
            ["sh", "-c", line], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One daemon and one simulator for the whole module."""
    folder = tmp_path_factory.mktemp("pages")
    with ExitStack() as stack:
        stack.enter_context(capture_logs())
        live = LiveDaemon(FakeBackend(Scene.FULL), folder / "run" / "c.sock")
        daemon = stack.enter_context(live.running())
        url = stack.enter_context(simulator_in_thread())
        yield World(daemon, urlsplit(url).netloc, folder)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_works(world: World, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that a reader pastes does what it should, or at least is a line that the command takes."""
    words = shlex.split(line)
    monkeypatch.setenv("CHARTINSIGHT_CONTROL__SOCKET", str(world.daemon.socket))
    if words[0] == "chartinsightctl":
        with ThreadPoolExecutor(1) as thread:  # the command has an event loop of its own
            result = thread.submit(CliRunner().invoke, chartinsightctl, words[1:]).result(60)
        assert result.exit_code in {0, 1}, result.output  # 1: a check found something
    elif words[0] == "curl":
        done = world.shell(line.replace("curl -s", "curl -sS"))
        assert done.returncode in {0, 28}, done.stderr  # 28: the stream was followed for as long as asked
        assert '"status":4' not in done.stdout.replace(" ", ""), done.stdout
    elif words[0] == "export":
        assert re.fullmatch(r"export [A-Z]+=\S+", line)
    else:
        understood(words)


def test_every_command_of_every_document_is_understood() -> None:
    """Lines in blocks and commands in sentences, in both languages, are ones that our commands take.

    `ID` and `JOB` stand for a number, `a|b` for either. The changelog names commands in a short form.
    """
    seen = 0
    for document in {*DOCS.parent.glob("*.md"), *DOCS.rglob("*.md")} - {DOCS.parent / "CHANGELOG.md"}:
        for words in command_lines(document.read_text(encoding="utf-8")):
            seen += 1
            line = ["1" if word in {"ID", "JOB"} else word.partition("|")[0] for word in words]
            with suppress(click.exceptions.Exit):  # --version and the like end here
                understood(line)
    assert seen > 150


def test_the_python_of_the_api_page_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example reads three candles from a daemon."""
    monkeypatch.setenv("SOCKET", str(world.daemon.socket))
    [source] = blocks("api.md", "python")
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(source, "api.md", "exec"), {})
    assert len(printed.getvalue().splitlines()) == 3


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_show_the_same(page: str) -> None:
    """A Korean page has the English page's commands, headings and tables, in Korean."""
    english, korean = ((DOCS / f"{page}{form}").read_text(encoding="utf-8") for form in FORMS)

    def shape(text: str) -> tuple[list[str], int, list[str]]:
        fenced = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        rows = re.findall(r"^\| (`[^|]*`) \|", prose, re.MULTILINE)
        return fenced, len(re.findall(r"^#+ ", prose, re.MULTILINE)), rows

    assert shape(english) == shape(korean)
    names = {name: f"]({page}{name}md)" for name in (".", ".ko.")}
    assert names[".ko."] in english
    assert names["."] in korean


@pytest.mark.parametrize(
    "page", ["analysis", "backup", "notes", "operating", "scaling", "security", "systemd"]
)
def test_pages_for_operators_are_whole_in_korean(page: str) -> None:
    """Each has a heading for each of the English ones, and the same commands."""
    english, korean = ((DOCS / f"{page}{form}").read_text(encoding="utf-8") for form in FORMS)
    headings, fences = r"^#+ ", r"^```.*?^```"
    assert len(re.findall(headings, english, re.MULTILINE)) == len(re.findall(headings, korean, re.MULTILINE))
    flags = re.MULTILINE | re.DOTALL
    assert re.findall(fences, english, flags) == re.findall(fences, korean, flags)


async def test_every_metric_is_explained() -> None:
    """The page has each metric of the status, and the Grafana board asks for none that is not on the page."""
    listed = set(
        re.findall(r"^\| `(\w+)` \|", (DOCS / "metrics.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    text = prometheus_text(status_metrics(await FakeBackend(Scene.FULL).status()))
    assert set(re.findall(r"^chartinsight_(\w+)", text, re.MULTILINE)) <= listed
    board = json.loads((DOCS / "grafana" / "chartinsight.json").read_text(encoding="utf-8"))
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    assert set(re.findall(r"chartinsight_(\w+)", asked)) <= listed


def test_every_fault_is_explained() -> None:
    """The simulator's page names exactly the faults there are."""
    table = (
        (DOCS / "simulator.md").read_text(encoding="utf-8").partition("| faults |")[2].partition("\n\n")[0]
    )
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first))) == sorted(Fault)
