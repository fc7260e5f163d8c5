"""Corporate actions read off raw beside adjusted prices: made-up ones exactly, real ones as recorded."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chartinsightd.domain.adjustment import (
    CorporateAction,
    Derived,
    UnclearRatio,
    Window,
    cumulative,
    decimal_of,
    derive,
    simplest_between,
    unexplained,
)
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import day_of, midnight
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

    assert (found.ex_date, found.price_factor, found.volume_factor) == (LAST_DAY, Fraction(1, 5), Fraction(5))
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

    assert (found.volume_factor, found.evidence["volume_from"]) == (Fraction(4), "price_factor")


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
    assert str(decimal_of(Fraction(1, 3))) == "0.33333333333333333334"


def test_factors_multiply_backwards() -> None:
    """A day carries every later action up to the day asked for, and none after it."""
    actions = [
        split(DAYS[10], Fraction(1, 2)),
        split(DAYS[20], Fraction(1, 5)),
        split(DAYS[30], Fraction(1, 3)),
    ]
    assert cumulative([DAYS[9], DAYS[10], DAYS[20]], actions, DAYS[20]).tolist() == [0.1, 0.2, 1.0]


def chart(rows: int, close: int = 10_000) -> Candles:
    """Days that all look alike, from the first of DAYS on."""
    prices = np.array([[close - 1], [close + 40], [close - 30], [close]], dtype=np.int64)
    return daily(DAYS[:rows], np.repeat(prices, rows, axis=1), np.full(rows, 1_000, dtype=np.int64))


def halved(raw: Candles, place: int) -> Candles:
    """The same days, with a split 2:1 before the day at a place."""
    return adjusted(raw, [split(DAYS[place], Fraction(1, 2))], LAST_DAY)


def off(column: np.ndarray, places: Sequence[int], by: int) -> np.ndarray:
    """A column of which some rows are wrong."""
    wrong = column.copy()
    wrong[list(places)] += by
    return wrong


def test_an_action_says_what_it_was_read_off() -> None:
    """All that a person needs to check it by hand, of the days before it and of the last of them."""
    raw = chart(20)
    raw.close[9] += 20
    raw.volume[9] = 0

    derived = derive(raw, halved(raw, 10), DAYS[19])

    (found,) = derived.actions
    assert derived.first_day == DAYS[0]
    assert found.evidence == {
        "volume_from": "volumes",
        "base_day": DAYS[19].isoformat(),
        "rows": 10,
        "product_low": pytest.approx(0.5, abs=1e-9),
        "product_high": pytest.approx(5_020.5 / 10_040, abs=1e-9),
        "tolerance_won": 0.5,
        "odd_rows": 0,
        "fraction": "1/2",
        "last_day_before": DAYS[9].isoformat(),
        "raw_close": 10_020,
        "adjusted_close": 5_010,
    }


@pytest.mark.parametrize(
    ("rows", "odd", "is_refused"), [(20, 2, False), (20, 3, True), (60, 3, False), (60, 4, True)]
)
def test_one_row_in_twenty_may_be_odd_and_always_two(rows: int, odd: int, *, is_refused: bool) -> None:
    """With more the charts do not belong together, and it is said how many of how many."""
    raw = chart(rows)
    served = replace(raw, low=off(raw.low, range(4, 4 + 5 * odd, 5), 145))

    if is_refused:
        with pytest.raises(
            UnclearRatio, match=f"^{odd} of {rows} rows of the adjusted chart are no multiple"
        ):
            derive(raw, served, LAST_DAY)
    else:
        assert (derive(raw, served, LAST_DAY).actions, derive(raw, served, LAST_DAY).odd_rows) == ((), odd)


@pytest.mark.parametrize(("noise", "tolerance"), [(0, 0.5), (1, 1.0), (2, 2.0)])
def test_a_careless_publisher_is_read_with_a_wider_tolerance(noise: int, tolerance: float) -> None:
    """Where two rows in three are off by a won or two, the split is found all the same."""
    raw = chart(120)
    served = halved(raw, 110)
    served = replace(served, close=off(served.close, range(0, 110, 3), noise))
    served = replace(served, close=off(served.close, range(1, 110, 3), -noise))

    derived = derive(raw, served, LAST_DAY)

    assert [(one.ex_date, one.price_factor) for one in derived.actions] == [(DAYS[110], Fraction(1, 2))]
    assert (derived.tolerance_won, derived.odd_rows) == (tolerance, 0)


@pytest.mark.parametrize(("noise", "source"), [(0, "volumes"), (10, "volumes"), (11, "price_factor")])
def test_volumes_may_be_off_by_ten_shares(noise: int, source: str) -> None:
    """Farther off they say nothing, and the volume factor is the inverse of the price factor."""
    raw = chart(60)
    served = halved(raw, 30)
    served = replace(served, volume=off(served.volume, range(0, 30, 3), noise))
    served = replace(served, volume=off(served.volume, range(1, 30, 3), -noise))

    (found,) = derive(raw, served, LAST_DAY).actions

    assert (found.volume_factor, found.evidence["volume_from"]) == (Fraction(2), source)


def test_two_rows_make_a_regime() -> None:
    """A single day before an action, or between two, is odd; the actions around it count as one."""
    raw = chart(40)
    two = [split(DAYS[20], Fraction(1, 2)), split(DAYS[22], Fraction(1, 5))]
    one = [split(DAYS[20], Fraction(1, 2)), split(DAYS[21], Fraction(1, 5))]

    alone, between = (
        derive(raw, halved(raw, 1), LAST_DAY),
        derive(raw, adjusted(raw, one, LAST_DAY), LAST_DAY),
    )

    assert (alone.actions, alone.odd_rows) == ((), 1)
    assert derive(raw, halved(raw, 2), LAST_DAY).actions[0].ex_date == DAYS[2]
    assert [(found.ex_date, found.price_factor) for found in between.actions] == [(DAYS[21], Fraction(1, 10))]
    assert between.odd_rows == 1
    found = derive(raw, adjusted(raw, two, LAST_DAY), LAST_DAY).actions
    assert [(each.ex_date, each.price_factor) for each in found] == [
        (DAYS[22], Fraction(1, 5)),
        (DAYS[20], Fraction(1, 2)),
    ]


@pytest.mark.parametrize("place", [2, 15, 30])
def test_two_days_left_unadjusted_are_odd(place: int) -> None:
    """Odd rows are no action where the regime continues before them; a stretch of days is one."""
    raw = chart(60)
    served = halved(raw, 40)

    def derived(days: int) -> Derived:
        rows = np.arange(60)
        kept = (rows >= place) & (rows < place + days)
        mixed = replace(
            served,
            open=np.where(kept, raw.open, served.open),
            high=np.where(kept, raw.high, served.high),
            low=np.where(kept, raw.low, served.low),
            close=np.where(kept, raw.close, served.close),
            volume=np.where(kept, raw.volume, served.volume),
        )
        return derive(raw, mixed, LAST_DAY)

    assert [(one.ex_date, one.price_factor) for one in derived(2).actions] == [(DAYS[40], Fraction(1, 2))]
    assert derived(2).odd_rows == 2
    if place == 15:
        assert [(one.ex_date, one.price_factor) for one in derived(10).actions] == [
            (DAYS[40], Fraction(1, 2)),
            (DAYS[25], Fraction(2)),
            (DAYS[15], Fraction(1, 2)),
        ]


def test_a_regime_goes_on_before_days_that_are_wrong_in_different_ways() -> None:
    """They are odd, each for itself; the days on both sides of them bound one ratio together."""
    raw = chart(60)
    raw = replace(
        raw,
        open=off(raw.open, [8], 20_000),
        high=off(raw.high, [8], 20_000),
        low=off(raw.low, [8], 20_000),
        close=off(raw.close, [8], 20_000),
    )
    actions = [
        split(DAYS[5], Fraction(1, 5)),
        split(DAYS[40], Fraction(1, 2)),
        split(DAYS[50], Fraction(2)),
    ]
    served = adjusted(raw, actions, LAST_DAY)
    wrong = {}
    for name in ("open", "high", "low", "close"):
        column = getattr(served, name).copy()
        column[15:18] = getattr(raw, name)[15:18] * np.array([11, 12, 13]) // 20
        wrong[name] = column

    derived = derive(raw, replace(served, **wrong), LAST_DAY)

    found = derived.actions[::-1]
    assert [(one.ex_date, one.price_factor) for one in found] == [
        (one.ex_date, one.price_factor) for one in actions
    ]
    assert ([one.evidence["rows"] for one in found], derived.odd_rows) == ([5, 32, 10], 3)
    assert found[1].evidence["product_high"] == pytest.approx(30_040.5 / 30_040, abs=1e-9)
    assert found[1].evidence["product_low"] == pytest.approx(30_039.5 / 30_040, abs=1e-9)


def test_actions_that_undo_each_other_are_seen() -> None:
    """What compares with today again after them was another measure between."""
    raw = chart(60)
    actions = [split(DAYS[20], Fraction(2)), split(DAYS[40], Fraction(1, 2))]

    found = derive(raw, adjusted(raw, actions, LAST_DAY), LAST_DAY).actions[::-1]

    assert [(one.ex_date, one.price_factor) for one in found] == [
        (one.ex_date, one.price_factor) for one in actions
    ]


@pytest.mark.parametrize("factor", [Fraction(3, 2), Fraction(10), Fraction(2, 3)])
def test_an_action_of_today_shows_whichever_way_it_goes(factor: Fraction) -> None:
    """Shares may become more or fewer."""
    raw = chart(40)

    (found,) = derive(raw, adjusted(raw, [split(LAST_DAY, factor)], LAST_DAY), LAST_DAY).actions

    assert (found.ex_date, found.price_factor) == (LAST_DAY, factor)


def flat(rows: int, price: int) -> Candles:
    """Days of a single price."""
    prices = np.full((4, rows), price, dtype=np.int64)
    return daily(DAYS[:rows], prices, np.full(rows, 1_000, dtype=np.int64))


@pytest.mark.parametrize(("price", "factor"), [(1, Fraction(10)), (10, Fraction(1, 10))])
def test_a_single_won_says_something(price: int, factor: Fraction) -> None:
    """It is the cheapest there is, and a price like any other."""
    raw = flat(40, price)

    (found,) = derive(raw, adjusted(raw, [split(DAYS[20], factor)], LAST_DAY), LAST_DAY).actions

    assert (found.ex_date, found.price_factor) == (DAYS[20], factor)


def test_a_price_that_is_missing_says_nothing() -> None:
    """A zero in either chart leaves the other prices of its day to speak, and a day of zeros none."""
    raw = chart(40)
    served = halved(raw, 20)
    raw = replace(raw, open=off(raw.open, [3, 25], -9_999), high=off(raw.high, [3], -10_040))
    served = replace(served, low=off(served.low, [5], -4_985), close=off(served.close, [5], -5_000))

    derived = derive(raw, served, LAST_DAY)

    assert [(one.ex_date, one.price_factor) for one in derived.actions] == [(DAYS[20], Fraction(1, 2))]
    assert (derived.odd_rows, derived.actions[0].evidence["rows"]) == (0, 20)


def test_a_small_step_up_before_a_split_is_an_action() -> None:
    """Two won of a hundred are measured in the prices of their days, whatever came later."""
    raw = flat(60, 200)
    actions = [split(DAYS[20], Fraction(51, 50)), split(DAYS[40], Fraction(1, 2))]

    found = derive(raw, adjusted(raw, actions, LAST_DAY), LAST_DAY).actions[::-1]

    assert [(one.ex_date, one.price_factor) for one in found] == [
        (one.ex_date, one.price_factor) for one in actions
    ]


def test_a_step_within_the_rounding_is_none() -> None:
    """A hundred won less one are what noise looks like; less two they are an action."""
    raw = chart(60, close=100)

    def factors(factor: Fraction) -> list[Fraction]:
        served = adjusted(raw, [split(DAYS[30], factor)], LAST_DAY)
        return [one.price_factor for one in derive(raw, served, LAST_DAY).actions]

    assert factors(Fraction(99, 100)) == []
    assert factors(Fraction(98, 100)) == [Fraction(49, 50)]


def test_only_days_of_both_charts_count() -> None:
    """What one of them has beside them changes nothing, before, between and after."""
    raw = chart(40)
    served = halved(raw, 20)
    some = np.ones(40, dtype=np.bool_)
    some[[0, 1, 7, 25, 39]] = False
    others = np.ones(40, dtype=np.bool_)
    others[[2, 8, 20, 38]] = False

    derived = derive(raw.where(some), served.where(others), LAST_DAY)

    (found,) = derived.actions
    assert (derived.first_day, found.ex_date) == (DAYS[3], DAYS[21])
    assert (found.price_factor, found.evidence["rows"]) == (Fraction(1, 2), 15)


ODD_PRICE, ODD_VOLUME = Fraction(1_000_003, 2_000_000), Fraction(2_000_003, 1_000_000)
"""Nearly one half and nearly two, neither the simplest fraction nor each other's inverse."""


