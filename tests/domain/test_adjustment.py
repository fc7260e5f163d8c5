"""Corporate actions read off raw beside adjusted prices: made-up ones exactly, real ones as recorded."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chartinsightd.domain.adjustment import (
    UnclearRatio,
    cumulative,
    decimal_of,
    derive,
    simplest_between,
    unexplained,
)
from chartinsightd.domain.calendar import Calendar, day_of, midnight
from chartinsightd.domain.candle import Candles
from tests.domain.made_up_charts import adjusted, daily, split, walk, weekly

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CALENDAR = Calendar()
LAST_DAY = date(2026, 11, 20)
DAYS = [session.day for session in CALENDAR.sessions(date(2025, 10, 1), LAST_DAY)]
LEGIBLE_WON = 100
"""From this price on half a won parts any two of the factors below."""
FACTORS = [Fraction(*pair) for pair in [(1, 2), (1, 5), (1, 50), (10, 1), (20, 21), (2, 3), (7, 9), (19, 20)]]


@settings(max_examples=40)
@example(seed=1, places={5, 6, 7}, factors=[Fraction(1, 50)] * 3, keeps_volume=False)
@example(seed=1, places={5, 6, 7}, factors=[Fraction(1, 50)] * 3, keeps_volume=True)
@given(
    seed=st.integers(0, 2**32),
    places=st.sets(st.integers(5, len(DAYS) // 20 - 2), max_size=3),
    factors=st.lists(st.sampled_from(FACTORS), min_size=3, max_size=3),
    keeps_volume=st.booleans(),
)
def test_actions_are_recovered_exactly(
    seed: int, places: set[int], factors: list[Fraction], keeps_volume: bool
) -> None:
    """From a path rounded to the won every day and every factor comes back as it was, volumes too.

    Where many splits leave prices of a few won, their rounding hides the fraction, and the shares must tell;
    where they do not either, what is found gives the adjusted prices within a won.
    """
    raw = walk(seed, DAYS, 400_000)
    actions = [
        split(DAYS[place * 20], factor, Fraction(1) if keeps_volume else None)
        for place, factor in zip(sorted(places), factors, strict=False)
    ]

    served = adjusted(raw, actions, LAST_DAY)

    derived = derive(raw, served, LAST_DAY)

    found = derived.actions[::-1]
    assert [(one.ex_date, one.volume_factor) for one in found] == [
        (one.ex_date, one.volume_factor) for one in actions
    ]
    assert derived.odd_rows == 0
    if served.low.min() >= LEGIBLE_WON or not keeps_volume:
        assert [one.price_factor for one in found] == [one.price_factor for one in actions]
    else:
        assert np.abs(adjusted(raw, found, LAST_DAY).close - served.close).max() <= 1


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    place=st.integers(5, len(DAYS) - 5),
    factor=st.fractions(Fraction(1, 60), Fraction(20), max_denominator=1_000_000).filter(
        lambda factor: abs(factor - 1) > Fraction(1, 50)
    ),
)
def test_any_factor_is_right_to_the_won(seed: int, place: int, factor: Fraction) -> None:
    """Whatever the ratio, its day is found and the derived factor gives the adjusted prices within a won."""
    raw = walk(seed, DAYS, 100_000)
    action = split(DAYS[place], factor)
    served = adjusted(raw, [action], LAST_DAY)

    (found,) = derive(raw, served, LAST_DAY).actions

    assert found.ex_date == action.ex_date
    ours = adjusted(raw, [found], LAST_DAY)
    for name in ("open", "high", "low", "close"):
        assert np.abs(getattr(ours, name) - getattr(served, name)).max() <= 1


def test_an_action_of_today_shows_before_the_opening() -> None:
    """All rows are of yesterday and before, none is as traded: the action is of the day asked for."""
    raw = walk(1, DAYS[:-1], 50_000)

    (found,) = derive(raw, adjusted(raw, [split(LAST_DAY, Fraction(1, 5))], LAST_DAY), LAST_DAY).actions

    assert (found.ex_date, found.price_factor, found.volume_factor) == (LAST_DAY, Fraction(1, 5), 5)
    assert found.evidence["last_day_before"] == DAYS[-2].isoformat()


def test_a_known_factor_that_fits_is_kept() -> None:
    """A later look with other rows does not trade one fraction for another that says the same."""
    raw = walk(2, DAYS, 9_000)
    exact = split(DAYS[150], Fraction(1_000_003, 1_200_000))

    (kept,) = derive(raw, adjusted(raw, [exact], LAST_DAY), LAST_DAY, [exact]).actions

    assert kept.price_factor == exact.price_factor


def test_odd_rows_are_no_actions() -> None:
    """Single rows that were rounded badly, or corrected since, are counted and change nothing."""
    raw = walk(3, DAYS, 60_000)
    action = split(DAYS[150], Fraction(1, 2))
    served = adjusted(raw, [action], LAST_DAY)
    for place in (20, 149, 151, 200):
        served.low[place] += 145

    derived = derive(raw, served, LAST_DAY)

    assert [(one.ex_date, one.price_factor) for one in derived.actions] == [(DAYS[150], Fraction(1, 2))]
    assert derived.odd_rows == 4


def test_volumes_that_say_nothing_follow_the_price() -> None:
    """Without a trade before the action, the volume factor is the inverse of the price factor."""
    raw = walk(4, DAYS, 60_000)
    action = split(DAYS[10], Fraction(1, 4))
    raw.volume[:10] = 0

    (found,) = derive(raw, adjusted(raw, [action], LAST_DAY), LAST_DAY).actions

    assert (found.volume_factor, found.evidence["volume_from"]) == (4, "price_factor")


def test_a_chart_that_is_no_multiple_is_refused() -> None:
    """Another stock's chart, or none of the same days, is no evidence of anything."""
    raw = walk(5, DAYS, 60_000)
    with pytest.raises(UnclearRatio):
        derive(raw, walk(6, DAYS, 60_000), LAST_DAY)
    with pytest.raises(UnclearRatio):
        derive(raw.where(slice(0, 0)), raw, LAST_DAY)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), places=st.sets(st.integers(10, len(DAYS) - 1), min_size=1, max_size=3))
