"""What proves each session, in PostgreSQL: questions about many symbols are one statement each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from chartinsightd.adapters.postgres import candle_sql
from chartinsightd.adapters.postgres.chains import chain_of
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.odd_rows import OddRows, named_values
from chartinsightd.adapters.postgres.rows import candles_of
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.seal import SealState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import Seal, Unsealed


class PostgresSeals:
    """Implements `ports.SealStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def unsealed(
        self, symbols: Sequence[str], days: Sequence[date], sealed_days: Sequence[date] = ()
    ) -> list[Unsealed]:
        """Return the sessions to be judged; see `ports.stores.SealStore`."""
        async with self._link.use() as connection:
            rows = await connection.fetch(_UNSEALED, list(symbols), list(days), list(sealed_days))
        return [Unsealed(symbol=row["symbol"], day=row["session"], chain=chain_of(row)) for row in rows]

    async def chains(self, sessions: Sequence[tuple[str, date]]) -> list[Unsealed]:
        """Return these (symbol, day) with what is known of their chains, in the same order."""
        symbols, days = [symbol for symbol, _ in sessions], [day for _, day in sessions]
        async with self._link.use() as connection:
            rows = await connection.fetch(_CHAINS, symbols, days)
        return [Unsealed(symbol=row["symbol"], day=row["session"], chain=chain_of(row)) for row in rows]

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        """Return the candles of each (symbol, first, last), in seconds, both included, in the same order."""
        if not spans:
            return []
        async with self._link.use() as connection:
            found = await candle_sql.read(connection, timeframe, spans, [])
        return [
            candles_of(symbol, timeframe, rows) for (symbol, _, _), rows in zip(spans, found, strict=True)
        ]

    async def save_seals(self, seals: Sequence[Seal], at: datetime) -> None:
        """Insert or replace seals, looked at now."""
        async with self._link.use() as connection:
            await connection.execute(
                _SAVE,
                at,
                [seal.symbol for seal in seals],
                [seal.day for seal in seals],
                [seal.state for seal in seals],
                [dict(seal.evidence) for seal in seals],
            )

    async def open_seals(self) -> list[Seal]:
        """Return every seal that is not `sealed`, by symbol and day."""
        async with self._link.use() as connection:
            rows = await connection.fetch(_OPEN)
        return self._odd.readable("seals", rows, _seal)


def _seal(row: Mapping[str, Any]) -> Seal:
    evidence = named_values(row["evidence"])
    int(evidence.get("rereads", 0))
    return Seal(symbol=row["symbol"], day=row["session"], state=SealState(row["state"]), evidence=evidence)


_UNSEALED = """
with asked as materialized (
    select symbol, session from unnest($1::text[]) as s(symbol) cross join unnest($2::date[]) as d(session)
    union all
    select symbol, session from seals where symbol = any($1) and session = any($3::date[])
), known as materialized (
    select symbol, session, state = 'sealed' and evidence ->> 'chain' = 'proved' as is_proved, checked_at,
        state in ('unproved', 'broken')
            or (state = 'sealed' and evidence ->> 'chain' in ('proved', 'no candle')) as is_ours
    from seals where symbol = any($1) and session = any($2 || $3)
), revised as materialized (
    -- a day or a week that changed speaks for the week's later sessions too: the last of them judges the week
    select r.symbol, d.session, max(r.changed_at) as changed_at
    from revisions r
    cross join lateral (select (r.ts at time zone 'Asia/Seoul')::date as day) as k
    join unnest($2::date[] || $3::date[]) as d(session) on d.session = k.day or (
        r.timeframe in ('1d', '1w') and d.session > k.day
        and date_trunc('week', d.session::timestamp) = date_trunc('week', k.day::timestamp)
    )
    where r.symbol = any($1) and r.changed_at >= (select min(checked_at) from known)
      and r.ts >= (select min(d) - 7 from unnest($2::date[] || $3::date[]) as d)::timestamp
        at time zone 'Asia/Seoul'
    group by 1, 2
)
select a.symbol, a.session, c.state, c.rows, c.volume, c.evidence
from asked a
left join chains c on c.symbol = a.symbol and c.session = a.session
left join known k on k.symbol = a.symbol and k.session = a.session
left join revised r on r.symbol = a.symbol and r.session = a.session
where k.checked_at is null or k.checked_at < c.read_at or k.checked_at < r.changed_at
    or k.is_ours is not true or (k.is_proved and c.state is distinct from 'proved')
order by a.symbol, a.session
"""

_CHAINS = """
select a.symbol, a.session, c.state, c.rows, c.volume, c.evidence
from unnest($1::text[], $2::date[]) with ordinality as a(symbol, session, place)
left join chains c on c.symbol = a.symbol and c.session = a.session
order by a.place
"""

_SAVE = """
insert into seals (symbol, session, state, evidence, checked_at)
select symbol, session, state, evidence, $1::timestamptz
from unnest($2::text[], $3::date[], $4::text[], $5::jsonb[]) as u(symbol, session, state, evidence)
on conflict (symbol, session) do update set state = excluded.state, evidence = excluded.evidence,
    checked_at = excluded.checked_at
"""

_OPEN = "select symbol, session, state, evidence from seals where state <> 'sealed' order by symbol, session"
