"""`chartinsightd init`: what it writes, keeps, asks and refuses."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.__main__ import main
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.targets import TARGETS
from chartinsightd.init import new_files, words
from chartinsightd.init.answers import (
    AnswerRefused,
    parse_environment,
    parse_horizon,
    parse_key,
    parse_simulator,
    parse_symbols,
    parse_universe,
)
from chartinsightd.init.new_files import NewFile, write_together
from chartinsightd.resources import default_config
from chartinsightd.settings.loading import load_settings

APP_KEY, SECRET_KEY = "an-app-key-of-mine", "a-secret-key-of-mine"


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the person's own takes part, and English is spoken."""
    for name in list(os.environ):
        if name.upper().startswith("CHARTINSIGHT_") or name in {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("CHARTINSIGHT_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def key_options(tmp_path: Path) -> list[str]:
    """The options that name files with keys."""
    (tmp_path / "app").write_text(f"{APP_KEY}\n", encoding="utf-8")
    (tmp_path / "secret").write_text(SECRET_KEY, encoding="utf-8")
    return ["--app-key-file", str(tmp_path / "app"), "--secret-key-file", str(tmp_path / "secret")]


def run(*options: str) -> Result:
    """Run the command in a pipe, without the check."""
    return CliRunner().invoke(main, ["init", "--no-check", *options])


def test_options_alone_make_settings_and_keys(key_options: list[str]) -> None:
    """In a pipe the options are enough; the daemon then finds everything as it was said, the keys too."""
    chosen = ["--symbols", "005930, 카카오", "--universe", "none", "--horizon", "5m=6m"]
    result = run("--environment", "mock", *chosen, *key_options)

    assert result.exit_code == 0, result.output
    settings = load_settings()
    assert (settings.mode, settings.kiwoom.environment) == ("live", "paper")
    assert settings.kiwoom.app_key.get_secret_value() == APP_KEY
    assert settings.kiwoom.secret_key.get_secret_value() == SECRET_KEY
    assert settings.collect.symbols == ("005930", "035720")
    assert settings.collect.horizon == dict.fromkeys(Timeframe, "max") | {Timeframe.M5: "6m"}
    assert not settings.universe.enabled


def test_a_simulation_needs_no_keys(tmp_path: Path) -> None:
    """Against a simulator its own keys are stored, and its clock is followed."""
    assert run("--environment", "simulation", "--simulator", "http://127.0.0.1:9999/").exit_code == 0
    settings = load_settings()
    assert (settings.mode, settings.clock.follow) == ("simulation", True)
    assert settings.kiwoom.rest_url == "http://127.0.0.1:9999"
    assert settings.kiwoom.socket_url == "ws://127.0.0.1:9999/api/dostk/websocket"
    assert (tmp_path / "credentials" / "kiwoom_app_key").read_text(encoding="utf-8") == "simulator-app-key\n"


def test_keys_are_for_their_owner_and_never_in_the_settings(tmp_path: Path, key_options: list[str]) -> None:
    """Files of keys have mode 0600 in a folder of mode 0700; the settings file and the output name none."""
    result = run("--environment", "live", *key_options)
    files = sorted((tmp_path / "credentials").iterdir())
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600", "0o600"]
    assert oct((tmp_path / "credentials").stat().st_mode & 0o777) == "0o700"
    text = (tmp_path / "config.toml").read_text(encoding="utf-8") + result.output
    assert APP_KEY not in text
    assert SECRET_KEY not in text


def test_only_what_differs_is_changed(tmp_path: Path, key_options: list[str]) -> None:
    """The usual answers leave the shipped file as it is; another answer changes its line alone."""
    file = tmp_path / "config.toml"
    assert run("--environment", "live", *key_options).exit_code == 0
    assert file.read_text(encoding="utf-8") == default_config()

    assert run("--environment", "mock", "--yes").exit_code == 0
    before, after = default_config().splitlines(), file.read_text(encoding="utf-8").splitlines()
    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new.split("#")[0].strip() for _, new in differing] == ['environment = "paper"']
    assert all("모의투자" in new for _, new in differing)


def test_what_a_person_wrote_stays(tmp_path: Path, key_options: list[str]) -> None:
    """An existing file keeps its comments and every setting that was not asked, in its own form."""
    own = '# mine\n[log]\nlevel = "debug" # loud\n\n[collect]\nhorizon = "1y"\nsettle_s = 90\n'
    (tmp_path / "config.toml").write_text(own, encoding="utf-8")
    result = run("--environment", "live", "--horizon", "1d=2y", "--yes", *key_options)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    assert text.startswith('# mine\n[log]\nlevel = "debug" # loud\n')
    assert tomllib.loads(text)["collect"]["settle_s"] == 90
    assert load_settings().collect.horizon == dict.fromkeys(Timeframe, "max") | {Timeframe.D1: "2y"}


def test_nothing_is_replaced_unasked(tmp_path: Path, key_options: list[str]) -> None:
    """In a pipe an existing file that would change stops everything, keys included, with status 2."""
    (tmp_path / "config.toml").write_text('[kiwoom]\nenvironment = "paper"\n', encoding="utf-8")
    result = run("--environment", "live", *key_options)
    assert result.exit_code == 2
    assert "--yes" in result.output
    assert '-environment = "paper"' in result.output
    assert not (tmp_path / "credentials").exists()


def test_variables_beside_the_keys_stay(tmp_path: Path, key_options: list[str]) -> None:
    """In one file of variables the keys are two lines, and the other lines are kept."""
    file = tmp_path / "environment"
    file.write_text("# mine\nCHARTINSIGHT_LOG__LEVEL=debug\nCHARTINSIGHT_KIWOOM__APP_KEY=old-old-old\n")
    result = run("--environment", "live", "--keys-in", "environment", "--yes", *key_options)
    assert result.exit_code == 0, result.output
    assert file.read_text(encoding="utf-8").splitlines() == [
        "# mine",
        "CHARTINSIGHT_LOG__LEVEL=debug",
        f"CHARTINSIGHT_KIWOOM__APP_KEY={APP_KEY}",
        f"CHARTINSIGHT_KIWOOM__SECRET_KEY={SECRET_KEY}",
    ]
    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_stored_keys_are_kept(tmp_path: Path, key_options: list[str]) -> None:
    """Where keys are stored, a run without any changes the settings alone."""
    assert run("--environment", "live", *key_options).exit_code == 0
    assert run("--environment", "mock", "--yes").exit_code == 0
    assert (tmp_path / "credentials" / "kiwoom_app_key").read_text(encoding="utf-8") == f"{APP_KEY}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--environment is needed"),
        (["--environment", "test"], "none of simulation, mock, live"),
        (["--environment", "real"], "--app-key-file"),
        (["--environment", "live"], "--app-key-file"),
        (
            ["--environment", "live", "--app-key-file", "/no", "--secret-key-file", "/no"],
            "/no cannot be read",
        ),
        (["--environment", "simulation", "--simulator", "localhost"], "is no address"),
        (["--environment", "simulation", "--symbols", "삼셩전자"], "Did you mean 삼성전자?"),
        (["--environment", "simulation", "--symbols", "5930"], "Did you mean 005930?"),
        (["--environment", "simulation", "--symbols", "?"], "neither a stock code"),
        (["--environment", "simulation", "--universe", "some"], "none of large, all, none"),
        (["--environment", "simulation", "--horizon", "5m:1y"], "is no horizon"),
    ],
)
def test_wrong_options_are_explained(tmp_path: Path, options: list[str], said: str) -> None:
    """Whatever is wrong is named with what would be right; the status is 2 and nothing is written."""
    result = run(*options)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "config.toml").exists()


