"""Past alerts and silences, in a file of the state folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import structlog

from chartinsightd.domain.alert_record import Alert, AlertRecord

log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(AlertRecord).decode


class AlertDiaryFile:
    """Implements `ports.AlertDiary`. Lost or damaged it costs the history, never an alert.

    Args:
        path: the file; its folder exists.
        clean: takes secrets out of a text.
    """

    def __init__(self, path: Path, clean: Callable[[str], str]) -> None:
        self._path = path
        self._clean = clean

    def load(self) -> AlertRecord:
        """Return what was saved last; nothing where it cannot be read."""
        try:
            record = _decode(self._path.read_bytes())
        except FileNotFoundError:
            return AlertRecord()
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.warning("alerts.history_unreadable", file=str(self._path), error=str(error))
            return AlertRecord()
        return record if _names_zones(record) else AlertRecord()

    async def save(self, record: AlertRecord) -> None:
        """Replace the file as a whole."""
        cleaned = replace(record, alerts=tuple(self._cleaned(alert) for alert in record.alerts))
        try:
            await asyncio.to_thread(self._replace, msgspec.json.encode(cleaned))
        except OSError as error:
            log.warning("alerts.history_not_saved", file=str(self._path), error=str(error))

    def _cleaned(self, alert: Alert) -> Alert:
        return replace(alert, message=self._clean(alert.message), remedy=self._clean(alert.remedy))

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_bytes(content)
        draft.replace(self._path)


def _names_zones(record: AlertRecord) -> bool:
    """Whether each instant can be compared with others: the file may be written by hand."""
    instants = [alert.at for alert in record.alerts] + [one.until for one in record.silences]
    instants += [alert.ended_at for alert in record.alerts if alert.ended_at is not None]
    return all(instant.tzinfo is not None for instant in instants)
