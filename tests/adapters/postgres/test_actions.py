"""The ledger of corporate actions in a real PostgreSQL, and the adjusted candles that follow from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from tests.domain.made_up_charts import adjusted, split, walk, weekly
from tests.support.postgres import connected

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LAST_DAY = date(2026, 11, 20)
DAYS = [session.day for session in Calendar().sessions(date(2026, 9, 14), LAST_DAY)]
WEDNESDAY, MONDAY = date(2026, 10, 21), date(2026, 11, 2)
ACTIONS = [split(WEDNESDAY, Fraction(1, 3)), split(MONDAY, Fraction(20, 21))]
"""One in the middle of a week, one at the beginning of another."""


async def test_the_ledger_gives_back_what_was_put(store: Store) -> None:
    """Decimals of one fraction are the same however often they pass; the find keeps its moment."""
    evidence = {"base_day": "2026-10-21", "rows": 412}
    action = CorporateAction(
        ex_date=WEDNESDAY, price_factor=Fraction(1, 3), volume_factor=Fraction(3), evidence=evidence
    )
    await store.actions.put_actions("005930", [action], NOW)
    (once,) = await store.actions.actions("005930")
    await store.actions.put_actions("005930", [once], NOW + timedelta(days=1))
    (twice,) = await store.actions.actions("005930")

    assert once == twice
    assert once.price_factor != Fraction(1, 3)
    assert abs(once.price_factor - Fraction(1, 3)) < Fraction(1, 10**19)
    assert (once.volume_factor, once.evidence) == (Fraction(3), evidence)
    assert await store.actions.actions("000660") == []
    assert await store.actions.found_since(WEDNESDAY) == {"005930": NOW}
    assert await store.actions.found_since(WEDNESDAY + timedelta(days=1)) == {}


async def save(store: Store, candles: Candles) -> None:
    """Store candles."""
    await store.candles.save([Write(candles=candles, covered=EMPTY)])


async def test_the_last_close_may_be_the_auction(store: Store) -> None:
    """The close of the last day before, and of its closing auction; symbols without days are left out."""
    raw = walk(7, DAYS, 50_000)
    auction_at = midnight(DAYS[-2]) + timedelta(hours=15, minutes=30)
    auction = raw.where(slice(0, 1))
    columns: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), np.array([123]))
    columns |= {"ts": np.array([int(auction_at.timestamp())]), "value": None, "timeframe": Timeframe.M5}
    await save(store, raw)
    await save(store, replace(auction, **columns))

    closes = await store.actions.last_closes(["005930", "000660"], midnight(DAYS[-1]), auction_at)

    assert closes == {"005930": frozenset({int(raw.close[-2]), 123})}


async def rows(database: str, relation: str, timeframe: str) -> list[tuple[Any, ...]]:
    """Return start, four prices and volume of a relation's candles."""
    async with connected(database) as connection:
        found = await connection.fetch(
            f"select extract(epoch from ts)::bigint, open, high, low, close, volume from {relation} "
            "where symbol = '005930' and timeframe = $1 order by ts",
            timeframe,
        )
    return [tuple(row) for row in found]


def columns(candles: Candles) -> list[tuple[int, ...]]:
    """The same of candles in memory."""
    names = ("ts", "open", "high", "low", "close", "volume")
    return list(zip(*(getattr(candles, name).tolist() for name in names), strict=True))


async def test_weeks_with_an_action_inside_are_made_of_their_days(store: Store, database: str) -> None:
    """Adjusted days and weeks are what an adjusted chart shows, to the won; raw ones stay as traded."""
    raw = walk(8, DAYS, 50_000)
    served = adjusted(raw, ACTIONS, LAST_DAY)
    await save(store, raw)
    await save(store, weekly(raw))
    await store.actions.put_actions("005930", ACTIONS, NOW)

    assert await rows(database, "candles_adjusted", "1d") == columns(served)
    ours, expected = await rows(database, "candles_adjusted", "1w"), columns(weekly(served))
    assert [row[:5] for row in ours] == [row[:5] for row in expected]
    assert max(abs(a[5] - b[5]) for a, b in zip(ours, expected, strict=True)) <= 5, "shares, one a day"
    assert await rows(database, "candles", "1d") == columns(raw)
    assert await rows(database, "candles", "1w") == columns(weekly(raw))


async def test_a_week_that_cannot_be_known_is_left_out(store: Store, database: str) -> None:
    """Without its days, nothing says what the high of a week with an action inside is."""
    raw = walk(9, DAYS, 50_000)
    await save(store, weekly(raw))
    await store.actions.put_actions("005930", ACTIONS, NOW)

    kept = {row[0] for row in await rows(database, "candles_adjusted", "1w")}

    left_out = {row[0] for row in columns(weekly(raw))} - kept
    assert left_out == {int(midnight(date(2026, 10, 19)).timestamp())}
