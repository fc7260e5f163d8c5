"""Labels in PostgreSQL. Rows are added, never changed: the table refuses anything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import ReconnectingConnection, to_json
from chartinsightd.adapters.postgres.odd_rows import OddRows
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.archive import Found
from chartinsightd.ports.labels import KindAgreement, KnownLabel, Label, LabelFilter


class PostgresLabels:
    """Implements `ports.labels.LabelStore`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection
        self._odd = OddRows()

    async def add(self, label: Label, at: datetime) -> KnownLabel | None:
        """Keep a label; see `ports.labels.LabelStore`."""
        said = _columns(label)
        async with self._connection.use() as connection, connection.transaction():
            # Another request about this stock waits meanwhile: a retry finds what it sent before.
            await connection.execute(_LOCK, label.series.symbol)
            same = await connection.fetchval(_SAME, *said)
            number = same if same is not None else await connection.fetchval(_PUT, *said, label.data_id, at)
            if number is None:
                return None
            row = await connection.fetchrow(f"{_KNOWN} where l.id = $1", number)
        return _label(row)

    async def find(self, wanted: LabelFilter, limit: int) -> Found[KnownLabel]:
        """Return labels, the newest first."""
        arguments = (
            list(wanted.symbols),
            list(wanted.timeframes),
            list(wanted.kinds),
            list(wanted.verdicts),
            wanted.words,
            wanted.with_history,
            wanted.as_of,
        )
        async with self._connection.use() as connection:
            rows = await connection.fetch(_FIND, *arguments, wanted.before, limit)
            is_all = wanted.before is None and len(rows) < limit
            total = len(rows) if is_all else await connection.fetchval(_TOTAL, *arguments)
        return Found(self._odd.readable("labels", rows, _label), total)

    async def agreement(self) -> list[KindAgreement]:
        """Return how often people agreed, by kind."""
        async with self._connection.use() as connection:
            rows = await connection.fetch(_AGREEMENT)
        return [KindAgreement(kind=row["kind"], n=row["n"], agreed=row["agreed"]) for row in rows]


def _columns(label: Label) -> tuple[Any, ...]:
    return (
        label.series.symbol,
        str(label.series.timeframe),
        label.from_ts,
        label.to_ts,
        label.kind,
        to_json([list(point) for point in label.points]),
        label.verdict,
        label.pattern_id,
        label.note,
        label.author,
        label.seen_until,
        label.replaces,
    )


def _label(row: Mapping[str, Any]) -> KnownLabel:
    label = Label(
        series=Series(symbol=row["symbol"], timeframe=Timeframe(row["timeframe"])),
        from_ts=row["from_ts"],
        to_ts=row["to_ts"],
        kind=row["kind"],
        points=tuple((ts, price) for ts, price in row["points"]),
        verdict=row["verdict"],
        pattern_id=row["pattern_id"],
        note=row["note"],
        author=row["author"],
        seen_until=row["seen_until"],
        data_id=row["data_id"],
        replaces=row["replaces"],
    )
    return KnownLabel(
        id=row["id"],
        label=label,
        created_at=row["created_at"],
        version=row["version"],
        replaced_by=row["replaced_by"],
    )


_LOCK = "select pg_advisory_xact_lock(hashtext('labels'), hashtext($1))"
_SAME = """
select id from labels l
where symbol = $1 and timeframe = $2 and from_ts = $3 and to_ts = $4 and kind = $5
  and points = $6::text::jsonb and verdict = $7 and pattern_id is not distinct from $8
  and note = $9 and author = $10
  and seen_until = $11 and replaces is not distinct from $12
  and not exists (select from labels later where later.replaces = l.id)
order by id limit 1
"""
_PUT = """
insert into labels (symbol, timeframe, from_ts, to_ts, kind, points, verdict, pattern_id, note, author,
    seen_until, replaces, data_id, created_at)
select $1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12::bigint, $13, $14
where $12::bigint is null or exists (select from labels where id = $12 and symbol = $1)
on conflict (replaces) do nothing
returning id
"""
_KNOWN = """
with recursive chain as (
    select id, 1 as version from labels where replaces is null
    union all
    select l.id, c.version + 1 from labels l join chain c on l.replaces = c.id
)
select l.*, c.version, (select later.id from labels later where later.replaces = l.id) as replaced_by
from labels l join chain c on c.id = l.id
"""
_THESE = """
where (cardinality($1::text[]) = 0 or l.symbol = any($1))
  and (cardinality($2::text[]) = 0 or l.timeframe = any($2))
  and (cardinality($3::text[]) = 0 or l.kind = any($3))
  and (cardinality($4::text[]) = 0 or l.verdict = any($4))
  and ($5::text = '' or strpos(lower(l.kind || ' ' || l.note || ' ' || l.symbol || ' ' || coalesce(
      (select s.name from stocks s where s.symbol = l.symbol), '')), lower($5)) > 0)
  and ($7::timestamptz is null or l.created_at <= $7)
  and ($6::boolean or l.verdict <> 'withdrawn' and not exists (
      select from labels later
      where later.replaces = l.id and ($7::timestamptz is null or later.created_at <= $7)))
"""
_FIND = f"{_KNOWN} {_THESE} and ($8::bigint is null or l.id < $8) order by l.id desc limit $9"
_TOTAL = f"select count(*) from labels l {_THESE}"
_AGREEMENT = """
select kind, count(*)::integer as n, count(*) filter (where verdict = 'agree')::integer as agreed
from labels l
where verdict in ('agree', 'disagree') and not exists (select from labels where replaces = l.id)
group by kind order by kind
"""