def test_weeks_show_where_to_look(seed: int, places: set[int]) -> None:
    """Each unknown action lies in a window of a week or less; with all of them known there is none."""
    raw = walk(seed, DAYS, 400_000)
    actions = [split(DAYS[place], FACTORS[i]) for i, place in enumerate(sorted(places))]
    served = weekly(adjusted(raw, actions, LAST_DAY))
    weeks = weekly(raw)
    ends = [(CALENDAR.week_of(day_of(candle.ts)) or (LAST_DAY, LAST_DAY))[1] for candle in weeks]

    windows = unexplained(weeks, served, ends, LAST_DAY, [])

    assert all(any(one.after < action.ex_date <= one.until for one in windows) for action in actions)
    assert len(windows) <= len(actions)
    assert all((one.until - one.after).days <= 14 for one in windows)
    assert unexplained(weeks, served, ends, LAST_DAY, actions) == []


@given(st.fractions(Fraction(1, 10**6), Fraction(10**6)), st.fractions(Fraction(0), Fraction(1)))
def test_the_simplest_fraction_lies_between(low: Fraction, width: Fraction) -> None:
    """It is inside, and no smaller denominator is."""
    found = simplest_between(low, low + width)
    assert low <= found <= low + width
    for denominator in range(max(1, found.denominator - 50), found.denominator):
        assert -(-low.numerator * denominator // low.denominator) > (low + width) * denominator


def test_factors_are_stored_exactly_or_rounded_up() -> None:
    """1/50 is 0.02; 1/6 is a hair more than that, so that half a won stays at least half a won."""
    assert str(decimal_of(Fraction(1, 50))) == "0.02"
    assert 3 * decimal_of(Fraction(1, 6)) >= Fraction(1, 2)


def test_factors_multiply_backwards() -> None:
    """A day carries every later action up to the day asked for, and none after it."""
    actions = [
        split(DAYS[10], Fraction(1, 2)),
        split(DAYS[20], Fraction(1, 5)),
        split(DAYS[30], Fraction(1, 3)),
    ]
    assert cumulative([DAYS[9], DAYS[10], DAYS[20]], actions, DAYS[20]).tolist() == [0.1, 0.2, 1.0]


AFTER = "2026-08-24"
"""Later than all rows: where the raw source ends before the action, its day is the one asked for."""

# Real events: raw and adjusted series of different publishers, so of different care.


@cache
def series() -> dict[tuple[str, str], Candles]:
    """Every daily series of the real data, by code and source."""
    rows: dict[tuple[str, str], dict[date, list[int]]] = {}
    with gzip.open(DATA / "daily_bars.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            numbers = [round(float(row[name] or 0)) for name in ("open", "high", "low", "close", "volume")]
            rows.setdefault((row["code"], row["source"]), {})[date.fromisoformat(row["date"])] = numbers
    found = {}
    for key, by_day in rows.items():
        days = sorted(by_day)
        table = np.array([by_day[day] for day in days], dtype=np.int64).T
        found[key] = daily(days, table[:4], table[4])
    return found


def part(candles: Candles, first: str, last: str) -> Candles:
    """The candles of some days, both included."""
    start, end = (midnight(date.fromisoformat(day)).timestamp() for day in (first, last))
    return candles.where((candles.ts >= start) & (candles.ts <= end))


REAL = {
    "a split 50:1, exact": ("005930", "rls_raw", "ecst", "2017-01-02", "2018-12-28", {"2018-05-04": 0.02}),
    "a split 5:1": ("035720", "arclien", "ecst", "2021-01-04", "2021-12-30", {"2021-04-15": 0.2007}),
    "a bonus issue": (
        *("247540", "arclien", "backtest_lab", "2022-01-03", "2022-09-19"),
        {"2022-06-27": 0.2507, "2022-05-09": 0.9856},
    ),
    "a stock dividend": ("068270", "smd", "sfd", "2025-10-10", "2026-06-15", {"2026-06-04": 0.9524}),
    "a spin-off": ("006400", "marcap", "invest_kr", "2024-01-02", "2025-02-14", {AFTER: 0.9790}),
    "another split 5:1": ("058470", "marcap", "invest_kr", "2024-01-02", "2025-02-14", {AFTER: 0.2002}),
    "a rights issue": ("028300", "marcap", "pqmsoft", "2021-01-04", "2021-02-19", {AFTER: 0.5006}),
}
"""Code, raw source, adjusted source, first and last day of the raw one, factors by effective day."""


@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs real candles in {DATA}")
@pytest.mark.parametrize("event", REAL)
def test_real_actions(event: str) -> None:
    """Days and factors are those of the record; the tolerance says how carefully the publisher rounded.

    The bonus issue comes with the small action that the record only supposes.
    """
    code, raw_name, adjusted_name, first, last, factors = REAL[event]
    raw = part(series()[code, raw_name], first, last)

    derived = derive(raw, part(series()[code, adjusted_name], first, last), date.fromisoformat(AFTER))

    assert {str(one.ex_date): float(one.price_factor) for one in derived.actions} == pytest.approx(
        factors, abs=6e-5
    )
    assert derived.tolerance_won <= (2 if code in {"035720", "006400"} else 1)
    assert derived.odd_rows <= len(raw) * 0.02


@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs real candles in {DATA}")
def test_the_real_split_is_exact() -> None:
    """Samsung's 50:1 is one fiftieth to the last digit."""
    raw = part(series()["005930", "rls_raw"], "2000-08-25", "2021-03-19")

    derived = derive(raw, part(series()["005930", "ecst"], "2000-08-25", "2021-03-19"), date(2021, 3, 19))

    assert [(str(one.ex_date), one.price_factor, one.volume_factor) for one in derived.actions] == [
        ("2018-05-04", Fraction(1, 50), 50)
    ]
