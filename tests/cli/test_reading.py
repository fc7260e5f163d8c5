"""Verbs that read: what a person sees, what a program gets, how they end."""

from __future__ import annotations

import io
import json
import socket
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from chartinsightd.cli.commands import reading
from chartinsightd.cli.group import chartinsightctl
from chartinsightd.cli.views.lists import render_candles
from chartinsightd.control import client
from chartinsightd.control.protocol.rows import CandleList, CandleQuery
from chartinsightd.control.protocol.status import Status
from chartinsightd.domain.timeframe import Timeframe
from tests.cli.conftest import Run
from tests.support.fake_backend import FakeBackend, Scene

VERBS = [
    ("status",),
    ("coverage",),
    ("coverage", "005930"),
    ("coverage", "--sessions", "-t", "5m", "--from", "-30d"),
    ("gaps",),
    ("seals", "--from", "-5d", "--to", "yesterday"),
    ("candles", "005930", "1d"),
    ("adjustments", "005930"),
    ("jobs",),
    ("job", "7"),
    ("tries",),
    ("symbols", "list"),
    ("symbols", "universe"),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("scene", [Scene.FULL, Scene.EMPTY])
def test_a_person_gets_a_table(run: Run, backend: FakeBackend, verb: str, scene: Scene) -> None:
    """Every verb shows something on standard output, nothing on standard error, of much data and none."""
    if scene is Scene.EMPTY and verb[0] == "job":
        pytest.skip("a daemon that has just started has no job")
    backend.reset(scene)

    result = run(*verb)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.strip()
    assert "\x1b" not in result.stdout


def test_status_says_what_matters(run: Run) -> None:
    """State, session, token, database, gate and freshness in one look."""
    shown = run("status").stdout

    for words in ("running", "regular session", "valid until 2026-10-15", "PostgreSQL 18.6", "ka10080", "5m"):
        assert words in shown
    assert "open, 30 symbols, 182,412 trades; today 412 closes compared, 3 differ, 1 unseen" in shown


def test_status_shows_what_is_kept_beside_krx(run: Run, backend: FakeBackend) -> None:
    """A venue that is kept has a line and its own freshness; without one the word does not occur."""
    shown = run("status").stdout
    assert "12 symbols, 99.9 % complete, 3 sessions missing, 1 not sealed" in shown
    assert "5m NXT" in shown
    backend.reset(Scene.EMPTY)
    assert "NXT" not in run("status").stdout


def test_status_of_a_daemon_in_trouble_says_why(run: Run, backend: FakeBackend) -> None:
    """What is away says so, with the reason; the status itself is there."""
    backend.scene = Scene.ERROR

    result = run("status")

    assert result.exit_code == 0
    assert "Connection refused" in result.stdout
    assert "8050" in result.stdout
    assert "37 pages wait" in result.stdout
    assert "lost, 0 symbols, 0 trades: Another session logged in [R10001]." in result.stdout


def test_gaps_have_reasons(run: Run) -> None:
    """Each gap names symbol, timeframe, range and reason."""
    first = run("gaps", "삼성전자").stdout.splitlines()[1]

    words = "005930 삼성전자 5m 2026-10-13 09:00 – 15:30 trading is suspended no data served 2026-10-14 07:30"
    assert " ".join(first.split()) == words


def test_candles_are_shown_in_korean_time(run: Run) -> None:
    """A daily candle is its day; the forming one is marked; the newest comes last."""
    lines = run("candles", "005930", "1d", "-n", 2).stdout.splitlines()

    assert [line.split()[0] for line in lines[1:3]] == ["2026-10-13", "2026-10-14"]
    assert [line.rstrip().endswith("forming") for line in lines[1:3]] == [False, True]


def test_a_range_holds_its_last_day(run: Run) -> None:
    """`--to` includes the day it names."""
    answer = json.loads(
        run(
            "candles", "005930", "5m", "--from", "yesterday", "--to", "2026-10-13", "-n", 100, "--json"
        ).stdout
    )

    starts = [candle["ts"] for candle in answer["items"]]
    assert (starts[0], starts[-1]) == ("2026-10-13T00:00:00Z", "2026-10-13T06:25:00Z")


@pytest.mark.parametrize(
    ("verb", "scene", "status"),
    [
        (("status",), Scene.FULL, 0),
        (("status",), Scene.ERROR, 1),
        (("gaps",), Scene.FULL, 1),
        (("gaps",), Scene.EMPTY, 0),
        (("gaps", "000660"), Scene.FULL, 0),
        (("coverage",), Scene.FULL, 1),
        (("coverage", "000660"), Scene.FULL, 0),
        (("coverage", "--sessions", "-t", "5m"), Scene.FULL, 1),
        (("seals",), Scene.FULL, 1),
        (("seals", "--state", "sealed"), Scene.FULL, 0),
    ],
)
def test_check_turns_a_problem_into_a_status(
    run: Run, backend: FakeBackend, verb: str, scene: Scene, status: int
) -> None:
    """With `--check` a script can tell from the exit status whether there is a problem."""
    backend.reset(scene)

    assert run(*verb, "--check").exit_code == status


def test_a_past_moment_is_korean_unless_it_says_otherwise(run: Run) -> None:
    """`--as-of` is an ISO time; with adjusted prices, which are of today, it is refused."""
    answers = [
        json.loads(run("candles", "005930", "1d", "--as-of", moment, "--json").stdout)["as_of"]
        for moment in ("2026-10-13T15:00", "2026-10-13T06:00Z", "2026-10-13 15:00+09:00")
    ]

    assert answers == ["2026-10-13T06:00:00Z"] * 3
    assert "as of" in run("candles", "005930", "1d", "--as-of", "2026-10-13T15:00").stdout
    assert run("candles", "005930", "1d", "--as-of", "yesterday").exit_code == 2
    assert run("candles", "005930", "1d", "--as-of", "2026-10-13T15:00", "--adjusted").exit_code == 2


def test_a_name_is_as_good_as_a_code(run: Run) -> None:
    """A Korean name, in composed or decomposed letters, in any case, part of it: if it is one stock."""
    shown = run("gaps", "005930").stdout

    assert run("gaps", "삼성전자").stdout == shown
    assert run("gaps", unicodedata.normalize("NFD", "삼성전자")).stdout == shown
    assert run("gaps", "성전").stdout == shown
    assert run("candles", "sk하이닉스", "1d").exit_code == 0


def test_a_name_of_several_stocks_lists_them(run: Run) -> None:
    """An ambiguous name costs nothing: the candidates are listed, the status is 2."""
    result = run("candles", "삼성", "1d")

    assert (result.exit_code, result.stdout) == (2, "")
    for line in ("005930  삼성전자", "006400  삼성SDI", "207940  삼성바이오로직스", "028260  삼성물산"):
        assert line in result.stderr


def test_a_code_with_letters_is_a_code(run: Run) -> None:
    """`0126z0` is asked for as it is; the daemon says that it is not listed."""
    result = run("candles", "0126z0", "1d")

    assert result.exit_code == 2
    assert "0126Z0 is not listed" in result.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("candles", "없는회사", "1d"),
        ("candles", "005930", "2h"),
        ("candles", "", "1d"),
        ("gaps", "-t", "5m,7m"),
        ("gaps", "-n", "0"),
        ("seals", "--from", "tomorrow"),
        ("coverage", "--sessions"),
        ("coverage", "--from", "-3d"),
        ("job", "99"),
        ("job", str(2**64)),
        ("job", "seven"),
        ("backfill",),
        ("backfill", "005930", "--from", "today", "--to", "yesterday"),
        ("backfill", "005930", "--from", "2099-01-01"),
        ("candles", "005930", "1d", "--from", "today", "--to", "yesterday"),
        ("export", "-t", "1d"),
        ("export", "005930"),
        ("export", "005930", "-t", "1d", "-o", "a.xlsx"),
        ("nonsense",),
        ("symbols",),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_status_2(run: Run, wrong: list[str]) -> None:
    """A wrong word, a symbol or job that does not exist: words on standard error, no data, status 2."""
    result = run(*wrong)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_a_database_that_is_away_is_status_1(run: Run, backend: FakeBackend) -> None:
    """What the daemon cannot answer now is a failure with its remedy."""
    backend.scene = Scene.ERROR

    result = run("gaps")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "chartinsightctl: PostgreSQL is not reachable. Is it running? See database.dsn.\n"
    )


