"""What shells offer."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.cli.conftest import Process


@pytest.fixture
def offered(process: Process) -> Callable[[str], list[str]]:
    """Ask as the script for bash does; return what is offered."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        result = process(
            _CHARTINSIGHTCTL_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
        )
        assert result.stderr == ""
        return [item.split(",", 1)[1] for item in result.stdout.split()]

    return ask


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("chartinsightctl ba", {"backfill", "backup"}),
        ("chartinsightctl candles 삼성", {"삼성전자", "삼성SDI", "삼성바이오로직스", "삼성물산"}),
        ("chartinsightctl backfill sk", {"SK하이닉스"}),
        ("chartinsightctl gaps 0059", {"005930"}),
        ("chartinsightctl candles 005930 1", {"1h", "1d", "1w"}),
        ("chartinsightctl jobs --state r", {"running"}),
        ("chartinsightctl cancel ", {"6", "7"}),
        ("chartinsightctl symbols remove 삼성S", {"삼성SDI"}),
        ("chartinsightctl seals --from y", {"yesterday"}),
    ],
)
def test_words_are_completed(offered: Callable[[str], list[str]], line: str, some: set[str]) -> None:
    """Verbs, options' values, jobs, and stocks by code or Korean name: all that begin so, nothing else."""
    assert set(offered(line)) == some


@pytest.mark.usefixtures("daemon")
def test_without_a_word_the_tracked_are_offered(offered: Callable[[str], list[str]]) -> None:
    """An empty word offers the codes of what is collected."""
    assert {"005930", "000660"} <= set(offered("chartinsightctl candles "))


def test_a_daemon_that_is_away_offers_nothing_and_is_silent(offered: Callable[[str], list[str]]) -> None:
    """No words appear in the line that is being typed."""
    assert offered("chartinsightctl candles 삼") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(process: Process, shell: str) -> None:
    """The script is the shell's own, and is understood by it where it is installed."""
    result = process("completion", shell)

    assert result.returncode == 0
    assert "_CHARTINSIGHTCTL_COMPLETE" in result.stdout
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n"], input=result.stdout, text=True, check=True, timeout=30)