@pytest.mark.parametrize("traded", [1_000, 0])
def test_a_known_price_factor_that_fits_is_kept(traded: int) -> None:
    """Whether the shares say something else, or nothing at all."""
    raw = replace(chart(40), volume=np.full(40, traded, dtype=np.int64))
    for volume in (Fraction(1), Fraction(3)):
        known = split(DAYS[20], ODD_PRICE, volume)
        served = adjusted(raw, [split(DAYS[20], Fraction(1, 2), volume)], LAST_DAY)

        (found,) = derive(raw, served, LAST_DAY, [known]).actions

        assert found.price_factor == ODD_PRICE
        assert found.volume_factor == (volume if traded else 1 / ODD_PRICE)


@pytest.mark.parametrize(("bound", "beyond"), [("product_low", 0.0), ("product_high", 1.0)])
def test_a_known_factor_at_the_edge_of_what_rows_allow_is_kept(bound: str, beyond: float) -> None:
    """The bounds that the evidence names belong to what fits; the next number beyond them does not."""
    raw = chart(40)
    (plain,) = derive(raw, halved(raw, 20), LAST_DAY).actions
    edge = plain.evidence[bound]

    for known, kept in ((edge, Fraction(edge)), (math.nextafter(edge, beyond), Fraction(1, 2))):
        action = split(DAYS[20], Fraction(known))
        assert derive(raw, halved(raw, 20), LAST_DAY, [action]).actions[0].price_factor == kept


