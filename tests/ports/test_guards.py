"""What outlives the daemon beside its data: a block of the broker, and which alerts were sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chartinsightd.adapters.alerts.record import ToldFile
from chartinsightd.adapters.disk import FolderDisk
from chartinsightd.adapters.kiwoom.block_file import BlockFile
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.domain.alert_policy import Sent
from chartinsightd.ports.guards import BlockRecord, Disk, KnownBlock, SentRecord
from tests.adapters.kiwoom.fake_broker import PlainSecret
from tests.support.guards import FakeBlocks, FakeDisk, FakeRecord

NOW = datetime(2026, 11, 20, 2, 0, 0, 123456, tzinfo=UTC)
ACCESS = KiwoomAccess(
    base_url="http://127.0.0.1", app_key=PlainSecret("key"), secret_key=PlainSecret("secret")
)


@pytest.mark.parametrize("record", [lambda _: FakeBlocks(), lambda path: BlockFile(path, ACCESS)])
def test_a_block_is_remembered(record: Callable[[Path], BlockRecord], tmp_path: Path) -> None:
    """What was saved last is loaded, as it was, and none once it is over."""
    blocks = record(tmp_path / "block.json")
    assert blocks.load() is None
    wait = timedelta(minutes=5)
    known = KnownBlock(code="8050", message="지정단말기", remedy="Register it.", until=NOW, wait=wait)
    blocks.save(known)
    blocks.save(longer := KnownBlock(code="8005", message="m", remedy="", until=NOW + wait, wait=2 * wait))
    assert blocks.load() == longer
    for _ in range(2):
        blocks.save(None)
        assert blocks.load() is None


@pytest.mark.parametrize("record", [lambda _: FakeRecord(), ToldFile])
async def test_what_was_sent_is_remembered(record: Callable[[Path], SentRecord], tmp_path: Path) -> None:
    """A save replaces all; what the caller does to its mapping afterwards does not matter."""
    sent = record(tmp_path / "alerts.json")
    assert sent.load() == {}
    told = {"database.away": Sent(at=NOW, since=NOW - timedelta(hours=1), message="끊김", is_open=True)}
    await sent.save({**told, "disk.full": told["database.away"]})
    await sent.save(told)
    loaded = sent.load()
    assert loaded == told
    loaded.clear()
    assert sent.load() == told


@pytest.mark.parametrize("disk_of", [lambda _: FakeDisk(), FolderDisk])
async def test_a_disk_holds_what_it_has(disk_of: Callable[[Path], Disk], tmp_path: Path) -> None:
    """It has a name for messages, and no more is free than there is."""
    disk = disk_of(tmp_path)
    space = await disk.space()
    assert disk.name
    assert 0 <= space.free_bytes <= space.total_bytes
    assert space.total_bytes > 0
