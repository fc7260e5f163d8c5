"""What the running volumes of each session prove, in PostgreSQL, beside the candles they came with."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.odd_rows import named_values
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.write import Write


def news_of(write: Write, touched: Ints | None) -> list[Chain]:
    """Return the chains of a write that are to be noted.

    The newest page of a series is read every five minutes and shows the same sessions each time: there, only
    the ones of which it added or changed a candle count.

    Args:
        write: what is committed.
        touched: when the candles open that it added or changed, in seconds.
    """
    if not write.is_newest or write.cause != "reread":
        return list(write.chains)
    if not write.chains or touched is None or not len(touched):
        return []
    days = {day_of(datetime.fromtimestamp(ts, UTC)) for ts in touched.tolist()}
    return [chain for chain in write.chains if chain.day in days]


async def note(connection: Connection, symbol: str, chains: Sequence[Chain], at: datetime) -> int:
    """Insert or replace the chains of a symbol; return how many say something else than before."""
    noted = await connection.fetch(
        _NOTE,
        symbol,
        at,
        [chain.day for chain in chains],
        [str(chain.state) for chain in chains],
        [chain.rows for chain in chains],
        [chain.volume for chain in chains],
        [_evidence(chain) for chain in chains],
    )
    return len(noted)


def chain_of(row: Mapping[str, Any]) -> Chain | None:
    """Return a chain from the columns of its table, None where they are null, or somebody else wrote them."""
    if row["state"] is None:
        return None
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return _chain(row, named_values(row["evidence"]))
    return None


def _chain(row: Mapping[str, Any], evidence: Mapping[str, Any]) -> Chain:
    broken_at = evidence["broken_at"] if row["state"] == ChainState.BROKEN else None
    return Chain(
        day=row["session"],
        state=ChainState(row["state"]),
        rows=row["rows"],
        volume=row["volume"],
        breaks=evidence.get("breaks", 0),
        broken_at=datetime.fromisoformat(broken_at) if broken_at else None,
        missing_volume=evidence.get("missing_volume", 0),
    )


def _evidence(chain: Chain) -> dict[str, Any]:
    if chain.state is not ChainState.BROKEN:
        return {}
    assert chain.broken_at is not None  # a broken chain says where
    return {
        "breaks": chain.breaks,
        "broken_at": chain.broken_at.isoformat(),
        "missing_volume": chain.missing_volume,
    }


_NOTE = """
insert into chains as known (symbol, session, state, rows, volume, evidence, read_at)
select $1::text, session, state, rows, volume, evidence, $2::timestamptz
from unnest($3::date[], $4::text[], $5::integer[], $6::bigint[], $7::jsonb[])
    as u(session, state, rows, volume, evidence)
on conflict (symbol, session) do update set state = excluded.state, rows = excluded.rows,
    volume = excluded.volume, evidence = excluded.evidence, read_at = excluded.read_at
where (known.state, known.rows, known.volume, known.evidence)
    is distinct from (excluded.state, excluded.rows, excluded.volume, excluded.evidence)
returning session
"""
