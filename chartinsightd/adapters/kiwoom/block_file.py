"""The block that holds, in a small file of the state folder."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex

import msgspec
import structlog

from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.ports.guards import KnownBlock

log = structlog.get_logger(__name__)


class _Content(msgspec.Struct):
    code: str
    message: str
    remedy: str
    until: datetime
    wait_s: float
    salt: str
    access: str
    """Whom it holds for, as a salted digest: the keys themselves are nowhere on disk."""


_decode = msgspec.json.Decoder(_Content).decode


class BlockFile:
    """Implements `ports.BlockRecord`.

    Written again and made durable at once, a few times in a block's life: that it may take a moment of the
    loop's matters less than that it is there after a power cut.

    Args:
        path: the file; its folder exists.
        access: whom a block holds for: with another key, address or User-Agent it is forgotten.
    """

    def __init__(self, path: Path, access: KiwoomAccess) -> None:
        self._path = path
        self._access = access

    def load(self) -> KnownBlock | None:
        """Return the block that holds for this access."""
        try:
            content = _decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.warning("broker.block_unreadable", file=str(self._path), error=str(error))
            return None
        if content.access != self._digest(content.salt) or content.until.tzinfo is None:
            return None
        return KnownBlock(
            code=content.code,
            message=content.message,
            remedy=content.remedy,
            until=content.until,
            wait=timedelta(seconds=content.wait_s),
        )

    def save(self, known: KnownBlock | None) -> None:
        """Replace the file, or remove it."""
        try:
            if known is None:
                self._path.unlink(missing_ok=True)
            else:
                self._replace(self._encoded(known))
        except OSError as error:
            log.warning("broker.block_not_saved", file=str(self._path), error=str(error))

    def _encoded(self, known: KnownBlock) -> bytes:
        salt = token_hex(16)
        content = _Content(
            code=known.code,
            message=known.message,
            remedy=known.remedy,
            until=known.until,
            wait_s=known.wait.total_seconds(),
            salt=salt,
            access=self._digest(salt),
        )
        return msgspec.json.encode(content)

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    def _digest(self, salt: str) -> str:
        access = self._access
        known = (
            access.base_url,
            access.user_agent,
            access.app_key.get_secret_value(),
            access.secret_key.get_secret_value(),
        )
        return blake2b("\0".join(known).encode(), key=salt.encode()[:64], digest_size=16).hexdigest()
