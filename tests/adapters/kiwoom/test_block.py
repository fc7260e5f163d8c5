"""A refusal of the key or the address stops every request at the last door, and is remembered on disk."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chartinsightd.adapters.kiwoom.block_file import BlockFile
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.domain.errors import AccessBlocked, SourceError, StillBlocked
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.guards import KnownBlock
from tests.adapters.kiwoom.fake_broker import APP_KEY, SECRET_KEY, PlainSecret, Reply, Session, session
from tests.support.guards import FakeBlocks

REFUSED = Reply(
    {"return_code": 3, "return_msg": "[8010:Token을 발급받은 IP와 서비스를 요청한 IP가 다릅니다]"}
)
KNOWN = KnownBlock(
    code="8050",
    message="[8050:지정단말기 인증에 실패했습니다]",
    remedy="Register it.",
    until=datetime(2026, 9, 15, 1, 5, tzinfo=UTC),
    wait=timedelta(minutes=5),
)


async def ask(ours: Session) -> SourceError | None:
    """Make one request of data; return how it failed."""
    try:
        await ours.client.post("ka10081", "/api/dostk/chart", {}, priority=Priority.LIVE)
    except SourceError as error:
        return error
    return None


def seen(ours: Session) -> int:
    """Count the requests of data that reached the broker."""
    return sum(request.api_id == "ka10081" for request in ours.broker.requests)


async def test_those_that_wait_at_the_gate_do_not_ask_either() -> None:
    """Of thirty requests in line, only those that were on their way when the first was refused get out."""
    async with session(blocks=FakeBlocks()) as ours:
        ours.broker.will("ka10081", REFUSED)
        errors = await asyncio.gather(*(ask(ours) for _ in range(30)))
        assert all(isinstance(error, AccessBlocked) for error in errors)
        assert sum(isinstance(error, StillBlocked) for error in errors) >= 20
        before = seen(ours)
        assert isinstance(await ask(ours), StillBlocked)
        assert seen(ours) == before <= 10


async def test_a_token_does_not_end_a_block() -> None:
    """8010 refuses the data and never the token: the waits grow although the login works."""
    async with session(blocks=(blocks := FakeBlocks())) as ours:
        ours.broker.will("ka10081", REFUSED)
        await ask(ours)
        await ours.clock.sleep(301)
        assert not isinstance(await ask(ours), StillBlocked)
        assert blocks.known is not None
        assert blocks.known.wait == timedelta(minutes=10)
        ours.broker.will("ka10081", Reply())
        await ours.clock.sleep(601)
        assert await ask(ours) is None
        assert blocks.known is None


def access(**changes: object) -> KiwoomAccess:
    """How we speak to the broker."""
    keys = {"app_key": PlainSecret(APP_KEY), "secret_key": PlainSecret(SECRET_KEY)}
    return KiwoomAccess(**({"base_url": "https://api.kiwoom.com", **keys} | changes))  # type: ignore[arg-type]


def test_a_block_is_kept_for_whom_it_holds(tmp_path: Path) -> None:
    """The same key, host and User-Agent find it again; a change of any is a mending; no key is on disk."""
    path = tmp_path / "block.json"
    file = BlockFile(path, access())
    assert file.load() is None
    file.save(KNOWN)

    assert BlockFile(path, access()).load() == KNOWN
    for other in (
        {"app_key": PlainSecret("another-key-0123456789")},
        {"secret_key": PlainSecret("another-secret-0123456789")},
        {"base_url": "https://mockapi.kiwoom.com"},
        {"user_agent": "curl/9"},
    ):
        assert BlockFile(path, access(**other)).load() is None
    content = path.read_text(encoding="utf-8")
    assert APP_KEY not in content
    assert SECRET_KEY not in content

    file.save(None)
    assert not path.exists()
    file.save(None)


@pytest.mark.parametrize("content", [b"", b"{", b'{"code": 1}', b"\xff\xfe", b"[]"])
def test_a_damaged_file_is_no_block(tmp_path: Path, content: bytes) -> None:
    """Whatever it holds, the daemon starts; a disk that takes nothing does not stop it either."""
    path = tmp_path / "block.json"
    path.write_bytes(content)
    assert BlockFile(path, access()).load() is None
    BlockFile(tmp_path / "nowhere" / "block.json", access()).save(KNOWN)
