"""What the daemon says in English is said in Korean on Korean screens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import chartinsight_tui
import chartinsightd
from chartinsight_tui.text import Words
from chartinsight_tui.told import told
from chartinsight_tui.words.alerts_ko import KOREAN_ALERTS
from chartinsightd.app.check import run_check
from chartinsightd.cli.endings import CommandFailed, ExitStatus
from chartinsightd.domain.told_ko import KOREAN_SENTENCES
from chartinsightd.service.state.alert_kinds import AlertKind

DAEMON = Path(chartinsightd.__file__).parent
DASHBOARD = Path(chartinsight_tui.__file__).parent
SPEAKERS = ("service", "adapters", "backend", "domain/adjustment.py", "control")
"""Whose sentences reach alerts, jobs, links and refusals."""
NOT_ON_SCREENS = {
    "adapters/ai": "notes are written on the page and by commands",
    "adapters/strategies": "people who write strategies read them in the page and in `strategies`",
    "adapters/postgres/check.py": "`chartinsightd check`",
    "adapters/postgres/data_folder.py": "the daemon does not start",
    "adapters/postgres/dsn.py": "the daemon does not start",
    "adapters/postgres/dump.py": "`chartinsightd backup`",
    "adapters/postgres/embedded.py": "the daemon does not start",
    "control/events.py": "the dashboard reads again what it shows",
    "control/listening.py": "the daemon does not start",
    "control/problems.py": "answers to what the dashboard never sends",
    "control/protocol": "answers to what the dashboard never sends",
    "control/requests.py": "answers to what the dashboard never sends",
    "control/stream.py": "the dashboard connects again",
}
"""Files and rooms whose sentences no dashboard shows, and who reads them instead."""
FIGURES_ALONE = {"{} at {}: {}{}.", "{} failed ({}).", "{} {} {}."}
"""Names and figures, the same in every language."""
SENTENCE = re.compile(r"[A-Z{].* .*[.?!]", re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9])")


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            "12 of 150 series cannot be fetched: Kiwoom did not answer ka10080 in time.",
            "시계열 150개 중 12개를 받지 못하고 있습니다: 키움이 ka10080 요청에 제때 답하지 않았습니다.",
        ),
        (
            "The spool has no room left while the database is away. Only live polls are fetched.",
            "DB가 없는 동안 쓸 임시 저장이 가득 찼습니다. 정기 수집만 합니다.",
        ),
        (
            "The clock is 12 s behind Kiwoom's; candles are read late.",
            "PC 시계가 키움보다 12초 늦어 봉을 늦게 받습니다.",
        ),
        (
            "/etc/chartinsight/config.toml, line 2: collect.symbol: no such setting",
            "/etc/chartinsight/config.toml 2번째 줄: collect.symbol: 그런 설정이 없음",
        ),
        (
            "closed today, next session 2026-11-30 09:00-15:30, after-market 16:00-20:00 KST",
            "오늘 휴장, 다음 장 2026-11-30 09:00-15:30, 애프터마켓 16:00-20:00",
        ),
        ("Something that a newer daemon says.", "Something that a newer daemon says."),
    ],
)
def test_a_sentence_is_said_in_korean_with_its_values(english: str, korean: str) -> None:
    """Also where a sentence holds another one; what is not known stays as it came."""
    assert told(english, Words("ko")) == korean
    assert told(english, Words("en")) == english


def test_every_sentence_that_the_daemon_says_to_people_has_korean_words() -> None:
    """A new alert, refusal or failure needs its line in the table, or its file a reason to have none."""
    missing = {
        f"{file.relative_to(DAEMON)}: {sentence}"
        for file in _speaking()
        for text in _texts(file)
        if SENTENCE.fullmatch(text) and text not in FIGURES_ALONE | KOREAN_SENTENCES.keys()
        for sentence in SENTENCE_END.split(text.replace("{}", "7"))
        if re.search("[A-Za-z]{2}", sentence) and told(sentence, Words("ko")) == sentence
    }
    assert sorted(missing) == []


def test_every_kind_of_alert_has_a_korean_title_and_says_what_to_do() -> None:
    """The list of kinds is closed; the dashboard's table has two lines for each."""
    kinds = {f"alert.{kind}" for kind in AlertKind}
    assert {*KOREAN_ALERTS} >= {*kinds, *(f"{kind}.do" for kind in kinds)}


def test_every_sentence_of_the_table_is_one_that_the_daemon_says() -> None:
    """A sentence that was reworded would come in English again."""
    files = [
        *_files(*SPEAKERS, "settings", "app/check.py", "app/broker.py"),
        DASHBOARD / "questions.py",
        DASHBOARD / "connection.py",
    ]
    said = "\n".join(text for file in files for text in _texts(file))
    assert [english for english in KOREAN_SENTENCES if english not in said] == []


def test_the_command_line_says_failures_in_the_language_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`chartinsightctl` and `chartinsightd check` are Korean in a Korean locale, English in any other."""
    file = tmp_path / "config.toml"
    file.write_text('[collect]\nsymbol = "005930"\n')
    away = CommandFailed(
        ExitStatus.AWAY, "No daemon at /c.sock: there is no such socket.", "Look into its log."
    )
    said = {}
    for locale in ("ko_KR.UTF-8", "C"):
        monkeypatch.setenv("LC_ALL", locale)
        away.show()
        assert run_check(file) == 2
        said[locale] = "".join(capsys.readouterr())
    assert "그런 설정이 없음" in said["ko_KR.UTF-8"]
    assert "/c.sock에 수집기가 없습니다: 그런 소켓이 없음. 수집기의 로그를 보세요." in said["ko_KR.UTF-8"]
    assert "no such setting" in said["C"]
    assert "No daemon at /c.sock: there is no such socket. Look into its log." in said["C"]


def _speaking() -> Iterator[Path]:
    """Yield the files whose sentences the dashboard shows."""
    for file in _files(*SPEAKERS):
        if not any(file.relative_to(DAEMON).is_relative_to(silent) for silent in NOT_ON_SCREENS):
            yield file


def _files(*rooms: str) -> Iterator[Path]:
    """Yield modules of the daemon: of rooms, or single ones."""
    for room in rooms:
        path = DAEMON / room
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def _texts(file: Path) -> Iterator[str]:
    """Yield every text of a module, with `{}` for values; no docstrings, no parts of a longer one."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    parts |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield re.sub(r"{[^}]*}", "{}", node.value)
