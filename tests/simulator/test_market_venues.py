"""The market of NXT, and of both exchanges together: exact sums, a stock's own joining day, evenings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
import pytest

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.market import VenueMarket, create_generated
from chartinsightd.simulator.model import MinuteRows, Period

CODE, SUFFIXES = "005930", ("", "_NX", "_AL")
ISSUES = 40
DAY = date(2026, 11, 20)
NIGHT = datetime(2026, 11, 21, 9, tzinfo=KST)


@pytest.fixture(scope="module")
def market() -> VenueMarket:
    return VenueMarket(create_generated(7, ISSUES))


def at(hour: int, minute: int = 0, second: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute, second), KST)


def rows_of(rows: MinuteRows | None) -> list[tuple[int, ...]]:
    if rows is None:
        return []
    columns = (rows.label, rows.open, rows.high, rows.low, rows.close, rows.volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("now", [at(8, 30), at(9, 30, 20), at(15, 35), at(17), at(21), NIGHT])
@pytest.mark.parametrize("scope", [1, 5, 60])
def test_both_together_are_the_sum_at_every_moment(market: VenueMarket, now: datetime, scope: int) -> None:
    """Volume adds up row by row; high and low are the farther ones; open and close are of one of the two."""
    krx, ours, both = (rows_of(market.minutes(CODE + suffix, DAY, scope, now)) for suffix in SUFFIXES)
    labels = {row[0] for row in (*krx, *ours)}
    assert {row[0] for row in both} == labels
    for row in both:
        of = [one for one in (*krx, *ours) if one[0] == row[0]]
        assert row[5] == sum(one[5] for one in of)
        assert (row[2], row[3]) == (max(one[2] for one in of), min(one[3] for one in of))
        assert row[1] in {one[1] for one in of}
        assert row[4] in {one[4] for one in of}


def test_days_and_weeks_add_up(market: VenueMarket) -> None:
    """Volume and value of a day or a week at both exchanges are the sums."""
    for period in (Period.DAY, Period.WEEK):
        krx, ours, both = (
            market.periods(CODE + suffix, period, NIGHT, None) for suffix in ("", "_NX", "_AL")
        )
        size = 100 if period is Period.DAY else 20
        assert both.day[-size:].tolist() == krx.day[-size:].tolist() == ours.day[-size:].tolist()
        for name in ("volume", "value"):
            summed = getattr(krx, name)[-size:] + getattr(ours, name)[-size:]
            assert getattr(both, name)[-size:].tolist() == summed.tolist()


def test_a_day_of_both_is_what_its_minutes_are(market: VenueMarket) -> None:
    """Open and close of a day are those of its minutes: KRX trades until 20:00 too, so the last trade could
    be either's, and a day with the wrong close could never be proved."""
    for code in [issue.code for issue in market.issues(NIGHT) if issue.nxt_enabled][:4]:
        days = market.periods(f"{code}_AL", Period.DAY, NIGHT, None)
        for back in range(1, 21):
            number = int(days.day[-back])
            day = date(number // 10_000, number // 100 % 100, number % 100)
            rows = market.minutes(f"{code}_AL", day, 1, NIGHT)
            assert rows is not None
            assert (days.open[-back], days.close[-back]) == (rows.open[0], rows.close[-1]), (code, day)


def test_rows_lie_in_the_hours_of_nxt(market: VenueMarket) -> None:
    """0800-0849, 0900-1519, 1540-1959: nothing else, and something of each."""
    rows = market.minutes(f"{CODE}_NX", DAY, 1, NIGHT)
    assert rows is not None
    hours = [range(480, 530), range(540, 920), range(940, 1200)]
    assert all(any(label in part for part in hours) for label in rows.label.tolist())
    assert all(any(label in part for label in rows.label.tolist()) for part in hours)


def test_a_stock_begins_on_the_day_it_joined(market: VenueMarket) -> None:
    """005930 joined on 2025-03-24; who is not on NXT has no chart there, and both together are KRX."""
    assert int(market.periods(f"{CODE}_NX", Period.DAY, NIGHT, None).day[0]) == 20250324
    stays = next(issue for issue in market.issues(NIGHT) if not issue.nxt_enabled)
    assert market.issue(f"{stays.code}_NX") is None
    alone, both = market.minutes(stays.code, DAY, 5, NIGHT), market.minutes(f"{stays.code}_AL", DAY, 5, NIGHT)
    assert (alone is None) == (both is None)
    assert alone is None or both is None or alone.volume.tolist() == both.volume.tolist()


def test_most_days_of_nxt_appear_the_next_morning() -> None:
    """At 21:00 few stocks have today's row, in the morning all; during the day all have it too."""
    krx = create_generated(7, 3)
    late, prompt = VenueMarket(krx), VenueMarket(krx, late_days=False)
    codes = [issue.code for issue in krx.issues(NIGHT) if issue.nxt_enabled]

    def with_day(market: VenueMarket, now: datetime, codes: Sequence[str] = codes) -> int:
        days = [market.periods(f"{code}_NX", Period.DAY, now, None).day for code in codes]
        return sum(int(found[-1]) == 20261120 for found in days)

    assert with_day(late, at(21)) < len(codes) / 2
    assert with_day(late, at(19)) == with_day(late, NIGHT) == len(codes)
    assert with_day(prompt, at(21), codes[:1]) == 1


@pytest.mark.parametrize("suffix", ["_NX", "_AL"])
def test_trades_fold_into_minutes(market: VenueMarket, suffix: str) -> None:
    """The stream of a code gives the rows of its chart, and its running volume never loses a share."""
    code, start, end = CODE + suffix, at(9, 10), at(9, 16)
    trades = market.trades(code, start, end - timedelta(microseconds=1))
    rows = market.minutes(code, DAY, 1, end)
    assert rows is not None
    steps = np.diff([trade.running_volume for trade in trades])
    assert steps.tolist() == [abs(trade.volume) for trade in trades[1:]]
    for minute in range(550, 556):
        inside = [one for one in trades if one.at.hour * 60 + one.at.minute == minute]
        place = rows.label.tolist().index(minute) if inside else None
        assert place is None or (
            rows.open[place], rows.high[place], rows.low[place], rows.close[place], rows.volume[place]
        ) == (
            inside[0].price,
            max(one.price for one in inside),
            min(one.price for one in inside),
            inside[-1].price,
            sum(abs(one.volume) for one in inside),
        )  # fmt: skip


def test_a_snapshot_is_todays_row(market: VenueMarket) -> None:
    """The figures of many codes at once agree with the chart of each."""
    for suffix in ("_NX", "_AL"):
        days = market.periods(CODE + suffix, Period.DAY, at(17), None)
        seen = market.snapshot(CODE + suffix, at(17))
        assert seen is not None
        assert (seen.volume, seen.value, seen.price) == (days.volume[-1], days.value[-1], days.close[-1])
