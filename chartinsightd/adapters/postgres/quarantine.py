"""Rows that are no candles, in their table: a row that comes with every poll is kept once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from chartinsightd.adapters.postgres.connection import Connection, to_json, to_text
from chartinsightd.domain.write import Write

_MOST_REMEMBERED = 10_000
"""Rows; of what was kept longer ago a second copy may be kept."""

Kept = tuple[str, str, str, str]
"""Api, symbol, reason and JSON of a row."""


class Quarantine:
    """Remembers what was kept since the start, the newest rows of it."""

    def __init__(self) -> None:
        self._kept: dict[int, None] = {}
        """The hashes of rows: the rows themselves would take five megabytes."""

    def new_of(self, writes: Iterable[Write]) -> list[Kept]:
        """Return the refused rows of some writes that were not kept yet, each once."""
        rows = (
            (write.api_id, to_text(row.symbol), to_text(row.reason), to_json(dict(row.payload)))
            for write in writes
            for row in write.rejected
        )
        return [row for row in dict.fromkeys(rows) if hash(row) not in self._kept]

    def remember(self, rows: Iterable[Kept]) -> None:
        """Note rows whose transaction is committed."""
        self._kept.update(dict.fromkeys(map(hash, rows)))
        while len(self._kept) > _MOST_REMEMBERED:
            del self._kept[next(iter(self._kept))]


async def keep(connection: Connection, rows: Iterable[Kept], received_at: datetime) -> None:
    """Insert rows, within the transaction of their pages."""
    values = [
        (received_at, api_id, symbol, reason, json.loads(payload)) for api_id, symbol, reason, payload in rows
    ]
    if values:
        await connection.executemany(_INSERT, values)


_INSERT = """
insert into quarantine (received_at, api_id, symbol, reason, payload) values ($1, $2, $3, $4, $5)
"""
