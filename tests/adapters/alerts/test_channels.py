"""Slack and mail are delivered to real local servers; what goes wrong is told with a remedy and no secret."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import web

from chartinsightd.adapters.alerts.apprise import AppriseChannel
from chartinsightd.adapters.alerts.mail import MailChannel, MailServer
from chartinsightd.adapters.alerts.record import ToldFile
from chartinsightd.adapters.alerts.slack import SlackChannel
from chartinsightd.domain.alert_policy import Sent
from chartinsightd.domain.errors import AlertUndelivered, ConfigurationError
from chartinsightd.ports.guards import Notice

NOW = datetime(2026, 9, 15, 1, 2, 3, tzinfo=UTC)
NOTICE = Notice(subject="🔴 데이터베이스 끊김 / away", text="<Start> it & wait.\nbox", level="error", at=NOW)
PATH = "/services/T00/B00/the-secret-part"


@asynccontextmanager
async def slack(status: int, got: list[dict[str, str]]) -> AsyncIterator[str]:
    """A server that takes messages as Slack does; yields the webhook."""

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=status, text="ok")

    app = web.Application()
    app.router.add_post(PATH, take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    finally:
        await runner.cleanup()


@dataclass
class MailSink:
    """A mail server that keeps what it gets (RFC 5321, the least of it)."""

    refuses: str = ""
    """What it answers to the recipient instead of taking it."""
    said: list[str] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Take mail; yields the port."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
            await self._done.wait()  # a server that is closed does not wait for those it talks with

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].upper().strip()
            self.said.append(line.decode().strip())
            if word == b"EHLO":
                writer.write(b"250-sink\r\n250 AUTH PLAIN\r\n")
            elif word == b"RCPT" and self.refuses:
                writer.write(f"{self.refuses}\r\n".encode())
            elif word == b"AUTH":
                writer.write(b"235 welcome\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
        writer.close()
        await writer.wait_closed()
        self._done.set()


def mail(port: int, **changes: object) -> MailChannel:
    """A channel to a local server."""
    server = MailServer(host="127.0.0.1", port=port, starttls=False, **changes)  # type: ignore[arg-type]
    return MailChannel(server, "daemon@example.com", ["me@example.com", "you@example.com"])


async def test_slack_gets_the_text_with_its_markup_escaped() -> None:
    """One POST of JSON; what Slack would take for markup is escaped."""
    got: list[dict[str, str]] = []
    async with slack(200, got) as webhook:
        await SlackChannel(webhook).send(NOTICE)
    assert got == [{"text": "*🔴 데이터베이스 끊김 / away*\n&lt;Start&gt; it &amp; wait.\nbox"}]


@pytest.mark.parametrize(("status", "words"), [(404, "gone"), (403, "forbids"), (500, "Slack answered 500")])
async def test_slack_that_refuses_says_what_to_mend(status: int, words: str) -> None:
    """A refusal names its remedy and never the address: who has that can write there."""
    async with slack(status, []) as webhook:
        with pytest.raises(AlertUndelivered) as caught:
            await SlackChannel(webhook).send(NOTICE)
    assert words in str(caught.value)
    assert "the-secret-part" not in str(caught.value)


@pytest.mark.parametrize("webhook", [f"http://127.0.0.1:1{PATH}", f"no address {PATH}", f"http://[{PATH}"])
async def test_slack_that_is_not_reached_hides_the_address(webhook: str) -> None:
    """Neither a dead port nor a wrong address puts the secret into the message or its cause."""
    with pytest.raises(AlertUndelivered) as caught:
        await SlackChannel(webhook).send(NOTICE)
    assert "the-secret-part" not in f"{caught.value} {caught.value.__cause__}"


async def test_mail_arrives_readable() -> None:
    """Korean subject and text survive, both recipients are named, the date is the notice's."""
    sink = MailSink()
    async with sink.listening() as port:
        await mail(port, user="me", password="the-password").send(NOTICE)
    [letter] = sink.letters
    got = message_from_bytes(letter.removesuffix(b".\r\n"), policy=policy.default)
    assert got["Subject"] == NOTICE.subject
    assert got.get_content().replace("\r\n", "\n").strip() == NOTICE.text
    assert got["Date"].datetime == NOW
    assert sum(line.startswith("RCPT TO:") for line in sink.said) == 2