def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    """Where the settings cannot be written, the message has the place and the way out."""
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(
        main, ["--config", str(tmp_path / "file" / "config.toml"), "init", "--environment", "simulation"]
    )
    assert result.exit_code == 2
    assert "--config" in result.output


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_every_text_is_an_answer_or_refused(text: str) -> None:
    """No text makes anything but a value that the settings take, or a refusal with its words."""
    parsers = (parse_environment, parse_universe, parse_simulator, parse_symbols, parse_horizon, parse_key)
    for parse in parsers:
        assert all(said for said in _refusals(parse, text))


def _refusals(parse: Callable[[str], object], text: str) -> list[str]:
    """Return what is said of a text in each language; nothing where it is an answer."""
    try:
        parse(text)
    except AnswerRefused as error:
        return [words.Words(language).put(error.key, **error.values) for language in words.LANGUAGES]
    return []


def test_the_thirty_are_the_usual_ones() -> None:
    """An empty answer means the targets, and a code twice counts once."""
    assert parse_symbols("") == tuple(TARGETS)
    assert parse_symbols("005930,삼성전자") == ("005930",)


def test_an_interruption_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the second file is written leaves neither file and no draft."""
    files = [NewFile(path=tmp_path / name, text="x", mode=0o600) for name in ("one", "two")]
    draft = new_files._draft

    def interrupted(file: NewFile) -> Path:
        if file.path.name == "two":
            raise KeyboardInterrupt
        return draft(file)

    monkeypatch.setattr(new_files, "_draft", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_together(files)
    assert list(tmp_path.iterdir()) == []


def test_a_person_is_asked_in_their_language(tmp_path: Path) -> None:
    """At a terminal each question stands in Korean for a Korean locale; leaving writes nothing."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"LC_ALL": "ko_KR.UTF-8", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "chartinsightd", "init"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        said = _read_until(ours, "어느 서버")
        os.write(ours, b"nowhere\n")
        said += _read_until(ours, "중 하나를 입력하세요")
        os.write(ours, b"live\n")
        said += _read_until(ours, "쉼표로 구분")
        os.write(ours, b"\x04")
        said += _read_until(ours, "아무것도 쓰지 않았습니다")
        assert process.wait(30) == 130
    os.close(ours)
    assert list(tmp_path.iterdir()) == []


def _read_until(terminal: int, words: str) -> str:
    """Return what a terminal shows up to some words."""
    seen = b""
    while words.encode() not in seen:
        assert select.select([terminal], [], [], 60)[0], seen.decode()
        seen += os.read(terminal, 4096)
    return seen.decode()


def test_the_check_follows(tmp_path: Path) -> None:
    """What was written is checked at once; a failure is the status, and says how to check again."""
    result = CliRunner().invoke(
        main, ["init", "--environment", "simulation", "--simulator", "http://127.0.0.1:1"],
        env={"STATE_DIRECTORY": str(tmp_path)},
    )  # fmt: skip
    assert result.exit_code == 2, result.output
    assert "FAIL" in result.output
    assert "check" in result.output.splitlines()[-1]
