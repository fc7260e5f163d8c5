"""Which rows of a refused transaction the server refuses, while it takes the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chartinsightd.adapters.postgres import candle_sql
from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.errors import ROW_REFUSALS
from chartinsightd.adapters.postgres.rows import Rows
from chartinsightd.domain.timeframe import Timeframe

_MOST_REFUSED = 20
"""Rows of one transaction; a server that refuses more of them refuses for another reason than a row."""

_Place = tuple[int, int]
"""Which part of what was sent, and which row of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Rows of one write, as they would change the table."""

    write: int
    """Its number among the writes of the transaction."""
    symbol: str
    rows: Rows


async def find(connection: Connection, timeframe: Timeframe, sent: Sequence[Sent]) -> dict[int, list[int]]:
    """Return when the refused candles open (seconds since the epoch), by write.

    Empty where no row is taken, or where too many are refused: then it is not for the rows.

    Args:
        connection: in a transaction that is rolled back afterwards.
        timeframe: of all rows.
        sent: what the refused transaction would have added or changed.
    """
    places = [(part, at) for part, one in enumerate(sent) for at in range(len(one.rows))]
    search = _Search(connection, timeframe, sent)
    await search.run(places)
    found: dict[int, list[int]] = {}
    if 0 < len(search.refused) <= min(_MOST_REFUSED, len(places) - 1):
        for part, at in search.refused:
            found.setdefault(sent[part].write, []).append(int(sent[part].rows["ts"][at]))
    return found


class _Search:
    """Halves what is refused until single rows are left."""

    def __init__(self, connection: Connection, timeframe: Timeframe, sent: Sequence[Sent]) -> None:
        self._connection = connection
        self._timeframe = timeframe
        self._sent = sent
        self.refused: list[_Place] = []

    async def run(self, places: Sequence[_Place]) -> None:
        """Try some rows together, and each half of them where the server refuses."""
        if len(self.refused) > _MOST_REFUSED or not places or await self._is_taken(places):
            return
        if len(places) == 1:
            self.refused.extend(places)
            return
        middle = len(places) // 2
        await self.run(places[:middle])
        await self.run(places[middle:])

    async def _is_taken(self, places: Sequence[_Place]) -> bool:
        rows = [(self._sent[part].symbol, self._sent[part].rows[at : at + 1]) for part, at in places]
        trial = self._connection.transaction()
        await trial.start()
        try:
            await candle_sql.upsert(self._connection, self._timeframe, rows)
        except ROW_REFUSALS:
            return False
        finally:
            await trial.rollback()
        return True
