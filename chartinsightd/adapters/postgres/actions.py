"""The ledger of corporate actions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any

from chartinsightd.adapters.postgres.changes import ALWAYS, NewChange, note
from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.odd_rows import OddRows, named_values
from chartinsightd.domain.adjusted import starts_at
from chartinsightd.domain.adjustment import CorporateAction, decimal_of
from chartinsightd.domain.changes import ChangeKind
from chartinsightd.ports.stores import AdjustmentCheck


class PostgresActions:
    """Implements `ports.ActionStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link
        self._odd = OddRows()

    async def actions(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's actions, oldest first."""
        async with self._link.use() as connection:
            rows = await connection.fetch(_SELECT, symbol)
        return self._odd.readable("adjustments", rows, action_of)

    async def put_actions(self, symbol: str, actions: Sequence[CorporateAction], at: datetime) -> None:
        """Insert or replace actions by their day, all or none; `found_at` stays that of the first find."""
        rows = [
            (
                symbol,
                action.ex_date,
                decimal_of(action.price_factor),
                decimal_of(action.volume_factor),
                dict(action.evidence),
                at,
            )
            for action in actions
        ]
        async with self._link.use() as connection, connection.transaction():
            known = await connection.fetch(_SELECT, symbol)
            await connection.executemany(_UPSERT, rows)
            await note(connection, _changes(symbol, _news(rows, known)), at)

    async def found_since(self, day: date) -> dict[str, datetime]:
        """Return when a symbol's newest action was found first, where it is effective on a day or later."""
        async with self._link.use() as connection:
            rows = await connection.fetch(_FOUND_SINCE, day)
        return {row["symbol"]: row["found_at"] for row in rows}

    async def checks(self) -> dict[str, AdjustmentCheck]:
        """Return what is known of each symbol that was looked at."""
        async with self._link.use() as connection:
            rows = await connection.fetch(f"select symbol, {', '.join(_CHECK)} from adjustment_checks")
        return dict(self._odd.readable("adjustment_checks", rows, _check))

    async def put_checks(self, checks: Mapping[str, AdjustmentCheck]) -> None:
        """Replace what is known of some symbols, all or none."""
        async with self._link.use() as connection, connection.transaction():
            ledgers = await _ledgers(connection, list(checks))
            rows = [
                (symbol, one.complete_to, one.checked_at, one.complete_from, one.suspicion, ledgers[symbol])
                for symbol, one in checks.items()
            ]
            await connection.executemany(_PUT_CHECK, rows)

    async def changed_ledgers(self, symbols: Sequence[str] | None = None) -> set[str]:
        """Return those of some symbols, or of all, whose actions are not those that the last look left."""
        async with self._link.use() as connection:
            rows = await connection.fetch(_NOTED, None if symbols is None else list(symbols))
            noted = dict(rows)
            ledgers = await _ledgers(connection, list(noted))
        return {symbol for symbol, ledger in noted.items() if ledgers[symbol] != ledger}

    async def last_closes(
        self, symbols: Sequence[str], before: datetime, auction_at: datetime
    ) -> dict[str, frozenset[int]]:
        """Return the last close in won of symbols that have one; see `ports.ActionStore`."""
        async with self._link.use() as connection:
            recent = await connection.fetch(_LAST_CLOSES, list(symbols), before, before - _RECENTLY)
            days = {row["symbol"]: row["close"] for row in recent}
            for symbol in symbols:
                if symbol not in days and (found := await connection.fetchval(_LAST_CLOSE, symbol, before)):
                    days[symbol] = found
            auctions = dict(await connection.fetch(_CLOSES_AT, list(symbols), auction_at))
        return {symbol: frozenset({day, auctions.get(symbol, day)}) for symbol, day in days.items()}


async def _ledgers(connection: Connection, symbols: Sequence[str]) -> dict[str, str]:
    """Return a checksum of the actions of each of these symbols, of none too."""
    texts = dict.fromkeys(symbols, "")
    for symbol, *action in await connection.fetch(_LEDGERS, list(symbols)):
        texts[symbol] += " ".join(map(str, action)) + "\n"
    return {symbol: sha256(text.encode()).hexdigest()[:16] for symbol, text in texts.items()}


def _check(row: Mapping[str, Any]) -> tuple[str, AdjustmentCheck]:
    symbol, *values = row.values()
    check = AdjustmentCheck(**dict(zip(_CHECK, values, strict=True)))
    if check.suspicion is not None:
        date.fromisoformat(named_values(check.suspicion)["day"])
    return symbol, check


def _news(rows: Sequence[tuple[Any, ...]], known: Sequence[Mapping[str, Any]]) -> list[date]:
    """Return the ex-dates whose factors are not in the ledger yet."""
    factors = {row["ex_date"]: (row["price_factor"], row["volume_factor"]) for row in known}
    return [day for _, day, price, volume, *_ in rows if factors.get(day) != (price, volume)]


def _changes(symbol: str, ex_dates: Sequence[date]) -> list[NewChange]:
    """Return what the log of changes says of new factors: all candles before an ex-date have other prices."""
    if not ex_dates:
        return []
    end = datetime.fromtimestamp(starts_at(max(ex_dates)), UTC)
    return [NewChange(kind=ChangeKind.ADJUSTED, symbol=symbol, timeframe=None, from_ts=ALWAYS[0], to_ts=end)]


def action_of(row: Mapping[str, Any]) -> CorporateAction:
    """Return a row of the ledger; it is applied whatever its evidence is, so that must not hide it."""
    evidence = row["evidence"]
    return CorporateAction(
        ex_date=row["ex_date"],
        price_factor=Fraction(row["price_factor"]),
        volume_factor=Fraction(row["volume_factor"]),
        evidence=evidence if isinstance(evidence, Mapping) else {},
    )


_CHECK = ("complete_to", "checked_at", "complete_from", "suspicion")
_SELECT = """
select ex_date, price_factor, volume_factor, evidence from adjustments where symbol = $1 order by ex_date
"""
_FOUND_SINCE = """
select symbol, max(found_at) as found_at from adjustments where ex_date >= $1 group by symbol
"""
_UPSERT = """
insert into adjustments (symbol, ex_date, price_factor, volume_factor, evidence, found_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (symbol, ex_date) do update set price_factor = excluded.price_factor,
    volume_factor = excluded.volume_factor, evidence = excluded.evidence
"""
_PUT_CHECK = """
insert into adjustment_checks as known (symbol, complete_to, checked_at, complete_from, suspicion, ledger)
values ($1, $2, $3, $4, $5, $6)
on conflict (symbol) do update set complete_to = excluded.complete_to, checked_at = excluded.checked_at,
    complete_from = excluded.complete_from, suspicion = excluded.suspicion,
    ledger = case when known.checked_at <> excluded.checked_at then excluded.ledger
        else coalesce(known.ledger, excluded.ledger) end
"""
"""Only a look at the charts says that the ledger is right; the base prices of a morning leave it as noted."""
_NOTED = """
select symbol, ledger from adjustment_checks
where ledger is not null and ($1::text[] is null or symbol = any($1))
"""
_LEDGERS = """
select symbol, ex_date, trim_scale(price_factor), trim_scale(volume_factor) from adjustments
where symbol = any($1::text[]) order by symbol, ex_date
"""
_RECENTLY = timedelta(days=30)
"""Almost every stock was traded within it; the rest is asked for one by one."""
_LAST_CLOSES = """
select symbol, (array_agg(close order by ts desc))[1] as close from candles_1d
where symbol = any($1) and ts < $2 and ts >= $3 group by symbol
"""
_LAST_CLOSE = "select close from candles_1d where symbol = $1 and ts < $2 order by ts desc limit 1"
_CLOSES_AT = "select symbol, close from candles_5m where symbol = any($1) and ts = $2"
