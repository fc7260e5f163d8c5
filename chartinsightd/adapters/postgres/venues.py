"""Schemas of venues: made by the same `schema.sql` as that of KRX, beside it."""

from __future__ import annotations

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.domain.venue import Venue


def schema_of(mode: str, venue: Venue) -> str:
    """Return the schema of a venue: `live` for KRX, `live_nxt` and `live_unified` beside it."""
    return mode if venue is Venue.KRX else f"{mode}_{venue.lower()}"


async def share_ledger(connection: Connection, schema: str, ledger_in: str) -> None:
    """Let the adjusted candles of a venue follow the corporate actions of KRX; may be repeated.

    A split is the stock's, wherever it trades. The tables stay as `schema.sql` makes them; the view between
    them and the adjusted candles looks into the other schema.

    Args:
        connection: of the writer; its search_path begins with the schema.
        schema: of the venue.
        ledger_in: where the ledger is kept.
    """
    columns = "symbol, from_ts, to_ts, price, volume"
    await connection.execute(
        f"create or replace view {schema}.adjustment_factors ({columns}) as"
        f" select {columns} from {ledger_in}.adjustment_factors"
    )
