"""A turn of the analysis of one series: what it adds does not depend on when turns were taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.analysis.candles import Candles
from chartinsightd.domain.adjusted import Factors, adjusted
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import AnalysisState, AnalysisStatus, DueCause, Findings
from chartinsightd.service.analysing.series_turn import MIN_CANDLES, Turn, columns_of, take_turn
from tests.domain.made_up_charts import walk

CALENDAR = Calendar()
DAYS = [session.day for session in CALENDAR.sessions(date(2024, 1, 2), date(2026, 11, 20))]
SERIES = Series(symbol="005930", timeframe=Timeframe.D1)
FIRST = AnalysisState(series=SERIES, status=AnalysisStatus.DUE)


def chart(seed: int, count: int = 300) -> Candles:
    """Days of a random walk as the analysis reads them."""
    raw = walk(seed, DAYS[:count], 50_000)
    return columns_of(adjusted(raw, Factors.of([])), CALENDAR)


def whole(candles: Candles, kept: Findings | None = None) -> Turn:
    """A turn from the first candle on."""
    return Turn(state=FIRST, candles=candles, carried=None, kept=kept or Findings(), data_id="d")


def together(*parts: Findings) -> Findings:
    """All rows of several results."""
    return Findings(
        points=tuple(row for part in parts for row in part.points),
        trends=tuple(row for part in parts for row in part.trends),
        patterns=tuple(row for part in parts for row in part.patterns),
    )


def test_candles_close_with_their_session() -> None:
    """The close of a day is the end of trading of its session, in market time."""
    candles = chart(1, 40)
    session = CALENDAR.session(DAYS[39])
    assert session is not None
    assert datetime.fromtimestamp(int(candles.closes_at[39]), UTC) == session.ends_at.astimezone(UTC)
    assert (candles.closes_at > candles.ts).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 50), cuts=st.sets(st.integers(MIN_CANDLES, 299), max_size=6))
def test_turns_in_any_steps_add_the_same_rows(seed: int, cuts: set[int]) -> None:
    """One turn over everything, and one turn per evening with restarts between, end equal to the byte."""
    candles = chart(seed)
    at_once = take_turn(whole(candles))
    edges = [*sorted(cuts), len(candles)]

    result = take_turn(whole(candles.part(slice(0, edges[0]))))
    found = [result.found]
    for start, end in pairwise(edges):
        turn = Turn(
            state=result.state,
            candles=candles.part(slice(start, end)),
            carried=result.carried,
            kept=Findings(),
            data_id="d",
        )
        result = take_turn(turn)
        found.append(result.found)

    assert together(*found) == at_once.found
    assert result.carried == at_once.carried
    assert result.state.analysed_to == at_once.state.analysed_to


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 50), at=st.integers(60, 250), factor=st.sampled_from([0.9, 0.97, 1.03, 1.1]))
def test_a_revision_replaces_no_row_that_was_known_before(seed: int, at: int, factor: float) -> None:
    """What a changed candle changes opens a generation; rows confirmed before the candle closed stay."""
    raw = walk(seed, DAYS[:300], 50_000)
    revised = replace(raw, high=raw.high.copy(), close=raw.close.copy(), low=raw.low.copy())
    revised.close[at] = int(raw.close[at] * factor)
    revised.high[at] = max(revised.high[at], revised.close[at])
    revised.low[at] = min(revised.low[at], revised.close[at])
    before = columns_of(adjusted(raw, Factors.of([])), CALENDAR)
    after = columns_of(adjusted(revised, Factors.of([])), CALENDAR)
    kept = take_turn(whole(before)).found

    result = take_turn(whole(after, kept))

    full = take_turn(whole(after)).found
    if result.valid_from is None:
        assert (result.found, set(full.points)) == (Findings(), set(kept.points))
    else:
        assert result.valid_from >= int(after.closes_at[at])
        stays = [row for row in kept.points if row.confirmed_at < result.valid_from]
        assert {*stays, *result.found.points} == set(full.points)


def test_an_unchanged_series_adds_nothing() -> None:
    """Analysed again from its start with the same candles, a series has no new row and no generation."""
    candles = chart(7)
    kept = take_turn(whole(candles)).found
    result = take_turn(whole(candles, kept))
    assert (result.found, result.valid_from) == (Findings(), None)
    assert result.state.status is AnalysisStatus.DONE


def test_a_short_series_says_so_and_is_not_guessed_at() -> None:
    """Below the least number of candles the result is that it is too short, with both numbers."""
    result = take_turn(whole(chart(3, MIN_CANDLES - 1)))
    assert result.state.status is AnalysisStatus.TOO_SHORT
    assert result.state.reason == f"{MIN_CANDLES - 1} of {MIN_CANDLES} candles"
    assert result.found == Findings()
    assert result.state.cause is DueCause.FIRST


def test_a_split_changes_no_row() -> None:
    """Prices before an ex-date in the new measure give the same rows as the prices as traded."""
    candles = chart(11)
    halved = Candles(
        **{
            **{name: getattr(candles, name) for name in ("symbol", "timeframe", "ts", "closes_at", "value")},
            **{name: getattr(candles, name) / 50 for name in ("open", "high", "low", "close")},
            "volume": candles.volume * 50,
            "traded": candles.traded,
            "factor": np.full(len(candles), 1 / 50),
        }
    )
    kept = take_turn(whole(candles)).found
    result = take_turn(whole(halved, kept))
    assert (result.found, result.valid_from) == (Findings(), None)