async def test_mail_that_is_refused_says_what_to_mend() -> None:
    """The server's own words are told, with the setting to look at."""
    sink = MailSink(refuses="550 no such user")
    async with sink.listening() as port:
        with pytest.raises(AlertUndelivered, match=r"alerts\.mail_to"):
            await mail(port, user="me", password="the-password").send(NOTICE)


async def test_mail_is_not_sent_in_the_clear_by_default() -> None:
    """A server without STARTTLS gets neither the password nor the letter."""
    sink = MailSink()
    async with sink.listening() as port:
        server = MailServer(host="127.0.0.1", port=port, starttls=True, user="me", password="the-password")
        with pytest.raises(AlertUndelivered, match="smtp_starttls"):
            await MailChannel(server, "daemon@example.com", ["me@example.com"]).send(NOTICE)
    assert sink.letters == []
    assert not any("AUTH" in line for line in sink.said)


async def test_mail_server_that_is_away() -> None:
    """Nobody at the port is told as such."""
    with pytest.raises(AlertUndelivered, match=r"127\.0\.0\.1:1 took no mail"):
        await mail(1).send(NOTICE)


class FakeService:
    """Stands for the library, which is an extra: takes URLs of one kind, and what it is told to."""

    takes: bool = True

    def add(self, url: str) -> bool:
        """Understand one kind of URL."""
        return url.startswith("tgram://")

    def notify(self, body: str, title: str) -> bool:
        """Take it, or not, or break."""
        if "break" in body:
            raise KeyError(title)
        return self.takes and bool(body)


@pytest.fixture
def apprise(monkeypatch: pytest.MonkeyPatch) -> type[FakeService]:
    """An installed apprise."""
    module = ModuleType("apprise")
    module.Apprise = FakeService  # type: ignore[attr-defined]
    module.__spec__ = sys.__spec__
    monkeypatch.setitem(sys.modules, "apprise", module)
    return FakeService


async def test_apprise_delivers_and_reports(
    apprise: type[FakeService], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken is taken, refused is undelivered, and a plugin that breaks does not end the daemon."""
    channel = AppriseChannel(1, "tgram://the-token/chat")
    assert channel.name == "apprise 1 (tgram)"
    await channel.send(NOTICE)
    monkeypatch.setattr(apprise, "takes", False)
    with pytest.raises(AlertUndelivered, match="did not take"):
        await channel.send(NOTICE)
    with pytest.raises(AlertUndelivered, match="KeyError"):
        await channel.send(Notice(subject="s", text="break", level="error", at=NOW))


@pytest.mark.usefixtures("apprise")
def test_apprise_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL it does not know and a missing package are mistakes of the settings, told with the remedy."""
    with pytest.raises(ConfigurationError, match="URL number 2") as caught:
        AppriseChannel(2, "nonsense://the-token")
    assert "the-token" not in str(caught.value)
    monkeypatch.setattr("chartinsightd.adapters.alerts.apprise.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"chartinsight\[apprise\]"):
        AppriseChannel(1, "tgram://the-token/chat")


async def test_what_was_told_survives(tmp_path: Path) -> None:
    """A new process reads it again; a file that is damaged or away counts as empty."""
    told = {"database.away": Sent(at=NOW, since=NOW - timedelta(hours=1), message="끊김", is_open=True)}
    file = ToldFile(tmp_path / "alerts.json")
    assert file.load() == {}
    await file.save(told)
    assert ToldFile(tmp_path / "alerts.json").load() == told
    (tmp_path / "alerts.json").write_bytes(b'{"database.away": {"at": 1')
    assert file.load() == {}
    await ToldFile(tmp_path / "nowhere" / "alerts.json").save(told)
