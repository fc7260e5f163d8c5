"""A session is sealed when nothing is missing and every witness agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.fold import fold
from chartinsightd.domain.grid import candle_starts
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.seal import SealState, SessionData, verify_session
from chartinsightd.domain.timeframe import Timeframe
from tests.support.sessions import session_of

DAY = date(2026, 11, 20)
SESSION = session_of(DAY)
STARTS = candle_starts(SESSION, Timeframe.M5)
SYMBOL = "005930"


def candles(timeframe: Timeframe, ts: Any, seed: int = 0, **changes: Any) -> Candles:
    """Believable candles at these instants."""
    ts = np.asarray(ts, dtype=np.int64)
    dice = np.random.default_rng(seed)
    low = dice.integers(1000, 2000, len(ts))
    values: dict[str, Any] = {
        "open": low + 3,
        "high": low + dice.integers(5, 9, len(ts)),
        "low": low,
        "close": low + 2,
        "volume": dice.integers(1, 500, len(ts)),
        "value": None,
        "final": np.ones(len(ts), dtype=np.bool_),
    }
    columns = {name: np.asarray(column) if column is not None else None for name, column in changes.items()}
    return Candles(symbol=SYMBOL, timeframe=timeframe, ts=ts, **{**values, **columns})


def day_of(minutes: Candles, off_book: int = 10) -> Candles:
    """Return the daily candle over minutes, with some trades outside the order book."""
    return candles(
        Timeframe.D1,
        [int(SESSION.starts_at.timestamp())],
        open=minutes.open[:1],
        high=[minutes.high.max()],
        low=[minutes.low.min()],
        close=minutes.close[-1:],
        volume=[minutes.volume.sum() + off_book],
    )


def witnesses(minutes: Candles, **changes: Any) -> SessionData:
    """What is stored of a session that is complete."""
    proved = Chain(day=DAY, state=ChainState.PROVED, rows=len(minutes), volume=int(minutes.volume.sum()))
    day = day_of(minutes)
    whole = SessionData(
        session=SESSION,
        chain=proved,
        minutes=minutes,
        longer={tf: fold(minutes, tf, EMPTY) for tf in (Timeframe.M30, Timeframe.H1)},
        day=day,
        week_days=day,
        week=replace(day, timeframe=Timeframe.W1),
    )
    return replace(whole, **changes)


MINUTES = st.builds(
    lambda places, seed: candles(Timeframe.M5, STARTS[sorted(places)], seed),
    st.sets(st.integers(0, len(STARTS) - 1), min_size=2),
    st.integers(0, 1000),
)


@given(MINUTES)
def test_a_session_whose_witnesses_agree_is_sealed(minutes: Candles) -> None:
    """Whatever spans are silent: the chain, the longer candles, the day and the week prove it together."""
    verdict = verify_session(witnesses(minutes))

    assert verdict.state is SealState.SEALED
    assert verdict.evidence["compared"] == ["30m", "1h", "1d", "1w"]
    assert 0 < verdict.evidence["minutes_of_day"] <= 1


@given(MINUTES, st.data())
def test_any_candle_that_is_not_what_5m_folds_into_breaks_it(minutes: Candles, data: st.DataObject) -> None:
    """A longer candle that is missing, that is extra or that has another value is named."""
    whole = witnesses(minutes)
    timeframe = data.draw(st.sampled_from([Timeframe.M30, Timeframe.H1]))
    longer = whole.longer[timeframe]
    place = data.draw(st.integers(0, len(longer) - 1))
    column = data.draw(st.sampled_from(["gone", "open", "high", "low", "close", "volume"]))
    if column == "gone":
        wrong = longer.where(np.arange(len(longer)) != place)
    else:
        values = getattr(longer, column).copy()
        values[place] += 1
        wrong = replace(longer, **{column: values})

    verdict = verify_session(replace(whole, longer={**whole.longer, timeframe: wrong}))

    assert verdict.state is SealState.BROKEN
    assert set(verdict.evidence["suspects"]) == {"5m", timeframe.value}
    assert (
        verdict.evidence["differs"][0]["ts"] == datetime.fromtimestamp(int(longer.ts[place]), UTC).isoformat()
    )


@given(MINUTES)
def test_more_shares_in_the_minutes_than_in_the_day_break_it(minutes: Candles) -> None:
    """A day counts at least what its regular minutes count (kiwoom.md#daily-volume)."""
    assert SESSION.after_open_at is not None
    regular = minutes.where(minutes.ts < int(SESSION.after_open_at.timestamp()))
    shares = int(regular.volume.sum())
    if not shares:
        return
    day = replace(day_of(minutes), volume=np.array([shares - 1]))

    verdict = verify_session(witnesses(minutes, day=day, week_days=None, week=None))

    assert verdict.state is SealState.BROKEN
    assert {one["field"] for one in verdict.evidence["differs"]} == {"volume"}


@given(MINUTES)
def test_either_reading_of_the_after_market_is_accepted(minutes: Candles) -> None:
    """Whether a day's prices take in the after-market is unknown (kiwoom.md#after-market): both are right."""
    assert SESSION.after_open_at is not None
    regular = minutes.where(minutes.ts < int(SESSION.after_open_at.timestamp()))
    day = day_of(regular if len(regular) else minutes)

    assert verify_session(witnesses(minutes, day=day, week_days=None, week=None)).state is SealState.SEALED


def test_a_broken_chain_is_not_sealed_although_all_else_agrees() -> None:
    """Shares that no candle accounts for are named with their place."""
    minutes = candles(Timeframe.M5, STARTS)
    chain = Chain(
        day=DAY,
        state=ChainState.BROKEN,
        rows=len(minutes),
        volume=int(minutes.volume.sum()),
        breaks=1,
        broken_at=SESSION.open_at,
        missing_volume=7,
    )

    verdict = verify_session(witnesses(minutes, chain=chain))

    assert verdict.state is SealState.BROKEN
    assert (verdict.evidence["suspects"], verdict.evidence["missing_volume"]) == (["5m"], 7)


def test_nothing_contradicts_and_nothing_proves() -> None:
    """Without running volume, or with a chain of other rows than are stored, a session is unproved."""
    minutes = candles(Timeframe.M5, STARTS)
    whole = witnesses(minutes)
    assert whole.chain is not None
    mute = replace(whole.chain, state=ChainState.UNPROVED)
    short = replace(whole.chain, rows=len(minutes) - 1)

    verdicts = [verify_session(witnesses(minutes, chain=chain)) for chain in (mute, short, None)]

    assert [verdict.state for verdict in verdicts] == [SealState.UNPROVED] * 3
    # one more reading may prove what was read in parts, and nothing proves it without a running volume
    assert [verdict.evidence.get("suspects") for verdict in verdicts] == [None, ["5m"], ["5m"]]


def test_a_silent_day_is_sealed_by_its_daily_candle() -> None:
    """A halted day has no minutes; that its day has no shares, or no row at all, proves the silence."""
    none = candles(Timeframe.M5, [])
    flat = candles(Timeframe.D1, [int(SESSION.starts_at.timestamp())], volume=[0])
    traded = candles(Timeframe.D1, [int(SESSION.starts_at.timestamp())], volume=[5])
    whole = witnesses(candles(Timeframe.M5, STARTS))
    silent = replace(whole, chain=None, minutes=none, longer={}, week_days=None, week=None)

    states = [
        verify_session(replace(silent, day=day)).state
        for day in (flat, candles(Timeframe.D1, []), traded, None)
    ]

    assert states == [SealState.SEALED, SealState.SEALED, SealState.BROKEN, SealState.UNPROVED]
