"""The command as a real process, with the generated market."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chartinsightd.simulator.__main__ import main
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY

COMMAND = [sys.executable, "-m", "chartinsightd.simulator"]


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Start the command; yield the process and the line it prints."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def post(url: str, body: Mapping[str, object], headers: dict[str, str] | None = None) -> Any:
    """POST with a browser's User-Agent."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"User-Agent": "curl/8.5.0", **(headers or {})}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_and_stops(number: signal.Signals) -> None:
    """One JSON line when ready, a stranger's client gets candles, a signal ends it with status 0."""
    with simulator("--start", "2026-11-20T10:00", "--speed", "0", "--symbols", "2") as (process, ready):
        assert ready["pid"] == process.pid
        keys = {"appkey": DEFAULT_APP_KEY, "secretkey": DEFAULT_SECRET_KEY}
        token = post(f"{ready['url']}/oauth2/token", keys | {"grant_type": "client_credentials"})["token"]
        answer = post(
            f"{ready['url']}/api/dostk/chart",
            {"stk_cd": "005930", "tic_scope": "5", "upd_stkpc_tp": "0"},
            {"api-id": "ka10080", "authorization": f"Bearer {token}"},
        )
        assert answer["stk_min_pole_chart_qry"][0]["cntr_tm"].startswith("20261120")
        assert ready["websocket_url"] == ready["url"].replace("http", "ws") + "/api/dostk/websocket"
        os.kill(process.pid, number)
        assert process.wait(timeout=60) == 0


def test_an_anchored_clock_goes_on_after_a_restart() -> None:
    """Start, speed and anchor give the same virtual time to every process."""
    arguments = [
        "--start",
        "2026-11-20T09:00:00+09:00",
        "--anchor",
        "2020-01-01T00:00:00+00:00",
        "--symbols",
        "1",
    ]
    with simulator(*arguments, "--speed", "0.5") as (_, ready):
        request = urllib.request.Request(f"{ready['url']}/admin/clock")
        with urllib.request.urlopen(request, timeout=20) as response:
            clock = json.load(response)
    assert (clock["start"], clock["speed"]) == ("2026-11-20T09:00:00+09:00", 0.5)
    assert clock["anchor"] == 1_577_836_800
    started = datetime.fromisoformat(clock["start"]).timestamp()
    assert clock["epoch"] == pytest.approx(started + (time.time() - clock["anchor"]) * 0.5, abs=60)


def volume_of(url: str) -> int:
    """The volume that is true of one five-minute candle of 2026-11-18."""
    query = "symbol=005930&timeframe=5m&from=1794961200&to=1794961500"
    with urllib.request.urlopen(f"{url}/admin/truth?{query}", timeout=20) as response:
        (row,) = json.load(response)["rows"]
    return int(row[5])


def test_corrections_outlive_the_process(tmp_path: Path) -> None:
    """Started again with the same file, the simulator serves what it did before, also after a torn line."""
    arguments = ["--start", "2026-11-20T10:00", "--speed", "0", "--symbols", "1"]
    arguments += ["--corrections", str(tmp_path / "corrections.jsonl")]
    correction = {"symbol": "005930", "day": "2026-11-18", "label": 560}
    with simulator(*arguments) as (process, ready):
        before = volume_of(ready["url"])
        for factor in (3.0, 0.5):
            post(f"{ready['url']}/admin/correct", correction | {"factor": factor})
        corrected = volume_of(ready["url"])
        process.kill()
    assert corrected != before
    with (tmp_path / "corrections.jsonl").open("ab") as file:
        file.write(b'{"code":"005930","day":"2026-11-1')  # torn by a kill
    for factor in (1.0, 2.0):
        with simulator(*arguments) as (_, ready):
            assert volume_of(ready["url"]) == corrected
            post(f"{ready['url']}/admin/correct", correction | {"factor": factor})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--corrections", __file__], "--corrections"),
        (["--option", "gzipp=on"], "no option 'gzipp'"),
        (["--option", "gzip"], "is not NAME=VALUE"),
        (["--start", "soon"], "not an ISO time"),
        (["--anchor", "2026-11-20T09:00:00"], "give a zone"),
        (["--data", "."], "candle"),
    ],
)
def test_wrong_arguments_say_what_to_mend(arguments: list[str], words: str) -> None:
    """A usage error names the option; nothing is served."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert words in result.output


def test_the_switches_are_listed() -> None:
    """--options shows each switch of broker and market with its value."""
    result = CliRunner().invoke(
        main, ["--options", "--environment", "paper", "--option", "halted_day_has_row=off"]
    )
    shown = json.loads(result.output)
    assert (shown["requests_per_second"], shown["burst"]) == (1, 2)
    assert shown["halted_day_has_row"] is False
