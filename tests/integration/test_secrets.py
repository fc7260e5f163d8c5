"""Secrets stay secret: after a storm they are looked for everywhere, and found nowhere."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import aclosing
from datetime import date
from pathlib import Path

import aiohttp

from chartinsight_tui.app import Dashboard
from chartinsightd.clock import SystemClock
from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import OPERATIONS
from tests.support.harness import FOLLOWED, Daemon, Simulator, collecting, moment, open_simulator, running

DAY = date(2026, 11, 18)
APP_KEY = "Pq7-known-app-key-of-this-test"
SECRET_KEY = "Zx9-known-secret-key-of-this-test"
WEBHOOK_PATH = "services/T0KNOWN/B0KNOWN/known-webhook-secret"
FAULTS = ("http_500", "truncated_json", "html_notice", "token_8005", "token_rotation", "http_429", "reset")
PATHS = {"{job_id}": "1"}
QUERIES = {
    "/v1/candles": "?symbol=005930&timeframe=5m",
    "/v1/coverage/sessions": "?timeframe=5m",
    "/v1/logs": "?limit=2000",
}
VERBS = ("status", "alerts list", "alerts test", "logs -n 2000")
CRASH = """
import sys
from chartinsightd.adapters.kiwoom import token
from chartinsightd.service.monitoring.monitor import Monitor
issued = []
keep = token.Token.__init__
def init(self, **fields):
    issued.append(fields["text"])
    keep(self, **fields)
token.Token.__init__ = init
async def open(self):
    account = self._token_failure.__self__._pool.accounts["main"]
    raise RuntimeError(f"{issued} {account.kiwoom.issuer._access.secret_key.get_secret_value()}")
Monitor.open = open  # at the start: a part that fails later is started again
from chartinsightd.__main__ import main
main()
"""


def settings_of(webhook_port: int) -> dict[str, str]:
    """Return the settings, every secret a known one."""
    return (
        collecting(["005930", "000660"], "5d")
        | FOLLOWED
        | {
            "CHARTINSIGHT_KIWOOM__APP_KEY": APP_KEY,
            "CHARTINSIGHT_KIWOOM__SECRET_KEY": SECRET_KEY,
            "CHARTINSIGHT_ALERTS__SLACK_WEBHOOK": f"http://127.0.0.1:{webhook_port}/{WEBHOOK_PATH}",
            "CHARTINSIGHT_LOG__LEVEL": "debug",
        }
    )


async def storm(simulator: Simulator, daemon: Daemon) -> None:
    """Faults, tokens that die, wrong settings, a kill -9 and a new start."""
    await daemon.says("stocks.synced")
    await simulator.admin.switch_faults([{"fault": one, "probability": 0.15} for one in FAULTS], seed=7)
    await simulator.reaches(moment(DAY, 9, 21))
    daemon.config.write_text(f'[kiwoom]\nsecret_key = "{SECRET_KEY}"\n', encoding="utf-8")
    daemon.process.send_signal(signal.SIGHUP)
    await daemon.says("settings.reload_failed")
    daemon.config.write_text("", encoding="utf-8")
    daemon.kill()
    daemon.start()

    async def is_back() -> bool:
        return daemon.words().count("daemon.started") == 2

    await daemon.comes_to("it runs again", is_back)
    await simulator.reaches(moment(DAY, 9, 46))


async def answers(socket: Path) -> str:
    """Return everything the control API says to who asks, and the events of a while."""
    said = []
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession("http://daemon", connector=connector) as session:
        for operation in (one for one in OPERATIONS if not one.writes):
            path = operation.path
            for name, value in PATHS.items():
                path = path.replace(name, value)
            async with session.get(path + QUERIES.get(path, "")) as answer:
                said.append(await answer.text())
        for path in ("/metrics", "/v1/openapi.json"):
            async with session.get(path) as answer:
                said.append(await answer.text())
    return "\n".join([*said, await events(socket)])


async def events(socket: Path) -> str:
    """Return some events of the stream."""
    heard = []
    async with ControlClient(socket) as client, aclosing(client.events()) as stream:
        async for event in stream:
            heard.append(event.model_dump_json())
            if len(heard) == 10:
                return "\n".join(heard)
    raise AssertionError("the stream ended")


async def command_output(daemon: Daemon, *command: str) -> tuple[int, str]:
    """Run a command beside the daemon; return its exit status and all that it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env=daemon.environment,
        cwd=daemon.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 180)
    return process.returncode or 0, said.decode()


async def commands(daemon: Daemon) -> dict[str, str]:
    """Return what each verb and the check say."""
    asked = {verb: ("-m", "chartinsightd.cli", *verb.split()) for verb in VERBS}
    asked["check"] = ("-m", "chartinsightd", "--config", str(daemon.config), "check")
    ended = await asyncio.gather(*(command_output(daemon, *words) for words in asked.values()))
    return {name: said for name, (_, said) in zip(asked, ended, strict=True)}


async def screens(socket: Path) -> str:
    """Return the text of the dashboard's screens over the real daemon."""
    app = Dashboard(lambda: ControlClient(socket), SystemClock())
    shown = []
    async with app.run_test(size=(160, 50)) as pilot:
        for key in "1235678":
            await pilot.press(key)
            await pilot.pause(0.2)
            shown.append(re.sub(r"<[^>]*>|&#160;", " ", app.export_screenshot()))
    return "\n".join(shown)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the state folder with its content, SQLite's logs and the daemon's own included."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


async def test_no_secret_is_anywhere_after_a_storm(folder: Path, database: str) -> None:
    """Keys, every token there was and a webhook: in no file, log, answer, event, screen, table or crash."""
    arguments = ("--start", moment(DAY, 9).isoformat(), "--speed", "200")
    keys = ("--app-key", APP_KEY, "--secret-key", SECRET_KEY)
    async with open_simulator(folder, *arguments, *keys) as simulator:
        async with running(folder, simulator, settings_of(1), database) as daemon:
            await storm(simulator, daemon)
            socket = folder / "control.sock"
            said = {"answers": await answers(socket), "screens": await screens(socket)}
            said |= await commands(daemon)
            async with daemon.database() as tables:
                for table in ("jobs", "quarantine", "gaps"):
                    rows = await tables.fetch(f"select {table}::text from {table}")
                    said[table] = "\n".join(row[0] for row in rows)
            assert await daemon.stop() == 0
            status, said["crash"] = await command_output(daemon, "-c", CRASH, "--config", str(daemon.config))
        tokens = await simulator.admin.tokens()

    assert status == 1
    assert "daemon.crashed" in said["crash"]
    assert "***" in said["crash"]
    assert "Slack was not reached" in said["alerts test"]
    assert len(tokens) > 1
    secrets = [APP_KEY, SECRET_KEY, WEBHOOK_PATH, *tokens]
    places = [(name, text.encode()) for name, text in said.items()] + [*files(folder)]
    assert any(name == "daemon.log" for name, _ in places)
    found = [(name, secret[:6]) for name, text in places for secret in secrets if secret.encode() in text]
    assert found == []