def test_the_inverse_of_the_price_goes_before_other_volume_factors() -> None:
    """Shares that say nearly two are twice as many to the last digit that the price gives."""
    raw = chart(40)
    known = split(DAYS[20], ODD_PRICE, ODD_VOLUME)

    (found,) = derive(raw, halved(raw, 20), LAST_DAY, [known]).actions

    assert found.volume_factor == 1 / ODD_PRICE


@pytest.mark.parametrize(
    ("factor", "volume", "served_volume", "source"),
    [
        (Fraction(1, 2), 0, 0, "price_factor"),
        (Fraction(1, 2), 1_000, 0, "price_factor"),
        (Fraction(1, 2), 0, 1_000, "price_factor"),
        (Fraction(1, 2), 1, 2, "volumes"),
        (Fraction(10), 10, 1, "volumes"),
    ],
)
def test_a_single_share_says_something_and_none_does_not(
    factor: Fraction, volume: int, served_volume: int, source: str
) -> None:
    """A day has to have volume in both charts; where none has, the price must do."""
    raw = replace(chart(40), volume=np.full(40, volume, dtype=np.int64))
    served = replace(
        adjusted(raw, [split(DAYS[20], factor)], LAST_DAY),
        volume=np.array([served_volume] * 20 + [volume] * 20, dtype=np.int64),
    )

    (found,) = derive(raw, served, LAST_DAY).actions

    assert (found.volume_factor, found.evidence["volume_from"]) == (1 / factor, source)