EVIL = "\x1b]0;somebody\x07\x1b[41m삼성\u202e"


@pytest.mark.parametrize(
    "verb",
    [
        ("symbols", "list"),
        ("coverage",),
        ("gaps",),
        ("seals",),
        ("candles", "성", "1d"),
        ("coverage", "성"),
        ("symbols", "add", "성"),
    ],
    ids=" ".join,
)
def test_a_name_of_the_broker_commands_no_terminal(run: Run, backend: FakeBackend, verb: str) -> None:
    """Escape sequences in a stock's name are written out, in tables and where candidates are listed."""
    for symbol in ("005930", "000660"):
        backend._names[symbol] = EVIL

    result = run(*verb)

    shown = result.stdout + result.stderr
    assert "\\x1b]0;somebody" in shown
    assert not any(sign in shown for sign in "\x1b\x07\u202e")


async def test_a_candle_that_closed_and_was_not_read_is_unconfirmed() -> None:
    """Forming is only what still changes: five minutes later the same candle waits to be read."""
    backend = FakeBackend()
    candles = await backend.candles(CandleQuery(symbol="005930", timeframe=Timeframe.M5, limit=1))
    status = await backend.status()
    later = status.clock.now + timedelta(minutes=5)
    after = status.model_copy(update={"clock": status.clock.model_copy(update={"now": later})})

    assert [last_word(candles, at) for at in (status, after)] == ["forming", "unconfirmed"]


