"""What a person was told, in a small file of the state folder."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from chartinsightd.domain.alert_policy import Sent

log = structlog.get_logger(__name__)


class _Line(msgspec.Struct):
    at: datetime
    since: datetime
    message: str
    is_open: bool


_decode = msgspec.json.Decoder(dict[str, _Line]).decode


class ToldFile:
    """Implements `ports.ToldRecord`. Lost or damaged it costs an alert told twice.

    Args:
        path: the file; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Sent]:
        """Return what was saved last; nothing where it cannot be read."""
        try:
            lines = _decode(self._path.read_bytes())
            return {event: _told(line) for event, line in lines.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.warning("alerts.record_unreadable", file=str(self._path), error=str(error))
            return {}

    async def save(self, told: Mapping[str, Sent]) -> None:
        """Replace the file as a whole."""
        content = msgspec.json.encode({event: _line(one) for event, one in told.items()})
        try:
            await asyncio.to_thread(self._replace, content)
        except OSError as error:
            log.warning("alerts.record_not_saved", file=str(self._path), error=str(error))

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_bytes(content)
        draft.replace(self._path)


def _line(one: Sent) -> _Line:
    return _Line(one.at, one.since, one.message, one.is_open)


def _told(line: _Line) -> Sent:
    if line.at.tzinfo is None or line.since.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return Sent(at=line.at, since=line.since, message=line.message, is_open=line.is_open)