def test_a_known_volume_factor_that_fits_is_kept() -> None:
    """Where the inverse of the price does not fit, what the ledger says goes before the simplest fraction."""
    raw = chart(40)
    served = adjusted(raw, [split(DAYS[20], Fraction(1, 4), Fraction(2))], LAST_DAY)

    (found,) = derive(raw, served, LAST_DAY, [split(DAYS[20], Fraction(1, 4), ODD_VOLUME)]).actions

    assert (found.price_factor, found.volume_factor) == (Fraction(1, 4), ODD_VOLUME)


def test_a_known_factor_that_does_not_fit_is_replaced() -> None:
    """Each factor for itself."""
    raw = chart(40)
    known = split(DAYS[20], Fraction(1, 3), Fraction(3))

    (found,) = derive(raw, halved(raw, 20), LAST_DAY, [known]).actions

    assert (found.price_factor, found.volume_factor) == (Fraction(1, 2), Fraction(2))


def test_every_action_has_a_volume_factor_of_its_own() -> None:
    """It is read off the days before the action and after the one before."""
    raw = chart(40)
    actions = [
        split(DAYS[10], Fraction(1, 2), Fraction(3)),
        split(DAYS[20], Fraction(1, 5), Fraction(7)),
        split(DAYS[30], Fraction(2, 3), Fraction(1)),
    ]

    found = derive(raw, adjusted(raw, actions, LAST_DAY), LAST_DAY).actions[::-1]

    assert [(one.ex_date, one.price_factor, one.volume_factor) for one in found] == [
        (one.ex_date, one.price_factor, one.volume_factor) for one in actions
    ]
    assert {one.evidence["volume_from"] for one in found} == {"volumes"}