def last_word(candles: CandleList, status: Status) -> str:
    """Return how the only candle of a table is marked."""
    file = io.StringIO()
    Console(file=file, width=120).print(render_candles(candles, status))
    return file.getvalue().splitlines()[1].split()[-1]


def test_a_paused_daemon_is_not_well(run: Run, backend: FakeBackend) -> None:
    """While collecting is paused `status --check` ends with 1 and names the way out."""
    backend._paused = True

    result = run("status", "--check")

    assert result.exit_code == 1
    assert "`chartinsightctl resume`" in result.stderr


def test_settings_are_shown_with_their_origin_and_secrets_as_present_or_absent(run: Run) -> None:
    """A line for each setting: name, value as in the file, and the place that set it."""
    result = run("config", "show")

    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines == [
        ["Setting", "Value", "From"],
        ["mode", '"simulation"', "CHARTINSIGHT_MODE"],
        ["kiwoom.app_key", "(present)", "kiwoom_app_key"],
        ["collect.symbols", '["005930"]', "/etc/chartinsight.toml:12"],
        ["collect.calendar_overrides", "default"],
        ["database.dsn", "(absent)", "default"],
    ]


def test_evidence_is_words(run: Run) -> None:
    """No Python value is shown: lists are joined, truth is yes or no, names have blanks."""
    shown = run("seals").stdout

    assert "volume chain yes, folds 30m 1h" in " ".join(shown.split())
    assert not any(sign in shown for sign in "[]{}'")


def test_jobs_name_all_they_work_on(run: Run, backend: FakeBackend) -> None:
    """In a pipe nothing is cut: every symbol of a job is there."""
    symbols = list(backend._names)[:9]
    job = backend._jobs[4].model_copy(update={"params": {"symbols": symbols}, "error": None})
    backend._jobs[4] = job

    assert " ".join(symbols) in run("jobs").stdout


def test_a_frozen_daemon_is_told_of_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` says that it waits, and soon ends with status 3: a check must not hang."""
    monkeypatch.setattr(client, "_SILENT_WAIT_S", 0.01)
    monkeypatch.setattr(reading, "_STATUS_LIMIT_S", 0.1)
    path = tmp_path / "frozen.sock"
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(path))
        frozen.listen()
        result = CliRunner().invoke(chartinsightctl, ["--socket", str(path), "status", "--check"])

    assert (result.exit_code, result.stdout) == (3, "")
    waiting, ended = result.stderr.splitlines()
    assert "waiting for the daemon, at most 0 s; Ctrl-C ends it." in waiting
    assert "The daemon does not answer at" in ended
