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
from chartinsightd.app.check import run_check
from chartinsightd.cli.endings import CommandFailed, ExitStatus
from chartinsightd.domain.told_ko import KOREAN_SENTENCES

_PARTS = ("service", "adapters/kiwoom", "adapters/postgres", "settings")


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


def test_every_sentence_of_the_table_is_one_that_the_daemon_says() -> None:
    """A sentence that was reworded would come in English again."""
    said = "\n".join(_sentences())
    assert [english for english in KOREAN_SENTENCES if english not in said] == []


def _sentences() -> Iterator[str]:
    """Yield every text of the daemon's source, with `{}` for values."""
    package = Path(chartinsightd.__file__).parent
    files = [file for part in _PARTS for file in (package / part).rglob("*.py")]
    files += [package / "adapters" / "connection_words.py", package / "app" / "check.py"]
    files += [package / "app" / "broker.py", package / "adapters" / "simulator_clock.py"]
    dashboard = Path(chartinsight_tui.__file__).parent
    files += [package / "control" / "client.py", dashboard / "questions.py", dashboard / "connection.py"]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"{[^}]*}", "{}", node.value)
            elif isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
                )


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