def weeks_of(
    rows: int, actions: Sequence[CorporateAction], base_day: date
) -> tuple[Candles, Candles, list[date]]:
    """Raw weeks, adjusted ones, and where they end."""
    raw = chart(rows)
    weeks = weekly(raw)
    ends = [(CALENDAR.week_of(day_of(candle.ts)) or (LAST_DAY, LAST_DAY))[1] for candle in weeks]
    return weeks, weekly(adjusted(raw, actions, base_day)), ends


@pytest.mark.parametrize(
    ("ex_date", "rows", "base_day", "window"),
    [
        ((10, 20), 30, DAYS[29], ((10, 17), (10, 20))),
        ((10, 21), 30, DAYS[29], ((10, 20), (10, 24))),
        ((10, 24), 30, DAYS[29], ((10, 20), (10, 24))),
        ((10, 28), 16, date(2025, 10, 29), ((10, 27), (10, 29))),
        ((11, 4), 18, date(2025, 11, 4), ((10, 31), (11, 4))),
    ],
)
def test_a_window_lies_between_two_edges_of_weeks(
    ex_date: tuple[int, int], rows: int, base_day: date, window: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    """Between weeks, within one, in the one that is not over, and after them all up to the day asked for."""
    action = split(date(2025, *ex_date), Fraction(1, 2))
    weeks, served, ends = weeks_of(rows, [action], base_day)

    found = unexplained(weeks, served, ends, base_day, [])

    assert found == [Window(after=date(2025, *window[0]), until=date(2025, *window[1]))]


def test_what_the_ledger_knows_explains_its_step_only() -> None:
    """Of two actions the unknown one is found, whichever it is; none where both or neither are there."""
    actions = [split(date(2025, 10, 22), Fraction(1, 2)), split(date(2025, 10, 29), Fraction(1, 5))]
    weeks, served, ends = weeks_of(30, actions, DAYS[29])
    windows = [
        Window(after=date(2025, 10, 20), until=date(2025, 10, 24)),
        Window(after=date(2025, 10, 27), until=date(2025, 10, 31)),
    ]

    assert unexplained(weeks, served, ends, DAYS[29], []) == windows[::-1]
    assert unexplained(weeks, served, ends, DAYS[29], actions[:1]) == windows[1:]
    assert unexplained(weeks, served, ends, DAYS[29], actions[1:]) == windows[:1]
    assert unexplained(weeks, served, ends, DAYS[29], actions) == []


def test_a_merger_of_shares_before_a_known_split_is_seen() -> None:
    """What is known is taken out of the ratio, not merely granted."""
    actions = [split(date(2025, 10, 22), Fraction(10)), split(date(2025, 10, 29), Fraction(1, 10))]
    weeks, served, ends = weeks_of(30, actions, DAYS[29])

    found = unexplained(weeks, served, ends, DAYS[29], actions[1:])

    assert found == [Window(after=date(2025, 10, 20), until=date(2025, 10, 24))]


def test_weeks_of_one_chart_only_are_left_out() -> None:
    """The ends are those of the adjusted weeks, of which the raw chart may lack some."""
    action = split(date(2025, 10, 22), Fraction(1, 2))
    weeks, served, ends = weeks_of(30, [action], DAYS[29])

    found = unexplained(weeks.where(slice(2, None)), served, ends, DAYS[29], [])

    assert found == [Window(after=date(2025, 10, 20), until=date(2025, 10, 24))]
    with pytest.raises(UnclearRatio, match=r"^The raw and the adjusted chart share no week\.$"):
        unexplained(weeks.where(slice(0, 1)), served.where(slice(1, None)), ends[1:], DAYS[29], [])
    with pytest.raises(UnclearRatio, match=r"^The raw and the adjusted chart share no day\.$"):
        derive(weeks.where(slice(0, 1)), served.where(slice(1, None)), DAYS[29])


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
        ("2018-05-04", Fraction(1, 50), Fraction(50))
    ]
